import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { HARNESS, judge, readExpectations } from '../../tools/wpt/expectations.mjs';
import { isFor, readMeta, readSuite } from '../../tools/wpt/suite.mjs';

const folders = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function folderWith(files) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'webnn-wpt-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

const expectationsOf = async (list) =>
  readExpectations(path.join(await folderWith({ 'list.json': JSON.stringify(list) }), 'list.json'));

test('META lines end with the first line that is none', () => {
  const meta = readMeta('// META: script=a.js\n// META: script=b.js\n//META: title=x = y\ncode\n// META: timeout=long\n');
  expect([...meta]).toEqual([
    ['script', ['a.js', 'b.js']],
    ['title', ['x = y']],
  ]);
});

test.each([
  ['x.any.js', '', ['window', 'dedicatedworker']],
  ['x.any.js', '// META: global=window,worker\n', ['window', 'dedicatedworker', 'sharedworker', 'serviceworker']],
  ['x.any.js', '// META: global=serviceworker,window\n', ['window', 'serviceworker']],
  ['x.window.js', '', ['window']],
  ['x.worker.js', '', ['dedicatedworker']],
])('%s with "%s" runs in %j', async (name, source, scopes) => {
  const root = await folderWith({ [`webnn/${name}`]: source, 'webnn/resources/utils.any.js': '' });
  const { files } = await readSuite(root);
  expect(files.map((file) => [file.name, file.scopes])).toEqual([[name, scopes]]);
});

test('headers stand beside a test, and a document is no test of ours', async () => {
  const { files, unknown } = await readSuite(
    await folderWith({
      'webnn/a.any.js': '',
      'webnn/a.any.js.headers': 'Cross-Origin-Opener-Policy: same-origin\n',
      'webnn/b.html': '',
    }),
  );
  expect(files[0].headers).toEqual({ 'Cross-Origin-Opener-Policy': 'same-origin' });
  expect(unknown).toEqual(['b.html']);
});

test.each([
  ['?cpu', true],
  ['?gpu', false],
  ['?op=add&device=cpu', true],
  ['?op=add&device=npu', false],
  ['', true],
])('variant "%s" is for the CPU: %s', (variant, expected) => {
  expect(isFor(variant, ['cpu'])).toBe(expected);
});

const PASS = 0;
const FAIL = 1;
const result = (tests, status = 0, scope = 'window') => ({
  test: { name: 'a.any.js' },
  scope,
  status,
  message: 'why',
  tests: Object.entries(tests).map(([name, testStatus]) => ({ name, status: testStatus, message: '' })),
});
const names = (list) => list.map(({ name }) => name);

test('a failure is known where it is expected, and a pass against expectation is a surprise', async () => {
  const expectations = await expectationsOf([
    { file: 'a.any.js', test: 'known', reason: 'so' },
    { file: 'a.any.js', pattern: 'odd .*', scopes: ['window'], reason: 'so' },
    { file: 'a.any.js', test: 'gone', reason: 'so' },
    { file: 'b.any.js', test: 'plain', reason: 'so' },
  ]);
  const tests = { known: FAIL, 'odd one': PASS, plain: FAIL, good: PASS };
  const { files, unmet } = judge([result(tests), result(tests, 0, 'node')], expectations);
  expect(files.map(({ passed, known, failed, surprises }) => [passed, known, failed, surprises].map(names))).toEqual([
    [['good'], ['known'], ['plain'], ['odd one']],
    [['odd one', 'good'], ['known'], ['plain'], []],
  ]);
  expect(unmet.map(({ test, pattern }) => test ?? pattern)).toEqual(['gone', 'plain']);
});

test('a file without a proper end is a failure of its own', async () => {
  const { files } = judge([result({ good: PASS }, 1)], []);
  expect(files[0].failed).toEqual([{ name: HARNESS, status: 'ERROR', message: 'why' }]);
  expect(names(files[0].passed)).toEqual(['good']);
});

test.each([
  [{ file: 'a', test: 'b' }, 'expected a file and a reason'],
  [{ file: 'a', reason: 'r' }, 'expected one of test and pattern'],
  [{ file: 'a', test: 'b', pattern: 'c', reason: 'r' }, 'expected one of test and pattern'],
  [{ file: 'a', test: 'b', reason: 'r', skip: true }, 'unknown key "skip"'],
])('the expectation %j is refused', async (entry, message) => {
  await expect(expectationsOf([entry])).rejects.toThrow(message);
});
