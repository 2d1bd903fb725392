// Builds dist/: `npm run build`. JavaScript by esbuild, declarations by tsc, WebAssembly from
// `cargo xtask web` as it is.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * By the file's name in dist/, which the code finds by `new URL('./name.js', import.meta.url)`. For
 * pages each is one file, as every import in a file is another way to the server and back.
 */
const PAGE_ENTRIES = {
  index: 'src/index.ts',
  polyfill: 'src/polyfill.ts',
  onnx: 'src/onnx.ts',
  worker: 'src/wasm/worker.ts',
  'onnx-worker': 'src/onnx-worker.ts',
};
const NODE_ENTRIES = {
  node: 'src/node.ts',
  'polyfill-node': 'src/polyfill-node.ts',
  'onnx-node': 'src/onnx-node.ts',
  'worker-node': 'src/wasm/worker-node.ts',
};

rmSync(dist, { recursive: true, force: true });

// Node reads WebAssembly's part only where no addon fits: it is a file of its own.
const built = await Promise.all([bundle(PAGE_ENTRIES, false), bundle(NODE_ENTRIES, true)]);

// The engine's glue is in the bundle already; declarations are for nobody.
copy('wasm', 'wasm', (name) => !/(^webnn(_onnx)?\.js|\.d\.ts)$/.test(name));

// The addon that `cargo xtask node` made for this machine lies beside the entries.
copy('native', '.', (name) => name.endsWith('.node'));

execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
pruneTypes();

for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) cpSync(join(root, '..', name), join(dist, name));

report();

/** Bundles entries; those for `webnn` itself stay files that others import, so that all have the same classes. */
async function bundle(entryPoints, splitting) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    bundle: true,
    splitting,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    chunkNames: 'shared-[hash]',
    external: ['node:*', '*.node'],
    plugins: [
      {
        name: 'entries',
        setup: ({ onResolve }) => {
          onResolve({ filter: /^\.\/(index|node)\.js$/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
    minify: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.outputs);
}

/** Copies a folder's files into dist/, where the folder has been made. */
function copy(folder, target, isWanted) {
  const from = join(root, folder);
  if (!existsSync(from)) return;
  const filter = (name) => statSync(name).isDirectory() || isWanted(relative(from, name));
  cpSync(from, join(dist, target), { recursive: true, filter });
}

/** Takes out the declarations that no entry leads to: they would be read as the package's own. */
function pruneTypes() {
  const types = join(dist, 'types');
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/['"](\.[^'"]+)\.js['"]/g)) {
      visit(join(dirname(file), `${name}.d.ts`));
    }
  };
  for (const { types: entry } of Object.values(manifest.exports)) visit(join(root, entry));
  for (const name of readdirSync(types, { recursive: true })) {
    const file = join(types, name);
    if (statSync(file).isFile() && !reached.has(file)) rmSync(file);
  }
}

/** What a page would download, compressed. */
function report() {
  const files = built.flat().map((name) => join(root, name));
  if (existsSync(join(dist, 'wasm'))) {
    const nested = readdirSync(join(dist, 'wasm'), { recursive: true });
    files.push(...nested.map((name) => join(dist, 'wasm', name)).filter((name) => statSync(name).isFile()));
  }
  for (const file of files.filter((name) => /\.(js|wasm)$/.test(name)).sort()) {
    const bytes = readFileSync(file);
    const packed = brotliCompressSync(bytes).length;
    console.log(`${file.slice(dist.length + 1).padEnd(40)} ${kilobytes(bytes.length)} ${kilobytes(packed)} brotli`);
  }
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1).padStart(8)} kB`;
}
