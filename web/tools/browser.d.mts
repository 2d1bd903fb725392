import type { Browser, LaunchOptions } from 'playwright-core';

export interface ChromiumOptions extends Omit<LaunchOptions, 'executablePath'> {
  /** By default what {@link findChromium} finds. */
  readonly executable?: string;
  /** Flags beside those that every test needs. */
  readonly args?: string[];
}

export function findChromium(): Promise<string>;
export function launchChromium(options?: ChromiumOptions): Promise<Browser>;
