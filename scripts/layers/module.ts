import { posix } from 'node:path';
import { type Expression, parseSync, Visitor, type VisitorObject } from 'oxc-parser';

/** What one file takes from elsewhere. */
export interface Module {
  path: string;
  imports: Import[];
  /** What it uses by name, with the owner's last name: `process.env`, `setTimeout()`, or `plan.findMany` of `database.plan.findMany`. */
  uses: { name: string; line: number }[];
  /** Lines that return what a call comes to without awaiting it, in an asynchronous function that has something in `using`. */
  unawaited: number[];
}

export interface Import {
  /** A path from the root of the repository (`src/log.ts`), a package (`@prisma/client`) or a builtin (`node:fs`). */
  target: string;
  /** The imported names; `*` for all of them. */
  names: string[];
  reExport: boolean;
  line: number;
}

/** Reads the imports of a TypeScript file (types, dynamic ones and worker files included) and the names it uses. */
export function readModule(path: string, source: string): Module {
  const { program, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const lineOf = (offset: number) => source.slice(0, offset).split('\n').length;
  const found: Module = { path, imports: [], uses: [], unawaited: [] };
  const add = (specifier: string, start: number, names: string[] = ['*'], reExport = false) =>
    found.imports.push({ target: resolve(path, specifier), names, reExport, line: lineOf(start) });
  const addUse = (name: string, start: number) => found.uses.push({ name, line: lineOf(start) });

  new Visitor({
    ImportDeclaration: (node) => {
      const names = node.specifiers.map((it) => (it.type === 'ImportSpecifier' ? nameOf(it.imported) : '*'));
      add(node.source.value, node.start, names);
    },
    ExportAllDeclaration: (node) => add(node.source.value, node.start, ['*'], true),
    ExportNamedDeclaration: (node) => {
      if (node.source === null) return;
      const names = node.specifiers.map((it) => nameOf(it.local));
      add(node.source.value, node.start, names, true);
    },
    ImportExpression: (node) => {
      if (isText(node.source)) add(node.source.value, node.start);
    },
    TSImportType: (node) => add(node.source.value, node.start),
    NewExpression: (node) => {
      const [first] = node.arguments;
      if (node.callee.type !== 'Identifier') return;
      if (node.callee.name === 'Date' && first === undefined) addUse('new Date()', node.start);
      if (node.callee.name === 'URL' && isText(first) && /^\.\.?\/.*\.ts$/.test(first.value))
        add(first.value, node.start);
    },
    CallExpression: ({ callee, start }) => {
      if (callee.type === 'Identifier' && ['setTimeout', 'setInterval', 'Date'].includes(callee.name))
        addUse(`${callee.name}()`, start);
    },
    MemberExpression: ({ object, property, start }) => {
      if (property.type === 'Identifier') addUse(`${ownerIn(object)}.${property.name}`, start);
    },
    VariableDeclarator: ({ id, init, start }) => {
      if (id.type !== 'ObjectPattern' || init?.type !== 'Identifier') return;
      for (const property of id.properties)
        if (property.type === 'Property' && property.key.type === 'Identifier')
          addUse(`${init.name}.${property.key.name}`, start);
    },
    ...unawaitedIn((start) => found.unawaited.push(lineOf(start))),
  }).visit(program);
  return found;
}

/** Follows functions and blocks; whether something is in use ends with the block that declares it. */
function unawaitedIn(add: (start: number) => void): VisitorObject {
  const functions: { async: boolean; blocks: { inUse: boolean }[] }[] = [];
  const enter = ({ async }: { async: boolean }) => void functions.push({ async, blocks: [] });
  const leave = () => void functions.pop();
  return {
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: enter,
    'ArrowFunctionExpression:exit': leave,
    BlockStatement: () => void functions.at(-1)?.blocks.push({ inUse: false }),
    'BlockStatement:exit': () => void functions.at(-1)?.blocks.pop(),
    VariableDeclaration: ({ kind }) => {
      const block = functions.at(-1)?.blocks.at(-1);
      if (block !== undefined && /using$/.test(kind)) block.inUse = true;
    },
    ReturnStatement: ({ argument, start }) => {
      const { async, blocks } = functions.at(-1) ?? { async: false, blocks: [] };
      if (async && argument?.type === 'CallExpression' && blocks.some(({ inUse }) => inUse)) add(start);
    },
  };
}

function resolve(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier);
  if (specifier.startsWith('node:')) return specifier.split('/')[0] ?? specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The last name of what a property is taken of: `plan` in `database.plan` and in `plan` alone. */
function ownerIn(object: Expression): string {
  const last = object.type === 'MemberExpression' ? object.property : object;
  return last.type === 'Identifier' ? last.name : '';
}

function nameOf(name: { type: string; name?: string; value?: string }): string {
  return name.name ?? name.value ?? '*';
}

function isText(node: { type: string } | undefined | null): node is { type: 'Literal'; value: string } {
  return node?.type === 'Literal' && 'value' in node && typeof node.value === 'string';
}
