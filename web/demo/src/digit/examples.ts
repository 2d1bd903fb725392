/** Digits as a hand writes them, for who wants to see one drawn; and for the tests. */

import type { Point, Stroke } from './strokes.js';

/** Points along an arc; angles in quarter turns, clockwise from three o'clock. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Point[] {
  const count = Math.ceil(Math.abs(to - from) * 8);
  return Array.from({ length: count + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / count) * Math.PI) / 2;
    return { x: x + rx * Math.cos(angle), y: y + ry * Math.sin(angle) };
  });
}

/** Points along straight lines from corner to corner. */
function lines(...corners: readonly (readonly [number, number])[]): Point[] {
  return corners.flatMap(([x, y], i) => {
    const [fromX, fromY] = corners[i - 1] ?? [x, y];
    const count = i === 0 ? 1 : Math.max(1, Math.round(Math.hypot(x - fromX, y - fromY) * 24));
    return Array.from({ length: count }, (_, j) => {
      const part = (j + 1) / count;
      return { x: fromX + (x - fromX) * part, y: fromY + (y - fromY) * part };
    });
  });
}

export const EXAMPLES: readonly (readonly Stroke[])[] = [
  [[...lines([0.3, 0.22], [0.7, 0.22], [0.44, 0.82])]],
  [[...arc(0.48, 0.35, 0.18, 0.17, -1.7, 0.9), ...arc(0.48, 0.67, 0.21, 0.17, -0.9, 1.7)]],
  [arc(0.5, 0.5, 0.21, 0.32, -1, 3)],
  [lines([0.6, 0.16], [0.28, 0.6], [0.76, 0.6]), lines([0.6, 0.4], [0.6, 0.86])],
  [[...arc(0.5, 0.34, 0.19, 0.17, -2.1, 0.4), ...lines([0.6, 0.52], [0.3, 0.82], [0.72, 0.82])]],
  [[...lines([0.66, 0.18], [0.36, 0.18], [0.34, 0.46]), ...arc(0.48, 0.64, 0.2, 0.19, -1.4, 1.8)]],
  [[...arc(0.62, 0.5, 0.28, 0.34, -1, -1.9), ...arc(0.5, 0.66, 0.17, 0.17, -2, 2)]],
  [[...lines([0.42, 0.3], [0.53, 0.17], [0.53, 0.84])]],
  [[...arc(0.5, 0.34, 0.15, 0.16, 0.9, -3.1), ...arc(0.5, 0.66, 0.19, 0.17, -1, 3)]],
  [[...arc(0.5, 0.36, 0.17, 0.17, 0, -4), ...lines([0.67, 0.36], [0.66, 0.6], [0.6, 0.84])]],
];

/** What each example is. */
export const EXAMPLE_DIGITS: readonly number[] = [7, 3, 0, 4, 2, 5, 6, 1, 8, 9];
