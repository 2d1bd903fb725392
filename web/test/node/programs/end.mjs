import { ml } from '../../../dist/node.js';

const context = await ml.createContext();
// Nothing else keeps the process alive while this waits.
context.destroy();
const { message } = await context.lost;
const other = await ml.createContext();
void other.lost;
console.log(JSON.stringify({ lost: message }));
