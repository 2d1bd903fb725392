/** Run a model: what is in an ONNX file, and how fast it runs. */

import type { MLTensor } from 'webnn';
import {
  inspectOnnx,
  loadOnnx,
  type OnnxDescription,
  type OnnxModel,
  type OnnxOptions,
  type OnnxSource,
  type OnnxTensor,
} from 'webnn/onnx';
import digits from '../../../models/digits/digits.onnx?url';
import { byId, guarded, hideProblem, inBytes, inMilliseconds, showTime, startEngine } from './engine.js';
import { bytesOf, imageShape, numbersOf, pictureValues, randomValues, readPicture, type ImageShape, type Scaling } from './model/data.js';
import { memoryInWords } from './model/memory.js';
import { element, operatorChips, outputView, portRows } from './model/view.js';

const RUNS = 20;

/** What was dropped or chosen. */
interface Chosen {
  readonly name: string;
  readonly source: OnnxSource;
  readonly externalData: Readonly<Record<string, OnnxSource>>;
}

type Built = OnnxModel<Awaited<ReturnType<typeof loadOnnx>>['graph']>;

/** A graph with its tensors. */
interface Running {
  readonly model: Built;
  readonly options: string;
  readonly inputs: Record<string, MLTensor>;
  readonly outputs: Record<string, MLTensor>;
}

const run = byId('run', HTMLButtonElement);
const many = byId('many', HTMLButtonElement);
const dimensions = byId('dimensions', HTMLFieldSetElement);

let chosen: Chosen | undefined;
let description: OnnxDescription | undefined;
let running: Running | undefined;

const engine = startEngine();
guarded(async () => {
  await engine;
  document.body.dataset['ready'] = 'true';
});

// Files come in by a drop, by the chooser, or from the sample.

const drop = byId('drop', HTMLElement);
const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
// The whole page takes a drop: next to the zone the browser would leave for the file.
document.body.ondragover = (event): void => {
  if (hasFiles(event)) {
    event.preventDefault();
    drop.classList.add('over');
  }
};
document.body.ondragleave = (event): void => {
  if (event.relatedTarget === null) {
    drop.classList.remove('over');
  }
};
document.body.ondrop = (event): void => {
  drop.classList.remove('over');
  if (hasFiles(event)) {
    event.preventDefault();
    takeFiles(Array.from(event.dataTransfer?.files ?? []));
  }
};
byId('choose', HTMLInputElement).onchange = (event): void => {
  takeFiles(Array.from((event.target as HTMLInputElement).files ?? []));
};
byId('sample', HTMLButtonElement).onclick = (): void => {
  guarded(() => take({ name: 'digits.onnx', source: new URL(digits, location.href), externalData: {} }));
};

function takeFiles(files: readonly File[]): void {
  guarded(async () => {
    const model = files.find(({ name }) => name.endsWith('.onnx')) ?? files[0];
    if (model === undefined) {
      return;
    }
    const others = files.filter((file) => file !== model).map((file) => [file.name, file] as const);
    await take({ name: model.name, source: model, externalData: Object.fromEntries(others) });
  });
}

async function take(next: Chosen): Promise<void> {
  hideProblem();
  const file = byId('file', HTMLElement);
  file.textContent = `Reading ${next.name}…`;
  try {
    description = await inspectOnnx(next.source);
  } catch (error) {
    file.textContent = `${next.name} cannot be read.`;
    throw error;
  }
  release();
  chosen = next;
  file.textContent = next.source instanceof File ? `${next.name}, ${inBytes(next.source.size)}` : next.name;
  const { inputs, outputs, operators, opset, producer } = description;
  const nodes = operators.reduce((sum, [, count]) => sum + count, 0);
  byId('summary', HTMLElement).textContent = [
    `${nodes} nodes`,
    `operator set ${opset ?? '–'}`,
    ...(producer === '' ? [] : [`made by ${producer}`]),
  ].join(' · ');
  byId('ports', HTMLElement).replaceChildren(...portRows({ inputs, outputs }));
  byId('operators', HTMLElement).replaceChildren(...operatorChips(operators));
  byId('outputs', HTMLElement).replaceChildren(element('p', 'help', 'Not run yet.'));
  for (const id of ['build-time', 'run-time', 'memory', 'weights']) {
    byId(id, HTMLElement).textContent = '–';
  }
  askDimensions(inputs);
  byId('details', HTMLElement).hidden = false;
}

/** One field for each free dimension; what has no name is named by its place. */
function askDimensions(inputs: OnnxDescription['inputs']): void {
  const names = new Set<string>();
  for (const { name, shape } of inputs) {
    shape?.forEach((size, axis) => {
      if (typeof size !== 'number') {
        names.add(size ?? unnamed(name, axis));
      }
    });
  }
  const fields = Array.from(names, (name) => {
    const input = document.createElement('input');
    input.type = 'number';
    input.name = name;
    input.min = '1';
    input.required = true;
    input.value = /seq|length|token|time/i.test(name) ? '128' : /height|width/i.test(name) ? '224' : '1';
    return element('label', 'field', element('span', '', name), input);
  });
  dimensions.replaceChildren(element('legend', '', 'Free dimensions'), ...fields);
  dimensions.hidden = fields.length === 0;
}

function unnamed(input: string, axis: number): string {
  return `${input}, dimension ${axis}`;
}

function readOptions({ inputs }: OnnxDescription): OnnxOptions {
  const sizes = new Map<string, number>();
  for (const field of dimensions.querySelectorAll('input')) {
    sizes.set(field.name, field.valueAsNumber);
  }
  const named: Record<string, number> = {};
  const shapes: Record<string, number[]> = {};
  for (const { name, shape } of inputs) {
    shape?.forEach((size) => {
      if (typeof size === 'string') {
        named[size] = sizes.get(size) ?? 1;
      }
    });
    if (shape?.includes(null)) {
      shapes[name] = shape.map((size, axis) =>
        typeof size === 'number' ? size : (sizes.get(size ?? unnamed(name, axis)) ?? 1),
      );
    }
  }
  return { dimensions: named, shapes };
}

// Building and running

byId('form', HTMLFormElement).onsubmit = (event): void => {
  event.preventDefault();
  guarded(() => busy(() => buildAndRun(1)));
};
many.onclick = (): void => {
  guarded(() => busy(() => buildAndRun(RUNS)));
};

const data = byId('data', HTMLElement);
data.onchange = (): void => {
  byId('picture-fields', HTMLElement).hidden = !wantsPicture();
};

function wantsPicture(): boolean {
  return data.querySelector<HTMLInputElement>('input[value="picture"]')?.checked ?? false;
}

async function busy(work: () => Promise<void>): Promise<void> {
  hideProblem();
  run.disabled = many.disabled = true;
  run.textContent = 'Working…';
  try {
    await work();
  } finally {
    run.disabled = false;
    many.disabled = running === undefined;
    run.textContent = 'Build and run';
  }
}

async function buildAndRun(times: number): Promise<void> {
  const { context } = await engine;
  const { model, inputs, outputs } = await build();
  await fill(model.inputs, inputs);
  const taken: number[] = [];
  let results: ArrayBuffer[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    context.dispatch(model.graph, inputs, outputs);
    results = await Promise.all(Object.values(outputs).map((tensor) => context.readTensor(tensor)));
    taken.push(performance.now() - start);
  }
  taken.sort((a, b) => a - b);
  const median = taken[Math.floor(taken.length / 2)] ?? 0;
  showTime(taken.at(-1) ?? 0);
  byId('run-name', HTMLElement).textContent = times === 1 ? 'Run' : `Run, median of ${times}`;
  byId('run-time', HTMLElement).textContent = inMilliseconds(median);
  const labels = await readLabels();
  const views = model.outputs.map((port, i) => outputView(port, numbersOf(results[i] ?? new ArrayBuffer(), port.dataType), labels));
  byId('outputs', HTMLElement).replaceChildren(...views);
  document.body.dataset['runs'] = String(Number(document.body.dataset['runs'] ?? 0) + times);
  showMemory();
}

/** Builds anew where the dimensions have changed. */
async function build(): Promise<Running> {
  if (chosen === undefined || description === undefined) {
    throw new Error('There is no model yet.');
  }
  const { context } = await engine;
  const options = readOptions(description);
  const key = JSON.stringify(options);
  if (running?.options === key) {
    return running;
  }
  release();
  const start = performance.now();
  const model = await loadOnnx(context, chosen.source, { ...options, externalData: chosen.externalData });
  byId('build-time', HTMLElement).textContent = inMilliseconds(performance.now() - start);
  byId('weights', HTMLElement).textContent = inBytes(model.constantBytes);
  const tensors = async (ports: readonly OnnxTensor[], usage: 'readable' | 'writable'): Promise<Record<string, MLTensor>> => {
    const made = ports.map(async ({ name, dataType, shape }) => {
      return [name, await context.createTensor({ dataType, shape, [usage]: true })] as const;
    });
    return Object.fromEntries(await Promise.all(made));
  };
  const inputs = await tensors(model.inputs, 'writable');
  const outputs = await tensors(model.outputs, 'readable');
  running = { model, options: key, inputs, outputs };
  return running;
}

function release(): void {
  running?.model.graph.destroy();
  for (const tensor of Object.values({ ...running?.inputs, ...running?.outputs })) {
    tensor.destroy();
  }
  running = undefined;
}

/** Writes the inputs: the picture into the first that has its shape, random numbers into the rest. */
async function fill(ports: readonly OnnxTensor[], tensors: Record<string, MLTensor>): Promise<void> {
  const { context } = await engine;
  let picture = wantsPicture() ? byId('picture', HTMLInputElement).files?.[0] : undefined;
  if (wantsPicture() && picture === undefined) {
    throw new Error('Choose a picture first, or take random data.');
  }
  for (const port of ports) {
    const tensor = tensors[port.name];
    if (tensor === undefined) {
      continue;
    }
    const shape = imageShape(port);
    let values: Float32Array;
    if (picture !== undefined && shape !== undefined) {
      values = await pictureInput(picture, shape);
      picture = undefined;
    } else {
      values = randomValues(port.shape.reduce((count, size) => count * size, 1), !port.dataType.startsWith('float'));
    }
    context.writeTensor(tensor, bytesOf(values, port.dataType));
  }
  if (picture !== undefined) {
    throw new Error('No input of this model has the shape of one picture (1 × 3 × height × width, or with the channels last).');
  }
}

async function pictureInput(file: Blob, shape: ImageShape): Promise<Float32Array> {
  return pictureValues(await readPicture(file, shape), shape, byId('scaling', HTMLSelectElement).value as Scaling);
}

async function readLabels(): Promise<string[]> {
  const file = byId('labels', HTMLInputElement).files?.[0];
  return file === undefined ? [] : (await file.text()).split(/\r?\n/);
}

function showMemory(): void {
  const place = byId('memory', HTMLElement);
  place.textContent = 'counting…';
  memoryInWords().then(
    (words) => {
      place.textContent = words;
    },
    () => {
      place.textContent = 'not told';
    },
  );
}
