/** The drawing board: pointer, touch and keyboard. */

import type { Point, Stroke } from './strokes.js';

const INK = '#ebf0ff';
const GUIDE = '#2a2f40';
const CURSOR = '#8ea6ff';
/** Parts of the board's side. */
const PEN = 0.075;
const STEP = 1 / 24;

export class Board {
  readonly #canvas: HTMLCanvasElement;
  readonly #paint: CanvasRenderingContext2D;
  readonly #changed: () => void;
  readonly #strokes: Point[][] = [];
  #cursor: Point = { x: 0.5, y: 0.25 };
  #isDown = false;
  #showsCursor = false;
  #playing = 0;

  constructor(canvas: HTMLCanvasElement, changed: () => void) {
    const paint = canvas.getContext('2d');
    if (paint === null) {
      throw new Error('This browser cannot draw on a canvas.');
    }
    this.#canvas = canvas;
    this.#paint = paint;
    this.#changed = changed;
    this.#listen();
    this.#draw();
  }

  get strokes(): readonly Stroke[] {
    return this.#strokes;
  }

  clear(): void {
    this.#playing += 1;
    this.#strokes.length = 0;
    this.#isDown = false;
    this.#update();
  }

  /** Draws strokes as a hand would, point after point. */
  play(strokes: readonly Stroke[]): void {
    this.clear();
    const playing = this.#playing;
    const points = strokes.flatMap((stroke) => stroke.map((point, i) => ({ point, begins: i === 0 })));
    let next = 0;
    const step = (): void => {
      const item = points[next];
      if (item === undefined || playing !== this.#playing) {
        return;
      }
      next += 1;
      if (item.begins) {
        this.#strokes.push([item.point]);
      } else {
        this.#strokes.at(-1)?.push(item.point);
      }
      this.#update();
      requestAnimationFrame(step);
    };
    step();
  }

  #listen(): void {
    const canvas = this.#canvas;
    let pen: number | undefined;
    canvas.onpointerdown = (event): void => {
      if (pen !== undefined || event.button !== 0) {
        return;
      }
      pen = event.pointerId;
      canvas.setPointerCapture(pen);
      this.#playing += 1;
      this.#showsCursor = false;
      this.#strokes.push([this.#at(event)]);
      this.#update();
    };
    canvas.onpointermove = (event): void => {
      if (event.pointerId !== pen) {
        return;
      }
      // Between two frames a quick pen passes more points than one.
      const events = event.getCoalescedEvents();
      this.#strokes.at(-1)?.push(...(events.length > 0 ? events : [event]).map((e) => this.#at(e)));
      this.#update();
    };
    canvas.onpointerup = canvas.onpointercancel = (event): void => {
      if (event.pointerId === pen) {
        pen = undefined;
      }
    };
    canvas.onkeydown = (event): void => {
      this.#key(event);
    };
    canvas.onblur = (): void => {
      this.#isDown = false;
      this.#showsCursor = false;
      this.#draw();
    };
  }

  #key(event: KeyboardEvent): void {
    const moves: Record<string, readonly [number, number]> = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    };
    const move = moves[event.key];
    if (move !== undefined) {
      const inside = (value: number): number => Math.min(1 - STEP, Math.max(STEP, value));
      this.#cursor = { x: inside(this.#cursor.x + move[0]), y: inside(this.#cursor.y + move[1]) };
      if (this.#isDown) {
        this.#strokes.at(-1)?.push(this.#cursor);
      }
    } else if (event.key === ' ' || event.key === 'Enter') {
      this.#isDown = !this.#isDown;
      if (this.#isDown) {
        this.#playing += 1;
        this.#strokes.push([this.#cursor]);
      }
    } else if (event.key === 'Escape' || event.key === 'Delete' || event.key === 'Backspace') {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.#showsCursor = true;
    this.#update();
  }

  #at(event: PointerEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }

  #update(): void {
    this.#draw();
    this.#changed();
  }

  #draw(): void {
    const { width: side } = this.#canvas;
    const paint = this.#paint;
    paint.clearRect(0, 0, side, side);
    paint.strokeStyle = GUIDE;
    paint.lineWidth = 2;
    paint.beginPath();
    paint.roundRect(side * 0.22, side * 0.1, side * 0.56, side * 0.8, 12);
    paint.stroke();
    paint.strokeStyle = INK;
    paint.lineWidth = side * PEN;
    paint.lineCap = paint.lineJoin = 'round';
    for (const stroke of this.#strokes) {
      paint.beginPath();
      stroke.forEach(({ x, y }, i) => {
        if (i === 0) {
          paint.moveTo(x * side, y * side);
        }
        // A lone point is a line to itself, which round ends make a dot.
        paint.lineTo(x * side, y * side);
      });
      paint.stroke();
    }
    if (this.#showsCursor) {
      paint.strokeStyle = CURSOR;
      paint.fillStyle = CURSOR;
      paint.lineWidth = 4;
      paint.beginPath();
      paint.arc(this.#cursor.x * side, this.#cursor.y * side, side * 0.025, 0, 2 * Math.PI);
      if (this.#isDown) {
        paint.fill();
      } else {
        paint.stroke();
      }
    }
  }
}
