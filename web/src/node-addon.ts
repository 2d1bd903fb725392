/** The native addon: what it exports, and where it lies. */

import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

import type { Attribute, DataType, Device, HostContextOptions, HostGraph, HostOperand, Named } from './host.js';

/** An object of the addon; it tells its own objects from all others. */
export interface NativeTensor {
  destroy(): void;
}

export interface NativeBuilder {
  input(name: string, dataType: DataType, shape: readonly number[]): HostOperand;
  constant(dataType: DataType, shape: readonly number[], bytes: Uint8Array): HostOperand;
  scalar(dataType: DataType, value: number | bigint): HostOperand;
  constantTensor(tensor: NativeTensor): HostOperand;
  add(
    method: string,
    operands: Named<HostOperand | readonly HostOperand[]>,
    attributes: Named<Attribute>,
    label: string,
  ): HostOperand[];
  build(outputs: Named<HostOperand>): Promise<HostGraph>;
}

export interface NativeContext {
  readonly device: Device;
  readonly accelerated: boolean;
  /** The reason, once it is lost. */
  readonly lost: string | null;
  limits(): string;
  createBuilder(): NativeBuilder;
  createTensor(
    dataType: DataType,
    shape: readonly number[],
    readable: boolean,
    writable: boolean,
  ): NativeTensor;
  createConstantTensor(
    dataType: DataType,
    shape: readonly number[],
    bytes: Uint8Array,
  ): NativeTensor;
  writeTensor(tensor: NativeTensor, bytes: Uint8Array): void;
  /** The bytes, or a promise of them while there is work before. */
  readTensor(tensor: NativeTensor, length?: number): ArrayBuffer | Promise<ArrayBuffer>;
  /** Throws where the context was lost, or the tensor destroyed, since the method was called. */
  checkPending(method: string, read?: NativeTensor): void;
  dispatch(graph: HostGraph, inputs: Named<NativeTensor>, outputs: Named<NativeTensor>): void;
  destroy(): void;
}

export interface NativeAddon {
  createContext(options: HostContextOptions, onLost: () => void): NativeContext;
}

/** The addon, or why there is none. */
export type Loaded = { readonly addon: NativeAddon } | { readonly missing: string };

/** Beside the built package, and where `cargo xtask node` leaves it for the sources. */
const FOLDERS = ['./', '../native/'];

/** Loads the addon for this machine. */
export function loadAddon(): Loaded {
  // Bundlers know `new URL(…, import.meta.url)` and the name `createRequire`, and would take every
  // file of the package for an asset, since what is loaded is known at run time alone.
  const here = import.meta.url;
  const load = module.createRequire(here);
  const failures: string[] = [];
  for (const name of addonNames(process.platform, process.arch)) {
    for (const folder of FOLDERS) {
      const path = fileURLToPath(new URL(`${folder}${name}`, here));
      try {
        if (!existsSync(path)) continue;
        return { addon: load(path) as NativeAddon };
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  const target = `${process.platform}-${process.arch}`;
  return { missing: failures.length === 0 ? `there is no addon for ${target}` : failures.join('; ') };
}

/**
 * The files that may fit. On Linux there are two C libraries: an addon for the other one does not
 * load, which is found out fastest by trying.
 */
export function addonNames(platform: string, arch: string): string[] {
  const libraries = platform === 'linux' ? ['-gnu', '-musl'] : [''];
  return libraries.map((library) => `webnn.${platform}-${arch}${library}.node`);
}
