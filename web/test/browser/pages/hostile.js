/** What a page may throw at the API; each export gives what came of it, in words. */

import '/dist/polyfill.js';

const F32 = { dataType: 'float32', shape: [2] };
const IO = { ...F32, readable: true, writable: true };

/** `resolved`, or the name of what was thrown or rejected. */
export async function outcome(act) {
  try {
    await act();
    return 'resolved';
  } catch (error) {
    return error?.name ?? String(error);
  }
}

/** Fails where a method that is to throw at once returns, even a promise that rejects. */
function thrown(act) {
  try {
    act();
    return 'returned';
  } catch (error) {
    return error?.name ?? String(error);
  }
}

const open = () => navigator.ml.createContext();

async function identity(context) {
  const builder = new MLGraphBuilder(context);
  return builder.build({ y: builder.identity(builder.input('x', F32)) });
}

function detached(length) {
  const array = new Float32Array(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** An object that writes down which of its members are read, and has what is given. */
function witness(log, members) {
  return new Proxy(members, {
    get(target, key) {
      if (typeof key === 'string') log.push(key);
      return Reflect.get(target, key);
    },
  });
}

/** Which members are read, in which order. */
export async function reads() {
  const context = await open();
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', { dataType: 'float32', shape: [1, 1, 4, 4] });
  const filter = builder.input('f', { dataType: 'float32', shape: [1, 1, 2, 2] });
  const logs = { createContext: [], createTensor: [], input: [], conv2d: [], gemm: [], lstmCell: [] };
  await navigator.ml.createContext(witness(logs.createContext, {}));
  await context.createTensor(witness(logs.createTensor, { ...F32 }));
  builder.input('y', witness(logs.input, { ...F32 }));
  builder.conv2d(x, filter, witness(logs.conv2d, {}));
  const matrix = builder.input('m', { dataType: 'float32', shape: [2, 2] });
  builder.gemm(matrix, matrix, witness(logs.gemm, {}));
  const of = (name, shape) => builder.input(name, { dataType: 'float32', shape });
  builder.lstmCell(
    of('a', [1, 2]), of('b', [8, 2]), of('c', [8, 2]), of('d', [1, 2]), of('e', [1, 2]), 2,
    witness(logs.lstmCell, {}),
  );
  return logs;
}

/** What getters can do in the middle of a call. */
export async function getters() {
  const ownError = new Error('mine');
  const caught = (act) => {
    try {
      act();
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const context = await open();
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', F32);
  const keepsError = caught(() => builder.relu(x, { get label() { throw ownError; } })) === ownError;
  const afterDestroy = thrown(() => builder.relu(x, { get label() { context.destroy(); return ''; } }));

  const other = await open();
  const twice = new MLGraphBuilder(other);
  const y = twice.relu(twice.input('x', F32));
  let inner;
  const outer = twice.build({ get a() { inner = twice.build({ y }); return y; } });
  const nested = [await outcome(() => inner), await outcome(() => outer)].sort();

  // Destroyed while the record is read: what counts is the state when all is read.
  const tensor = await other.createTensor(IO);
  const result = await other.createTensor(IO);
  const graph = await inner;
  const inDispatch = thrown(() =>
    other.dispatch(graph, { get x() { tensor.destroy(); return tensor; } }, { y: result }),
  );
  return { keepsError, afterDestroy, nested, inDispatch };
}

/** Buffers that a script has detached, resized or mistyped. */
export async function buffers() {
  const context = await open();
  const builder = new MLGraphBuilder(context);
  const tensor = await context.createTensor(IO);
  const resizable = new Float32Array(new ArrayBuffer(8, { maxByteLength: 16 }));
  const late = new Float32Array(2);
  const pending = outcome(() => context.readTensor(tensor, late));
  structuredClone(late.buffer, { transfer: [late.buffer] });
  return {
    'constant of a detached view': thrown(() => builder.constant(F32, detached(2))),
    'constant of a resizable buffer': thrown(() => builder.constant(F32, resizable)),
    'constant of another view type': thrown(() => builder.constant(F32, new Int32Array(2))),
    'constant that is too short': thrown(() => builder.constant(F32, new Float32Array(1))),
    'writeTensor of a detached view': thrown(() => context.writeTensor(tensor, detached(2))),
    'writeTensor of a resizable buffer': thrown(() => context.writeTensor(tensor, resizable)),
    'writeTensor of no buffer': thrown(() => context.writeTensor(tensor, [1, 2])),
    'writeTensor that is too long': thrown(() => context.writeTensor(tensor, new Float32Array(3))),
    'readTensor into a detached view': await outcome(() => context.readTensor(tensor, detached(2))),
    'readTensor into a resizable buffer': await outcome(() => context.readTensor(tensor, resizable)),
    'readTensor into what is detached meanwhile': await pending,
    'createConstantTensor of a detached view': await outcome(() => context.createConstantTensor(F32, detached(2))),
  };
}

/** The caller's later changes must not show: bytes and lists are copied at the call. */
export async function copies() {
  const context = await open();
  const builder = new MLGraphBuilder(context);
  const data = new Float32Array([1, 2]);
  const shape = [2];
  const y = builder.add(builder.input('x', { dataType: 'float32', shape }), builder.constant(F32, data));
  data.fill(100);
  shape[0] = 5;
  const graph = await builder.build({ y });
  const [x, out] = await Promise.all([context.createTensor(IO), context.createTensor(IO)]);
  const written = new Float32Array([10, 20]);
  context.writeTensor(x, written);
  written.fill(-1);
  context.dispatch(graph, { x }, { y: out });
  const result = [...new Float32Array(await context.readTensor(out))];
  let isFrozen = Object.isFrozen(y.shape);
  try {
    y.shape[0] = 3;
    isFrozen = false;
  } catch {
    // As it should be: a module is strict.
  }
  return { result, isFrozen, shape: [...y.shape] };
}

/** Objects of an iframe: arrays, buffers and dictionaries of its realm are as good as ours. */
export async function realms() {
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const theirs = frame.contentWindow;
  const context = await open();
  const builder = new MLGraphBuilder(context);
  const descriptor = theirs.eval(`({ dataType: 'float32', shape: [2] })`);
  const x = builder.input('x', descriptor);
  const c = builder.constant(descriptor, theirs.eval('new Float32Array([1, 2])'));
  const graph = await builder.build(Object.assign(theirs.eval('({})'), { y: builder.add(x, c) }));
  const [tensor, out] = await Promise.all([context.createTensor(IO), context.createTensor(IO)]);
  context.writeTensor(tensor, theirs.eval('new Float32Array([3, 4])'));
  context.dispatch(graph, { x: tensor }, { y: out });
  const into = theirs.eval('new Float32Array(2)');
  await context.readTensor(out, into);
  const read = await context.readTensor(out);
  const rejected = context.readTensor(out, theirs.eval('new Float32Array(3)'));
  const isOurTypeError = await rejected.catch((error) => error instanceof TypeError);
  frame.remove();
  return {
    into: [...into],
    isOurBuffer: read instanceof ArrayBuffer,
    isOurPromise: rejected instanceof Promise,
    isOurTypeError,
  };
}

/** What is not the right kind of object, though it looks like one. */
export async function impostors() {
  const context = await open();
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', F32);
  const fake = Object.create(Object.getPrototypeOf(x));
  const prototype = Object.getPrototypeOf(builder);
  return {
    'an operand made of its prototype': thrown(() => builder.relu(fake)),
    'a proxy of an operand': thrown(() => builder.relu(new Proxy(x, {}))),
    'a method on another object': thrown(() => prototype.relu.call({}, x)),
    'an attribute of another object': thrown(() => fake.shape),
    'a context made of its prototype': thrown(() => new MLGraphBuilder(Object.create(Object.getPrototypeOf(context)))),
    'an interface called': thrown(() => Reflect.construct(context.constructor, [])),
    'a builder without new': thrown(() => MLGraphBuilder(context)),
    'a method that returns a promise, on another object': await outcome(() =>
      Object.getPrototypeOf(context).createTensor.call({}, F32),
    ),
  };
}

/** Objects of one context in the hands of another. */
export async function strangers() {
  const [a, b] = await Promise.all([open(), open()]);
  const [mine, other] = await Promise.all([a.createTensor(IO), b.createTensor(IO)]);
  const out = await a.createTensor(IO);
  const [graph, foreign] = await Promise.all([identity(a), identity(b)]);
  const builder = new MLGraphBuilder(a);
  const operand = new MLGraphBuilder(a).input('x', F32);
  const constant = await b.createConstantTensor(F32, new Float32Array(2)).catch(() => undefined);
  return {
    'a tensor of another context written': thrown(() => a.writeTensor(other, new Float32Array(2))),
    'a tensor of another context read': await outcome(() => a.readTensor(other)),
    'a tensor of another context as an input': thrown(() => a.dispatch(graph, { x: other }, { y: out })),
    'a tensor of another context as an output': thrown(() => a.dispatch(graph, { x: mine }, { y: other })),
    'a graph of another context': thrown(() => a.dispatch(foreign, { x: mine }, { y: out })),
    'one tensor twice': thrown(() => a.dispatch(graph, { x: mine }, { y: mine })),
    'an operand of another builder': thrown(() => builder.relu(operand)),
    'a constant tensor of another context': constant === undefined ? 'no constant tensors' : thrown(() => builder.constant(constant)),
  };
}

/** Use after the end. */
export async function destroyed() {
  const context = await open();
  const [x, y, gone] = await Promise.all([IO, IO, IO].map((descriptor) => context.createTensor(descriptor)));
  const [graph, dead] = await Promise.all([identity(context), identity(context)]);
  const pendingRead = outcome(() => context.readTensor(gone));
  gone.destroy();
  gone.destroy();
  dead.destroy();
  const of = {
    'a pending read of a destroyed tensor': await pendingRead,
    'a destroyed tensor written': thrown(() => context.writeTensor(gone, new Float32Array(2))),
    'a destroyed tensor read': await outcome(() => context.readTensor(gone)),
    'a destroyed tensor dispatched': thrown(() => context.dispatch(graph, { x: gone }, { y })),
    'a destroyed graph dispatched': thrown(() => context.dispatch(dead, { x }, { y })),
  };
  const builder = new MLGraphBuilder(context);
  const operand = builder.input('x', F32);
  const pending = [
    outcome(() => context.readTensor(x)),
    outcome(() => context.createTensor(IO)),
    outcome(() => identity(context)),
  ];
  context.destroy();
  context.destroy();
  const { message } = await context.lost;
  return {
    ...of,
    'what was pending when the context was destroyed': [...new Set(await Promise.all(pending))].join(),
    'a builder method after its context': thrown(() => builder.relu(operand)),
    'a builder after its context': thrown(() => new MLGraphBuilder(context)),
    'a build after its context': await outcome(() => builder.build({ operand })),
    'createTensor after its context': await outcome(() => context.createTensor(IO)),
    'readTensor after its context': await outcome(() => context.readTensor(x)),
    'dispatch after its context': thrown(() => context.dispatch(graph, { x }, { y })),
    'opSupportLimits after its context': typeof context.opSupportLimits().maxTensorByteLength,
    'lost says why': message.length > 0,
    'another context': await outcome(open),
  };
}

/** Sizes that no machine has, and arithmetic that overflows. */
export async function sizes() {
  const context = await open();
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', F32);
  const of = (shape) => ({ dataType: 'float32', shape });
  return {
    'a dimension of 2^32': thrown(() => builder.input('a', of([2 ** 32]))),
    'a dimension of 2^31': thrown(() => builder.input('b', of([2 ** 31]))),
    'a dimension of 0': thrown(() => builder.input('c', of([0]))),
    'a dimension of NaN': thrown(() => builder.input('d', of([NaN]))),
    'a product that overflows': thrown(() => builder.input('e', of([65536, 65536, 65536, 65536]))),
    'a rank of 100': thrown(() => builder.input('f', of(Array(100).fill(1)))),
    'a tensor that overflows': await outcome(() => context.createTensor(of([65536, 65536, 65536]))),
    'a padding that overflows': thrown(() => builder.pad(x, [2 ** 32 - 1], [2 ** 32 - 1])),
    'a tiling that overflows': thrown(() => builder.tile(x, [2 ** 31])),
    'an expansion that overflows': thrown(() => builder.expand(x, [2 ** 30, 2 ** 30, 2])),
    'a split into 2^32': thrown(() => builder.split(x, 2 ** 32)),
    'an iterable of no shape': thrown(() => builder.input('g', of(5))),
  };
}
