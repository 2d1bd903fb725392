import { describe, expect, test } from 'vitest';
import { expectEngine, useSite } from './site.js';

const PATHS = ['', 'digit.html', 'camera.html', 'model.html'];

describe('each page', () => {
  const site = useSite();

  test.each(PATHS)('/%s names every control, and fits a phone', async (path) => {
    const page = await site.open(path, { viewport: { width: 390, height: 844 } });
    const unnamed = await page.evaluate(() => {
      const controls = document.querySelectorAll<HTMLElement>('a, button, input, select, canvas');
      return Array.from(controls)
        .filter((control) => {
          const labels = (control as Partial<HTMLInputElement>).labels ?? [];
          const words = [control.textContent, control.ariaLabel, ...Array.from(labels, (label) => label.textContent)];
          return words.every((text) => (text ?? '').trim() === '');
        })
        .map((control) => control.outerHTML);
    });
    expect(unnamed).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  test.each(PATHS)('/%s asks the network for nothing but its own files', async (path) => {
    const page = await site.open('icon.svg');
    const others: string[] = [];
    const origin = new URL(page.url()).origin;
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url()) && new URL(request.url()).origin !== origin) others.push(request.url());
    });
    await page.goto(`${origin}/${path}`);
    await page.waitForFunction(() => (document.querySelector('#engine-name')?.textContent ?? '').startsWith('CPU'));
    expect(others).toEqual([]);
  });
});

describe('without a network', () => {
  const site = useSite();

  test('everything works after one visit', async () => {
    const page = await site.open('');
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    const { origin } = new URL(page.url());
    await site.stopServer();

    await page.goto(`${origin}/digit.html`);
    await page.waitForSelector('body[data-ready]');
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.click('#sample');
    await page.waitForFunction(() => document.querySelector<HTMLOutputElement>('#answer')?.value === '7');
    await expectEngine(page);

    await page.goto(`${origin}/camera.html`);
    await page.waitForFunction(() => Number(document.body.dataset['frames'] ?? 0) > 2);

    await page.goto(`${origin}/model.html`);
    await page.click('#sample');
    await page.waitForSelector('#details:not([hidden])');
    await page.click('#run');
    await page.waitForFunction(() => document.body.dataset['runs'] === '1');
  });
});
