// `src/idl.gen.ts`: the IDL as the converters of `convert.ts` put together.

import { operations, requiredCount, simpleName, isOperator, sortedMembers } from './model.mjs';

const PRIMITIVES = new Map([
  ['boolean', 'boolean'],
  ['unsigned long', 'unsignedLong'],
  ['[EnforceRange] unsigned long', 'enforcedUnsignedLong'],
  ['[EnforceRange] long', 'enforcedLong'],
  ['double', 'double'],
  ['float', 'float'],
  ['USVString', 'usvString'],
  ['bigint|unrestricted double', 'numeric'],
  ['AllowSharedBufferSource', 'bufferSource'],
]);

const COMBINATORS = [
  'dictionary',
  'enumeration',
  'member',
  'operator',
  'orSequence',
  'record',
  'sequence',
  'signature',
];

export function runtimeSource(model) {
  const used = new Set();
  const body = [
    enumerations(model),
    dictionaries(model, used),
    signatures(model, used),
    lengths(model),
    operators(model, used),
  ].join('\n');
  const converters = [...COMBINATORS, ...new Set(PRIMITIVES.values())]
    .filter((name) => new RegExp(`\\b${name}[<(,)\\]]`).test(body))
    .sort();
  const interfaces = [...used].sort();
  return `// Written by \`npm run codegen\` from idl/*.idl; do not edit.

import {
${converters.map((name) => `  ${name},\n`).join('')}} from './convert.js';
import {
${interfaces.map((name) => `  ${name},\n`).join('')}} from './objects.js';
import type * as api from './types.gen.js';

${body}`;
}

function enumerations({ enums }) {
  const lines = [...enums].map(
    ([name, values]) =>
      `export const ${name} = enumeration<api.${name}>('${name}', [\n${values
        .map((value) => `  '${value}',\n`)
        .join('')}]);\n`,
  );
  return lines.join('');
}

/** Dictionaries that scripts give; those that they get are made by the host. */
function dictionaries(model, used) {
  const needed = new Set();
  const need = (name) => {
    if (!model.dictionaries.has(name) || needed.has(name)) return;
    const { inheritance, members } = model.dictionaries.get(name);
    if (inheritance) need(inheritance);
    needed.add(name);
    members.forEach(({ idlType }) => namesIn(idlType).forEach(need));
  };
  for (const { members } of model.interfaces.values()) {
    for (const member of members) {
      for (const argument of member.arguments ?? []) namesIn(argument.idlType).forEach(need);
    }
  }
  return [...needed]
    .map((name) => {
      const definition = model.dictionaries.get(name);
      const members = sortedMembers(definition).map(
        (member) => `  ${member.name}: member(${memberArguments(model, member, used)}),\n`,
      );
      const base = definition.inheritance ?? 'undefined';
      return `export const ${name} = dictionary('${name}', ${base}, {\n${members.join('')}});\n`;
    })
    .join('');
}

function memberArguments(model, member, used) {
  const convert = converter(model, typed(member), used);
  if (member.required) return `${convert}, 'required'`;
  if (member.default === null) return convert;
  return `${convert}, 'defaulted', ${defaultValue(member.default)}`;
}

function defaultValue({ type, value }) {
  if (type === 'string') return `'${value}'`;
  if (type === 'number' || type === 'boolean') return String(value);
  throw new Error(`the generator does not know a default of the kind ${type}`);
}

/** Constructors and methods but the operators, by interface; several where there are overloads. */
function signatures(model, used) {
  const blocks = [...model.interfaces.values()].map((definition) => {
    const lines = [...operations(definition)]
      .filter(([, [first]]) => first.arguments.length > 0 && !isOperatorOf(definition, first))
      .map(([name, overloads]) => {
        const one = overloads.map((overload) => signature(model, definition, name, overload, used));
        return `    ${name}: ${one.length === 1 ? one[0] : `[${one.join(', ')}] as const`},\n`;
      });
    return lines.length === 0 ? '' : `  ${definition.name}: {\n${lines.join('')}  },\n`;
  });
  return `export const signatures = {\n${blocks.join('')}};\n`;
}

function signature(model, definition, name, overload, used) {
  const names = overload.arguments.map((argument) => `'${argument.name}'`).join(', ');
  const converters = overload.arguments.map((argument) => `, ${converter(model, typed(argument), used)}`);
  const called = name === 'constructor' ? `new ${definition.name}` : name;
  return `signature('${called}', ${requiredCount(overload)}, [${names}]${converters.join('')})`;
}

/** What `length` each method has. */
function lengths(model) {
  const blocks = [...model.interfaces.values()].map((definition) => {
    const lines = [...operations(definition)].map(
      ([name, overloads]) => `    ${name}: ${Math.min(...overloads.map(requiredCount))},\n`,
    );
    return `  ${definition.name}: {\n${lines.join('')}  },\n`;
  });
  return `export const lengths: Record<string, Record<string, number>> = {\n${blocks.join('')}};\n`;
}

function operators(model, used) {
  const builder = model.interfaces.get('MLGraphBuilder');
  const methodsBySignature = new Map();
  for (const [name, [overload]] of operations(builder)) {
    if (!isOperatorOf(builder, overload)) continue;
    const key = operatorArguments(model, overload, used);
    methodsBySignature.set(key, [...(methodsBySignature.get(key) ?? []), name]);
  }
  const lines = [...methodsBySignature].map(
    ([key, names]) => `  operator([${names.map((name) => `'${name}'`).join(', ')}], ${key}),\n`,
  );
  return `/** The operators, together where their signatures are the same. */
export const operators = [\n${lines.join('')}];\n`;
}

function operatorArguments(model, overload, used) {
  const parameters = overload.arguments
    .slice(0, -1)
    .map((argument) => `['${argument.name}', ${converter(model, typed(argument), used)}]`);
  const options = converter(model, typed(overload.arguments.at(-1)), used);
  const result = overload.idlType.generic === 'sequence' ? 'sequence' : 'single';
  return `[${parameters.join(', ')}], ${options}, '${result}'`;
}

function isOperatorOf(definition, overload) {
  return definition.name === 'MLGraphBuilder' && isOperator(overload);
}

/** The expression that converts a value to the type. */
function converter(model, type, used) {
  const name = simpleName(type);
  if (type.union) return unionConverter(model, type, used);
  if (type.generic === 'sequence') {
    if (simpleName(type.idlType[0]) === 'MLOperand') return use(used, 'toMLOperands');
    return `sequence(${converter(model, type.idlType[0], used)})`;
  }
  if (type.generic === 'record') return `record(${converter(model, type.idlType[1], used)})`;
  const typedef = model.typedefs.get(name);
  if (typedef) return converter(model, typedef, used);
  if (model.enums.has(name) || model.dictionaries.has(name)) return name;
  const primitive = PRIMITIVES.get(enforced(type) ? `[EnforceRange] ${name}` : name);
  if (primitive) return primitive;
  return use(used, `to${name}`);
}

function unionConverter(model, type, used) {
  const names = type.idlType.map((part) => simpleName(part) ?? part.generic).join('|');
  const primitive = PRIMITIVES.get(names);
  if (primitive) return primitive;
  const [single, many] = type.idlType;
  if (many?.generic === 'sequence') return `orSequence(${converter(model, single, used)})`;
  throw new Error(`the generator does not know the union ${names}`);
}

/** The type of a member or an argument, with the extended attributes that stand before it. */
function typed({ idlType, extAttrs }) {
  const { union, generic } = idlType;
  return { idlType: idlType.idlType, union, generic, extAttrs: [...idlType.extAttrs, ...extAttrs] };
}

function enforced(type) {
  return type.extAttrs.some(({ name }) => name === 'EnforceRange');
}

function use(used, name) {
  used.add(name);
  return name;
}

function namesIn(type) {
  if (typeof type.idlType === 'string') return [type.idlType];
  return type.idlType.flatMap(namesIn);
}
