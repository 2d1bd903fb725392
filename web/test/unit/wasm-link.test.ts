import { describe, expect, test } from 'vitest';

import { Link } from '../../src/wasm/link.js';
import type { Answer, Command } from '../../src/wasm/protocol.js';

/** The page's half, as far as a link knows it. */
class Front {
  reason: string | undefined;
  lose(reason?: string): void {
    this.reason ??= reason ?? 'destroy() was called';
  }
  lost(): string | undefined {
    return this.reason;
  }
}

function link() {
  const sent: Command[] = [];
  const awaited: boolean[] = [];
  let closed = 0;
  const made = new Link(new Front() as unknown as Link['front'], {
    post: (command) => void sent.push(command),
    hold: (isAwaited) => void awaited.push(isAwaited),
    close: () => {
      closed += 1;
    },
  });
  const read = (tensor: number): Promise<string> =>
    made.ask({}, 'readTensor', { kind: 'read', tensor }).then(
      (bytes) => `${bytes?.byteLength ?? 0} bytes`,
      (error: unknown) => describeError(error),
    );
  return { link: made, sent, awaited, read, closed: () => closed };
}

function describeError(error: unknown): string {
  const { code, message } = error as { code: string; message: string };
  return `${code}: ${message}`;
}

const done = (reply: number, length: number): Answer => ({ kind: 'done', reply, bytes: new ArrayBuffer(length) });

describe('a link', () => {
  test('gives each answer to who asked, in whatever order they come', async () => {
    const { link: made, sent, read } = link();
    const answers = [read(7), read(8), read(7)];
    expect(sent).toEqual([
      { kind: 'read', tensor: 7, reply: 1 },
      { kind: 'read', tensor: 8, reply: 2 },
      { kind: 'read', tensor: 7, reply: 3 },
    ]);
    made.receive(done(3, 30));
    made.receive({ kind: 'failed', reply: 2, code: 'UnknownError', message: 'too large' });
    made.receive(done(1, 10));
    made.receive(done(1, 11));
    expect(await Promise.all(answers)).toEqual(['10 bytes', 'UnknownError: too large', '30 bytes']);
  });

  test('rejects the reads of a tensor that is destroyed, and no others', async () => {
    const { link: made, read } = link();
    const answers = [read(7), read(8), read(7)];
    made.rejectReads(7, 'InvalidStateError', 'gone');
    for (const reply of [1, 2, 3]) made.receive(done(reply, reply));
    expect(await Promise.all(answers)).toEqual(['InvalidStateError: gone', '2 bytes', 'InvalidStateError: gone']);
  });

  test('that is lost rejects what is pending and what comes, closes once and tells the first reason', async () => {
    const { link: made, sent, read, closed } = link();
    const pending = read(7);
    made.receive({ kind: 'lost', reason: 'it fell' });
    made.lose('again');
    made.post({ kind: 'free', what: 'tensor', id: 7 });
    const expected = 'InvalidStateError: readTensor: the context is lost: it fell';
    expect([await pending, await read(8), await made.lost]).toEqual([expected, expected, 'it fell']);
    expect([sent.length, closed()]).toEqual([1, 1]);
  });

  test('says that it is awaited while somebody waits', () => {
    const { link: made, awaited, read } = link();
    void read(1);
    void read(2);
    expect(awaited).toEqual([true]);
    made.receive(done(1, 0));
    expect(awaited).toEqual([true]);
    made.receive(done(2, 0));
    expect(awaited).toEqual([true, false]);
  });
});
