/**
 * A small static server on 127.0.0.1, for tests and for looking at pages.
 *
 * As a program: node tools/serve.mjs [--port N] [--isolated] [--header 'Name: value']... PREFIX=FOLDER...
 */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const MIME = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.html', 'text/html; charset=utf-8'],
  ['.ico', 'image/x-icon'],
  ['.jpg', 'image/jpeg'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.wasm', 'application/wasm'],
  ['.webmanifest', 'application/manifest+json'],
]);

/** What makes a page cross-origin isolated, so that it has SharedArrayBuffer. */
export const ISOLATION = Object.freeze({
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
});

/** The content type of a path, by its extension. */
export function mimeType(file) {
  return MIME.get(path.extname(file).toLowerCase()) ?? 'application/octet-stream';
}

/**
 * Serves folders below URL prefixes, and what `generate` makes up.
 *
 * @see serve.d.mts for the options
 */
export async function serve({ roots = {}, port = 0, isolated = false, headers = {}, generate } = {}) {
  const folders = Object.entries(roots)
    .map(([prefix, folder]) => ({
      prefix: prefix.endsWith('/') ? prefix : `${prefix}/`,
      folder: path.resolve(folder instanceof URL ? fileURLToPath(folder) : folder),
    }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  // Nothing here may be cached: the same address serves another build in the next minute.
  const always = { 'Cache-Control': 'no-store', ...(isolated ? ISOLATION : {}) };
  const headersOf = typeof headers === 'function' ? headers : () => headers;

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      // A caller that went away in the middle of a file is no fault of the server.
      if (error?.code !== 'ERR_STREAM_PREMATURE_CLOSE') console.error(error);
      response.destroy();
    });
  });

  async function answer(request, response) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    let pathname;
    let url;
    try {
      url = new URL(request.url, 'http://127.0.0.1');
      pathname = decodeURIComponent(url.pathname);
    } catch {
      return refuse(response, 400);
    }
    for (const [name, value] of Object.entries({ ...always, ...headersOf(pathname) })) {
      response.setHeader(name, value);
    }
    const made = await generate?.(url);
    if (made !== undefined) {
      response.setHeader('Content-Type', made.type ?? mimeType(pathname));
      for (const [name, value] of Object.entries(made.headers ?? {})) response.setHeader(name, value);
      response.writeHead(made.status ?? 200);
      response.end(request.method === 'HEAD' ? undefined : made.body);
      return;
    }
    const found = await locate(pathname);
    if (found === undefined) return refuse(response, 404);
    response.setHeader('Content-Type', mimeType(found.file));
    response.setHeader('Content-Length', found.size);
    if (request.method === 'HEAD') return response.end();
    await pipeline(createReadStream(found.file), response);
  }

  /** The file of a path; a later root is asked where an earlier one lacks it. */
  async function locate(pathname) {
    for (const { prefix, folder } of folders) {
      if (!pathname.startsWith(prefix) || pathname.includes('\0')) continue;
      let file = path.join(folder, pathname.slice(prefix.length));
      if (file !== folder && !file.startsWith(folder + path.sep)) continue;
      if (pathname.endsWith('/')) file = path.join(file, 'index.html');
      const found = await stat(file).catch(() => undefined);
      if (found?.isFile()) return { file, size: found.size };
    }
    return undefined;
  }

  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse(response, status) {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(status);
  response.end(`${status}\n`);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '8080' },
      isolated: { type: 'boolean', default: false },
      header: { type: 'string', multiple: true, default: [] },
    },
  });
  const roots = Object.fromEntries(
    (positionals.length > 0 ? positionals : ['/=.']).map((root) => {
      const at = root.indexOf('=');
      if (at < 1) throw new Error(`${root}: expected PREFIX=FOLDER, such as /dist/=dist`);
      return [root.slice(0, at), root.slice(at + 1)];
    }),
  );
  const headers = Object.fromEntries(
    values.header.map((header) => {
      const at = header.indexOf(':');
      if (at < 1) throw new Error(`${header}: expected 'Name: value'`);
      return [header.slice(0, at).trim(), header.slice(at + 1).trim()];
    }),
  );
  const { url } = await serve({ roots, headers, port: Number(values.port), isolated: values.isolated });
  console.log(url);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
