/** Filter the camera: frame after frame through a graph, and what it costs. */

import type { MLTensor } from 'webnn';
import { buildFilter, FILTERS, type BuiltFilter, type Filter, type Size } from './camera/filters.js';
import { drawHistory } from './camera/history.js';
import { animation, openCamera, type Source } from './camera/scene.js';
import { byId, guarded, hideProblem, inMilliseconds, show, showTime, startEngine, type Engine } from './engine.js';

/** The share of the newest frame in what is shown: figures that one can read. */
const NEWEST = 0.1;
const KEPT = 120;

/** A filter of one size, ready to run. */
class Pipeline {
  readonly size: Size;
  readonly operations: number;
  readonly #engine: Engine;
  readonly #built: BuiltFilter;
  readonly #frame: MLTensor;
  readonly #picture: MLTensor;

  private constructor(engine: Engine, size: Size, built: BuiltFilter, frame: MLTensor, picture: MLTensor) {
    this.#engine = engine;
    this.size = size;
    this.operations = built.operations;
    this.#built = built;
    this.#frame = frame;
    this.#picture = picture;
  }

  static async make(engine: Engine, filter: Filter, size: Size): Promise<Pipeline> {
    const built = await buildFilter(engine.builder(), filter, size);
    const descriptor = { dataType: 'uint8', shape: [1, size.height, size.width, 4] } as const;
    const frame = await engine.context.createTensor({ ...descriptor, writable: true });
    const picture = await engine.context.createTensor({ ...descriptor, readable: true });
    return new Pipeline(engine, size, built, frame, picture);
  }

  async run(pixels: Uint8ClampedArray): Promise<Uint8ClampedArray<ArrayBuffer>> {
    const { context } = this.#engine;
    context.writeTensor(this.#frame, new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength));
    context.dispatch(this.#built.graph, { frame: this.#frame }, { picture: this.#picture });
    return new Uint8ClampedArray(await context.readTensor(this.#picture));
  }

  destroy(): void {
    this.#built.graph.destroy();
    this.#frame.destroy();
    this.#picture.destroy();
  }
}

const canvas = byId('picture', HTMLCanvasElement);
const screen = context2d(canvas);
const about = byId('about', HTMLElement);
const size = byId('size', HTMLSelectElement);
const pause = byId('pause', HTMLButtonElement);
const useCamera = byId('camera', HTMLButtonElement);
const sourceText = byId('source', HTMLElement);

function context2d(canvas: HTMLCanvasElement, options?: CanvasRenderingContext2DSettings): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', options);
  if (context === null) {
    throw new Error('This browser cannot draw on a canvas.');
  }
  return context;
}

let filter: Filter = FILTERS.find(({ id }) => id === 'cartoon') ?? (FILTERS[0] as Filter);
const choices = byId('filters', HTMLElement);
for (const choice of FILTERS) {
  const label = document.createElement('label');
  const input = document.createElement('input');
  const name = document.createElement('span');
  input.type = 'radio';
  input.name = 'filter';
  input.value = choice.id;
  input.checked = choice === filter;
  name.textContent = choice.name;
  input.onchange = (): void => {
    filter = choice;
    about.textContent = choice.about;
    changed = true;
  };
  label.append(input, name);
  choices.append(label);
}
about.textContent = filter.about;

/** Whether the graph no longer is what was chosen. */
let changed = true;
size.onchange = (): void => {
  changed = true;
};

let paused = matchMedia('(prefers-reduced-motion: reduce)').matches;
function showPaused(): void {
  pause.textContent = paused ? 'Go on' : 'Pause';
  pause.setAttribute('aria-pressed', String(paused));
}
showPaused();
pause.onclick = (): void => {
  paused = !paused;
  showPaused();
};

let source: Source = animation();
let isCamera = false;
useCamera.onclick = (): void => {
  guarded(async () => {
    hideProblem();
    useCamera.disabled = true;
    try {
      const next = isCamera ? animation() : await openCamera();
      source.stop();
      source = next;
      isCamera = !isCamera;
      useCamera.textContent = isCamera ? 'Stop the camera' : 'Use the camera';
      sourceText.textContent = isCamera ? 'Your camera. No picture leaves this page.' : 'An animation, until you start the camera.';
      changed = true;
    } finally {
      useCamera.disabled = false;
    }
  });
};

/** A mean that forgets. */
class Mean {
  #value: number | undefined;

  add(value: number): number {
    this.#value = this.#value === undefined ? value : this.#value + NEWEST * (value - this.#value);
    return this.#value;
  }

  reset(): void {
    this.#value = undefined;
  }
}

guarded(async () => {
  const engine = await startEngine();
  const hidden = document.createElement('canvas');
  const frame = context2d(hidden, { willReadFrequently: true });
  const times: number[] = [];
  const meanTime = new Mean();
  const meanGap = new Mean();
  let pipeline: Pipeline | undefined;
  let last: number | undefined;

  const rebuild = async (): Promise<Pipeline> => {
    changed = false;
    const width = Number(size.value);
    const start = performance.now();
    const next = await Pipeline.make(engine, filter, { width, height: (width * 3) / 4 });
    byId('built', HTMLElement).textContent = inMilliseconds(performance.now() - start);
    byId('operations', HTMLElement).textContent = String(next.operations);
    pipeline?.destroy();
    times.length = 0;
    meanTime.reset();
    meanGap.reset();
    last = undefined;
    hidden.width = next.size.width;
    hidden.height = next.size.height;
    document.body.dataset['filter'] = filter.id;
    return next;
  };

  const step = async (now: number): Promise<void> => {
    const isNew = pipeline === undefined || changed;
    if (paused && !isNew) {
      last = undefined;
      return;
    }
    pipeline = isNew || pipeline === undefined ? await rebuild() : pipeline;
    const { width, height } = pipeline.size;
    if (!source.paint(frame, pipeline.size, now)) {
      return;
    }
    const pixels = frame.getImageData(0, 0, width, height);
    const start = performance.now();
    const result = await pipeline.run(pixels.data);
    const end = performance.now();
    if (canvas.width !== width) {
      canvas.width = width;
      canvas.height = height;
    }
    screen.putImageData(new ImageData(result, width, height), 0, 0);
    times.push(end - start);
    times.splice(0, times.length - KEPT);
    showTime(end - start);
    byId('frame', HTMLElement).textContent = inMilliseconds(meanTime.add(end - start));
    byId('rate', HTMLElement).textContent = last === undefined ? '–' : (1000 / meanGap.add(now - last)).toFixed(0);
    last = now;
    drawHistory(byId('history', HTMLCanvasElement), times, KEPT);
    document.body.dataset['frames'] = String(Number(document.body.dataset['frames'] ?? 0) + 1);
  };

  // One frame at a time: a slow engine makes fewer frames, never a queue of them.
  const loop = (now: number): void => {
    step(now).then(
      () => requestAnimationFrame(loop),
      (error: unknown) => {
        show(error);
        console.error(error);
      },
    );
  };
  requestAnimationFrame(loop);
});
