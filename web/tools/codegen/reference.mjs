// `API.md`: the IDL as a reference to read.

import { EXTENSIONS, link, sentence } from './docs.mjs';
import { attributes, isOperator, operations, sortedMembers } from './model.mjs';
import { returned, typescript } from './types.mjs';

/** In the order in which a program meets them. */
const ORDER = ['ML', 'MLContext', 'MLGraphBuilder', 'MLOperand', 'MLTensor', 'MLGraph'];

export function referenceSource(model) {
  const interfaces = ORDER.map((name) => model.interfaces.get(name));
  const options = [...model.dictionaries.values()].filter(isGiven);
  return `<!-- Written by \`npm run codegen\` from idl/*.idl; do not edit. -->

# API

The interfaces of the [W3C Web Neural Network API](https://www.w3.org/TR/webnn/), and what this package adds.
Each name leads to its definition. The data types and ranks that the operators take are in
[docs/operators.md](../docs/operators.md).

${PACKAGE}
${interfaces.map((definition) => interfaceSection(model, definition)).join('\n')}
## Options

${options.map((definition) => dictionarySection(model, definition)).join('\n')}
## Enumerations

${[...model.enums].map(([name, values]) => `- **${name}**: ${values.map((value) => `\`"${value}"\``).join(', ')}`).join('\n')}
`;
}

const PACKAGE = `## The package

| import | what it is |
|---|---|
| \`webnn\` | \`ml\`, \`install\`, \`contextInfo\` and the interface objects; touches no global |
| \`webnn/polyfill\` | the same, and calls \`install()\` |
| \`webnn/node\` | the entry that Node takes of itself, by name |
| \`webnn/onnx\` | reads ONNX files into a builder |

- **ml**: the API; what \`navigator.ml\` is once it is installed.
- **install(options?: { prefer?: 'ours' | 'native' }): Promise<'ours' | 'native' | 'none'>** puts \`navigator.ml\` and the interface
  objects on the global object. A browser's own API stays if it can make a context, unless ours is preferred. Where there is
  none, all is in place when the call returns. In pages that are not secure contexts nothing is installed.
- **contextInfo(context): { kind, details, reason } | undefined** says what a context computes with, and why; \`undefined\`
  of a browser's own context.
`;

/** Dictionaries of limits are results, and their names speak. */
function isGiven({ name }) {
  return !/Limits$|RankRange$|LostInfo$/.test(name);
}

function interfaceSection(model, definition) {
  const { name } = definition;
  const members = attributes(definition).map(
    (attribute) =>
      `- ${linked(name, attribute.name)}: \`${typescript(model, attribute.idlType, 'out')}\`. ${sentence(name, attribute.name)}`,
  );
  for (const [key, overloads] of operations(definition)) {
    if (name === 'MLGraphBuilder' && isOperator(overloads[0])) continue;
    const forms = overloads.map((overload) => `\`${form(model, name, key, overload)}\``).join(' · ');
    const said = key === 'constructor' ? 'A builder of one graph.' : sentence(name, key);
    members.push(`- ${key === 'constructor' ? '**new**' : linked(name, key)}: ${forms}. ${said}`);
  }
  const operators = name === 'MLGraphBuilder' ? operatorTable(model, definition) : '';
  return `## ${name}\n\n${members.join('\n')}\n${operators}`;
}

function operatorTable(model, definition) {
  const rows = [...operations(definition)]
    .filter(([, [overload]]) => isOperator(overload))
    .map(([name, [overload]]) => {
      const parameters = overload.arguments
        .slice(0, -1)
        .map((argument) => `${argument.name}: ${typescript(model, argument.idlType, 'in')}`)
        .join(', ')
        .replaceAll('|', '\\|');
      const options = overload.arguments.at(-1).idlType.idlType;
      const extra = options === 'MLOperatorOptions' ? '' : `[${options}](#${options.toLowerCase()})`;
      const many = overload.idlType.generic === 'sequence' ? ' Gives an array.' : '';
      return `| ${linked(definition.name, name)} | \`${parameters}\` | ${extra} | ${sentence(definition.name, name)}${many} |`;
    });
  return `
### Operators

Each gives an \`MLOperand\`, or an array of them, and takes options last; where none are named, only a \`label\`.

| method | parameters | options | result |
|---|---|---|---|
${rows.join('\n')}
`;
}

function form(model, owner, key, overload) {
  const parameters = overload.arguments
    .map(
      ({ name, idlType, optional }) =>
        `${name}${optional ? '?' : ''}: ${typescript(model, idlType, 'in')}`,
    )
    .join(', ');
  if (key === 'constructor') return `new ${owner}(${parameters})`;
  return `${key}(${parameters}): ${returned(model, overload.idlType)}`;
}

function linked(owner, member) {
  return EXTENSIONS.has(`${owner}.${member}`) ? `**${member}**` : `[**${member}**](${link(owner, member)})`;
}

function dictionarySection(model, definition) {
  const { name, inheritance } = definition;
  const base = inheritance && inheritance !== 'MLOperatorOptions' ? ` With those of ${inheritance}.` : '';
  const rows = sortedMembers(definition).map((member) => {
    const type = typescript(model, member.idlType, 'in').replaceAll('|', '\\|');
    return `| ${member.name} | \`${type}\` | ${presence(member)} | ${sentence(name, member.name)} |`;
  });
  return `### ${name}

${base === '' ? '' : `${base.trim()}\n\n`}| member | type | default | |
|---|---|---|---|
${rows.join('\n')}
`;
}

function presence({ required, default: fallback }) {
  if (required) return '*required*';
  if (!fallback || fallback.value === undefined) return '';
  return `\`${fallback.type === 'string' ? JSON.stringify(fallback.value) : fallback.value}\``;
}
