/** What a worker does: one task for its life, begun when it holds its lock. */

import { messageOf } from './failure.js';
import type { Answer, Command, Hold, Task } from './protocol.js';
import { startEngine, startHelper, type EngineServer } from './server.js';

export interface WorkerScope {
  send(answer: Answer, transfer?: ArrayBuffer[]): void;
  listen(receive: (message: unknown) => void): void;
  /** Acts while holding a lock, which nobody else gets before this worker is gone. */
  hold(lock: string, act: () => void): void;
}

export function work(scope: WorkerScope): void {
  let held: Promise<void> | undefined;
  let isAtWork = false;
  let server: EngineServer | undefined;
  const send = scope.send.bind(scope);
  /** The instance is made while the lock is on its way; the page is told when it is there. */
  const start = async (task: Task, hold: Promise<void>): Promise<void> => {
    if (task.kind === 'helper') {
      await hold;
      startHelper(task, send);
      return;
    }
    const engine = startEngine(task, send);
    server = engine.server;
    await hold;
    send(engine.ready);
    server.warmUp();
  };
  scope.listen((message) => {
    if (held === undefined) {
      const { lock } = message as Hold;
      held = new Promise((resolve) => {
        scope.hold(lock, resolve);
      });
    } else if (!isAtWork) {
      isAtWork = true;
      // A failure of the engine loses it.
      start(message as Task, held).catch((error: unknown) => {
        send({ kind: 'lost', reason: messageOf(error) });
      });
    } else {
      server?.handle(message as Command);
    }
  });
}
