/** The interface objects, with the properties' attributes and lengths that Web IDL gives them. */

import { MLGraphBuilder } from './builder.js';
import { MLContext } from './context.js';
import { lengths } from './idl.gen.js';
import { ML } from './ml.js';
import { MLGraph, MLOperand, MLTensor } from './objects.js';
import type * as api from './types.gen.js';

/** By name, as they are installed on a global object. */
export const interfaceObjects = {
  ML: ML as unknown as api.MLConstructor,
  MLContext: MLContext as unknown as api.MLContextConstructor,
  MLGraph: MLGraph as unknown as api.MLGraphConstructor,
  MLGraphBuilder: MLGraphBuilder as unknown as api.MLGraphBuilderConstructor,
  MLOperand: MLOperand as unknown as api.MLOperandConstructor,
  MLTensor: MLTensor as unknown as api.MLTensorConstructor,
};

for (const [name, constructor] of Object.entries(interfaceObjects)) expose(name, constructor);

/**
 * Classes hide their members from enumeration and count rest parameters as none, and a minifier
 * renames them; Web IDL has none of it.
 */
function expose(name: string, constructor: { readonly prototype: object }): void {
  const { prototype } = constructor;
  Object.defineProperty(constructor, 'name', { value: name });
  for (const [key, length] of Object.entries(lengths[name] ?? {})) {
    const method = (prototype as Record<string, object>)[key];
    if (method !== undefined) Object.defineProperty(method, 'length', { value: length });
  }
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}
