/** What a checkout's `webnn/` folder asks to be run: files, scopes, variants, as the WPT server reads them. */

import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

const WORKERS = ['dedicatedworker', 'sharedworker', 'serviceworker'];
const SCOPES = ['window', ...WORKERS];

/** Every test file, sorted; and what lies there that nothing here can run. */
export async function readSuite(root) {
  const folder = path.join(root, 'webnn');
  const names = (await readdir(folder, { recursive: true })).map((name) => name.split(path.sep).join('/')).sort();
  const files = [];
  const unknown = [];
  for (const name of names) {
    if (name.startsWith('resources/') || name.includes('/resources/')) continue;
    if (/\.(any|window|worker)\.js$/.test(name)) files.push(await readTest(root, name));
    else if (/\.(html|xhtml|svg)$/.test(name)) unknown.push(name);
  }
  return { files, unknown };
}

async function readTest(root, name) {
  const source = await readFile(path.join(root, 'webnn', name), 'utf8');
  const meta = readMeta(source);
  const headers = await readHeaders(path.join(root, 'webnn', `${name}.headers`));
  return {
    name,
    /** Where the server has it. */
    url: `/webnn/${name}`,
    scripts: meta.get('script') ?? [],
    scopes: scopesOf(name, meta.get('global')?.at(-1)),
    variants: meta.get('variant') ?? [''],
    long: meta.get('timeout')?.at(-1) === 'long',
    title: meta.get('title')?.at(-1) ?? name,
    headers,
  };
}

/** The `// META: key=value` lines at the head of a file. */
export function readMeta(source) {
  const meta = new Map();
  for (const line of source.split('\n')) {
    const [, key, value] = /^\/\/\s*META:\s*(\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) break;
    meta.set(key, [...(meta.get(key) ?? []), value.trim()]);
  }
  return meta;
}

function scopesOf(name, globals) {
  if (name.endsWith('.window.js')) return ['window'];
  if (name.endsWith('.worker.js')) return ['dedicatedworker'];
  const wanted = (globals ?? 'window,dedicatedworker')
    .split(',')
    .map((scope) => scope.trim())
    .flatMap((scope) => (scope === 'worker' ? WORKERS : [scope]));
  return SCOPES.filter((scope) => wanted.includes(scope));
}

/** The headers that the server is to answer with for a test and its worker. */
async function readHeaders(file) {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

/** Whether a variant such as `?cpu` or `?op=add&device=cpu` is for one of the devices. */
export function isFor(variant, devices) {
  const named = ['cpu', 'gpu', 'npu'].filter((device) => variant.split(/[?&=]/).includes(device));
  return named.length === 0 || named.some((device) => devices.includes(device));
}
