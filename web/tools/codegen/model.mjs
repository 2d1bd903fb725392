// The IDL as one model: partials merged into what they belong to, typedefs by name.

import { parse } from 'webidl2';

/** An enumeration of this name appends its values to the one without the suffix. */
const EXTENSION = 'Extension';

export function readModel(texts) {
  const model = {
    enums: new Map(),
    dictionaries: new Map(),
    interfaces: new Map(),
    mixins: new Map(),
    typedefs: new Map(),
    includes: [],
  };
  const definitions = texts.flatMap((text) => parse(text));
  for (const definition of definitions) {
    switch (definition.type) {
      case 'enum':
        addEnum(model, definition);
        break;
      case 'dictionary':
        addMembers(model.dictionaries, definition);
        break;
      case 'interface':
        addMembers(model.interfaces, definition);
        break;
      case 'interface mixin':
        addMembers(model.mixins, definition);
        break;
      case 'typedef':
        model.typedefs.set(definition.name, definition.idlType);
        break;
      case 'includes':
        model.includes.push({ target: definition.target, mixin: definition.includes });
        break;
      default:
        throw new Error(`the generator does not know a definition of the kind ${definition.type}`);
    }
  }
  return model;
}

function addEnum(model, { name, values }) {
  const strings = values.map(({ value }) => value);
  const base = name.endsWith(EXTENSION) ? name.slice(0, -EXTENSION.length) : name;
  model.enums.set(base, [...(model.enums.get(base) ?? []), ...strings]);
}

function addMembers(map, { name, inheritance, members }) {
  const entry = map.get(name) ?? { name, inheritance: null, members: [] };
  entry.inheritance ??= inheritance ?? null;
  entry.members.push(...members);
  map.set(name, entry);
}

/** The members in the order in which Web IDL reads them, without the inherited ones. */
export function sortedMembers(dictionary) {
  return [...dictionary.members].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The interface's methods: a list of overloads by name, the constructor's by `constructor`. */
export function operations(definition) {
  const byName = new Map();
  for (const member of definition.members) {
    if (member.type !== 'operation' && member.type !== 'constructor') continue;
    const name = member.type === 'constructor' ? 'constructor' : member.name;
    byName.set(name, [...(byName.get(name) ?? []), member]);
  }
  return byName;
}

export function attributes(definition) {
  return definition.members.filter(({ type }) => type === 'attribute');
}

export function requiredCount(operation) {
  return operation.arguments.filter(({ optional }) => !optional).length;
}

/** Whether the type, an extended attribute aside, is a single name. */
export function simpleName(type) {
  return typeof type.idlType === 'string' ? type.idlType : undefined;
}

/** A method that adds an operator to the graph: it takes and gives operands, and has options. */
export function isOperator(operation) {
  const last = operation.arguments?.at(-1);
  return operation.type === 'operation' && last?.optional === true && last.name === 'options';
}
