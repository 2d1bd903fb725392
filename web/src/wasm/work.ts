/** What a worker does: one task for its life, the first message that comes. */

import { messageOf } from './failure.js';
import type { Answer, Command, Task } from './protocol.js';
import { startEngine, startHelper, type EngineServer } from './server.js';

export interface WorkerScope {
  send(answer: Answer, transfer?: ArrayBuffer[]): void;
  listen(receive: (message: unknown) => void): void;
  /** Acts while holding a lock, which nobody else gets before this worker is gone. */
  hold(lock: string, act: () => void): void;
}

export function work(scope: WorkerScope): void {
  let task: Task | undefined;
  let server: EngineServer | undefined;
  const send = scope.send.bind(scope);
  /** A failure of the engine loses it. */
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      send({ kind: 'lost', reason: messageOf(error) });
    }
  };
  scope.listen((message) => {
    if (task !== undefined) {
      server?.handle(message as Command);
      return;
    }
    const first = (task = message as Task);
    guarded(() => {
      scope.hold(first.lock, () => {
        guarded(() => {
          if (first.kind === 'helper') startHelper(first, send);
          else server = startEngine(first, send);
        });
      });
    });
  });
}
