import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, type InputType, type ZlibOptions } from 'node:zlib';
import { AppError, isAppError } from '../../errors.ts';
import { escapedName, shownName } from '../../file-name.ts';
import { piecesOf } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { timestampSeconds } from '../format/timestamp.ts';
import { isSafeName } from '../format/tree.ts';
import type { ReadableRepository } from './contract.ts';
import { type Extent, openExtent, tooLarge } from './extent.ts';
import { findPlace } from './find-place.ts';
import { type Oddity, openOddNames, portableName } from './odd-names.ts';
import { type ReadFile, readFiles } from './read-files.ts';
import { type LeftOut, unreadableWords, unsafeNameWords } from './report.ts';
import type { ZipNotes } from './zip-notes.ts';
import {
  centralHeader,
  dataDescriptor,
  endOfDirectory,
  localHeader,
  type WrittenEntry,
  type ZipEntry,
  type ZipSizes,
} from './zip-records.ts';

/**
 * A folder of a snapshot as a zip file, made while it is read. A damaged file is left out and named in a note at the end; if a part of it
 * has been sent already, the directory does not name that part, and its checksum does not fit. Names that Windows would take for another
 * place or a device are changed, and listed in a second note; names that not every system can hold stay as they are, and are listed in a
 * third. `notes` has the names and words of these notes. All names begin with `prefix`. With `onLeftOut`, that is called instead of writing
 * the first note, and damage ends the stream with its error, before the directory. Throws `repository/no-such-path` at the first read.
 */
export async function* zipFolder(
  repository: ReadableRepository,
  snapshot: { readonly tree: TreeId },
  path: string,
  { notes, signal, prefix = '', onLeftOut, mostEntries }: ZipOptions,
): AsyncGenerator<Uint8Array> {
  const place = await findPlace(repository, snapshot, path);
  if (place.type !== 'root' && place.type !== 'dir') {
    throw new AppError('repository/no-such-path', 'That is not a folder in this snapshot.');
  }
  const [missing, renamed, odd] = [openNote(), openNote(), openNote()];
  const leaveOut: Zipping['leaveOut'] = (name, why, message) => {
    if (onLeftOut !== undefined) onLeftOut(name, message);
    else missing.add(`${name}: ${wordsOf(notes, why, message)}`);
  };
  const common = { repository, notes, signal, leaveOut, endsWithDamage: onLeftOut !== undefined };
  const extent = openExtent(repository, mostEntries);
  const zip: Zipping = {
    ...common,
    extent,
    written: [],
    missing,
    renamed,
    odd,
    offset: { now: 0 },
    names: { bytes: 0 },
  };
  yield* counted(zip, zipNodes(zip, shownName(prefix), place.subtree, 0));
  yield* counted(zip, zipNotes(zip));
  yield* directory(zip);
}

export interface ZipOptions {
  /** The words of the notes, in the language of whoever reads them. */
  readonly notes: ZipNotes;
  readonly signal?: AbortSignal;
  readonly prefix?: string;
  readonly onLeftOut?: LeftOut;
  /** The most files and folders in it; the content of folders beyond is left out. */
  readonly mostEntries?: number;
}

interface Zipping {
  readonly repository: ReadableRepository;
  readonly extent: Extent;
  readonly signal: AbortSignal | undefined;
  readonly notes: ZipNotes;
  /** Notes an entry that the zip lacks: its path, the reason, and the message for the log. */
  readonly leaveOut: (path: string, why: WhyMissing, message: string) => void;
  readonly endsWithDamage: boolean;
  readonly written: WrittenEntry[];
  /** What was left out, and why. */
  readonly missing: Note;
  /** What has another name here, and which. */
  readonly renamed: Note;
  /** What not every system can hold under its name, and why. */
  readonly odd: Note;
  readonly offset: { now: number };
  /** What is held in memory until the directory is written. */
  readonly names: { bytes: number };
}

type WhyMissing = keyof ZipNotes['missing']['why'];

function wordsOf({ missing: { why: words } }: ZipNotes, why: WhyMissing, message: string): string {
  return why === 'damaged' ? words.damaged(message) : words[why];
}

const deflate = promisify<InputType, ZlibOptions, Buffer>(deflateRaw);
/** Up to this size, compressing costs more than it gains. */
const tinyFile = 256;
/** Up to this size, a file is compressed before its header is written, so that the header has its sizes. */
const smallFile = 1024 * 1024;
/** From this size on, a file that does not compress may grow beyond 4 GiB. */
const largeFile = 0xf0000000;
/** Fast, since people wait for it and much of their data is compressed already. */
const level = 1;

/** A note, which is an entry of its own. */
interface Note {
  readonly lines: readonly string[];
  /** How many lines did not fit. */
  readonly more: number;
  add(line: string): void;
}

/** More nobody reads, and it is held in memory. */
const longestNote = 1024 * 1024;

function openNote(): Note {
  const lines: string[] = [];
  let [length, more] = [0, 0];
  return {
    lines,
    get more() {
      return more;
    },
    add: (line) => {
      length += line.length;
      if (length > longestNote && lines.length > 0) more += 1;
      else lines.push(line);
    },
  };
}

async function* counted(zip: Zipping, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const part of bytes) {
    zip.signal?.throwIfAborted();
    zip.offset.now += part.length;
    yield part;
  }
}

/** Files first, since those of one folder are read together. */
async function* zipNodes(zip: Zipping, folder: string, tree: TreeId, depth: number): AsyncGenerator<Uint8Array> {
  const nodes = (await readable(zip, folder, () => nodesOf(zip, folder, tree, depth))) ?? [];
  const names = await namesIn(zip, folder, nodes);
  const safe = nodes.filter((node) => names.has(node));
  for await (const file of readFiles(
    zip.repository,
    safe.filter((node) => node.type === 'file'),
  )) {
    const name = names.get(file.node) ?? '';
    yield* file.node.size > smallFile ? zipLargeFile(zip, name, file) : zipSmallFile(zip, name, file);
  }
  for (const node of safe) if (node.type !== 'file') yield* zipOther(zip, names.get(node) ?? '', node, depth);
}

/** A million names of 60 bytes. */
const mostNames = 256 * 1024 * 1024;
/** What an entry takes besides its name. */
const entryBytes = 200;
/** What an entry of a zip has 16 bits for, without the number that makes a name another one. */
const longestName = 0xffff - 32;

/** The nodes of a folder, where memory for their names is left until the directory is written. */
async function nodesOf(zip: Zipping, folder: string, tree: TreeId, depth: number): Promise<readonly Node[]> {
  const nodes = await zip.extent.nodesOf(tree, depth);
  const above = Buffer.byteLength(folder);
  let bytes = 0;
  let longest = 0;
  for await (const piece of piecesOf(nodes))
    for (const { name } of piece) {
      const length = above + Buffer.byteLength(name);
      bytes += length + entryBytes;
      longest = Math.max(longest, length);
    }
  if (zip.names.bytes + bytes > mostNames)
    throw tooLarge('the names of this archive would take too much memory with it');
  if (longest > longestName) throw tooLarge('its paths are longer than a zip file holds');
  zip.names.bytes += bytes;
  return nodes;
}

/** The names of a folder as a zip shows them, but of those that would leave it; two that would be the same get numbers. */
async function namesIn(zip: Zipping, folder: string, nodes: readonly Node[]): Promise<ReadonlyMap<Node, string>> {
  const taken = new Map<string, number>();
  const names = new Map<Node, string>();
  const others: Node[] = [];
  const oddityOf = openOddNames();
  const write = (node: Node, portable: string) => {
    const written = takeName(folder + portable, taken);
    names.set(node, written);
    const oddity = oddityOf(written.slice(folder.length));
    if (oddity !== undefined && oddity.why !== 'renamed')
      zip.odd.add(`${escapedName(written)}: ${oddityWords(zip.notes, oddity)}`);
    return written;
  };
  // Those that are shown as they are keep their names.
  for await (const piece of piecesOf(nodes))
    for (const node of piece)
      if (!isSafeName(node.name)) zip.leaveOut(folder + node.name, 'unsafe', unsafeNameWords);
      else if (portableName(shownName(node.name)) === node.name) write(node, node.name);
      else others.push(node);
  for await (const piece of piecesOf(others))
    for (const node of piece) {
      const [shown, portable] = [shownName(node.name), portableName(shownName(node.name))];
      const written = write(node, portable);
      if (portable !== shown) zip.renamed.add(`${written}: ${escapedName(node.name)}`);
    }
  return names;
}

function oddityWords({ odd: { why } }: ZipNotes, oddity: Exclude<Oddity, { readonly why: 'renamed' }>): string {
  return 'like' in oddity ? `${why[oddity.why]} ${escapedName(oddity.like)}` : why[oddity.why];
}

/** The name, with a number where it is taken; of each the last number is remembered, so that many alike take no longer than others. */
function takeName(name: string, taken: Map<string, number>): string {
  let number = taken.get(name) ?? 0;
  let unused = name;
  while (taken.has(unused)) unused = `${name} (${++number + 1})`;
  taken.set(name, number);
  if (unused !== name) taken.set(unused, 0);
  return unused;
}

async function* zipOther(zip: Zipping, name: string, node: Node, depth: number): AsyncGenerator<Uint8Array> {
  if (node.type === 'dir') {
    yield wholeEntry(zip, entryOf(`${name}/`, node, 'stored'), nothing, nothing);
    yield* zipNodes(zip, `${name}/`, node.subtree, depth + 1);
  } else if (node.type === 'symlink') {
    const target = Buffer.from(node.linktarget);
    yield wholeEntry(zip, entryOf(name, node, 'stored'), target, target);
  } else if (node.type === 'unreadable') zip.leaveOut(name, 'unreadable', unreadableWords);
  else if (node.type !== 'file') zip.leaveOut(name, 'special', 'A zip file holds no devices, pipes and sockets.');
}

const nothing = Buffer.of();

async function* zipSmallFile(zip: Zipping, name: string, file: ReadFile): AsyncGenerator<Uint8Array> {
  const content = await readable(zip, name, async () => Buffer.concat(await Array.fromAsync(file.content)));
  if (content === undefined) return;
  const deflated = content.length > tinyFile ? await deflate(content, { level }) : content;
  const method = deflated.length < content.length ? 'deflated' : 'stored';
  yield wholeEntry(zip, entryOf(name, file.node, method), content, method === 'stored' ? content : deflated);
}

/** Each part is deflated by itself up to a byte's edge; the parts and an empty last block make one deflate stream. */
async function* zipLargeFile(zip: Zipping, name: string, { node, content }: ReadFile): AsyncGenerator<Uint8Array> {
  const entry = entryOf(name, node, 'deflated');
  const large = node.size >= largeFile;
  const offset = zip.offset.now;
  const sizes = { crc: 0, packed: lastBlock.length, size: 0 };
  yield localHeader(entry, { large });
  const parts = deflatedParts(content, sizes);
  let next: IteratorResult<Buffer, undefined> | undefined;
  do {
    next = await readable(zip, name, () => parts.next());
    if (next?.value !== undefined) yield next.value;
  } while (next?.done === false);
  yield lastBlock;
  if (next !== undefined) zip.written.push({ ...entry, ...sizes, offset, described: true });
  // Readers of streams go without the directory: they must not take a part for the file.
  else sizes.crc = (sizes.crc ^ 1) >>> 0;
  yield dataDescriptor(sizes, { large });
}

async function* deflatedParts(
  content: AsyncIterable<Buffer>,
  sizes: { crc: number; packed: number; size: number },
): AsyncGenerator<Buffer, undefined> {
  for await (const part of content) {
    const deflated = await deflate(part, { level, finishFlush: constants.Z_SYNC_FLUSH });
    sizes.crc = crc32(part, sizes.crc);
    sizes.size += part.length;
    sizes.packed += deflated.length;
    yield deflated;
  }
}

const lastBlock = Buffer.of(3, 0);

async function* zipNotes(zip: Zipping): AsyncGenerator<Uint8Array> {
  for (const kind of ['missing', 'renamed', 'odd'] as const) if (zip[kind].lines.length > 0) yield zipNote(zip, kind);
}

function zipNote(zip: Zipping, kind: 'missing' | 'renamed' | 'odd'): Buffer {
  const { file, lead } = zip.notes[kind];
  const { lines, more } = zip[kind];
  const rest = more === 0 ? '' : `${zip.notes.more(more)}\n`;
  const text = Buffer.from(`${lead}:\n\n${lines.join('\n')}\n${rest}`);
  const newest = zip.written.reduce((latest, { mtime }) => Math.max(latest, mtime), 0);
  const alike = zip.written.filter((entry) => entry.name.startsWith(file));
  const name = takeName(file, new Map(alike.map((entry) => [entry.name, 0])));
  return wholeEntry(zip, { name, mode: 0o100644, mtime: newest, method: 'stored' }, text, text);
}

async function* directory(zip: Zipping): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of piecesOf(zip.written)) {
    const headers = Buffer.concat(piece.map(centralHeader));
    size += headers.length;
    yield headers;
  }
  yield endOfDirectory(zip.written.length, zip.offset.now, size);
}

function wholeEntry(zip: Zipping, entry: ZipEntry, content: Buffer, packed: Buffer): Buffer {
  const sizes: ZipSizes = { crc: crc32(content), packed: packed.length, size: content.length };
  zip.written.push({ ...entry, ...sizes, offset: zip.offset.now, described: false });
  return Buffer.concat([localHeader(entry, { sizes }), packed]);
}

const unixType = { dir: 0o040000, symlink: 0o120000 } as const;

function entryOf(name: string, node: Node, method: ZipEntry['method']): ZipEntry {
  const type = node.type === 'dir' || node.type === 'symlink' ? unixType[node.type] : 0o100000;
  return { name, method, mode: type + (node.mode % 0o1000), mtime: timestampSeconds(node.mtime) };
}

/** The result of the work; undefined, and recorded, when the file is damaged. */
async function readable<T>(zip: Zipping, name: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const isLeftOut = isAppError(error, 'restore/too-large');
    if (!isLeftOut && (zip.endsWithDamage || !isAppError(error, 'repository/damaged'))) throw error;
    zip.leaveOut(name, isLeftOut ? 'tooLarge' : 'damaged', error.message);
    return undefined;
  }
}
