/** Expected failures, each with its reason, and what a run makes of them. */

import { readFile } from 'node:fs/promises';

/** What a harness that did not end well counts as, beside the tests of its file. */
export const HARNESS = '(harness)';

const KEYS = ['file', 'test', 'pattern', 'scopes', 'reason'];

/**
 * Reads the list: `file` is a path below `webnn/`; `test` a whole name, or `pattern` a regular
 * expression for several; `scopes` where it holds, everywhere by default; `reason` says why, with the
 * specification's sentence where the test contradicts it.
 */
export async function readExpectations(file) {
  const list = JSON.parse(await readFile(file, 'utf8'));
  return list.map((entry, index) => {
    const where = `${file}, entry ${index + 1}`;
    const unknown = Object.keys(entry).filter((key) => !KEYS.includes(key));
    if (unknown.length > 0) throw new Error(`${where}: unknown key "${unknown[0]}"`);
    if (!entry.file || !entry.reason) throw new Error(`${where}: expected a file and a reason`);
    if ((entry.test === undefined) === (entry.pattern === undefined)) {
      throw new Error(`${where}: expected one of test and pattern`);
    }
    const pattern = entry.pattern === undefined ? undefined : new RegExp(`^(?:${entry.pattern})$`, 's');
    return {
      ...entry,
      covers: (job, name) =>
        job.test.name === entry.file &&
        (entry.scopes?.includes(job.scope) ?? true) &&
        (pattern?.test(name) ?? name === entry.test),
    };
  });
}

/** Every outcome of a file that is not "pass": the harness first, then the tests. */
export function outcomesOf(result) {
  const harness = result.status === 0 ? [] : [{ name: HARNESS, status: 'ERROR', message: result.message }];
  return [...harness, ...result.tests.map((test) => ({ ...test, status: STATUS[test.status] ?? 'ERROR' }))];
}

const STATUS = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'];

/**
 * Sorts outcomes into passed, known (failed as expected), failed, and surprises (passed against
 * expectation); marks the expectations that were met.
 */
export function judge(results, expectations) {
  const met = new Set();
  const files = results.map((result) => {
    const sorted = { passed: [], known: [], failed: [], surprises: [] };
    for (const outcome of outcomesOf(result)) {
      const expected = expectations.find((entry) => entry.covers(result, outcome.name));
      if (expected !== undefined) met.add(expected);
      const isPass = outcome.status === 'PASS';
      const group = isPass ? (expected ? 'surprises' : 'passed') : expected ? 'known' : 'failed';
      sorted[group].push({ ...outcome, reason: expected?.reason });
    }
    return { ...result, ...sorted };
  });
  return { files, unmet: expectations.filter((entry) => !met.has(entry)) };
}
