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

/** A driver that hangs must not keep the page waiting. */
const PROBE_TIMEOUT_MS = 5000;

type Global = typeof globalThis & Record<string, unknown>;

/** Makes `install` for an entry's own `ml`. */
export function installer(ml: ML): (options?: InstallOptions) => Promise<Installed> {
  let choice: Promise<Installed> | undefined;
  // Where nobody has to be asked, all is in place when the call returns, before its promise settles.
  return ({ prefer = 'native' } = {}) => {
    const scope = globalThis as Global;
    if ((scope as { isSecureContext?: boolean }).isSecureContext === false) {
      console.warn(
        'webnn: navigator.ml is for secure contexts (https, or localhost) and was not installed; ' +
          "import { ml } from 'webnn' works here",
      );
      return Promise.resolve('none');
    }
    const present = presentIn(scope);
    if (prefer === 'native' && present !== undefined && present !== ml) {
      return (choice ??= choose(scope, present, ml));
    }
    installOn(scope, ml);
    return Promise.resolve('ours');
  };
}

function presentIn(scope: Global): ML | undefined {
  return (scope.navigator as { ml?: ML } | undefined)?.ml;
}

/**
 * Asks the browser's own API for a context. Who asks it for one in the meantime waits for the
 * answer and gets a context of the API that is chosen: so the modules of a page need not wait, and
 * none of ours does, which service workers would refuse.
 */
async function choose(scope: Global, native: ML, ml: ML): Promise<Installed> {
  const works = canMakeContext(native, scope);
  const restore = interpose(native, (original) => async (...args) => {
    const context = (await works) ? Reflect.apply(original, native, args) : ml.createContext(...args);
    return context;
  });
  if (!(await works)) {
    installOn(scope, ml);
    return 'ours';
  }
  restore();
  // Somebody may have asked for ours outright while the native one was thinking.
  return presentIn(scope) === ml ? 'ours' : 'native';
}

type CreateContext = (...args: Parameters<ML['createContext']>) => ReturnType<ML['createContext']>;

/** Replaces `createContext` where it is defined; the result puts the original back. */
function interpose(native: ML, replace: (original: CreateContext) => CreateContext): () => void {
  const owner = Object.hasOwn(native, 'createContext') ? native : Reflect.getPrototypeOf(native);
  const original = Object.getOwnPropertyDescriptor(owner ?? {}, 'createContext');
  if (owner === null || typeof original?.value !== 'function') return () => undefined;
  const value = replace(original.value as CreateContext);
  Object.defineProperty(owner, 'createContext', { ...original, value });
  return () => {
    Object.defineProperty(owner, 'createContext', original);
  };
}

/** Interfaces alone do not make an implementation: some browsers have them and no engine. */
async function canMakeContext(native: ML, scope: Global): Promise<boolean> {
  // Where an interface is missing, the rest is known to crash rather than to reject.
  const isWhole = Object.keys(interfaceObjects).every((name) => typeof scope[name] === 'function');
  if (!isWhole) return false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, PROBE_TIMEOUT_MS);
  });
  const probe = native.createContext().then(
    (context) => {
      context.destroy();
      return true;
    },
    // A policy that forbids the feature is the page's own wish, and no fault to mend.
    (error: unknown) => error instanceof DOMException && error.name === 'SecurityError',
  );
  const answer = await Promise.race([probe, timeout]);
  clearTimeout(timer);
  return answer;
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
    readonly #userAgent = `Node.js/${process.versions.node.split('.')[0] ?? ''}`;

    get userAgent(): string {
      return this.#userAgent;
    }

    get [Symbol.toStringTag](): string {
      return 'Navigator';
    }
  }
  const navigator = new Navigator();
  Object.defineProperty(scope, 'navigator', { get: () => navigator, enumerable: true, configurable: true });
  return navigator;
}
