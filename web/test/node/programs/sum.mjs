import * as webnn from '../../../dist/node.js';
import { add } from './add.mjs';

const context = await webnn.ml.createContext();
const sum = await add(webnn, context, [10, 20], [1, 2]);
console.log(JSON.stringify({ sum, ...webnn.contextInfo(context) }));
