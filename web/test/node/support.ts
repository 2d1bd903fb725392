/** What the tests for Node share. */

export function bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(new Float32Array(values).buffer);
}

export function floats(buffer: ArrayBuffer): number[] {
  return Array.from(new Float32Array(buffer));
}

/** The kind of the error that a call throws. */
export function kindOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  throw new Error('the call succeeded, expected an error');
}
