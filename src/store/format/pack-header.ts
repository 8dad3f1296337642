import { AppError } from '../../errors.ts';
import type { PackedBlob } from './blob.ts';
import { decrypt, encrypt, envelopeOverhead, type MasterKey } from './envelope.ts';
import { type BlobType, idOf, type PackId, parseId } from './ids.ts';

/** What the header says of a blob; offsets follow from the order, since a pack has no gaps. */
export type HeaderEntry = Pick<PackedBlob, 'type' | 'id' | 'length' | 'uncompressedLength'>;

/** Bytes of the length field at the end of a pack. */
export const headerLengthBytes = 4;
/** The longest header that readers accept. */
const longestHeader = 16 * 1024 * 1024;

const plainEntry = 37;
const compressedEntry = 41;
/** Bytes that a blob takes in the header, at most. */
export const longestEntry = compressedEntry;
const kinds: readonly { type: BlobType; compressed: boolean }[] = [
  { type: 'data', compressed: false },
  { type: 'tree', compressed: false },
  { type: 'data', compressed: true },
  { type: 'tree', compressed: true },
];

/** The end of a pack whose blobs these are: header envelope and its length. Opened again before it is handed out. */
export function encodePackHeader(key: MasterKey, plaintext: Uint8Array): Buffer {
  const envelope = encrypt(key, plaintext);
  if (!decrypt(key, envelope).equals(plaintext)) throw damaged('does not open after it was sealed');
  const length = Buffer.alloc(headerLengthBytes);
  length.writeUInt32LE(envelope.length);
  return Buffer.concat([envelope, length]);
}

/** The length of the header envelope, from the last four bytes of a pack. Throws `repository/damaged`. */
export function headerLength(tail: Uint8Array): number {
  if (tail.length < headerLengthBytes) throw damaged('is missing');
  const length = new DataView(tail.buffer, tail.byteOffset + tail.length - headerLengthBytes).getUint32(0, true);
  if (length < envelopeOverhead + plainEntry || length > longestHeader) throw damaged('has an impossible length');
  return length;
}

/** The blobs that a header envelope lists, with their places in the pack. Throws `repository/damaged`. */
export function decodePackHeader(key: MasterKey, envelope: Uint8Array): PackedBlob[] {
  return decodeEntries(decrypt(key, envelope));
}

/** The blobs of entries that follow each other. Throws `repository/damaged`. */
export function decodeEntries(entries: Uint8Array): PackedBlob[] {
  const plaintext = Buffer.from(entries.buffer, entries.byteOffset, entries.length);
  const blobs: PackedBlob[] = [];
  let offset = 0;
  for (let at = 0; at < plaintext.length; ) {
    const { entry, bytes } = decodeEntry(plaintext, at);
    blobs.push({ ...entry, offset });
    offset += entry.length;
    at += bytes;
  }
  return blobs;
}

/** Bytes that these blobs take in the header, before it is sealed. */
function headerBytes(blobs: Iterable<{ readonly uncompressedLength?: number | undefined }>): number {
  let bytes = 0;
  for (const blob of blobs) bytes += blob.uncompressedLength === undefined ? plainEntry : compressedEntry;
  return bytes;
}

/** The exact size of a pack of these blobs; any other size on the store means damage. */
export function packSize(blobs: readonly HeaderEntry[]): number {
  return blobs.reduce((sum, blob) => sum + blob.length, headerLengthBytes + envelopeOverhead + headerBytes(blobs));
}

/** The name of a pack whose whole content is given. */
export const packIdOf = idOf<PackId>;

/** What the header of a pack says of one blob. */
export function encodeEntry({ type, id, length, uncompressedLength }: HeaderEntry): Buffer {
  const compressed = uncompressedLength !== undefined;
  const entry = Buffer.allocUnsafe(compressed ? compressedEntry : plainEntry);
  entry[0] = kinds.findIndex((kind) => kind.type === type && kind.compressed === compressed);
  entry.writeUInt32LE(length, 1);
  if (compressed) entry.writeUInt32LE(uncompressedLength, 5);
  entry.write(id, entry.length - 32, 'hex');
  return entry;
}

function decodeEntry(header: Buffer, at: number): { entry: HeaderEntry; bytes: number } {
  const kind = kinds[header[at] ?? kinds.length];
  if (kind === undefined) throw damaged('lists a blob of an unknown kind');
  const bytes = kind.compressed ? compressedEntry : plainEntry;
  if (at + bytes > header.length) throw damaged('ends in the middle of an entry');
  const entry = {
    type: kind.type,
    id: parseId<PackedBlob['id']>(header.toString('hex', at + bytes - 32, at + bytes)),
    length: header.readUInt32LE(at + 1),
    ...(kind.compressed ? { uncompressedLength: header.readUInt32LE(at + 5) } : {}),
  };
  return { entry, bytes };
}

function damaged(what: string): AppError {
  return new AppError('repository/damaged', `The header of a pack ${what}.`);
}
