/** The last frames as bars, so that one sees jerks that a mean hides. */

/** Draws the times, newest on the right; the line is a sixtieth of a second. */
export function drawHistory(canvas: HTMLCanvasElement, times: readonly number[], most: number): void {
  const paint = canvas.getContext('2d');
  if (paint === null) {
    return;
  }
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  const top = Math.max(20, ...times) * 1.1;
  paint.clearRect(0, 0, width, height);
  paint.fillStyle = style.getPropertyValue('color');
  paint.globalAlpha = 0.65;
  const step = width / most;
  times.forEach((time, i) => {
    const bar = (time / top) * height;
    paint.fillRect((most - times.length + i) * step, height - bar, step - 1, bar);
  });
  paint.globalAlpha = 0.5;
  const limit = height - (1000 / 60 / top) * height;
  paint.fillRect(0, limit, width, 2);
  paint.globalAlpha = 1;
}
