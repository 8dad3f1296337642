import { AppError } from '../../errors.ts';
import { compareNames } from '../../file-name.ts';
import { idOf, type TreeId } from './ids.ts';
import { asList, asObject, malformed } from './json-shape.ts';
import { decodeNode, encodeNode, type Node } from './node.ts';

/** One directory: its nodes. */
export interface Tree {
  readonly nodes: readonly Node[];
}

/** The bytes of the tree in its one canonical form: sorted by the bytes of the names, with the newline that its id covers. */
export function encodeTree(tree: Tree): Buffer {
  const nodes = tree.nodes.toSorted((a, b) => compareNames(a.name, b.name));
  const twin = nodes.find((node, at) => node.name === nodes[at + 1]?.name);
  if (twin !== undefined) throw new Error('Two nodes of one tree have the same name.');
  return Buffer.from(`{"nodes":[${nodes.map(encodeNode).join()}]}\n`);
}

/** The tree in these bytes. Throws `repository/damaged`. */
export function decodeTree(bytes: Uint8Array): Tree {
  const json = asObject(parseExactly(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()), 'tree');
  return { nodes: asList(json.nodes ?? [], 'tree').map(decodeNode) };
}

/** The id under which the tree is stored. */
export function treeIdOf(tree: Tree): TreeId {
  return idOf<TreeId>(encodeTree(tree));
}

/** Whether a node's name can stand in a folder at all. */
export function isSafeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

/** The nodes whose name another one before them has: a folder can hold the first alone. */
export function twinsIn(nodes: readonly Node[]): ReadonlySet<Node> {
  const names = new Set<string>();
  return new Set(nodes.filter(({ name }) => names.size === names.add(name).size));
}

/** Go's uint64 goes beyond what JSON.parse reads exactly; such numbers become bigint. */
function parseExactly(text: string): unknown {
  try {
    if (!/[:,]\d{16,}/.test(text)) return JSON.parse(text);
    return JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && /^\d+$/.test(context?.source ?? '')
        ? BigInt(context?.source ?? 0)
        : value,
    );
  } catch (cause) {
    throw cause instanceof AppError ? cause : malformed('tree', cause);
  }
}
