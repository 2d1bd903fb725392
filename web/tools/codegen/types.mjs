// `src/types.gen.ts` and `src/globals.gen.ts`: the IDL as TypeScript.

import { EXTENSIONS, link, sentence } from './docs.mjs';
import { attributes, operations, simpleName } from './model.mjs';

const HEADER = '// Written by `npm run codegen` from idl/*.idl; do not edit.\n\n';

const NAMES = new Map([
  ['boolean', 'boolean'],
  ['unsigned long', 'number'],
  ['unsigned long long', 'number'],
  ['long', 'number'],
  ['double', 'number'],
  ['unrestricted double', 'number'],
  ['float', 'number'],
  ['bigint', 'bigint'],
  ['DOMString', 'string'],
  ['USVString', 'string'],
  ['undefined', 'undefined'],
  ['ArrayBuffer', 'ArrayBuffer'],
  ['AllowSharedBufferSource', 'ArrayBuffer | SharedArrayBuffer | ArrayBufferView'],
]);

export function typesSource(model) {
  const enums = [...model.enums].map(
    ([name, values]) =>
      `export type ${name} =\n${values.map((value) => `  | '${value}'`).join('\n')};\n`,
  );
  const typedefs = [...model.typedefs].map(
    ([name, type]) => `export type ${name} = ${typescript(model, type, 'in')};\n`,
  );
  const given = dictionariesGiven(model);
  const dictionaries = [...model.dictionaries.values()].map((definition) =>
    dictionarySource(model, definition, given.has(definition.name) ? 'out' : 'in'),
  );
  const interfaces = [...model.interfaces.values()].map((definition) =>
    interfaceSource(model, definition),
  );
  const parts = [...enums, ...typedefs, ...dictionaries, ...interfaces];
  return `${HEADER}${parts.join('\n')}`;
}

/** Dictionaries that methods return: their sequences are arrays, and all their members are there. */
function dictionariesGiven(model) {
  const given = new Set();
  const add = (type) => {
    for (const name of namesIn(type)) {
      const typedef = model.typedefs.get(name);
      if (typedef) add(typedef);
      const definition = model.dictionaries.get(name);
      if (!definition || given.has(name)) continue;
      given.add(name);
      definition.members.forEach(({ idlType }) => add(idlType));
    }
  };
  for (const { members } of model.interfaces.values()) {
    members.forEach(({ idlType }) => idlType && add(idlType));
  }
  return given;
}

function dictionarySource(model, { name, inheritance, members }, direction) {
  const lines = members.map((member) => {
    const mark = member.required || direction === 'out' ? '' : '?';
    const type = typescript(model, member.idlType, direction);
    return `${memberDoc(name, member)}  ${member.name}${mark}: ${type};\n`;
  });
  const base = inheritance ? ` extends ${inheritance}` : '';
  return `export interface ${name}${base} {\n${lines.join('')}}\n`;
}

function memberDoc(owner, { name, default: fallback }) {
  const lines = [sentence(owner, name)];
  if (fallback?.value !== undefined) {
    const { type, value } = fallback;
    lines.push(`@default ${type === 'string' ? JSON.stringify(value) : value}`);
  }
  return comment(lines);
}

/** The sentence, and the place in the specification. */
function interfaceDoc(owner, name) {
  const isExtension = EXTENSIONS.has(`${owner}.${name}`);
  return comment([sentence(owner, name), isExtension ? '' : `@see ${link(owner, name)}`]);
}

function comment(lines) {
  const written = lines.filter((line) => line !== '');
  if (written.length === 0) return '';
  if (written.length === 1) return `  /** ${written[0]} */\n`;
  return `  /**\n${written.map((line) => `   * ${line}\n`).join('')}   */\n`;
}

function interfaceSource(model, definition) {
  const lines = attributes(definition).map(
    (attribute) =>
      `${interfaceDoc(definition.name, attribute.name)}  readonly ${attribute.name}: ${typescript(model, attribute.idlType, 'out')};\n`,
  );
  let constructed = 'new (): never;';
  for (const [name, overloads] of operations(definition)) {
    for (const overload of overloads) {
      const documented = interfaceDoc(definition.name, name);
      const parameters = overload.arguments
        .map((argument) => {
          const type = typescript(model, argument.idlType, 'in');
          return `${argument.name}${argument.optional ? '?' : ''}: ${type}`;
        })
        .join(', ');
      if (name === 'constructor') constructed = `new (${parameters}): ${definition.name};`;
      else lines.push(`${documented}  ${name}(${parameters}): ${returned(model, overload.idlType)};\n`);
    }
  }
  return `export interface ${definition.name} {\n${lines.join('')}}

/** The interface object of {@link ${definition.name}}. */
export interface ${definition.name}Constructor {
  readonly prototype: ${definition.name};
  ${constructed}
}
`;
}

export function returned(model, type) {
  if (type.generic === 'Promise') {
    const inner = typescript(model, type.idlType[0], 'out');
    return `Promise<${inner === 'undefined' ? 'void' : inner}>`;
  }
  const name = typescript(model, type, 'out');
  return name === 'undefined' ? 'void' : name;
}

export function typescript(model, type, direction) {
  if (type.union) {
    return type.idlType.map((part) => typescript(model, part, direction)).join(' | ');
  }
  switch (type.generic) {
    case 'sequence': {
      const item = typescript(model, type.idlType[0], direction);
      return direction === 'in' ? `Iterable<${item}>` : `${item}[]`;
    }
    case 'FrozenArray':
      return `readonly ${typescript(model, type.idlType[0], direction)}[]`;
    case 'record':
      return `Record<string, ${typescript(model, type.idlType[1], direction)}>`;
    case 'Promise':
      return returned(model, type);
    default: {
      const name = simpleName(type);
      const typedef = model.typedefs.get(name);
      if (typedef && direction === 'out') return typescript(model, typedef, direction);
      return NAMES.get(name) ?? name;
    }
  }
}

export function globalsSource(model) {
  const types = [...model.enums.keys(), ...model.typedefs.keys(), ...model.dictionaries.keys()];
  const interfaces = [...model.interfaces.keys()];
  const navigators = model.includes.map(({ target, mixin }) => {
    const lines = model.mixins
      .get(mixin)
      .members.map(
        ({ name, idlType }) => `    readonly ${name}: ${typescript(model, idlType, 'out')};\n`,
      );
    return `  interface ${target} {\n${lines.join('')}  }\n`;
  });
  return `${HEADER}import type * as api from './types.gen.js';

declare global {
${types.map((name) => `  type ${name} = api.${name};\n`).join('')}
${interfaces.map((name) => `  interface ${name} extends api.${name} {}\n  var ${name}: api.${name}Constructor;\n`).join('')}
${navigators.join('')}}

export {};
`;
}

function namesIn(type) {
  if (typeof type.idlType === 'string') return [type.idlType];
  return type.idlType.flatMap(namesIn);
}
