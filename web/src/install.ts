/** Puts the API on a global object, where the browser's own is missing or does not work. */

import { getterOf, isBranded } from './brand.js';
import { interfaceObjects } from './interfaces.js';
import type { ML } from './types.gen.js';

export interface InstallOptions {
  /**
   * `native`, the default, leaves the browser's own API alone where it can make a context; `ours`
   * replaces it without asking.
   */
  readonly prefer?: 'ours' | 'native';
}

/** Which API the global object has now; `none` where the page is not a secure context. */
export type Installed = 'ours' | 'native' | 'none';

/** A driver that hangs must not keep the page from starting. */
const PROBE_TIMEOUT_MS = 5000;

type Global = typeof globalThis & Record<string, unknown>;

/** Makes `install` for an entry's own `ml`. */
export function installer(ml: ML): (options?: InstallOptions) => Promise<Installed> {
  // Where nothing has to be asked, all is in place when the call returns, before its promise settles.
  return async ({ prefer = 'native' } = {}) => {
    const scope = globalThis as Global;
    if ((scope as { isSecureContext?: boolean }).isSecureContext === false) {
      console.warn(
        'webnn: navigator.ml is for secure contexts (https, or localhost) and was not installed; ' +
          "import { ml } from 'webnn' works here",
      );
      return 'none';
    }
    const present = presentIn(scope);
    if (present === ml) return 'ours';
    if (prefer === 'native' && present !== undefined && (await works(present, scope))) {
      return 'native';
    }
    installOn(scope, ml);
    return 'ours';
  };
}

function presentIn(scope: Global): ML | undefined {
  return (scope.navigator as { ml?: ML } | undefined)?.ml;
}

/** Interfaces alone do not make an implementation: some browsers have them and no engine. */
async function works(native: ML, scope: Global): Promise<boolean> {
  // Where an interface is missing, the rest is known to crash rather than to reject.
  const isWhole = Object.keys(interfaceObjects).every((name) => typeof scope[name] === 'function');
  if (!isWhole) return false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('navigator.ml does not answer'));
    }, PROBE_TIMEOUT_MS);
  });
  try {
    const context = await Promise.race([native.createContext(), timeout]);
    context.destroy();
    return true;
  } catch (error) {
    // A policy that forbids the feature is the page's own wish, and no fault to mend.
    return error instanceof DOMException && error.name === 'SecurityError';
  } finally {
    clearTimeout(timer);
  }
}

function installOn(scope: Global, ml: ML): void {
  for (const [name, value] of Object.entries(interfaceObjects)) defineGlobal(scope, name, value);
  // ONNX Runtime Web asks `instanceof GPUDevice` of its options where there is no WebGPU as well.
  if (typeof scope['GPUDevice'] !== 'function') defineGlobal(scope, 'GPUDevice', absentGPUDevice());
  installNavigator(scope, ml);
}

function defineGlobal(scope: Global, name: string, value: unknown): void {
  Object.defineProperty(scope, name, { value, writable: true, enumerable: false, configurable: true });
}

/** An interface that nothing implements. */
function absentGPUDevice(): unknown {
  function GPUDevice(): never {
    throw new TypeError('GPUDevice: illegal constructor');
  }
  return GPUDevice;
}

function installNavigator(scope: Global, ml: ML): void {
  const navigator = (scope.navigator as object | undefined) ?? makeNavigator(scope);
  // An own property would hide the attribute of the interface.
  if (Object.hasOwn(navigator, 'ml')) Reflect.deleteProperty(navigator, 'ml');
  const prototype = Reflect.getPrototypeOf(navigator);
  // A plain object has no interface that could carry the attribute.
  const target = prototype === null || prototype === Object.prototype ? navigator : prototype;
  const isNavigator = navigatorBrand(target);
  const attribute = {
    get ml(): ML {
      if (!isNavigator(this)) throw new TypeError('ml: illegal invocation, this is not a Navigator');
      return ml;
    },
  };
  const descriptor = Object.getOwnPropertyDescriptor(attribute, 'ml');
  Object.defineProperty(target, 'ml', descriptor ?? {});
}

function navigatorBrand(target: object): (value: unknown) => boolean {
  const get = getterOf(target, 'userAgent') ?? getterOf(target, 'hardwareConcurrency');
  return (value) => get === undefined || isBranded(get, value);
}

/** Node 20 has no navigator. Libraries that find one look at its `userAgent`. */
function makeNavigator(scope: Global): object {
  class Navigator {
    get userAgent(): string {
      return `Node.js/${process.versions.node.split('.')[0] ?? ''}`;
    }
  }
  const navigator = new Navigator();
  Object.defineProperty(scope, 'navigator', { get: () => navigator, enumerable: true, configurable: true });
  return navigator;
}
