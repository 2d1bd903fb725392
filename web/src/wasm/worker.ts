/** The script of the workers that compute, in browsers. */

import type { Answer } from './protocol.js';
import { work } from './work.js';

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  postMessage: (message: Answer, transfer?: Transferable[]) => void;
};

work({
  send: (answer, transfer) => {
    scope.postMessage(answer, transfer);
  },
  listen: (receive) => {
    scope.onmessage = ({ data }) => {
      receive(data);
    };
  },
  hold: (lock, act) => {
    const locks = (navigator as { locks?: LockManager }).locks;
    if (locks === undefined) {
      act();
      return;
    }
    const holding = locks.request(lock, () => {
      act();
      return new Promise(() => undefined);
    });
    // Where locks are refused, the engine works without one.
    holding.catch(act);
  },
});
