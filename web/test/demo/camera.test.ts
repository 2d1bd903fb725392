import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { buildFilter, FILTERS, gaussian } from '../../demo/src/camera/filters.js';
import { expectEngine, useSite } from './site.js';

const entry = (await import(new URL('../../dist/node.js', import.meta.url).href)) as typeof import('webnn');

describe('filters', () => {
  const [width, height] = [24, 16];
  const at = (x: number, y: number, channel: number): number => (y * width + x) * 4 + channel;
  /** Two colours that meet in a slanted line, with a gradient across. */
  const picture = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => {
    const [x, y, channel] = [(i >> 2) % width, Math.floor((i >> 2) / width), i & 3];
    return channel === 3 ? 255 : x > y ? 40 + 7 * x + 20 * channel : 200 - 5 * y;
  });

  async function filtered(id: string): Promise<Uint8Array> {
    const filter = FILTERS.find((filter) => filter.id === id);
    if (filter === undefined) throw new Error(`there is no filter ${id}`);
    const context = await entry.ml.createContext();
    const { graph } = await buildFilter(new entry.MLGraphBuilder(context), filter, { width, height });
    const descriptor = { dataType: 'uint8', shape: [1, height, width, 4] } as const;
    const frame = await context.createTensor({ ...descriptor, writable: true });
    const output = await context.createTensor({ ...descriptor, readable: true });
    context.writeTensor(frame, new Uint8Array(picture));
    context.dispatch(graph, { frame }, { picture: output });
    const bytes = new Uint8Array(await context.readTensor(output));
    context.destroy();
    return bytes;
  }

  /** Coordinates outside are mirrored at the border, which is not repeated. */
  const mirrored = (i: number, size: number): number => (i < 0 ? -i : i >= size ? 2 * size - 2 - i : i);
  const source = (x: number, y: number, channel: number): number =>
    picture[at(mirrored(x, width), mirrored(y, height), channel)] ?? 0;
  const light = (x: number, y: number): number =>
    0.2126 * source(x, y, 0) + 0.7152 * source(x, y, 1) + 0.0722 * source(x, y, 2);

  /** By plain loops over a kernel of two dimensions. */
  function convolved(kernel: (dx: number, dy: number) => number, radius: number, of: (x: number, y: number) => number): (x: number, y: number) => number {
    return (x, y) => {
      let sum = 0;
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dx = -radius; dx <= radius; dx++) sum += kernel(dx, dy) * of(x + dx, y + dy);
      }
      return sum;
    };
  }

  function blurred(deviation: number, channel: number): (x: number, y: number) => number {
    const weights = gaussian(deviation);
    const radius = (weights.length - 1) / 2;
    const kernel = (dx: number, dy: number): number => (weights[dx + radius] ?? 0) * (weights[dy + radius] ?? 0);
    return convolved(kernel, radius, (x, y) => source(x, y, channel));
  }

  const expected: Record<string, (x: number, y: number, channel: number) => number> = {
    none: source,
    blur: (x, y, channel) => blurred(3, channel)(x, y),
    sharpen: (x, y, channel) => {
      const value = source(x, y, channel);
      return value + 1.5 * (value - blurred(1.4, channel)(x, y));
    },
    emboss: (x, y) => 127.5 + convolved((dx, dy) => dx + dy, 1, light)(x, y),
  };

  test.each(Object.keys(expected))('%s is what plain loops compute', async (id) => {
    const result = await filtered(id);
    const compute = expected[id] ?? source;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let channel = 0; channel < 3; channel++) {
          const value = Math.min(255, Math.max(0, compute(x, y, channel)));
          expect(Math.abs((result[at(x, y, channel)] ?? NaN) - value), `${x}, ${y}, ${channel}`).toBeLessThanOrEqual(1);
        }
        expect(result[at(x, y, 3)]).toBe(255);
      }
    }
  });

  /** The result for another picture. */
  async function filteredOf(other: (x: number) => number, id: string): Promise<Uint8Array> {
    const kept = picture.slice();
    picture.forEach((_, i) => {
      picture[i] = other((i >> 2) % width);
    });
    const result = await filtered(id);
    picture.set(kept);
    return result;
  }

  test('edges are black where nothing changes and light where colours meet', async () => {
    const flat = await filteredOf(() => 128, 'edges');
    expect(flat.every((value, i) => value === ((i & 3) === 3 ? 128 : 0))).toBe(true);
    const step = await filteredOf((x) => (x < 12 ? 40 : 220), 'edges');
    expect(step[at(12, 8, 0)]).toBe(255);
    expect(step[at(2, 8, 0)]).toBe(0);
  });

  test('a cartoon has a few flat colours, and black lines where colours meet', async () => {
    const colours = (bytes: Uint8Array): Set<number> => new Set(bytes.filter((_, i) => (i & 3) === 0));
    // 24 greys, 4 apart, over two and a quarter of the six steps.
    const gradient = await filteredOf((x) => 100 + 4 * x, 'cartoon');
    expect(colours(gradient).size).toBeLessThanOrEqual(4);
    const step = await filteredOf((x) => (x < 12 ? 40 : 220), 'cartoon');
    expect(step[at(12, 8, 0)]).toBe(0);
    expect(step[at(22, 8, 0)]).toBeGreaterThan(150);
  });

  test.each([0.8, 1.4, 3])('the weights of a Gaussian of %d add up to 1 and are symmetric', (deviation) => {
    const weights = gaussian(deviation);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(weights).toEqual(weights.toReversed());
  });
});

const frames = (page: Page): Promise<number> => page.evaluate(() => Number(document.body.dataset['frames'] ?? 0));

async function moreFrames(page: Page): Promise<void> {
  const before = await frames(page);
  await page.waitForFunction((before) => Number(document.body.dataset['frames'] ?? 0) > before + 2, before);
}

/** How many colours a canvas shows. */
const colours = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('#picture');
    const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(data?.buffer ?? new ArrayBuffer(0))).size;
  });

describe('the page', () => {
  const site = useSite();

  test('filters an animation at once, and says what it costs', async () => {
    const page = await site.open('camera.html');
    await moreFrames(page);
    await expectEngine(page);
    expect(await colours(page)).toBeGreaterThan(10);
    expect(Number(await page.textContent('#rate'))).toBeGreaterThan(0);
    expect(await page.textContent('#frame')).toMatch(/^[\d.]+ m?s$/);
    expect(Number(await page.textContent('#operations'))).toBeGreaterThan(10);
  });

  test('filters the camera with each filter, chosen by keyboard', async () => {
    const page = await site.open('camera.html');
    await moreFrames(page);
    await page.click('#camera');
    await page.waitForFunction(() => document.querySelector('#source')?.textContent.startsWith('Your camera') === true);
    await page.focus('input[name="filter"]:checked');
    for (const { name } of FILTERS) {
      await page.keyboard.press('ArrowRight');
      const chosen = await page.inputValue('input[name="filter"]:checked');
      await page.waitForFunction((id) => document.body.dataset['filter'] === id, chosen);
      await moreFrames(page);
      expect(await colours(page), name).toBeGreaterThan(1);
    }
    expect(await page.isVisible('#problem')).toBe(false);
    await page.click('#camera');
    await page.waitForFunction(() => document.querySelector('#source')?.textContent.startsWith('An animation') === true);
  });

  test('computes in the size that is chosen, without a jump of the page', async () => {
    const page = await site.open('camera.html');
    await moreFrames(page);
    const before = await page.locator('#picture').boundingBox();
    await page.selectOption('#size', '640');
    await page.waitForFunction(() => document.querySelector<HTMLCanvasElement>('#picture')?.width === 640);
    expect(await page.locator('#picture').boundingBox()).toEqual(before);
  });

  test('pauses and goes on', async () => {
    const page = await site.open('camera.html');
    await moreFrames(page);
    await page.click('#pause');
    expect(await page.getAttribute('#pause', 'aria-pressed')).toBe('true');
    // The frame that was on its way still comes; two animation frames later none does.
    await page.evaluate(async () => {
      const next = (): Promise<number> => new Promise(requestAnimationFrame);
      let seen: string | undefined;
      while (seen !== document.body.dataset['frames']) {
        seen = document.body.dataset['frames'];
        for (let i = 0; i < 30; i++) await next();
      }
    });
    await page.click('#pause');
    await moreFrames(page);
  });

  test('starts with a still picture for those who want no motion', async () => {
    const page = await site.open('camera.html', { reducedMotion: 'reduce' });
    await page.waitForFunction(() => document.body.dataset['frames'] === '1');
    expect(await page.textContent('#pause')).toBe('Go on');
  });
});

describe('without a camera', () => {
  const site = useSite([]);

  test('says so in words, and the animation goes on', async () => {
    const page = await site.open('camera.html');
    await moreFrames(page);
    await page.click('#camera');
    await page.waitForSelector('#problem:not([hidden])');
    expect(await page.textContent('#problem')).toMatch(/camera.*The animation goes on/i);
    await moreFrames(page);
  });
});
