/**
 * Promises settled as tasks, as the specification demands, without a task more than needed.
 *
 * A host may answer from a task of its own (a worker's message) or at once (a promise that was
 * settled before it was returned). So each task in which something asynchronous is called posts one
 * marker; an answer that comes before the marker waits for it, a later one is in a task already.
 */

let era = 0;
let posted = false;
let waiting: (() => void)[] = [];
let post: (() => void) | undefined;

/** Settles as the promise does, but in another task than the one that calls this. */
export async function inTask<T>(promise: Promise<T>): Promise<T> {
  const start = era;
  if (!posted) {
    posted = true;
    post ??= poster();
    post();
  }
  try {
    return await promise;
  } finally {
    if (era === start) await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

function arrive(): void {
  era += 1;
  posted = false;
  const due = waiting;
  waiting = [];
  for (const resolve of due) resolve();
}

/** Timers are clamped and throttled; Node's immediates keep the process alive, as they must. */
function poster(): () => void {
  if (typeof setImmediate === 'function') return () => void setImmediate(arrive);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = arrive;
  return () => {
    port2.postMessage(undefined);
  };
}
