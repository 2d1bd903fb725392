/** Telling objects by the getters of their interfaces, which answer nothing else. */

export type Getter<T> = (this: unknown) => T;

export function getterOf<T>(prototype: object, key: string | symbol): Getter<T> | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key) as
    | { readonly get?: Getter<T> }
    | undefined;
  return descriptor?.get;
}

export function isBranded(get: Getter<unknown>, value: unknown): boolean {
  try {
    get.call(value);
    return true;
  } catch {
    return false;
  }
}
