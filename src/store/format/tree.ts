import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { compareNames } from '../../file-name.ts';
import { parsedAtOnce, piecesOfList } from '../../json-pieces.ts';
import { letOthers, piecesOf, sortedInPieces } from '../../pieces.ts';
import { parseId, type TreeId } from './ids.ts';
import { asList, asObject, malformed } from './json-shape.ts';
import { decodeNode, encodeNode, type Node } from './node.ts';

/** One directory: its nodes. */
export interface Tree {
  readonly nodes: readonly Node[];
}

/** The bytes of the tree in its one canonical form: sorted by the bytes of the names, with the newline that its id covers. */
export function encodeTree(tree: Tree): Buffer {
  const nodes = tree.nodes.toSorted(byName);
  if (nodes.some(isLikeNext)) throw twins();
  return Buffer.from(head + nodes.map(encodeNode).join() + tail);
}

/** The same bytes one after the other, made in pieces, and the id of them together. */
export async function encodeTreeInPieces(tree: Tree): Promise<{ id: TreeId; bytes: readonly Buffer[] }> {
  const nodes = await sortedInPieces(tree.nodes, byName);
  const bytes: Buffer[] = [];
  const hash = createHash('sha256');
  const add = (text: string) => {
    const piece = Buffer.from(text);
    hash.update(piece);
    bytes.push(piece);
  };
  let before = head;
  let last: Node | undefined;
  for await (const piece of piecesOf(nodes)) {
    if (piece.some(isLikeNext) || piece[0]?.name === last?.name) throw twins();
    last = piece.at(-1);
    add(before + piece.map(encodeNode).join());
    before = ',';
  }
  add(nodes.length === 0 ? head + tail : tail);
  return { id: parseId<TreeId>(hash.digest('hex')), bytes };
}

const head = '{"nodes":[';
const tail = ']}\n';

function byName(one: Node, other: Node): number {
  return compareNames(one.name, other.name);
}

function isLikeNext({ name }: Node, at: number, nodes: readonly Node[]): boolean {
  return name === nodes[at + 1]?.name;
}

function twins(): Error {
  return new Error('Two nodes of one tree have the same name.');
}

/** The tree in these bytes. Throws `repository/damaged`. */
export function decodeTree(bytes: Uint8Array): Tree {
  const json = asObject(parseExactly(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()), 'tree');
  return { nodes: asList(json.nodes ?? [], 'tree').map(decodeNode) };
}

/** The same, in pieces where it is large and written as restic writes it. Throws `repository/damaged`. */
export async function decodeTreeInPieces(bytes: Buffer): Promise<Tree> {
  if (bytes.length <= parsedAtOnce) return decodeTree(bytes);
  const end = bytes.length - tail.length;
  const isUsual = bytes.toString('latin1', 0, head.length) === head && bytes.toString('latin1', end) === tail;
  if (!isUsual) return decodeTree(bytes);
  const nodes: Node[] = [];
  for (const text of piecesOfList(bytes, head.length, end)) {
    if (text === 'none') return decodeTree(bytes);
    for (const node of asList(parseExactly(text), 'tree')) nodes.push(decodeNode(node));
    await letOthers();
  }
  return { nodes };
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
