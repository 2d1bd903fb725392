/* global setup, add_result_callback, add_completion_callback */

/**
 * Runs in the scope of a test, after testharness.js and before the test: hands on what happens.
 * `WPT_RUN` is {timeout, send}: milliseconds until the file counts as hung, and the way home.
 */
(() => {
  const { timeout, send } = self.WPT_RUN;
  const record = ({ name, status, message }) => ({ name, status, message: message ?? '' });

  // The runner's own limit holds in all scopes alike; the harness has one in windows only.
  setup({ explicit_timeout: true, output: false });
  setTimeout(() => self.timeout(), timeout);

  add_result_callback((test) => send({ test: record(test) }));
  add_completion_callback((tests, harness) =>
    send({ done: { status: harness.status, message: harness.message ?? '', tests: tests.map(record) } }),
  );
})();
