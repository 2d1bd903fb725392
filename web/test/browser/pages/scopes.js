/** Asks each kind of worker to compute, and hands its answer back. */

export async function inWindow() {
  await import('/dist/polyfill.js');
  return (await import('./compute.js')).everything();
}

export function inModuleWorker() {
  return answerOf(new Worker('/pages/worker-module.js', { type: 'module' }));
}

export function inClassicWorker() {
  return answerOf(new Worker('/pages/worker-classic.js'));
}

export function inNestedWorker() {
  return answerOf(new Worker('/pages/worker-nested.js', { type: 'module' }));
}

export function inSharedWorker() {
  const worker = new SharedWorker('/pages/worker-shared.js', { type: 'module' });
  const answer = answerOf(worker.port, worker);
  worker.port.start();
  return answer;
}

export async function inServiceWorker() {
  const { installing } = await navigator.serviceWorker.register('/pages/worker-service.js', { type: 'module' });
  const channel = new MessageChannel();
  const answer = answerOf(channel.port1, installing);
  channel.port1.start();
  installing.postMessage('compute', [channel.port2]);
  return answer;
}

export function answerOf(port, worker = port) {
  return new Promise((resolve, reject) => {
    port.addEventListener('message', ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data)));
    worker.addEventListener('error', (event) => reject(new Error(`the worker failed: ${event.message}`)));
  });
}

/** Answers through a port with what `compute` gives. */
export function answer(port, compute) {
  compute().then(
    (result) => port.postMessage(result),
    (error) => port.postMessage({ error: String(error) }),
  );
}
