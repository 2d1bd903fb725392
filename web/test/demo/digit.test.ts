import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { EXAMPLE_DIGITS, EXAMPLES } from '../../demo/src/digit/examples.js';
import { normalised, SIZE, type Stroke } from '../../demo/src/digit/strokes.js';
import { expectEngine, useSite } from './site.js';

describe('strokes as the network knows digits', () => {
  const seven: readonly Stroke[] = EXAMPLES[0] ?? [];
  const inkOf = (pixels: Float32Array, inLine: (i: number) => boolean): number =>
    pixels.reduce((sum, ink, i) => sum + (inLine(i) ? ink : 0), 0);

  test('no stroke is an empty picture', () => {
    expect(normalised([])).toEqual(new Float32Array(SIZE * SIZE));
  });

  test('ink reaches the first and the last row, and no pixel holds more than its area', () => {
    const pixels = normalised(seven);
    expect(inkOf(pixels, (i) => i < SIZE)).toBeGreaterThan(0);
    expect(inkOf(pixels, (i) => i >= SIZE * (SIZE - 1))).toBeGreaterThan(0);
    expect(Math.max(...pixels)).toBe(1);
  });

  test('place and size on the board do not matter', () => {
    const moved = seven.map((stroke) => stroke.map(({ x, y }) => ({ x: x * 0.25 + 0.6, y: y * 0.25 + 0.03 })));
    const [a, b] = [normalised(seven), normalised(moved)];
    // Points that fall on a boundary of the fine grid may round to either side.
    expect(Math.max(...a.map((ink, i) => Math.abs(ink - (b[i] ?? 0))))).toBeLessThanOrEqual(1 / 16);
  });

  test('a dot is a dot in the middle', () => {
    const pixels = normalised([[{ x: 0.1, y: 0.9 }]]);
    const middle = (i: number): boolean => [3, 4].includes(Math.floor(i / SIZE)) && [3, 4].includes(i % SIZE);
    expect(inkOf(pixels, middle)).toBeGreaterThan(0);
    expect(inkOf(pixels, (i) => !middle(i))).toBe(0);
  });
});

describe('the page', () => {
  const site = useSite();

  async function openPage(): Promise<Page> {
    const page = await site.open('digit.html');
    await page.waitForSelector('body[data-ready]');
    return page;
  }

  async function draw(page: Page, strokes: readonly Stroke[]): Promise<void> {
    const box = await page.locator('#board').boundingBox();
    if (box === null) throw new Error('the board has no box');
    for (const stroke of strokes) {
      for (const [i, { x, y }] of stroke.entries()) {
        await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
        if (i === 0) await page.mouse.down();
      }
      await page.mouse.up();
    }
  }

  const answers = (page: Page, digit: string): Promise<unknown> =>
    page.waitForFunction((digit) => document.querySelector<HTMLOutputElement>('#answer')?.value === digit, digit);

  test('says which engine runs, why, and how long the last run took', async () => {
    await expectEngine(await openPage());
  });

  test('recognises each digit drawn with a pointer', async () => {
    const page = await openPage();
    for (const [i, strokes] of EXAMPLES.entries()) {
      await page.click('#clear');
      await draw(page, strokes);
      await answers(page, String(EXAMPLE_DIGITS[i]));
    }
  });

  test('moves the probabilities while one draws, and adds them up to 1', async () => {
    const page = await openPage();
    const shown = (): Promise<string[]> => page.locator('#bars .value').allTextContents();
    const strokes = EXAMPLES[3] ?? [];
    await draw(page, strokes.slice(0, 1));
    await page.waitForFunction(() => document.querySelector('#bars .value')?.textContent !== '–');
    const half = await shown();
    await draw(page, strokes.slice(1));
    await answers(page, '4');
    const whole = await shown();
    expect(whole).not.toEqual(half);
    const sum = whole.reduce((sum, text) => sum + parseFloat(text), 0);
    expect(Math.abs(sum - 100)).toBeLessThan(0.6);
  });

  test('is drawn on by keyboard, and cleared', async () => {
    const page = await openPage();
    await page.focus('#board');
    await page.keyboard.press('Space');
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await answers(page, '1');
    await page.keyboard.press('Escape');
    await answers(page, '–');
    expect(await page.textContent('#confidence')).toBe('nothing drawn yet');
  });

  test('draws a digit by itself on demand, and tells it to a screen reader', async () => {
    const page = await openPage();
    await page.click('#sample');
    await answers(page, String(EXAMPLE_DIGITS[0]));
    await page.waitForFunction(() => document.querySelector('#spoken')?.textContent.startsWith('It looks like') === true);
  });
});
