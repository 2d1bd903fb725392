// What the members do, in a sentence each: for the types' comments and the reference.

const SPECIFICATION = 'https://www.w3.org/TR/webnn/';

/** By interface or dictionary, then by member. */
const MEMBERS = {
  ML: {
    createContext:
      'Makes a context: what computes, and what it keeps. The options are hints, and none makes it fail.',
  },
  MLContext: {
    accelerated: 'The hint that the context was made with.',
    lost: 'Resolves when the context is lost or destroyed; never rejects.',
    dispatch:
      'Computes the graph, in its turn after everything called before; returns at once. Read an output to wait for it.',
    createTensor: 'Makes a tensor, filled with zeros. Only a readable one is read, only a writable one written.',
    createConstantTensor: 'Makes a tensor from a copy of the data, for `MLGraphBuilder.constant(tensor)`.',
    readTensor:
      'The bytes of a tensor, when everything called before has been computed; written into `outputData` where it is given.',
    writeTensor: 'Copies the data before it returns; takes effect in its turn.',
    opSupportLimits: 'The data types and ranks that inputs, constants, outputs and the operands of each operator may have.',
    destroy: 'Loses the context: its tensors, graphs and memory with it.',
  },
  MLGraph: {
    devices: 'The kinds of device that the graph computes on, as in Chromium.',
    destroy: 'Gives its memory back, after the work that was dispatched before.',
  },
  MLOperand: {
    dataType: 'The type of its elements.',
    shape: 'Its dimensions; none for a scalar.',
  },
  MLTensor: {
    dataType: 'The type of its elements.',
    shape: 'Its dimensions; none for a scalar.',
    readable: 'Whether `readTensor` may read it.',
    writable: 'Whether `writeTensor` may write it.',
    constant: 'Whether `createConstantTensor` made it.',
    destroy: 'Gives its memory back, after the work that was called before.',
  },
  MLGraphBuilder: {
    input: 'An input of the graph, by the name that `dispatch` will know it by.',
    constant: 'A constant, from a copy of the data, from a number, or from a constant tensor.',
    build: 'Compiles what the outputs depend on. A builder builds one graph.',
    ...operatorSentences(),
  },
  MLContextOptions: {
    powerPreference: 'Speed or thrift; outranks `accelerated`.',
    accelerated: 'Whether something faster than the CPU is wanted.',
    deviceType: 'The second generation of options, still read: a hint beside the other two.',
    threads: 'Threads of the CPU engine, its own included; by default one per core. Ours.',
  },
  MLContextLostInfo: { message: 'Why, in words.' },
  MLOperatorOptions: { label: 'A name for messages.' },
};

function operatorSentences() {
  const reduced = (what) => `${what} along the axes; by default along all.`;
  return {
    argMin: 'The index of the least element along the axis.',
    argMax: 'The index of the greatest element along the axis.',
    batchNormalization: '(input − mean) / √(variance + epsilon) · scale + bias, with a vector each along the axis.',
    cast: 'The same numbers in another data type.',
    clamp: 'max(minValue, min(input, maxValue)).',
    concat: 'The inputs one after another along the axis.',
    conv2d: 'A two-dimensional convolution.',
    convTranspose2d: 'A two-dimensional transposed convolution.',
    cumulativeSum: 'The sum of everything up to each element along the axis.',
    add: 'a + b',
    sub: 'a − b',
    mul: 'a · b',
    div: 'a / b',
    max: 'The greater of a and b.',
    min: 'The lesser of a and b.',
    pow: 'a to the power of b.',
    equal: 'a = b, as 0 or 1.',
    notEqual: 'a ≠ b, as 0 or 1.',
    greater: 'a > b, as 0 or 1.',
    greaterOrEqual: 'a ≥ b, as 0 or 1.',
    lesser: 'a < b, as 0 or 1.',
    lesserOrEqual: 'a ≤ b, as 0 or 1.',
    logicalNot: '1 where a is 0, and 0 elsewhere.',
    logicalAnd: '1 where neither a nor b is 0.',
    logicalOr: '1 where a or b is not 0.',
    logicalXor: '1 where exactly one of a and b is not 0.',
    isNaN: '1 where a is not a number.',
    isInfinite: '1 where a is infinite.',
    abs: '|input|',
    ceil: 'The least integer that is not below.',
    cos: 'The cosine.',
    erf: 'The error function.',
    exp: 'e to the power of input.',
    floor: 'The greatest integer that is not above.',
    identity: 'The input itself, as another operand.',
    log: 'The natural logarithm.',
    neg: '−input',
    reciprocal: '1 / input',
    roundEven: 'The nearest integer, halves to the even one.',
    sin: 'The sine.',
    sign: '−1, 0 or 1.',
    sqrt: 'The square root.',
    tan: 'The tangent.',
    dequantizeLinear: '(input − zeroPoint) · scale',
    quantizeLinear: 'input / scale, rounded, + zeroPoint, in the range of the type of zeroPoint.',
    elu: 'max(0, input) + alpha · (exp(min(0, input)) − 1)',
    expand: 'The input broadcast to the shape.',
    gather: 'Slices of the input along the axis, at the indices.',
    gatherElements: 'Elements of the input along the axis, one for each index.',
    gatherND: 'Slices of the input, at coordinates.',
    gelu: 'The Gaussian error linear unit, by the error function.',
    gemm: 'alpha · a · b + beta · c, of matrices.',
    gru: 'A gated recurrent unit over a sequence.',
    gruCell: 'One step of a gated recurrent unit.',
    hardSigmoid: 'max(0, min(1, alpha · input + beta))',
    hardSwish: 'input · max(0, min(6, input + 3)) / 6',
    instanceNormalization: 'Normalises each channel of each instance over its pixels.',
    layerNormalization: 'Normalises over the axes; by default over all but the first.',
    leakyRelu: 'max(0, input) + alpha · min(0, input)',
    linear: 'alpha · input + beta',
    lstm: 'A long short-term memory over a sequence.',
    lstmCell: 'One step of a long short-term memory.',
    matmul: 'The product of matrices, or of stacks of them.',
    pad: 'The input with a border around it.',
    averagePool2d: 'The mean of each window.',
    l2Pool2d: 'The Euclidean norm of each window.',
    maxPool2d: 'The greatest of each window.',
    prelu: 'max(0, input) + slope · min(0, input)',
    reduceL1: reduced('The sum of absolute values'),
    reduceL2: reduced('The Euclidean norm'),
    reduceLogSum: reduced('The logarithm of the sum'),
    reduceLogSumExp: reduced('The logarithm of the sum of exponentials'),
    reduceMax: reduced('The greatest'),
    reduceMean: reduced('The mean'),
    reduceMin: reduced('The least'),
    reduceProduct: reduced('The product'),
    reduceSum: reduced('The sum'),
    reduceSumSquare: reduced('The sum of squares'),
    relu: 'max(0, input)',
    resample2d: 'The input in another size along two axes.',
    reshape: 'The same elements in another shape.',
    reverse: 'The input backwards along the axes; by default along all.',
    scatterElements: 'The input with elements replaced along the axis, one for each index.',
    scatterND: 'The input with slices replaced, at coordinates.',
    sigmoid: '1 / (1 + exp(−input))',
    slice: 'A box of the input.',
    softmax: 'exp(input) / the sum of it along the axis.',
    softplus: 'log(1 + exp(input))',
    softsign: 'input / (1 + |input|)',
    split: 'Parts of the input along the axis: so many equal ones, or of these sizes.',
    tanh: 'The hyperbolic tangent.',
    tile: 'The input repeated along each dimension.',
    transpose: 'The dimensions in another order; by default backwards.',
    triangular: 'The upper or lower triangle of each matrix, 0 elsewhere.',
    where: 'trueValue where the condition is not 0, falseValue elsewhere.',
  };
}

/** The sentence for a member, or an empty one. */
export function sentence(owner, member) {
  return MEMBERS[owner]?.[member] ?? '';
}

/** Where the specification defines a member of an interface. */
export function link(owner, member) {
  return `${SPECIFICATION}#dom-${owner.toLowerCase()}-${member.toLowerCase()}`;
}

/** Members that are not in the specification have nothing to link to. */
export const EXTENSIONS = new Set(['MLGraph.devices']);
