/** The script of the workers that compute, in Node. */

import { parentPort } from 'node:worker_threads';

import { work } from './work.js';

const port = parentPort;
if (port !== null) {
  work({
    send: (answer, transfer = []) => {
      port.postMessage(answer, transfer);
    },
    listen: (receive) => {
      port.on('message', receive);
    },
    // The page's side hears of the end of a worker by an event.
    hold: (_lock, act) => {
      act();
    },
  });
}
