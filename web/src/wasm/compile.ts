/** Downloads WebAssembly and compiles it on other threads. */

import { messageOf } from './failure.js';

/** Fails with a sentence that names the address, also where the server has no such file. */
export async function download(url: URL): Promise<Response> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new Error(`${url.href} cannot be loaded: ${messageOf(error)}`);
  });
  if (!response.ok) throw new Error(`${url.href} cannot be loaded: status ${response.status}`);
  return response;
}

/** Compiles while the rest is on its way, where the server names the type. */
export async function compileResponse(response: Response, url: URL): Promise<WebAssembly.Module> {
  const isNamed = response.headers.get('Content-Type') === 'application/wasm';
  try {
    if (isNamed) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw new Error(`${url.href} cannot be compiled: ${messageOf(error)}`, { cause: error });
  }
}
