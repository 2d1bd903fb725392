/** Promises of the API: settled as tasks, with the exceptions of scripts, and not after a `destroy`. */

import { toException } from './errors.js';
import { inTask } from './tasks.js';

/** Hosts' objects that a script has destroyed. */
const destroyed = new WeakSet();

export function markDestroyed(host: object): void {
  destroyed.add(host);
}

/**
 * What the host's checks refuse at once rejects at once; all else settles in a task. What a script
 * destroys before it has seen the answer has no answer any more, though the host may have given one.
 */
export async function pendingOn<T>(
  method: string,
  hosts: readonly object[],
  run: () => Promise<T>,
): Promise<T> {
  try {
    const answer = await inTask(run());
    if (!hosts.some((host) => destroyed.has(host))) return answer;
  } catch (error) {
    throw toException(error);
  }
  throw new DOMException(
    `${method}: the tensor or context was destroyed before the promise was settled`,
    'InvalidStateError',
  );
}
