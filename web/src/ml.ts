/** ML, the object that `navigator.ml` is. */

import { MLContext } from './context.js';
import { convertArguments, isObject } from './convert.js';
import { toException } from './errors.js';
import type { Host } from './host.js';
import { signatures } from './idl.gen.js';
import { isGPUDevice, OURS, own, requireOurs } from './objects.js';
import { requirePolicy } from './policy.js';
import { inTask } from './tasks.js';

/** The host, made when the first context is asked for: importing the package loads nothing. */
export type HostProvider = () => Host;

/** What is to start beside the first context; `undefined` once there has been one. */
let companions: (() => void)[] | undefined = [];

/**
 * Calls a function when the first context is asked for, or now where one has been.
 *
 * @internal for the package's own entries
 */
export function withFirstContext(start: () => void): void {
  if (companions === undefined) start();
  else companions.push(start);
}

let providerOf: (value: unknown) => HostProvider | undefined;

export class ML {
  readonly #provider: HostProvider;

  static {
    providerOf = (value) => (isObject(value) && #provider in value ? value.#provider : undefined);
  }

  constructor(...[key, provider]: [key?: symbol, provider?: HostProvider]) {
    requireOurs(key, 'ML');
    this.#provider = provider as HostProvider;
  }

  async createContext(...args: unknown[]): Promise<MLContext> {
    const provider = own(providerOf(this), 'ML', 'createContext');
    const [withOptions, withDevice] = signatures.ML.createContext;
    if (isGPUDevice(args[0])) {
      convertArguments(withDevice, args);
      requirePolicy();
      throw new DOMException(
        'createContext: there is no engine that computes on a GPUDevice yet',
        'NotSupportedError',
      );
    }
    const [options] = convertArguments(withOptions, args);
    requirePolicy();
    const { accelerated, deviceType, powerPreference, threads } = options;
    try {
      const creation = inTask(
        provider().createContext({
          accelerated,
          powerPreference,
          ...(deviceType === undefined ? {} : { deviceType }),
          ...(threads === undefined ? {} : { threads }),
        }),
      );
      // After the engine's own, which are needed first.
      const starting = companions ?? [];
      companions = undefined;
      for (const start of starting) start();
      const context = await creation;
      return new MLContext(OURS, context);
    } catch (error) {
      throw toException(error);
    }
  }
}
