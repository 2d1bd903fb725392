import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { fromHalf, imageShape, numbersOf, pictureValues, toHalf } from '../../demo/src/model/data.js';
import { DIGITS, expectEngine, SHARED, useSite } from './site.js';

describe('data for models', () => {
  test('half precision goes both ways for every number that it holds', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromHalf(bits);
      expect(Number.isNaN(value) ? 0x7e00 : toHalf(value)).toBe(Number.isNaN(value) ? 0x7e00 : bits);
    }
    expect(toHalf(1 + 2 ** -11 + 2 ** -20)).toBe(toHalf(1 + 2 ** -10));
    expect([toHalf(65519), toHalf(65520)]).toEqual([0x7bff, 0x7c00]);
  });

  test.each([
    [[1, 3, 224, 160], { channels: 3, height: 224, width: 160, layout: 'nchw' }],
    [[1, 8, 9, 1], { channels: 1, height: 8, width: 9, layout: 'nhwc' }],
    [[1, 128], undefined],
    [[2, 3, 8, 8], undefined],
    [[1, 4, 8, 8], undefined],
  ])('a tensor of shape %j holds a picture as %j', (shape, expected) => {
    expect(imageShape({ shape })).toEqual(expected);
  });

  test('a picture is laid out and scaled as the model wants it', () => {
    const data = new Uint8ClampedArray([255, 0, 51, 255, 0, 255, 102, 255]);
    const picture = { data, width: 2, height: 1 } as ImageData;
    const planes = { channels: 3, width: 2, height: 1, layout: 'nchw' } as const;
    expect(Array.from(pictureValues(picture, planes, 'byte'))).toEqual([255, 0, 0, 255, 51, 102].map((v) => Math.fround((v / 255) * 255)));
    expect(Array.from(pictureValues(picture, { ...planes, layout: 'nhwc' }, 'signed'))).toEqual([1, -1, 0.4 - 1, -1, 1, 0.8 - 1].map(Math.fround));
  });

  test('whole numbers of 64 bits are shown as numbers', () => {
    expect(Array.from(numbersOf(BigInt64Array.of(-3n, 7n).buffer, 'int64'))).toEqual([-3, 7]);
  });
});

describe('the page', () => {
  const site = useSite();

  const ran = (page: Page, times: number): Promise<unknown> =>
    page.waitForFunction((times) => Number(document.body.dataset['runs'] ?? 0) >= times, times);

  test('shows what is in the sample, and runs it', async () => {
    const page = await site.open('model.html');
    await page.click('#sample');
    await page.waitForSelector('#details:not([hidden])');
    expect(await page.textContent('#ports')).toContain('1 × 1 × 8 × 8');
    expect(await page.locator('#operators li').allTextContents()).toContain('Conv 3');
    await page.click('#run');
    await ran(page, 1);
    await expectEngine(page);
    expect(await page.locator('#outputs .bars li').count()).toBe(5);
    expect(await page.textContent('#weights')).toBe('91.8 kB');
    await page.click('#many');
    await ran(page, 21);
    expect(await page.textContent('#run-name')).toBe('Run, median of 20');
  });

  test('recognises a picture that is chosen', async () => {
    const page = await site.open('model.html');
    await page.click('#sample');
    await page.waitForSelector('#details:not([hidden])');
    await page.check('input[value="picture"]', { force: true });
    await page.setInputFiles('#labels', `${DIGITS}/labels.txt`);
    for (const digit of ['3', '7']) {
      await page.setInputFiles('#picture', `${DIGITS}/samples/${digit}.png`);
      await page.click('#run');
      await page.waitForFunction((digit) => document.querySelector('#outputs .best .name')?.textContent === digit, digit);
    }
  });

  test('takes a file that is dropped anywhere on the page', async () => {
    const page = await site.open('model.html');
    const bytes = Array.from(await readFile(`${DIGITS}/digits.onnx`));
    await page.evaluate((bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], 'dropped.onnx'));
      document.querySelector('h1')?.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }, bytes);
    await page.waitForSelector('#details:not([hidden])');
    expect(await page.textContent('#file')).toBe('dropped.onnx, 93.0 kB');
  });

  test('says in words what is wrong with a file', async () => {
    const page = await site.open('model.html');
    await page.setInputFiles('#choose', { name: 'notes.onnx', mimeType: '', buffer: Buffer.from('not a model') });
    await page.waitForSelector('#problem:not([hidden])');
    expect(await page.textContent('#problem')).toMatch(/not a valid ONNX model/);
    expect(await page.textContent('#file')).toBe('notes.onnx cannot be read.');
    await page.click('#sample');
    await page.waitForSelector('#details:not([hidden])');
    expect(await page.isVisible('#problem')).toBe(false);
  });

  test.skipIf(SHARED === undefined)('asks for free dimensions, and builds anew when they change', async () => {
    const page = await site.open('model.html');
    await page.setInputFiles('#choose', `${SHARED ?? ''}/models/mobilenetv2/mobilenetv2-fp32.onnx`);
    await page.waitForSelector('#dimensions:not([hidden])');
    expect(await page.locator('#dimensions label').allTextContents()).toEqual(['batch_size']);
    for (const [i, batch] of ['1', '2'].entries()) {
      await page.fill('#dimensions input', batch);
      await page.click('#run');
      await ran(page, i + 1);
      expect(await page.textContent('#outputs h3')).toBe(`output float32 ${batch} × 1000`);
    }
  });
});
