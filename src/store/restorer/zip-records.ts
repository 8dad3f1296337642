/**
 * The records of a zip file (PKWARE APPNOTE 6.3.3): UTF-8 names, Unix modes, times in seconds, and the 64-bit forms where a number
 * does not fit 32 bits.
 */

export interface ZipEntry {
  /** Joined by '/'; folders end in '/'. */
  readonly name: string;
  /** Unix type and permission bits. */
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly method: 'stored' | 'deflated';
}

export interface ZipSizes {
  readonly crc: number;
  /** Bytes in the zip file. */
  readonly packed: number;
  readonly size: number;
}

/** What the central directory says of an entry that was written. */
export interface WrittenEntry extends ZipEntry, ZipSizes {
  /** Where its local header begins. */
  readonly offset: number;
  readonly described: boolean;
}

const max32 = 0xffffffff;
const max16 = 0xffff;

/** The header before the content. Without sizes, a descriptor after the content has them; `large` then says that they may need 64 bits. */
export function localHeader(entry: ZipEntry, { sizes, large = false }: { sizes?: ZipSizes; large?: boolean }): Buffer {
  const name = Buffer.from(entry.name);
  const extra = Buffer.concat([timeExtra(entry), ...(large ? [large64Extra([0, 0])] : [])]);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  writeCommon(header, 4, entry, { sizes, version: large ? 45 : 20, described: sizes === undefined });
  if (large) header.fill(0xff, 18, 26);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

/** After content whose header had no sizes. */
export function dataDescriptor({ crc, packed, size }: ZipSizes, { large }: { large: boolean }): Buffer {
  const record = Buffer.alloc(large ? 24 : 16);
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(crc, 4);
  if (large) {
    record.writeBigUInt64LE(BigInt(packed), 8);
    record.writeBigUInt64LE(BigInt(size), 16);
  } else {
    record.writeUInt32LE(packed, 8);
    record.writeUInt32LE(size, 12);
  }
  return record;
}

/** One entry of the directory at the end. */
export function centralHeader(entry: WrittenEntry): Buffer {
  const name = Buffer.from(entry.name);
  const wide = [entry.size, entry.packed, entry.offset].filter((value) => value >= max32);
  const extra = Buffer.concat([timeExtra(entry), ...(wide.length > 0 ? [large64Extra(wide)] : [])]);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE((3 << 8) | 45, 4);
  writeCommon(header, 6, entry, { sizes: entry, version: wide.length > 0 ? 45 : 20, described: entry.described });
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(entry.mode * 0x10000 + (entry.name.endsWith('/') ? 0x10 : 0), 38);
  header.writeUInt32LE(Math.min(entry.offset, max32), 42);
  return Buffer.concat([header, name, extra]);
}

/** The end of the file; `offset` and `size` are those of the directory. */
export function endOfDirectory(count: number, offset: number, size: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, max16), 8);
  end.writeUInt16LE(Math.min(count, max16), 10);
  end.writeUInt32LE(Math.min(size, max32), 12);
  end.writeUInt32LE(Math.min(offset, max32), 16);
  const fits = count < max16 && offset < max32 && size < max32;
  return fits ? end : Buffer.concat([endOfDirectory64(count, offset, size), end]);
}

function endOfDirectory64(count: number, offset: number, size: number): Buffer {
  const end = Buffer.alloc(56 + 20);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE((3 << 8) | 45, 12);
  end.writeUInt16LE(45, 14);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(size), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(offset + size), 64);
  end.writeUInt32LE(1, 72);
  return end;
}

/** The fields that local and central headers share, from "version needed" to the sizes. */
function writeCommon(
  header: Buffer,
  at: number,
  entry: ZipEntry,
  { sizes, version, described }: { sizes: ZipSizes | undefined; version: number; described: boolean },
): void {
  const { date, time } = dosTime(entry.mtime);
  header.writeUInt16LE(version, at);
  header.writeUInt16LE((1 << 11) | (described ? 1 << 3 : 0), at + 2);
  header.writeUInt16LE(entry.method === 'deflated' ? 8 : 0, at + 4);
  header.writeUInt16LE(time, at + 6);
  header.writeUInt16LE(date, at + 8);
  header.writeUInt32LE(sizes?.crc ?? 0, at + 10);
  header.writeUInt32LE(Math.min(sizes?.packed ?? 0, max32), at + 14);
  header.writeUInt32LE(Math.min(sizes?.size ?? 0, max32), at + 18);
}

/** Two-second steps since 1980, here in UTC. Readers of the extended time get the exact moment in every zone. */
function dosTime(seconds: number): { date: number; time: number } {
  const at = new Date(Math.min(Math.max(seconds, 315_532_800), 4_354_819_198) * 1000);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  return { date, time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1) };
}

function timeExtra({ mtime }: ZipEntry): Buffer {
  const seconds = Math.floor(mtime);
  if (!(Math.abs(seconds) < 2 ** 31)) return Buffer.of();
  const extra = Buffer.alloc(9);
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(5, 2);
  extra.writeUInt8(1, 4);
  extra.writeInt32LE(seconds, 5);
  return extra;
}

function large64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return extra;
}
