import { createHash } from 'node:crypto';
import { piecesOf } from '../../pieces.ts';
import type { DataId, TreeId } from '../format/ids.ts';
import { type DirNode, type FileNode, findAttribute, modeBits, type Node, textAttribute } from '../format/node.ts';
import { timestamp, timestampMs } from '../format/timestamp.ts';

/** The extended attribute that holds a member's validator from night to night, and comes back with a restore. */
const validatorAttribute = 'user.nightkeep.validator';

/** File systems keep all attributes of a file in a block of 4 KiB or less. */
const longestValidator = 200;

/** What changes from node to node. */
interface Facts {
  readonly name: string;
  /** Absent: the server does not say. */
  readonly modified?: Date | undefined;
  readonly validator?: string | undefined;
}

/** The node of a file with this size and content. WebDAV has no modes: files are 0644. */
export function fileNode(facts: Facts, size: number, content: readonly DataId[]): FileNode {
  return { ...common(facts), type: 'file', mode: 0o644, size, content };
}

/** The node of a folder. WebDAV has no modes: folders are 0755. */
export function dirNode(facts: Facts, subtree: TreeId): DirNode {
  return { ...common(facts), type: 'dir', mode: modeBits.dir + 0o755, subtree };
}

/** Whether the node was made from a member with this validator; a member without one never counts as unchanged. */
export function hasValidator(node: Node, validator: string | undefined): boolean {
  return validator !== undefined && findAttribute(node, validatorAttribute) === kept(validator);
}

/** The folder without its validator, so that the next night lists it again. */
export function withoutValidator(node: DirNode): DirNode {
  const { extended_attributes: all = [], ...rest } = node;
  const others = all.filter(({ name }) => name !== validatorAttribute);
  return { ...rest, ...(others.length > 0 && { extended_attributes: others }) };
}

/** The newest modification among the nodes, where a server says none for their folder: the same each night. */
export async function newestOf(nodes: readonly Node[]): Promise<Date> {
  let newest = 0;
  for await (const piece of piecesOf(nodes))
    for (const { mtime } of piece) newest = Math.max(newest, timestampMs(mtime) || 0);
  return new Date(newest);
}

/** The path of what has this name in the folder of that path. */
export function pathIn(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

/** Owned by root, so that a restore by root does not give the files to a stranger; others restore them as themselves. */
function common({
  name,
  modified = new Date(0),
  validator,
}: Facts): Omit<FileNode, 'type' | 'mode' | 'size' | 'content'> {
  const time = timestamp(modified);
  const node = { name, mtime: time, atime: time, ctime: time, uid: 0, gid: 0, links: 1 };
  if (validator === undefined) return node;
  return { ...node, extended_attributes: [textAttribute(validatorAttribute, kept(validator))] };
}

function kept(validator: string): string {
  if (Buffer.byteLength(validator) <= longestValidator) return validator;
  return `sha256:${createHash('sha256').update(validator).digest('hex')}`;
}
