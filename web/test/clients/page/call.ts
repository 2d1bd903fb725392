/** Calls a page script's default function, in the page or in a worker of its own. */

export interface Call {
  readonly module: string;
  readonly request: unknown;
}

type Answer = { readonly result: unknown } | { readonly error: string };

async function call({ module, request }: Call): Promise<unknown> {
  const script = (await import(module)) as { default: (request: unknown) => Promise<unknown> };
  return script.default(request);
}

async function callInWorker(request: Call): Promise<unknown> {
  const worker = new Worker(import.meta.url, { type: 'module' });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ('error' in data) reject(new Error(data.error));
        else resolve(data.result);
      };
      worker.onerror = (event) => {
        reject(new Error(event.message));
      };
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}

if (typeof document === 'undefined') {
  onmessage = ({ data }: MessageEvent<Call>) => {
    call(data).then(
      (result) => {
        postMessage({ result } satisfies Answer);
      },
      (error: unknown) => {
        postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies Answer);
      },
    );
  };
} else {
  Object.assign(globalThis, { call, callInWorker });
}
