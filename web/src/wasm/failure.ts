/** Failures with the specification's kinds. */

import type { ErrorKind, HostError } from '../host.js';

export function hostError(code: ErrorKind, message: string): HostError {
  return Object.assign(new Error(message), { code });
}

export function isHostError(error: unknown): error is HostError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
