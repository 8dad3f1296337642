import type { BlobLocation, PackedBlob } from '../format/blob.ts';
import type { BlobId, BlobType, PackId } from '../format/ids.ts';
import type { IndexedPack } from '../format/index-file.ts';

/** Where a blob lies. */
export interface FoundBlob extends BlobLocation {
  readonly packId: PackId;
}

/** The part of an index that another thread may read while one thread fills it. */
export interface BlobIndex {
  has(type: BlobType, id: BlobId): boolean;
  find(type: BlobType, id: BlobId): FoundBlob | undefined;
}

/** Every blob of a repository and where it lies: 48 bytes a blob and 8 for the hash table, in shared memory. */
export interface MasterIndex extends BlobIndex {
  /** Every copy of a blob; more than one when packs repeat it. */
  findAll(type: BlobType, id: BlobId): FoundBlob[];
  /**
   * Makes the blobs of a pack known. The same pack again changes nothing. Where index files contradict each other, all that they say counts, so that the
   * pack has another size than they give it, which is damage.
   */
  insertPack(packId: PackId, blobs: readonly PackedBlob[]): void;
  /** The number of the blob's first copy, below `size`, for sets kept as arrays; undefined for what is unknown. */
  position(type: BlobType, id: BlobId): number | undefined;
  /** Copies of blobs. */
  readonly size: number;
  packs(): IteratorObject<IndexedPack>;
  /** All that is known of a pack; no blobs where it is not known. */
  pack(packId: PackId): IndexedPack;
  /** For `openSharedIndex` in another thread. What is inserted later may be missing there, what it finds is right. */
  share(): SharedIndex;
}

/** The memory of an index; goes to a worker thread as it is. */
export interface SharedIndex {
  readonly table: SharedArrayBuffer;
  readonly rows: readonly SharedArrayBuffer[];
  readonly packIds: readonly SharedArrayBuffer[];
}

/**
 * A row: id (8 words), pack number * 2 + type, offset, length, uncompressed length or 0. Rows lie in segments that never
 * move; the open-addressing table holds row + 1 and is replaced when half full. A row is whole before the table names it.
 */
const idWords = 8;
const rowWords = 12;
/** The index of most people fits into one segment, and each night makes one. */
const segmentBits = 11;
const segmentRows = 1 << segmentBits;

/** An empty index. */
export function createMasterIndex(): MasterIndex {
  let table = new Int32Array(new SharedArrayBuffer(1024 * 4));
  let size = 0;
  const rows: Uint32Array[] = [];
  const packIds: Uint32Array[] = [];
  const packNumbers = new Map<PackId, number>();
  const rowsOfPack: [first: number, count: number][][] = [];
  const memory = { table: () => table, rows, packIds };
  const reader = readIndex(memory);

  const insertRow = (pack: number, blob: PackedBlob) => {
    if ((size + 1) * 2 > table.length) table = doubled(table, memory);
    link(table, size, writeRow(rows, size, pack, blob));
    size++;
  };
  const packNumber = (packId: PackId) => {
    const number = packNumbers.get(packId) ?? packNumbers.size;
    if (number === packNumbers.size) {
      packNumbers.set(packId, number);
      writeWords(packIds, number, idWords, wordsOf(packId));
      rowsOfPack.push([]);
    }
    return number;
  };

  const pack = (id: PackId) => ({ id, blobs: blobsOf(memory, rowsOfPack[packNumbers.get(id) ?? -1] ?? []) });

  return {
    has: reader.has,
    find: reader.find,
    findAll: (type, id) => Array.from(rowsWith(memory, type, id), (row) => reader.read(row)),
    insertPack: (packId, blobs) => {
      const known = packNumbers.has(packId);
      const number = packNumber(packId);
      const first = size;
      for (const blob of blobs) {
        if (!known || !holds(memory, number, blob)) insertRow(number, blob);
      }
      if (size > first) rowsOfPack[number]?.push([first, size - first]);
    },
    position: (type, id) => firstRowWith(memory, type, id),
    get size() {
      return size;
    },
    packs: function* () {
      for (const id of packNumbers.keys()) yield pack(id);
    },
    pack,
    share: () => ({
      table: table.buffer,
      rows: rows.map((segment) => segment.buffer as SharedArrayBuffer),
      packIds: packIds.map((segment) => segment.buffer as SharedArrayBuffer),
    }),
  };
}

/** The index that another thread shared, to look blobs up in. */
export function openSharedIndex(shared: SharedIndex): BlobIndex {
  const table = new Int32Array(shared.table);
  const rows = shared.rows.map((buffer) => new Uint32Array(buffer));
  const packIds = shared.packIds.map((buffer) => new Uint32Array(buffer));
  const { has, find } = readIndex({ table: () => table, rows, packIds });
  return { has, find };
}

interface Memory {
  readonly table: () => Int32Array;
  readonly rows: readonly Uint32Array[];
  readonly packIds: readonly Uint32Array[];
}

function readIndex(memory: Memory): BlobIndex & { read(row: number): FoundBlob } {
  let pack = -1;
  let packId: PackId | undefined;
  const read = (row: number) => {
    const number = packOfRow(memory, row);
    // Neighbours are asked for together as a rule, and share the text of its name.
    if (packId === undefined || number !== pack) packId = packIdOfNumber(memory, number);
    pack = number;
    return { packId, ...readLocation(memory, row) };
  };
  return {
    read,
    has: (type, id) => firstRowWith(memory, type, id) !== undefined,
    find: (type, id) => {
      const row = firstRowWith(memory, type, id);
      return row === undefined ? undefined : read(row);
    },
  };
}

/** As `rowsWith`, but faster: it is called for every blob. */
function firstRowWith({ table: tableNow, rows }: Memory, type: BlobType, id: BlobId): number | undefined {
  const words = wordsOf(id);
  const table = tableNow();
  const mask = table.length - 1;
  for (let slot = hashOf(words) & mask; ; slot = (slot + 1) & mask) {
    const row = Atomics.load(table, slot) - 1;
    if (row < 0) return undefined;
    const segment = rows[row >> segmentBits];
    if (segment !== undefined && sameBlob(segment, startOf(row, rowWords), words, type)) return row;
  }
}

function* rowsWith({ table: tableNow, rows }: Memory, type: BlobType, id: BlobId): Generator<number> {
  const words = Uint32Array.from(wordsOf(id));
  const table = tableNow();
  const mask = table.length - 1;
  for (let slot = hashOf(words) & mask; ; slot = (slot + 1) & mask) {
    const row = Atomics.load(table, slot) - 1;
    if (row < 0) return;
    const segment = rows[row >> segmentBits];
    if (segment !== undefined && sameBlob(segment, startOf(row, rowWords), words, type)) yield row;
  }
}

function sameBlob(segment: Uint32Array, start: number, words: Uint32Array, type: BlobType): boolean {
  for (let word = 0; word < idWords; word++) if (segment[start + word] !== words[word]) return false;
  return (at(segment, start + idWords) & 1) === typeBit(type);
}

function holds(memory: Memory, pack: number, blob: PackedBlob): boolean {
  return rowsWith(memory, blob.type, blob.id).some((row) => {
    if (packOfRow(memory, row) !== pack) return false;
    const { offset, length, uncompressedLength } = readLocation(memory, row);
    return (
      offset === blob.offset && length === blob.length && uncompressedLength === (blob.uncompressedLength || undefined)
    );
  });
}

function packOfRow({ rows }: Memory, row: number): number {
  return at(segmentOf(rows, row), startOf(row, rowWords) + idWords) >>> 1;
}

function packIdOfNumber({ packIds }: Memory, pack: number): PackId {
  return textOf<PackId>(segmentOf(packIds, pack), startOf(pack, idWords));
}

function readLocation({ rows }: Memory, row: number): BlobLocation {
  const segment = segmentOf(rows, row);
  const start = startOf(row, rowWords) + idWords;
  const uncompressedLength = at(segment, start + 3);
  return {
    offset: at(segment, start + 1),
    length: at(segment, start + 2),
    ...(uncompressedLength === 0 ? {} : { uncompressedLength }),
  };
}

function blobsOf(memory: Memory, ranges: readonly [number, number][]): PackedBlob[] {
  const numbers = ranges.flatMap(([first, count]) => Array.from({ length: count }, (_, index) => first + index));
  return numbers.map((row) => {
    const location = readLocation(memory, row);
    const segment = segmentOf(memory.rows, row);
    const start = startOf(row, rowWords);
    const type = (at(segment, start + idWords) & 1) === 1 ? 'tree' : 'data';
    return { type, id: textOf<BlobId>(segment, start), ...location };
  });
}

/** Answers the hash of the blob. */
function writeRow(rows: Uint32Array[], row: number, pack: number, blob: PackedBlob): number {
  const segment = segmentFor(rows, row, rowWords);
  const start = startOf(row, rowWords);
  const words = wordsOf(blob.id);
  segment.set(words, start);
  segment[start + idWords] = pack * 2 + typeBit(blob.type);
  segment[start + idWords + 1] = blob.offset;
  segment[start + idWords + 2] = blob.length;
  segment[start + idWords + 3] = blob.uncompressedLength ?? 0;
  return hashOf(words);
}

function writeWords(segments: Uint32Array[], row: number, words: number, values: ArrayLike<number>): void {
  segmentFor(segments, row, words).set(values, startOf(row, words));
}

/** The segment of a row that is to be written. */
function segmentFor(segments: Uint32Array[], row: number, words: number): Uint32Array {
  const segment = segments[row >> segmentBits] ?? new Uint32Array(new SharedArrayBuffer(segmentRows * words * 4));
  segments[row >> segmentBits] = segment;
  return segment;
}

function link(table: Int32Array, row: number, hash: number): void {
  const mask = table.length - 1;
  let slot = hash & mask;
  while (table[slot] !== 0) slot = (slot + 1) & mask;
  Atomics.store(table, slot, row + 1);
}

/** A table of twice the size with the same rows, in their order so that first copies stay first. */
function doubled(table: Int32Array, { rows }: Memory): Int32Array<SharedArrayBuffer> {
  const larger = new Int32Array(new SharedArrayBuffer(table.byteLength * 2));
  const count = table.length / 2;
  for (let row = 0; row < count; row++) {
    link(larger, row, at(segmentOf(rows, row), startOf(row, rowWords)));
  }
  return larger;
}

/** Ids are hashes already: their first word spreads as well as anything. */
function hashOf(words: Uint32Array): number {
  return words[0] ?? 0;
}

const scratch = new Uint32Array(idWords);
const scratchBytes = Buffer.from(scratch.buffer);

/** The words of an id; valid until the next call. */
function wordsOf(id: string): Uint32Array {
  scratchBytes.write(id, 'hex');
  return scratch;
}

function textOf<Kind extends BlobId | PackId>(segment: Uint32Array, start: number): Kind {
  scratch.set(segment.subarray(start, start + idWords));
  return scratchBytes.toString('hex') as Kind;
}

function typeBit(type: BlobType): number {
  return type === 'tree' ? 1 : 0;
}

function startOf(row: number, words: number): number {
  return (row & (segmentRows - 1)) * words;
}

function segmentOf(segments: readonly Uint32Array[], row: number): Uint32Array {
  const segment = segments[row >> segmentBits];
  if (segment === undefined) throw new RangeError('The index was shared before this blob was inserted.');
  return segment;
}

function at(words: Uint32Array, position: number): number {
  return words[position] ?? 0;
}
