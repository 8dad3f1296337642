/**
 * The data blobs that a sealer of this run has claimed to store: a set of ids in memory that all threads share, so that a blob
 * that occurs twice is stored once. Open addressing; a lock of Atomics.wait around each claim keeps it exact.
 *
 * Words (Int32): 0 lock, 1 count, 2 slots; then the slots of 32 bytes, all zero where free.
 */

const lock = 0;
const count = 1;
const slots = 2;
const headerBytes = 16;
const idBytes = 32;
const firstSlots = 1024;
/** 16 million blobs; the pages are the system's until they are touched. */
const mostBytes = headerBytes + idBytes * 32 * 1024 * 1024;

/** Memory for the claimed blobs of one run, to be handed to each thread. */
export function createClaimedBlobs(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(headerBytes + firstSlots * idBytes, { maxByteLength: mostBytes });
  new Int32Array(memory)[slots] = firstSlots;
  return memory;
}

/** Claims a blob by its hex id: true only once for each id, and then the caller stores it. */
export function openClaimedBlobs(memory: SharedArrayBuffer): (id: string) => boolean {
  const header = new Int32Array(memory, 0, headerBytes / 4);
  const table = new Uint8Array(memory, headerBytes);
  return (id) => {
    const bytes = Buffer.from(id, 'hex');
    acquire(header);
    try {
      return insert(memory, header, table, bytes);
    } finally {
      release(header);
    }
  };
}

function insert(memory: SharedArrayBuffer, header: Int32Array, table: Uint8Array, id: Buffer): boolean {
  if ((header[count] ?? 0) * 4 > (header[slots] ?? 0) * 3) double(memory, header, table);
  const at = findSlot(table, header[slots] ?? 0, id);
  if (!isFree(table, at)) return false;
  table.set(id, at);
  header[count] = (header[count] ?? 0) + 1;
  return true;
}

/** Where the id stands, or the free slot where it belongs. */
function findSlot(table: Uint8Array, total: number, id: Buffer): number {
  for (let slot = id.readUInt32LE(0) % total; ; slot = (slot + 1) % total) {
    const at = slot * idBytes;
    if (isFree(table, at) || id.compare(table, at, at + idBytes) === 0) return at;
  }
}

/** An id that begins with eight zero bytes does not occur. */
function isFree(table: Uint8Array, at: number): boolean {
  for (let byte = at; byte < at + 8; byte++) if (table[byte] !== 0) return false;
  return true;
}

function double(memory: SharedArrayBuffer, header: Int32Array, table: Uint8Array): void {
  const before = header[slots] ?? 0;
  const ids = Buffer.from(table.slice(0, before * idBytes));
  memory.grow(headerBytes + 2 * before * idBytes);
  table.fill(0, 0, before * idBytes);
  header[slots] = 2 * before;
  for (let at = 0; at < ids.length; at += idBytes) {
    const id = ids.subarray(at, at + idBytes);
    if (!isFree(id, 0)) table.set(id, findSlot(table, 2 * before, id));
  }
}

function acquire(header: Int32Array): void {
  while (Atomics.compareExchange(header, lock, 0, 1) !== 0) Atomics.wait(header, lock, 1);
}

function release(header: Int32Array): void {
  Atomics.store(header, lock, 0);
  Atomics.notify(header, lock, 1);
}
