import { ml } from '../../../dist/node.js';

try {
  await ml.createContext();
} catch ({ name, message }) {
  console.log(JSON.stringify({ name, message }));
}
