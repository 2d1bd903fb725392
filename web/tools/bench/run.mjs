/**
 * Speed and size in a browser, beside ONNX Runtime Web:
 *
 *   npm run bench:web -- --models DIR [--only NAME,...] [--threads 1,2] [--rounds N] [--json FILE]
 *
 * One headless Chromium has a page for each engine and number of threads, all cross-origin isolated,
 * all with the model loaded. A round gives each one burst of runs, in alternating order; a burst's
 * value is the median of its runs, and a ratio the median over rounds of two values of the same
 * round. A run goes from inputs in JavaScript memory to all outputs in JavaScript memory.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { launchChromium } from '../browser.mjs';
import { serve } from '../serve.mjs';

const WEB = fileURLToPath(new URL('../..', import.meta.url));
const MODELS = ['mobilenetv2', 'squeezenet11', 'minilm_l6', 'vit_tiny', 'segment256'];
const ENGINES = ['direct', 'ort-webnn', 'ort-wasm'];
/** Until a browser has done with a new page what it does by itself, such as starting a process for the next one. */
const REST_MS = 1000;

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    only: { type: 'string', default: MODELS.join(',') },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '7' },
    packages: { type: 'string', default: path.join(WEB, 'test/clients/node_modules') },
    json: { type: 'string' },
  },
});

const runtime = path.join(options.packages, 'onnxruntime-web');
if (!existsSync(runtime)) {
  console.error(`ONNX Runtime Web is not in ${options.packages}: npm ci in web/test/clients`);
  process.exit(2);
}

const server = await serve({
  roots: {
    '/bench': path.join(WEB, 'tools/bench'),
    '/dist': path.join(WEB, 'dist'),
    '/digits': path.join(WEB, '../models/digits'),
    '/ort': path.join(runtime, 'dist'),
    ...(options.models === undefined ? {} : { '/models': options.models }),
  },
  isolated: true,
});
const browser = await launchChromium({ args: ['--no-sandbox'] });
const report = { browser: browser.version(), onnxruntime: version(runtime), latency: [] };
try {
  report.size = sizes();
  report.first = await firstResults(Number(options.rounds));
  printFixed(report);
  if (options.models !== undefined) {
    for (const threads of options.threads.split(',').map(Number)) {
      report.latency.push(...(await latencies(threads)));
    }
    printLatency(report.latency);
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
} finally {
  await browser.close();
  await server.close();
}

function version(folder) {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version;
}

/** Bytes with brotli, of what a page loads for its first graph. */
function sizes() {
  const dist = path.join(WEB, 'dist');
  const packed = (file) => brotliCompressSync(readFileSync(path.join(dist, file))).length;
  const loaded = new Set();
  const follow = (file) => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const text = readFileSync(path.join(dist, file), 'utf8');
    for (const [, name] of text.matchAll(/["'`]\.\/([\w.-]+\.js)["'`]/g)) {
      const isLoaded = !name.includes('onnx') && !name.includes('node');
      if (isLoaded && existsSync(path.join(dist, name))) follow(name);
    }
  };
  follow('polyfill.js');
  const script = [...loaded].reduce((sum, file) => sum + packed(file), 0);
  const modules = readdirSync(path.join(dist, 'wasm')).filter((file) => file !== 'onnx.wasm');
  return { script, modules: Object.fromEntries(modules.map((file) => [file, packed(`wasm/${file}`)])) };
}

/** Milliseconds from the import to the digit model's first result, in pages at rest that have loaded nothing. */
async function firstResults(rounds) {
  const times = { direct: [], 'ort-wasm': [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const engine of Object.keys(times)) {
      const page = await open();
      await setTimeout(REST_MS);
      times[engine].push(await page.evaluate((name) => globalThis.bench.first(name), engine));
      await page.context().close();
    }
  }
  const ratio = median(times.direct.map((time, round) => time / times['ort-wasm'][round]));
  return { direct: median(times.direct), 'ort-wasm': median(times['ort-wasm']), ratio };
}

async function open() {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(new URL('/bench/page.html', server.url).href);
  await page.waitForFunction(() => globalThis.bench !== undefined);
  return page;
}

async function latencies(threads) {
  const rows = [];
  const pages = {};
  for (const engine of ENGINES) {
    pages[engine] = await open();
    await pages[engine].evaluate(([name, count]) => globalThis.bench.start(name, count), [engine, threads]);
  }
  for (const model of options.only.split(',')) {
    for (const engine of ENGINES) {
      await pages[engine].evaluate((name) => globalThis.bench.load(name), model);
    }
    const bursts = Object.fromEntries(ENGINES.map((engine) => [engine, []]));
    for (let round = 0; round < Number(options.rounds); round += 1) {
      const order = round % 2 === 0 ? ENGINES : ENGINES.toReversed();
      for (const engine of order) {
        bursts[engine].push(await pages[engine].evaluate(() => globalThis.bench.burst(300)));
      }
    }
    const outputs = {};
    for (const engine of ENGINES) outputs[engine] = await pages[engine].evaluate(() => globalThis.bench.outputs());
    const ratio = (a, b) => median(bursts[a].map((time, round) => time / bursts[b][round]));
    rows.push({
      model,
      threads,
      ms: Object.fromEntries(ENGINES.map((engine) => [engine, median(bursts[engine])])),
      ratio: ratio('direct', 'ort-wasm'),
      provider: ratio('ort-webnn', 'direct'),
      distance: Math.max(
        distance(outputs.direct, outputs['ort-wasm']),
        distance(outputs['ort-webnn'], outputs['ort-wasm']),
      ),
    });
    console.error(`${model}, ${threads} threads: ${rows.at(-1).ratio.toFixed(2)}`);
  }
  for (const page of Object.values(pages)) await page.context().close();
  return rows;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** ‖a − b‖ / ‖b − mean(b)‖ of the worst output. */
function distance(a, b) {
  return Math.max(
    ...b.map((expected, i) => {
      const mean = expected.reduce((sum, x) => sum + x, 0) / expected.length;
      const off = Math.hypot(...expected.map((x, j) => x - a[i][j]));
      return off / Math.hypot(...expected.map((x) => x - mean));
    }),
  );
}

function printFixed({ browser: chromium, onnxruntime, size, first }) {
  console.log(`Chromium ${chromium}, ONNX Runtime Web ${onnxruntime}\n`);
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
  console.log(`JavaScript ${kilobytes(size.script)} with brotli, and one of`);
  for (const [file, bytes] of Object.entries(size.modules)) console.log(`  ${file} ${kilobytes(bytes)}`);
  console.log(
    `\nfirst result: ${first.direct.toFixed(0)} ms, ONNX Runtime Web ${first['ort-wasm'].toFixed(0)} ms, ` +
      `ratio ${first.ratio.toFixed(2)}\n`,
  );
}

function printLatency(rows) {
  const ms = (time) => time.toFixed(2);
  console.log('| model | threads | ONNX Runtime Web wasm, ms | webnn, ms | ratio | its webnn provider on webnn, ms | to webnn | distance |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const { model, threads, ms: time, ratio, provider, distance: off } of rows) {
    console.log(
      `| ${model} | ${threads} | ${ms(time['ort-wasm'])} | ${ms(time.direct)} | **${ratio.toFixed(2)}** | ` +
        `${ms(time['ort-webnn'])} | ${provider.toFixed(2)} | ${off.toExponential(0)} |`,
    );
  }
  for (const threads of new Set(rows.map((row) => row.threads))) {
    const ratios = rows.filter((row) => row.threads === threads).map((row) => Math.log(row.ratio));
    const mean = Math.exp(ratios.reduce((sum, x) => sum + x, 0) / ratios.length);
    console.log(`\ngeometric mean of the ratios, ${threads} threads: ${mean.toFixed(2)}`);
  }
}
