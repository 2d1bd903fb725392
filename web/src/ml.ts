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
      const context = await inTask(
        provider().createContext({
          accelerated,
          powerPreference,
          ...(deviceType === undefined ? {} : { deviceType }),
          ...(threads === undefined ? {} : { threads }),
        }),
      );
      return new MLContext(OURS, context);
    } catch (error) {
      throw toException(error);
    }
  }
}
