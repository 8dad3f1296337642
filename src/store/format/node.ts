import { isAppError } from '../../errors.ts';
import { goJson, goJsonString } from './go-json.ts';
import { goQuote, goUnquote } from './go-quote.ts';
import { type DataId, parseId, type TreeId } from './ids.ts';
import { asCount, asList, asObject, asText, type JsonObject, malformed, optional, present } from './json-shape.ts';

/** A name and base64 bytes; other writers may leave null. */
export interface ExtendedAttribute {
  readonly name: string;
  readonly value: string | null;
}

/** What nodes of every type have, named as on the wire; times are RFC 3339 as in timestamp.ts. */
interface CommonNode {
  /** Unique in its tree; never empty, '.', '..' and without '/' or NUL. Bytes that are no UTF-8 as in file-name.ts. */
  readonly name: string;
  /** Go's FileMode: permission bits and the type bits of `modeBits`. */
  readonly mode: number;
  readonly mtime: string;
  readonly atime: string;
  readonly ctime: string;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode?: number | bigint;
  readonly device_id?: number | bigint;
  readonly size?: number | bigint;
  readonly links?: number | bigint;
  readonly extended_attributes?: readonly ExtendedAttribute[];
  readonly generic_attributes?: JsonObject;
  readonly error?: string;
}

export interface FileNode extends CommonNode {
  readonly type: 'file';
  /** Bytes: the sum of its blobs. */
  readonly size: number;
  readonly content: readonly DataId[];
}

export interface DirNode extends CommonNode {
  readonly type: 'dir';
  readonly subtree: TreeId;
}

export interface SymlinkNode extends CommonNode {
  readonly type: 'symlink';
  readonly linktarget: string;
  /** Base64, where the target is not UTF-8. */
  readonly linktarget_raw?: string;
}

export interface SpecialNode extends CommonNode {
  readonly type: 'dev' | 'chardev' | 'fifo' | 'socket';
  readonly device?: number | bigint;
}

/** What another program wrote in a way that is not known here, or damaged: only its name counts. It cannot be written again. */
export interface UnreadableNode extends CommonNode {
  readonly type: 'unreadable';
}

export type Node = FileNode | DirNode | SymlinkNode | SpecialNode | UnreadableNode;

/** Type bits of Go's FileMode; beyond 32-bit signed, so add them, never `|` them. */
export const modeBits = { dir: 2 ** 31, symlink: 2 ** 27, setuid: 2 ** 23, setgid: 2 ** 22, sticky: 2 ** 20 } as const;

/** The node as JSON, byte for byte as restic writes it. */
export function encodeNode(node: Node): string {
  if (node.type === 'unreadable') throw new Error('A node that was not understood cannot be written.');
  const head = `{"name":${goJsonString(goQuote(node.name))},"type":"${node.type}"${number('mode', node.mode)}`;
  const times = `,"mtime":"${node.mtime}","atime":"${node.atime}","ctime":"${node.ctime}"`;
  const owner = `,"uid":${node.uid},"gid":${node.gid}${text('user', node.user)}${text('group', node.group)}`;
  const inode = number('inode', node.inode) + number('device_id', node.device_id);
  const sizes = number('size', node.size) + number('links', node.links);
  return `${head}${times}${owner}${inode}${sizes}${encodeTarget(node)}${encodeAttributes(node)}${encodeContent(node)}}`;
}

/** The node that this JSON value describes; one that is not understood has its name alone. Throws `repository/damaged` where it has none. */
export function decodeNode(value: unknown): Node {
  const json = asObject(value, 'tree');
  const name = goUnquote(asText(json.name, 'tree'));
  try {
    return decodeKnown(json);
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    const never = '0001-01-01T00:00:00Z';
    return { name, type: 'unreadable', mode: 0, mtime: never, atime: never, ctime: never, uid: 0, gid: 0 };
  }
}

function decodeKnown(json: JsonObject): Node {
  const common = decodeCommon(json);
  switch (json.type) {
    case 'file':
      return { ...common, type: 'file', size: optional(json.size, asCount, 'tree') ?? 0, content: decodeContent(json) };
    case 'dir':
      return { ...common, type: 'dir', subtree: parseId<TreeId>(json.subtree) };
    case 'symlink':
      return { ...common, type: 'symlink', ...decodeTarget(json) };
    case 'dev':
    case 'chardev':
    case 'fifo':
    case 'socket':
      return { ...common, type: json.type, ...present({ device: optional(json.device, asLargeCount, 'tree') }) };
    default:
      return { ...common, type: 'unreadable' };
  }
}

/** The text of an extended attribute of the node. */
export function findAttribute(node: Node, name: string): string | undefined {
  const value = node.extended_attributes?.find((attribute) => attribute.name === name)?.value;
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : undefined;
}

/** An extended attribute that holds this text. Names begin with `user.`; keep values short. */
export function textAttribute(name: string, value: string): ExtendedAttribute {
  return { name, value: Buffer.from(value).toString('base64') };
}

function number(name: string, value: number | bigint | undefined): string {
  return value ? `,"${name}":${value}` : '';
}

function text(name: string, value: string | undefined): string {
  return value ? `,"${name}":${goJsonString(value)}` : '';
}

function encodeTarget(node: Node): string {
  return node.type === 'symlink'
    ? text('linktarget', node.linktarget) + text('linktarget_raw', node.linktarget_raw)
    : '';
}

function encodeAttributes({ extended_attributes: extended, generic_attributes: generic }: Node): string {
  const own = extended?.length
    ? `,"extended_attributes":${goJson(extended.map(({ name, value }) => ({ name, value })))}`
    : '';
  return generic && Object.keys(generic).length > 0 ? `${own},"generic_attributes":${goJson(generic)}` : own;
}

function encodeContent(node: Node): string {
  const device = 'device' in node ? number('device', node.device) : '';
  const content = node.type === 'file' ? `[${node.content.map((id) => `"${id}"`).join()}]` : 'null';
  const subtree = node.type === 'dir' ? `,"subtree":"${node.subtree}"` : '';
  return `${device},"content":${content}${subtree}${text('error', node.error)}`;
}

function decodeCommon(json: JsonObject): CommonNode {
  const count = (name: string) => optional(json[name], asLargeCount, 'tree');
  const string = (name: string) => optional(json[name], asText, 'tree');
  return {
    name: goUnquote(asText(json.name, 'tree')),
    mode: optional(json.mode, asCount, 'tree') ?? 0,
    mtime: decodeTime(json.mtime),
    atime: decodeTime(json.atime),
    ctime: decodeTime(json.ctime),
    uid: optional(json.uid, asCount, 'tree') ?? 0,
    gid: optional(json.gid, asCount, 'tree') ?? 0,
    ...present({
      user: string('user'),
      group: string('group'),
      inode: count('inode'),
      device_id: count('device_id'),
      size: count('size'),
      links: count('links'),
      extended_attributes: optional(json.extended_attributes, decodeAttributes, 'tree'),
      generic_attributes: optional(json.generic_attributes, asObject, 'tree'),
      error: string('error'),
    }),
  };
}

/** A time without one is Go's zero time. The characters are checked because times are written back unescaped. */
function decodeTime(value: unknown): string {
  const time = optional(value, asText, 'tree') ?? '0001-01-01T00:00:00Z';
  if (!/^[0-9TZ:.+-]+$/.test(time)) throw malformed('tree with a time that is none');
  return time;
}

function decodeContent(json: JsonObject): DataId[] {
  return asList(json.content ?? [], 'tree').map((id) => parseId<DataId>(id));
}

function decodeTarget(json: JsonObject): { linktarget: string; linktarget_raw?: string } {
  const raw = optional(json.linktarget_raw, asText, 'tree');
  const linktarget = optional(json.linktarget, asText, 'tree') ?? '';
  return raw === undefined ? { linktarget } : { linktarget, linktarget_raw: raw };
}

function decodeAttributes(value: unknown): ExtendedAttribute[] {
  return asList(value, 'tree').map((item) => {
    const { name, value: content } = asObject(item, 'tree');
    return { name: asText(name, 'tree'), value: optional(content, asText, 'tree') ?? null };
  });
}

function asLargeCount(value: unknown, what: string): number | bigint {
  return typeof value === 'bigint' ? value : asCount(value, what);
}
