/**
 * Runs the web-platform-tests of WebNN from a checkout against this package, in headless Chromium
 * (windows and workers) and in Node.
 */

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { HARNESS, judge, readExpectations } from './expectations.mjs';
import { runInBrowser } from './in-browser.mjs';
import { runInNode } from './in-node.mjs';
import { isFor, readSuite } from './suite.mjs';

const HELP = `npm run wpt -- --wpt DIR [options]

Runs the tests of webnn/ from a checkout of web-platform-tests (with its folders
webnn, resources and interfaces) against dist/, and compares with what is expected.

  --wpt DIR          the checkout
  --filter RE        only files whose path below webnn/ matches
  --node             in Node instead of in Chromium
  --scope LIST       of window,dedicatedworker,sharedworker,serviceworker: by default
                     all that a test asks for
  --every-scope      each test in each scope of --scope, whatever it asks for
  --variant LIST     of cpu,gpu,npu (default cpu: all are computed by the same engine)
  --isolated         all pages cross-origin isolated, so that the engine has threads
  --native           the browser's own WebNN, for comparison; nothing is expected
  --jobs N           files at a time (default: one per core)
  --json FILE        writes every result
  --expectations F   default test/wpt-expectations.json
  --verbose          prints every failure, the expected ones too

CHROMIUM names the browser. Exit code: 0 as expected, 1 not as expected, 2 wrong use.`;

const WEB = path.resolve(import.meta.dirname, '../..');
const SCOPES = ['window', 'dedicatedworker', 'sharedworker', 'serviceworker'];

/** Milliseconds for a file; ten and sixty seconds are the harness's own, for machines with nothing else to do. */
const timeoutOf = (test) => (test.long ? 60_000 : 10_000) * 4;

async function main() {
  const options = readOptions();
  const { files, unknown } = await readSuite(options.root);
  const jobs = jobsOf(files, options);
  if (jobs.length === 0) throw new UsageError('no test file matches');
  for (const name of unknown) console.error(`cannot run ${name}: only .any.js, .window.js and .worker.js`);

  const results = [];
  const run = options.node ? runInNode : runInBrowser;
  const expectations = options.native ? [] : await readExpectations(options.expectations);
  const version = await run({
    ...options,
    files,
    jobs,
    timeoutOf,
    report: (result) => {
      results.push(result);
      printFile(judge([result], expectations).files[0], options.verbose);
    },
  });
  const { files: judged, unmet } = judge(results, expectations);
  // What a filter left out cannot have been met.
  const stale = unmet.filter((entry) => jobs.some((job) => job.test.name === entry.file && holds(entry, job)));
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify(toJson(version, judged), null, 1));
  const isAsExpected = printTotals(judged, stale, options.node ? `Node ${version}` : `Chromium ${version}`);
  return isAsExpected && unknown.length === 0 ? 0 : 1;
}

const holds = (entry, job) => entry.scopes?.includes(job.scope) ?? true;

class UsageError extends Error {}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        wpt: { type: 'string' },
        filter: { type: 'string', default: '' },
        node: { type: 'boolean', default: false },
        scope: { type: 'string', default: SCOPES.join(',') },
        'every-scope': { type: 'boolean', default: false },
        variant: { type: 'string', default: 'cpu' },
        isolated: { type: 'boolean', default: false },
        native: { type: 'boolean', default: false },
        jobs: { type: 'string', default: String(os.availableParallelism()) },
        json: { type: 'string' },
        expectations: { type: 'string', default: path.join(WEB, 'test/wpt-expectations.json') },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  if (values.wpt === undefined) throw new UsageError('--wpt DIR is missing');
  const root = path.resolve(values.wpt);
  for (const needed of ['webnn', 'resources/testharness.js', 'interfaces']) {
    if (!existsSync(path.join(root, needed))) throw new UsageError(`${root} has no ${needed}`);
  }
  const dist = path.join(WEB, 'dist');
  const entry = path.join(dist, values.node ? 'polyfill-node.js' : 'polyfill.js');
  if (!values.native && !existsSync(entry)) throw new UsageError(`${entry} is missing: run "npm run build"`);
  if (values.native && values.node) throw new UsageError('--native is about browsers, --node is not');
  const workers = Number(values.jobs);
  if (!Number.isInteger(workers) || workers < 1) throw new UsageError(`--jobs ${values.jobs}: expected 1 or more`);
  return {
    ...values,
    root,
    dist,
    workers,
    filter: new RegExp(values.filter),
    scopes: listOf('scope', values.scope, SCOPES),
    variants: listOf('variant', values.variant, ['cpu', 'gpu', 'npu']),
  };
}

function listOf(option, text, known) {
  const list = text.split(',');
  const wrong = list.find((item) => !known.includes(item));
  if (wrong !== undefined) throw new UsageError(`--${option} ${wrong}: expected some of ${known.join(', ')}`);
  return list;
}

function jobsOf(files, options) {
  return files
    .filter((test) => options.filter.test(test.name))
    .flatMap((test) =>
      scopesOf(test, options).flatMap((scope) =>
        test.variants
          .filter((variant) => isFor(variant, options.variants))
          .map((variant) => ({ test, scope, variant })),
      ),
    );
}

function scopesOf(test, { node, scopes, 'every-scope': every }) {
  if (node) return ['node'];
  return every ? scopes : test.scopes.filter((scope) => scopes.includes(scope));
}

function printFile({ test, scope, variant, passed, known, failed, surprises }, verbose) {
  const count = passed.length + known.length + failed.length + surprises.length;
  const notes = [
    known.length > 0 ? `${known.length} failed as expected` : '',
    failed.length > 0 ? `${failed.length} FAILED` : '',
    surprises.length > 0 ? `${surprises.length} PASSED UNEXPECTEDLY` : '',
  ].filter((note) => note !== '');
  console.log(`${[`${passed.length}/${count}`.padStart(9), test.name, scope + variant, ...notes].join('  ')}`);
  for (const { name, status, message } of failed) console.log(`${' '.repeat(11)}${status} ${name}: ${message}`);
  for (const { name, reason } of surprises) console.log(`${' '.repeat(11)}PASS ${name}, expected to fail: ${reason}`);
  if (!verbose) return;
  for (const { name, message, reason } of known) {
    console.log(`${' '.repeat(11)}known ${name}: ${message}\n${' '.repeat(13)}${reason}`);
  }
}

function printTotals(files, stale, where) {
  for (const { file, test, pattern, reason } of stale) {
    console.log(`no such test in ${file}: ${test ?? pattern} (expected to fail: ${reason})`);
  }
  const sum = (list, group) => list.reduce((total, file) => total + file[group].length, 0);
  for (const scope of new Set(files.map((file) => file.scope))) {
    const list = files.filter((file) => file.scope === scope);
    const hung = list.filter((file) => file.failed.some(({ name }) => name === HARNESS)).length;
    console.log(
      `${where}, ${scope}: ${list.length} files (${hung} without a proper end), ${sum(list, 'passed')} passed, ` +
        `${sum(list, 'known')} failed as expected, ${sum(list, 'failed')} failed, ` +
        `${sum(list, 'surprises')} passed unexpectedly`,
    );
  }
  return sum(files, 'failed') === 0 && sum(files, 'surprises') === 0 && stale.length === 0;
}

function toJson(version, files) {
  return {
    version,
    files: files.map(({ test, scope, variant, status, message, tests }) => ({
      file: test.name,
      scope,
      variant,
      harness: { status, message },
      tests,
    })),
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
