import { ml } from '../../../dist/node.js';
import '../../../dist/polyfill-node.js';
import { add } from './add.mjs';

const context = await globalThis.navigator.ml.createContext();
const sum = await add(globalThis, context, [1, 2], [3, 4]);
const kinds = [typeof MLContext, typeof MLTensor];
console.log(JSON.stringify({ sum, same: globalThis.navigator.ml === ml, kinds }));
