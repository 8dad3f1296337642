import { isAppError } from '../../errors.ts';
import { nameToBytes } from '../../file-name.ts';
import type { TreeId } from '../format/ids.ts';
import type { DirNode, Node } from '../format/node.ts';
import { timestampMoment } from '../format/timestamp.ts';
import { isSafeName, twinsIn } from '../format/tree.ts';
import { permissions } from './attributes.ts';
import type { ReadableRepository } from './contract.ts';
import { type Extent, openExtent } from './extent.ts';
import { linkTarget } from './link-target.ts';
import { readFiles } from './read-files.ts';
import { type LeftOut, twinWords, unreadableWords, unsafeNameWords } from './report.ts';

/**
 * A folder of a snapshot as a tar file (POSIX.1-2001), made while it is read: with times to the nanosecond, owners, modes, links and
 * extended attributes, under paths that begin with `prefix`. Damage ends the stream with its error, since a tar has no place for such a note.
 * `onLeftOut` is called for what no tar can hold, for names that would leave the folder or occur twice in it, and for what is not
 * understood.
 */
export async function* tarFolder(
  repository: ReadableRepository,
  tree: TreeId,
  prefix: string,
  { signal, onLeftOut = () => {}, mostEntries }: TarOptions = {},
): AsyncGenerator<Uint8Array> {
  const extent = openExtent(repository, mostEntries);
  const nodes = await extent.nodesOf(tree, 0);
  for await (const part of tarNodes({ repository, extent, onLeftOut }, nodes, prefix, 1)) {
    signal?.throwIfAborted();
    yield part;
  }
  yield Buffer.alloc(2 * block);
}

interface TarOptions {
  readonly signal?: AbortSignal;
  readonly onLeftOut?: LeftOut;
  /** The most files and folders in it; the content of folders beyond is left out. */
  readonly mostEntries?: number;
}

const block = 512;

interface Tarring {
  readonly repository: ReadableRepository;
  readonly extent: Extent;
  readonly onLeftOut: LeftOut;
}

/** Files first, since those of one folder are read together. Folders among them are so many folders down. */
async function* tarNodes(
  tarring: Tarring,
  all: readonly Node[],
  prefix: string,
  depth: number,
): AsyncGenerator<Uint8Array> {
  const { repository, onLeftOut } = tarring;
  const twins = twinsIn(all);
  for (const node of all)
    if (!isSafeName(node.name)) onLeftOut(prefix + node.name, unsafeNameWords);
    else if (twins.has(node)) onLeftOut(prefix + node.name, twinWords);
  const nodes = all.filter((node) => isSafeName(node.name) && !twins.has(node));
  for await (const { node, content } of readFiles(
    repository,
    nodes.filter((node) => node.type === 'file'),
  )) {
    yield headersOf(prefix + node.name, node, { type: '0', size: node.size });
    yield* content;
    yield Buffer.alloc(padding(node.size));
  }
  for (const node of nodes) {
    const path = prefix + node.name;
    if (node.type === 'symlink') yield headersOf(path, node, { type: '2', target: linkTarget(node) });
    else if (node.type === 'dir') {
      yield headersOf(`${path}/`, node, { type: '5' });
      const below = await nodesOrLeftOut(tarring, path, node, depth);
      yield* tarNodes(tarring, below, `${path}/`, depth + 1);
    } else if (node.type === 'unreadable') onLeftOut(path, unreadableWords);
    else if (node.type === 'socket') onLeftOut(path, 'A tar file holds no sockets.');
    else if (node.type !== 'file') yield headersOf(path, node, { type: specialTypes[node.type], device: node.device });
  }
}

async function nodesOrLeftOut(
  { extent, onLeftOut }: Tarring,
  path: string,
  { subtree }: DirNode,
  depth: number,
): Promise<readonly Node[]> {
  try {
    return await extent.nodesOf(subtree, depth);
  } catch (error) {
    if (!isAppError(error, 'restore/too-large')) throw error;
    onLeftOut(path, error.message);
    return [];
  }
}

const specialTypes = { chardev: '3', dev: '4', fifo: '6' } as const;

interface Kind {
  readonly type: '0' | '2' | '3' | '4' | '5' | '6' | 'x';
  readonly size?: number;
  readonly device?: number | bigint | undefined;
  readonly target?: string;
}

/** The header of an entry, behind another one with what does not fit into it: each entry has a time to the nanosecond. */
function headersOf(path: string, node: Node, kind: Kind): Buffer {
  const { seconds, nanoseconds } = timestampMoment(node.mtime);
  const records = [record('path', nameToBytes(path)), record('mtime', decimal(seconds || 0, nanoseconds || 0))];
  if (kind.target !== undefined) records.push(record('linkpath', nameToBytes(kind.target)));
  if (kind.size !== undefined && kind.size >= 8 ** 11) records.push(record('size', String(kind.size)));
  for (const id of ['uid', 'gid'] as const) if (node[id] >= 8 ** 7) records.push(record(id, String(node[id])));
  for (const [name, text] of [
    ['uname', node.user],
    ['gname', node.group],
  ] as const)
    if (text) records.push(record(name, text));
  for (const { name, value } of node.extended_attributes ?? [])
    records.push(record(`SCHILY.xattr.${name}`, Buffer.from(value ?? '', 'base64')));
  const extended = Buffer.concat(records);
  const common = { mode: node.mode, uid: node.uid, gid: node.gid, seconds };
  return Buffer.concat([
    header({ ...common, path: Buffer.from('PaxHeaders/entry'), kind: { type: 'x', size: extended.length } }),
    extended,
    Buffer.alloc(padding(extended.length)),
    header({ ...common, path: nameToBytes(path), kind }),
  ]);
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}

/** Its length stands before it, and counts its own digits. */
function record(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** Seconds with their fraction; before 1970 the fraction counts backwards, as the sign does. */
function decimal(seconds: number, nanoseconds: number): string {
  const isBefore = seconds < 0 && nanoseconds > 0;
  const [whole, fraction] = isBefore ? [-seconds - 1, 1e9 - nanoseconds] : [Math.abs(seconds), nanoseconds];
  return `${seconds < 0 ? '-' : ''}${whole}.${String(fraction).padStart(9, '0')}`;
}

interface Header {
  readonly path: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly kind: Kind;
}

/** What does not fit is cut off here: the extended header before it has it whole. */
function header({ path, mode, uid, gid, seconds, kind: { type, size = 0, target = '', device = 0 } }: Header): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) => {
    const digits = Math.max(0, value || 0).toString(8);
    bytes.write(digits.length < length ? digits.padStart(length - 1, '0') : '7'.repeat(length - 1), at, 'latin1');
  };
  path.copy(bytes, 0, 0, 100);
  octal(permissions(mode), 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(seconds, 136, 12);
  bytes.write(type, 156, 'latin1');
  nameToBytes(target).copy(bytes, 157, 0, 100);
  bytes.write('ustar\x0000', 257, 'latin1');
  if (type === '3' || type === '4') {
    const { major, minor } = numbersOf(BigInt(device));
    octal(major, 329, 8);
    octal(minor, 337, 8);
  }
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** As Linux packs them into the number of a device. */
function numbersOf(device: bigint): { major: number; minor: number } {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
