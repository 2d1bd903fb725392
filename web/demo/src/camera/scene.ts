/** Where frames come from: the camera, or an animation where there is none. */

import type { Size } from './filters.js';

export interface Source {
  /** Paints the frame of this moment; false where there is none yet. */
  paint(target: CanvasRenderingContext2D, size: Size, time: number): boolean;
  stop(): void;
}

/** Opens the camera; the error says in words what is in the way. */
export async function openCamera(): Promise<Source> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) {
    throw new Error('There is no camera to be had here: it needs a secure address (https, or localhost).');
  }
  let stream: MediaStream;
  try {
    stream = await devices.getUserMedia({ video: { width: 640, height: 480, facingMode: 'user' }, audio: false });
  } catch (error) {
    throw new Error(cameraTrouble(error), { cause: error });
  }
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  return {
    paint(target, { width, height }) {
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
        return false;
      }
      // As much of the frame as fits, mirrored as people know themselves.
      const scale = Math.max(width / video.videoWidth, height / video.videoHeight);
      const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
      target.setTransform(-1, 0, 0, 1, width, 0);
      target.drawImage(video, (width - w) / 2, (height - h) / 2, w, h);
      target.resetTransform();
      return true;
    },
    stop() {
      for (const track of stream.getTracks()) {
        track.stop();
      }
    },
  };
}

function cameraTrouble(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
      return 'The camera may not be used: the permission was not given. The animation goes on.';
    case 'NotFoundError':
      return 'No camera was found. The animation goes on.';
    case 'NotReadableError':
      return 'The camera is in use by another program. The animation goes on.';
    default:
      return `The camera could not be started (${String(error)}). The animation goes on.`;
  }
}

/** Hills under a sun, a ball, a word: flat colours, soft ones, edges and fine lines to filter. */
export function animation(): Source {
  return {
    paint(target, { width, height }, time) {
      const t = time / 1000;
      const sky = target.createLinearGradient(0, 0, 0, height);
      sky.addColorStop(0, `hsl(${205 + 15 * Math.sin(t / 5)} 75% 55%)`);
      sky.addColorStop(1, 'hsl(35 90% 75%)');
      target.fillStyle = sky;
      target.fillRect(0, 0, width, height);
      const sun = target.createRadialGradient(0, 0, 0, 0, 0, height * 0.32);
      sun.addColorStop(0, '#fff8e0');
      sun.addColorStop(0.4, '#ffd97a');
      sun.addColorStop(1, '#ffd97a00');
      target.save();
      target.translate(width * (0.72 + 0.06 * Math.cos(t / 4)), height * (0.3 + 0.05 * Math.sin(t / 4)));
      target.fillStyle = sun;
      target.fillRect(-width, -height, 2 * width, 2 * height);
      target.restore();
      hill(target, width, height, 0.56, t * 0.05, '#5f7fa8');
      hill(target, width, height, 0.68, t * 0.1 + 2, '#3f7a63');
      hill(target, width, height, 0.82, t * 0.2 + 4, '#27503b');
      fence(target, width, height, t);
      ball(target, width, height, t);
      target.fillStyle = '#ffffff';
      target.font = `700 ${height * 0.15}px system-ui, sans-serif`;
      target.textBaseline = 'top';
      target.fillText('webnn', width * 0.07, height * 0.07);
      return true;
    },
    stop() {
      // Nothing runs by itself.
    },
  };
}

function hill(target: CanvasRenderingContext2D, width: number, height: number, level: number, phase: number, colour: string): void {
  target.fillStyle = colour;
  target.beginPath();
  target.moveTo(0, height);
  for (let x = 0; x <= width; x += 4) {
    const u = (x / width) * 5 + phase;
    target.lineTo(x, height * (level + 0.07 * Math.sin(u) + 0.025 * Math.sin(2.7 * u)));
  }
  target.lineTo(width, height);
  target.fill();
}

function fence(target: CanvasRenderingContext2D, width: number, height: number, t: number): void {
  target.strokeStyle = '#f4e9d2';
  target.lineWidth = width * 0.008;
  const gap = width / 14;
  const shift = (t * width * 0.04) % gap;
  target.beginPath();
  for (let x = -shift; x < width + gap; x += gap) {
    target.moveTo(x, height * 0.99);
    target.lineTo(x, height * 0.86);
  }
  target.moveTo(0, height * 0.9);
  target.lineTo(width, height * 0.9);
  target.moveTo(0, height * 0.95);
  target.lineTo(width, height * 0.95);
  target.stroke();
}

function ball(target: CanvasRenderingContext2D, width: number, height: number, t: number): void {
  const radius = height * 0.11;
  const x = width * (0.4 + 0.26 * Math.sin(t * 0.7));
  const y = height * 0.72 - Math.abs(Math.sin(t * 2.1)) * height * 0.34;
  const shade = target.createRadialGradient(x - radius / 3, y - radius / 3, radius / 8, x, y, radius);
  shade.addColorStop(0, '#ffb09a');
  shade.addColorStop(1, '#c8341f');
  target.fillStyle = shade;
  target.beginPath();
  target.arc(x, y, radius, 0, 2 * Math.PI);
  target.fill();
  target.strokeStyle = '#ffffff';
  target.lineWidth = radius * 0.16;
  target.beginPath();
  target.arc(x, y, radius * 0.6, t * 3, t * 3 + Math.PI);
  target.stroke();
}
