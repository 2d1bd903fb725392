/** Draw a digit: each stroke goes to the network, and the probabilities move. */

import { loadOnnx } from 'webnn/onnx';
import digits from '../../../models/digits/digits.onnx?url';
import { Board } from './digit/board.js';
import { EXAMPLES } from './digit/examples.js';
import { normalised, SIZE } from './digit/strokes.js';
import { byId, guarded, showTime, startEngine } from './engine.js';

/** Probabilities of the ten digits for a picture of {@link SIZE} by {@link SIZE}. */
type Recognise = (pixels: Float32Array<ArrayBuffer>) => Promise<Float32Array>;

async function recogniser(): Promise<Recognise> {
  const { context } = await startEngine();
  const { graph } = await loadOnnx(context, new URL(digits, location.href));
  const image = await context.createTensor({ dataType: 'float32', shape: [1, 1, SIZE, SIZE], writable: true });
  const probabilities = await context.createTensor({ dataType: 'float32', shape: [1, 10], readable: true });
  return async (pixels) => {
    context.writeTensor(image, pixels);
    context.dispatch(graph, { image }, { probabilities });
    return new Float32Array(await context.readTensor(probabilities));
  };
}

const rows = Array.from({ length: 10 }, (_, digit) => {
  const row = document.createElement('li');
  const name = document.createElement('span');
  const track = document.createElement('span');
  const bar = document.createElement('span');
  const value = document.createElement('span');
  name.textContent = String(digit);
  track.className = 'track';
  track.append(bar);
  value.className = 'value';
  value.textContent = '–';
  row.append(name, track, value);
  return { row, bar, value };
});
byId('bars', HTMLOListElement).append(...rows.map(({ row }) => row));

const answer = byId('answer', HTMLOutputElement);
const confidence = byId('confidence', HTMLElement);
const spoken = byId('spoken', HTMLElement);

function showNothing(): void {
  answer.value = '–';
  confidence.textContent = 'nothing drawn yet';
  for (const { row, bar, value } of rows) {
    row.className = '';
    bar.style.transform = '';
    value.textContent = '–';
  }
}

function showAnswer(probabilities: Float32Array): void {
  const best = probabilities.reduce((best, p, i) => (p > (probabilities[best] ?? 0) ? i : best), 0);
  const p = probabilities[best] ?? 0;
  answer.value = String(best);
  confidence.textContent = p > 0.9 ? 'quite sure' : p > 0.6 ? 'probably' : 'it is guessing';
  rows.forEach(({ row, bar, value }, digit) => {
    const probability = probabilities[digit] ?? 0;
    row.className = digit === best ? 'best' : '';
    bar.style.transform = `scaleX(${probability.toFixed(4)})`;
    value.textContent = `${(probability * 100).toFixed(1)} %`;
  });
}

const seen = byId('seen', HTMLCanvasElement).getContext('2d');

function showSeen(pixels: Float32Array): void {
  const image = new ImageData(SIZE, SIZE);
  pixels.forEach((ink, i) => {
    image.data.set([235, 240, 255, Math.round(ink * 255)], i * 4);
  });
  seen?.putImageData(image, 0, 0);
}

guarded(async () => {
  const ready = recogniser();
  let running = false;
  let waiting = false;
  let speaking: ReturnType<typeof setTimeout> | undefined;

  /** One run at a time; what was drawn meanwhile is one more. */
  const look = async (): Promise<void> => {
    waiting = true;
    if (running) {
      return;
    }
    running = true;
    try {
      // Why there is none is told once, where the page starts.
      const recognise = await ready.catch(() => undefined);
      while (waiting && recognise !== undefined) {
        waiting = false;
        const pixels = normalised(board.strokes);
        showSeen(pixels);
        if (board.strokes.length === 0) {
          showNothing();
          continue;
        }
        const start = performance.now();
        const probabilities = await recognise(pixels);
        showTime(performance.now() - start);
        showAnswer(probabilities);
      }
    } finally {
      running = false;
    }
    // A screen reader hears the answer once the pen rests, not at every point.
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      spoken.textContent = board.strokes.length > 0 ? `It looks like ${answer.value}, ${confidence.textContent}.` : '';
    }, 600);
  };

  const board = new Board(byId('board', HTMLCanvasElement), () => {
    guarded(look);
  });
  byId('clear', HTMLButtonElement).onclick = (): void => {
    board.clear();
  };
  let example = 0;
  byId('sample', HTMLButtonElement).onclick = (): void => {
    board.play(EXAMPLES[example % EXAMPLES.length] ?? []);
    example += 1;
  };

  const recognise = await ready;
  // The first run is the slowest: an empty picture takes that upon itself.
  const start = performance.now();
  await recognise(new Float32Array(SIZE * SIZE));
  showTime(performance.now() - start);
  document.body.dataset['ready'] = 'true';
});
