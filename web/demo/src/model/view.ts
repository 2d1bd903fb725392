/** Shows what is in a model, and what it gives. */

import type { OnnxDescription, OnnxPort, OnnxTensor } from 'webnn/onnx';

/** How many of an output's elements are listed. */
const TOP = 5;

type Child = Node | string;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** One row for each input and output. */
export function portRows({ inputs, outputs }: Pick<OnnxDescription, 'inputs' | 'outputs'>): HTMLElement[] {
  const row = (kind: string) => (port: OnnxPort): HTMLElement =>
    element(
      'tr',
      '',
      element('td', '', port.name, element('div', 'tag', kind)),
      element('td', '', port.dataType ?? 'no tensor'),
      element('td', '', shapeInWords(port.shape)),
    );
  return [...inputs.map(row('input')), ...outputs.map(row('output'))];
}

function shapeInWords(shape: OnnxPort['shape']): string {
  if (shape === null) {
    return 'of any rank';
  }
  return shape.length === 0 ? 'scalar' : shape.map((size) => size ?? '?').join(' × ');
}

export function operatorChips(operators: OnnxDescription['operators']): HTMLElement[] {
  return operators.map(([name, count]) => element('li', '', `${name} `, element('b', '', String(count))));
}

/** An output: its greatest elements where it is a list of scores, else its range. */
export function outputView(port: OnnxTensor, values: Float64Array, labels: readonly string[]): HTMLElement {
  const title = element('h3', '', `${port.name} `, element('span', 'tag', `${port.dataType} ${port.shape.join(' × ')}`));
  const { length } = values;
  let [least, greatest, sum, odd] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) {
      odd += 1;
      continue;
    }
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
    sum += value;
  }
  const oddly = odd > 0 ? `, ${odd} not finite` : '';
  const range = element(
    'p',
    'help',
    `${length.toLocaleString('en')} elements, ${inShort(least)} to ${inShort(greatest)}, mean ${inShort(sum / (length - odd))}${oddly}`,
  );
  const scores = port.shape.at(-1) === length && length > 1;
  return element('section', '', title, range, ...(scores ? [topList(values, labels, least, greatest)] : [firstFew(values)]));
}

function topList(values: Float64Array, labels: readonly string[], least: number, greatest: number): HTMLElement {
  const order = Array.from(values.keys()).sort((a, b) => (values[b] ?? NaN) - (values[a] ?? NaN));
  const items = order.slice(0, TOP).map((i, place) => {
    const value = values[i] ?? NaN;
    const bar = element('span', '');
    const part = greatest > least ? (value - least) / (greatest - least) : 1;
    bar.style.transform = `scaleX(${part.toFixed(4)})`;
    const name = element('span', 'name', labels[i] ?? `no. ${i}`);
    name.title = name.textContent;
    return element('li', place === 0 ? 'best' : '', name, element('span', 'track', bar), element('span', 'value', inShort(value)));
  });
  const list = element('ol', 'bars', ...items);
  list.setAttribute('aria-label', `The ${items.length} greatest`);
  return list;
}

function firstFew(values: Float64Array): HTMLElement {
  const shown = Array.from(values.slice(0, 8), inShort).join(', ');
  return element('p', '', element('code', '', `${shown}${values.length > 8 ? ', …' : ''}`));
}

export function inShort(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) {
    return String(value);
  }
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6 ? value.toPrecision(4) : value.toExponential(2);
}
