/** Strokes on a square board, and how they become what the network was trained on. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Points in the order in which the pen came by; the board's side is 1. */
export type Stroke = readonly Point[];

/** The side of the network's picture. */
export const SIZE = 8;

/**
 * The training pictures are bitmaps of 32 by 32, normalised in size and counted in squares of 4 by
 * 4. This many points along a side are as fine.
 */
const FINE = 32;

/** The pen's width against the height of the digit, as in the training pictures. */
const PEN = 0.17;

/** The widest that a digit is there, against its height. */
const WIDEST = 0.86;

/**
 * The strokes as the network knows digits: as high as the picture, centred, of a pen that does
 * not get thinner where somebody draws large. Row by row, 0 is paper and 1 is ink.
 */
export function normalised(strokes: readonly Stroke[]): Float32Array<ArrayBuffer> {
  const pixels = new Float32Array(SIZE * SIZE);
  const points = strokes.flat();
  if (points.length === 0) {
    return pixels;
  }
  const segments = strokes.flatMap(segmentsOf).map(fitted(points));
  const radius = PEN / 2;
  for (let row = 0; row < FINE; row++) {
    for (let column = 0; column < FINE; column++) {
      const at = { x: (column + 0.5) / FINE, y: (row + 0.5) / FINE };
      if (segments.some(([from, to]) => distance(at, from, to) <= radius)) {
        const pixel = Math.floor((row * SIZE) / FINE) * SIZE + Math.floor((column * SIZE) / FINE);
        pixels[pixel] = (pixels[pixel] ?? 0) + (SIZE / FINE) ** 2;
      }
    }
  }
  return pixels;
}

type Segment = readonly [Point, Point];

/** A single point is a segment too: a dot. */
function segmentsOf(stroke: Stroke): Segment[] {
  return stroke.map((point, i) => [stroke[Math.max(0, i - 1)] ?? point, point]);
}

/** Moves and scales so that the ink, half a pen around the points, fills the height. */
function fitted(points: readonly Point[]): (segment: Segment) => Segment {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const inner = 1 - PEN;
  // Something flat, such as a dash, is not blown up to the height of a digit.
  const height = Math.max(bottom - top, (right - left) / 2, 0.05);
  const vertical = inner / height;
  const horizontal = Math.min(vertical, (WIDEST - PEN) / Math.max(right - left, Number.EPSILON));
  const place = ({ x, y }: Point): Point => ({
    x: 0.5 + (x - (left + right) / 2) * horizontal,
    y: 0.5 + (y - (top + bottom) / 2) * vertical,
  });
  return ([from, to]) => [place(from), place(to)];
}

function distance(at: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((at.x - from.x) * dx + (at.y - from.y) * dy) / length;
  const clamped = Math.min(1, Math.max(0, along));
  return Math.hypot(at.x - from.x - clamped * dx, at.y - from.y - clamped * dy);
}
