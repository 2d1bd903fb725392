/** What the entries export beside `ml` and `install`: interface objects and types. */

import { interfaceObjects } from './interfaces.js';
import type * as api from './types.gen.js';

export { contextInfo } from './entry.js';
export type { Device } from './host.js';
export type { Installed, InstallOptions } from './install.js';
// The six names below mean the interface as well as its object.
export type * from './types.gen.js';

export const { ML, MLContext, MLGraph, MLGraphBuilder, MLOperand, MLTensor } = interfaceObjects;
export type ML = api.ML;
export type MLContext = api.MLContext;
export type MLGraph = api.MLGraph;
export type MLGraphBuilder = api.MLGraphBuilder;
export type MLOperand = api.MLOperand;
export type MLTensor = api.MLTensor;
