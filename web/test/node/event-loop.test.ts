/** Nothing that takes long holds up the event loop. */

import { beforeAll, expect, it } from 'vitest';

import type { HostContext } from '../../src/host.js';
import { NativeHost } from '../../src/node-host.js';
import { loadAddon } from '../../src/node-addon.js';

let context: HostContext;

beforeAll(async () => {
  const loaded = loadAddon();
  if ('missing' in loaded) throw new Error(`${loaded.missing}: run \`cargo xtask node\``);
  context = await new NativeHost(loaded.addon).createContext({
    powerPreference: 'default',
    accelerated: true,
  });
});

/** How many turns the event loop made until the promise was settled. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const turn = () => {
    if (over) return;
    turns += 1;
    setImmediate(turn);
  };
  setImmediate(turn);
  await promise;
  over = true;
  return turns;
}

it('turns during a long build and a long dispatch', async () => {
  const side = 1024;
  const descriptor = { dataType: 'float32', shape: [side, side] } as const;
  const builder = context.createBuilder();
  const x = builder.input('x', descriptor);
  let value = x;
  for (let i = 0; i < 16; i += 1) {
    const weights = new Float32Array(side * side).fill(1 / side);
    const constant = builder.constant(descriptor, new Uint8Array(weights.buffer));
    const [product] = builder.add('matmul', [['a', value], ['b', constant]], [], '');
    if (product === undefined) throw new Error('matmul has a result');
    value = product;
  }
  const building = builder.build([['y', value]]);
  expect(await turnsUntil(building)).toBeGreaterThan(0);

  const input = await context.createTensor(descriptor, { readable: false, writable: true });
  const output = await context.createTensor(descriptor, { readable: true, writable: false });
  context.writeTensor(input, new Uint8Array(new Float32Array(side * side).fill(1).buffer));
  context.dispatch(await building, [['x', input]], [['y', output]]);
  const reading = context.readTensor(output);
  expect(await turnsUntil(reading)).toBeGreaterThan(0);
  // Each product takes means of rows of ones.
  const result = new Float32Array(await reading);
  expect(result.every((element) => Math.abs(element - 1) < 1e-4)).toBe(true);
});
