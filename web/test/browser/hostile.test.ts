import { expect, test } from 'vitest';
import { useSite } from './site.js';

const site = useSite();

async function ask(what: string): Promise<unknown> {
  const { page } = await site.open();
  return site.call(page, 'hostile', what);
}

/** All rows of a table with the same outcome. */
const all = (rows: string[], outcome: string) => Object.fromEntries(rows.map((row) => [row, outcome]));

test('dictionaries are read as Web IDL says: inherited ones first, by name, each member once', async () => {
  expect(await ask('reads')).toEqual({
    createContext: expect.arrayContaining(['accelerated', 'powerPreference']) as unknown,
    createTensor: ['dataType', 'shape', 'readable', 'writable'],
    input: ['dataType', 'shape'],
    conv2d: ['label', 'bias', 'dilations', 'filterLayout', 'groups', 'inputLayout', 'padding', 'strides'],
    gemm: ['label', 'aTranspose', 'alpha', 'bTranspose', 'beta', 'c'],
    lstmCell: ['label', 'activations', 'bias', 'layout', 'peepholeWeight', 'recurrentBias'],
  });
});

test('getters may throw, destroy and build in the middle of a call', async () => {
  expect(await ask('getters')).toEqual({
    keepsError: true,
    afterDestroy: 'InvalidStateError',
    nested: ['InvalidStateError', 'resolved'],
    inDispatch: 'TypeError',
  });
});

test('a buffer that is detached, resizable, mistyped or of the wrong length is a TypeError', async () => {
  const outcomes = await ask('buffers');
  expect(outcomes).toEqual(all(Object.keys(outcomes as object), 'TypeError'));
});

test('bytes and lists are copied at the call, and shapes are frozen', async () => {
  expect(await ask('copies')).toEqual({ result: [11, 22], isFrozen: true, shape: [2] });
});

test('values of another realm are taken, and what comes back is of this one', async () => {
  expect(await ask('realms')).toEqual({
    into: [4, 6],
    isOurBuffer: true,
    isOurPromise: true,
    isOurTypeError: true,
  });
});

test('an object that only looks right is a TypeError', async () => {
  const outcomes = await ask('impostors');
  expect(outcomes).toEqual(all(Object.keys(outcomes as object), 'TypeError'));
});

test('objects of one context are refused by another', async () => {
  const outcomes = await ask('strangers');
  expect(outcomes).toEqual(all(Object.keys(outcomes as object), 'TypeError'));
});

test('what is destroyed is refused, and what is pending on it rejects', async () => {
  expect(await ask('destroyed')).toEqual({
    'a pending read of a destroyed tensor': 'InvalidStateError',
    'a destroyed tensor written': 'TypeError',
    'a destroyed tensor read': 'TypeError',
    'a destroyed tensor dispatched': 'TypeError',
    'a destroyed graph dispatched': 'InvalidStateError',
    'what was pending when the context was destroyed': 'InvalidStateError',
    'a builder method after its context': 'InvalidStateError',
    'a builder after its context': 'InvalidStateError',
    'a build after its context': 'InvalidStateError',
    'createTensor after its context': 'InvalidStateError',
    'readTensor after its context': 'TypeError',
    'dispatch after its context': 'InvalidStateError',
    'opSupportLimits after its context': 'number',
    'lost says why': true,
    'another context': 'resolved',
  });
});

test('sizes that no tensor can have are a TypeError', async () => {
  const outcomes = await ask('sizes');
  expect(outcomes).toEqual(all(Object.keys(outcomes as object), 'TypeError'));
});
