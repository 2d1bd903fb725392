// Writes what follows from the IDL: `npm run codegen`; with `--check` it only compares.
//
//   src/idl.gen.ts      converters, signatures and the table of operators, for the Web IDL layer
//   src/types.gen.ts    the API's TypeScript types, for its callers
//   src/globals.gen.ts  the same as globals, and `navigator.ml`, for callers of the polyfill
//   API.md              the reference

import { readFileSync, writeFileSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

import { readModel } from './codegen/model.mjs';
import { referenceSource } from './codegen/reference.mjs';
import { runtimeSource } from './codegen/runtime.mjs';
import { globalsSource, typesSource } from './codegen/types.mjs';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const model = readModel(
  ['idl/webnn.idl', 'idl/extensions.idl'].map((name) => readFileSync(path(name), 'utf8')),
);
const outputs = {
  'src/idl.gen.ts': runtimeSource(model),
  'src/types.gen.ts': typesSource(model),
  'src/globals.gen.ts': globalsSource(model),
  'API.md': referenceSource(model),
};

let differs = false;
for (const [name, text] of Object.entries(outputs)) {
  if (argv.includes('--check')) {
    if (read(path(name)) !== text) {
      console.error(`web/${name} is not what the IDL gives: run \`npm run codegen\``);
      differs = true;
    }
  } else {
    writeFileSync(path(name), text);
  }
}
if (differs) exit(1);

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
