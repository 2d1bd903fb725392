/** What every entry of the package offers, over its own host. */

import { hostContext } from './context.js';
import type { Device, Host } from './host.js';
import { installer, type Installed, type InstallOptions } from './install.js';
import { ML, type HostProvider } from './ml.js';
import { OURS } from './objects.js';
import type * as api from './types.gen.js';

export interface Entry {
  /** The API: what `navigator.ml` is after {@link Entry.install}. */
  readonly ml: api.ML;
  /** Installs `navigator.ml` and the interface objects on the global object. */
  readonly install: (options?: InstallOptions) => Promise<Installed>;
}

/** The provider is called once, when the first context is asked for. */
export function makeEntry(provider: HostProvider): Entry {
  let host: Host | undefined;
  const ml = new ML(OURS, () => (host ??= provider())) as unknown as api.ML;
  return { ml, install: installer(ml) };
}

/** What a context of this package computes with, and why; `undefined` of a browser's own context. */
export function contextInfo(context: api.MLContext): Device | undefined {
  return hostContext(context)?.device;
}
