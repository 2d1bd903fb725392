import { afterEach, describe, expect, it, vi } from 'vitest';

import { contextInfo, MLGraphBuilder } from '../../src/api.js';
import { call, FakeTensor, fixture, hostError, type FakeHost } from './fake-host.js';
import type { ErrorKind } from '../../src/host.js';
import type * as api from '../../src/types.gen.js';

type Fixture = Awaited<ReturnType<typeof fixture>>;

/** Whether a task has passed; made before what it is compared with. */
function nextTask(): { hasPassed: boolean } {
  const task = { hasPassed: false };
  setImmediate(() => (task.hasPassed = true));
  return task;
}

describe('messages of conversions', () => {
  const cases: [string, (fixture: Fixture) => unknown, string][] = [
    ['an operand', ({ builder }) => call(builder, 'relu', {}), 'relu: input is an object, expected an MLOperand'],
    ['a tensor', ({ builder, tensor }) => call(builder, 'add', tensor, 1), 'add: a is an object, expected an MLOperand'],
    ['a count', ({ builder, operand }) => call(builder, 'add', operand), 'add: 2 arguments expected, got 1'],
    [
      'a member',
      ({ builder, operand }) => call(builder, 'conv2d', operand, operand, { padding: [0, -1, 0, 0] }),
      'conv2d: options.padding[1] is -1, expected an integer from 0 to 4294967295',
    ],
    [
      'an enumeration',
      ({ builder, operand }) => call(builder, 'pad', operand, [0], [0], { mode: 'symmetric' }),
      'pad: options.mode is "symmetric", expected a value of MLPaddingMode: "constant", "edge", "reflection"',
    ],
    [
      'options',
      ({ builder, operand }) => call(builder, 'relu', operand, 3),
      'relu: options is 3, expected an object',
    ],
    [
      'an item',
      ({ builder, operand }) => call(builder, 'concat', [operand, null], 0),
      'concat: inputs[1] is null, expected an MLOperand',
    ],
    [
      'a required member',
      ({ builder }) => call(builder, 'input', 'x', { dataType: 'int8' }),
      'input: descriptor.shape is undefined, expected a member of MLOperandDescriptor',
    ],
    [
      'a named tensor',
      ({ context }) => call(context, 'dispatch', {}, {}, {}),
      'dispatch: graph is an object, expected an MLGraph',
    ],
  ];
  it.each(cases)('name %s', async (_, run, message) => {
    const objects = await fixture();
    expect(() => run(objects)).toThrow(new TypeError(message));
  });

  it('come before the host is asked, from the left', async () => {
    const { host, builder, operand } = await fixture();
    const count = host.calls.length;
    expect(() => call(builder, 'slice', operand, [Symbol.iterator], 'x')).toThrow('starts[0]');
    expect(() => call(builder, 'slice', 1, [Symbol.iterator], 'x')).toThrow('input');
    expect(host.calls).toHaveLength(count);
  });

  it('let pass what a getter throws', async () => {
    const { builder, operand } = await fixture();
    const thrown = new RangeError('mine');
    const options = {
      get axis(): number {
        throw thrown;
      },
    };
    expect(() => builder.gather(operand, operand, options)).toThrow(thrown);
  });
});

describe('failures of the host', () => {
  const kinds: ErrorKind[] = [
    'TypeError',
    'InvalidStateError',
    'NotSupportedError',
    'OperationError',
    'UnknownError',
  ];

  function expected(code: ErrorKind): unknown {
    const message = `a failure of the kind ${code}`;
    return code === 'TypeError' ? new TypeError(message) : new DOMException(message, code);
  }

  function expectSame(error: unknown, code: ErrorKind): void {
    const wanted = expected(code) as Error;
    expect(Object.getPrototypeOf(error)).toBe(Object.getPrototypeOf(wanted));
    expect((error as Error).name).toBe(wanted.name);
    expect((error as Error).message).toBe(wanted.message);
  }

  const thrown: [string, (fixture: Fixture) => unknown][] = [
    ['input', ({ builder }) => builder.input('y', { dataType: 'int8', shape: [] })],
    ['constant', ({ builder }) => builder.constant({ dataType: 'int8', shape: [1] }, new Int8Array(1))],
    ['scalar', ({ builder }) => builder.constant('int8', 1)],
    ['constantTensor', ({ builder, tensor }) => builder.constant(tensor)],
    ['add', ({ builder, operand }) => builder.relu(operand)],
    ['createBuilder', ({ context }) => new MLGraphBuilder(context)],
    ['writeTensor', ({ context, tensor }) => { context.writeTensor(tensor, new Uint8Array(4)); }],
  ];
  it.each(thrown)('in %s are thrown', async (name, run) => {
    const objects = await fixture();
    for (const code of kinds) {
      objects.host.answers.set(name, () => {
        throw hostError(code);
      });
      try {
        run(objects);
        expect.unreachable();
      } catch (error) {
        expectSame(error, code);
      }
    }
  });

  const rejected: [string, (fixture: Fixture) => Promise<unknown>][] = [
    ['createContext', ({ ml }) => ml.createContext()],
    ['createTensor', ({ context }) => context.createTensor({ dataType: 'int8', shape: [] })],
    [
      'createConstantTensor',
      ({ context }) => context.createConstantTensor({ dataType: 'int8', shape: [1] }, new Int8Array(1)),
    ],
    ['readTensor', ({ context, tensor }) => context.readTensor(tensor)],
    ['build', ({ builder, operand }) => builder.build({ y: operand })],
  ];
  it.each(rejected)('in %s reject, at once where the host throws', async (name, run) => {
    const objects = await fixture();
    for (const code of kinds) {
      objects.host.answers.set(name, () => {
        throw hostError(code);
      });
      let task = nextTask();
      expectSame(await run(objects).catch((error: unknown) => error), code);
      expect(task.hasPassed).toBe(false);
      objects.host.answers.set(name, () => Promise.reject(hostError(code)));
      task = nextTask();
      expectSame(await run(objects).catch((error: unknown) => error), code);
      expect(task.hasPassed).toBe(true);
    }
  });

  it('that are none of the specification stay what they are', async () => {
    const { host, builder, operand } = await fixture();
    const trap = new WebAssembly.RuntimeError('unreachable');
    host.answers.set('add', () => {
      throw trap;
    });
    expect(() => builder.relu(operand)).toThrow(trap);
  });
});

describe('promises', () => {
  it('settle in a task, also where the host answers at once', async () => {
    const objects = await fixture();
    const runs: (() => Promise<unknown>)[] = [
      () => objects.ml.createContext(),
      () => objects.context.createTensor({ dataType: 'int8', shape: [] }),
      () => objects.context.readTensor(objects.tensor),
      () => objects.builder.build({ y: objects.operand }),
    ];
    for (const run of runs) {
      let isSettled = false;
      const promise = run().then(() => (isSettled = true));
      // More microtasks than a promise could hide behind.
      for (let i = 0; i < 100; i += 1) await Promise.resolve();
      expect(isSettled).toBe(false);
      await promise;
    }
  });

  it('take no second task where the host has answered from one', async () => {
    const { host, context, tensor } = await fixture();
    let answered = false;
    host.answers.set(
      'readTensor',
      () =>
        new Promise((resolve) => {
          setImmediate(() => {
            setImmediate(() => {
              answered = true;
              setImmediate(() => (answered = false));
              resolve(new ArrayBuffer(4));
            });
          });
        }),
    );
    await context.readTensor(tensor);
    expect(answered).toBe(true);
  });

  it('settle in the order of the calls', async () => {
    const { context, tensor } = await fixture();
    const order: number[] = [];
    await Promise.all([0, 1, 2].map((i) => context.readTensor(tensor).then(() => order.push(i))));
    expect(order).toEqual([0, 1, 2]);
  });

  it('of lost is one, and resolves with the reason', async () => {
    const { context } = await fixture();
    const { lost } = context;
    context.destroy();
    expect(context.lost).toBe(lost);
    await expect(lost).resolves.toEqual({ message: 'destroyed' });
  });
});

describe('createContext', () => {
  const options: [string, unknown, object][] = [
    ['nothing', undefined, { powerPreference: 'default', accelerated: true }],
    ['null', null, { powerPreference: 'default', accelerated: true }],
    [
      'all generations of options',
      { powerPreference: 'low-power', accelerated: 0, deviceType: 'npu', threads: '2' },
      { powerPreference: 'low-power', accelerated: false, deviceType: 'npu', threads: 2 },
    ],
    [
      'undefined members',
      { deviceType: undefined, powerPreference: undefined },
      { powerPreference: 'default', accelerated: true },
    ],
  ];
  it.each(options)('reads %s', async (_, given, expected) => {
    const { host, ml } = await fixture();
    await (call(ml, 'createContext', given) as Promise<unknown>);
    expect(host.lastCall('createContext')).toEqual([expected]);
  });

  it.each([1, 'cpu', { deviceType: 'xpu' }, { powerPreference: 'auto' }, { threads: -1 }])(
    'rejects %j with a TypeError',
    async (given) => {
      const { ml } = await fixture();
      await expect(call(ml, 'createContext', given)).rejects.toThrow(TypeError);
    },
  );

  it('gives a context that says what it computes with', async () => {
    const { context } = await fixture();
    expect(contextInfo(context)).toEqual({ kind: 'cpu', details: 'none', reason: 'a test' });
    expect(contextInfo({} as api.MLContext)).toBeUndefined();
    expect(context.accelerated).toBe(true);
    expect(context.opSupportLimits()).toEqual({ maxTensorByteLength: 4 });
  });

  describe('of a GPUDevice', () => {
    afterEach(() => {
      vi.unstubAllGlobals();
    });

    it('rejects with a NotSupportedError, and tells one by its interface', async () => {
      class GPUDevice {
        #queue = {};
        get queue(): object {
          return this.#queue;
        }
      }
      vi.stubGlobal('GPUDevice', GPUDevice);
      const { ml } = await fixture();
      const device = new GPUDevice();
      await expect(call(ml, 'createContext', device)).rejects.toMatchObject({
        name: 'NotSupportedError',
      });
      await expect(call(ml, 'createContext', Object.create(GPUDevice.prototype))).resolves.toBeDefined();
    });
  });
});

describe('dispatch', () => {
  it('hands names and tensors over in the order of the record', async () => {
    const { host, context, builder, operand } = await fixture();
    const graph = await builder.build({ y: operand });
    const tensor = () => context.createTensor({ dataType: 'int8', shape: [] });
    const [a, b] = [await tensor(), await tensor()];
    context.dispatch(graph, { b, a }, {});
    const [, inputs, outputs] = host.lastCall('dispatch') as [unknown, [string, unknown][], unknown[]];
    expect(inputs.map(([name]) => name)).toEqual(['b', 'a']);
    expect(inputs.every(([, one]) => one instanceof FakeTensor)).toBe(true);
    expect(outputs).toEqual([]);
  });

  it('reads all that is given before anything is checked', async () => {
    const { host, context, builder, operand, tensor } = await fixture();
    const graph = await builder.build({ y: operand });
    const log: string[] = [];
    const named = (name: string) => ({
      get x() {
        log.push(`${name} after ${String(destroyed(host))}`);
        graph.destroy();
        return tensor;
      },
    });
    context.dispatch(graph, named('inputs'), named('outputs'));
    expect(log).toEqual(['inputs after 0', 'outputs after 1']);
    expect(host.calls.at(-1)?.name).toBe('dispatch');
  });
});

function destroyed(host: FakeHost): number {
  return host.calls.filter(({ name }) => name === 'graph.destroy').length;
}

describe('destroy', () => {
  it('is handed to the host, as often as it is called', async () => {
    const { host, context, tensor, builder, operand } = await fixture();
    const graph = await builder.build({ y: operand });
    for (const object of [tensor, graph, context]) {
      object.destroy();
      object.destroy();
    }
    expect(host.calls.slice(-6).map(({ name }) => name)).toEqual([
      'tensor.destroy',
      'tensor.destroy',
      'graph.destroy',
      'graph.destroy',
      'context.destroy',
      'context.destroy',
    ]);
  });

  it('of a tensor rejects its pending reads, though the host has answered already', async () => {
    const { context, tensor } = await fixture();
    const reads = [context.readTensor(tensor), context.readTensor(tensor, new Uint8Array(4))];
    tensor.destroy();
    for (const read of reads) await expect(read).rejects.toMatchObject({ name: 'InvalidStateError' });
  });

  it('of a context rejects all that is pending on it, though the host has answered already', async () => {
    const { context, builder, tensor, operand } = await fixture();
    const pending = [
      context.createTensor({ dataType: 'int8', shape: [] }),
      context.readTensor(tensor),
      builder.build({ y: operand }),
    ];
    context.destroy();
    for (const promise of pending) {
      await expect(promise).rejects.toMatchObject({ name: 'InvalidStateError' });
    }
  });
});
