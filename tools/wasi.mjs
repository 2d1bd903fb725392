// SPDX-License-Identifier: MIT OR Apache-2.0
// Runs a wasm32-wasip1 program with Node's own WASI: `node --no-warnings wasi.mjs PROGRAM.wasm ARGUMENTS..`.
// Cargo calls it as the runner of that target's tests.
import { readFile } from 'node:fs/promises';
import v8 from 'node:v8';
import { WASI } from 'node:wasi';

const [program, ...rest] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [program, ...rest], env: process.env });
const bytes = await readFile(program);
// Node 20 has relaxed SIMD, but asks to be asked.
if (!WebAssembly.validate(bytes)) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
const module = await WebAssembly.compile(bytes);
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
