import { AppError, isAppError } from '../../errors.ts';
import { decrypt, encrypt, type MasterKey } from './envelope.ts';
import { goJson } from './go-json.ts';
import { type AnyId, idOf } from './ids.ts';
import { type JsonObject, parseJsonObject } from './json-shape.ts';
import { compress, decompressUpTo, decompressUpToElsewhere } from './zstd.ts';

/** A file outside the packs (index, snapshot, lock): its name is the hash of its bytes. */
export interface SealedFile<Kind extends AnyId> {
  readonly id: Kind;
  readonly bytes: Buffer;
}

const compressedMark = 2;
/** An index file of 50,000 blobs, as other programs write them, has 10 MB. */
const mostBytes = 64 * 1024 * 1024;

/** Seals a JSON document as a file of its own: 0x02, zstd frame, envelope. Opened again before it is handed out. */
export function sealFile<Kind extends AnyId>(key: MasterKey, document: unknown): SealedFile<Kind> {
  const json = Buffer.from(goJson(document));
  const bytes = encrypt(key, Buffer.concat([Buffer.of(compressedMark), compress(json)]));
  if (!openFrame(key, bytes).equals(json)) throw new Error('A sealed file does not open to what was sealed.');
  return { id: idOf<Kind>(bytes), bytes };
}

/** What `read` makes of the JSON document of a file whose name is its id. Throws `repository/damaged`, with the name of the file. */
export function openSealedFile<T>(
  key: MasterKey,
  { id, bytes, what }: { id: AnyId; bytes: Uint8Array; what: string },
  read: (json: JsonObject) => T,
): T {
  requireId(id, bytes, what);
  try {
    return read(parseJsonObject(openFrame(key, bytes), what));
  } catch (error) {
    throw unread(error, id, what);
  }
}

/** Longer ones are unpacked in another thread. */
const unpackedHere = 64 * 1024;

/** The same with the text of the document, which may be a long one. */
export async function unpackSealedFile<T>(
  key: MasterKey,
  { id, bytes, what }: { id: AnyId; bytes: Uint8Array; what: string },
  read: (text: Buffer) => Promise<T>,
): Promise<T> {
  requireId(id, bytes, what);
  try {
    return await read(await unpack(key, bytes));
  } catch (error) {
    throw unread(error, id, what);
  }
}

async function unpack(key: MasterKey, bytes: Uint8Array): Promise<Buffer> {
  if (bytes.length <= unpackedHere) return openFrame(key, bytes);
  const content = decrypt(key, bytes);
  return content[0] === compressedMark ? decompressUpToElsewhere(content.subarray(1), mostBytes) : plainFrame(content);
}

/** It has not changed since it was written: another repository's has come here, or a program wrote what is not known here. */
function unread(cause: unknown, id: AnyId, what: string): unknown {
  if (!isAppError(cause, 'repository/damaged')) return cause;
  return new AppError(
    'repository/damaged',
    `The ${what} ${id} cannot be read: it is of another repository, or holds what is not known here.`,
    { cause, detail: { file: id } },
  );
}

function requireId(id: AnyId, bytes: Uint8Array, what: string): void {
  if (idOf(bytes) !== id)
    throw new AppError('repository/damaged', `The ${what} ${id} is not what its name says.`, { detail: { file: id } });
}

function openFrame(key: MasterKey, bytes: Uint8Array): Buffer {
  const content = decrypt(key, bytes);
  return content[0] === compressedMark ? decompressUpTo(content.subarray(1), mostBytes) : plainFrame(content);
}

function plainFrame(content: Buffer): Buffer {
  if (content[0] === 0x5b || content[0] === 0x7b) return content;
  throw new AppError('repository/damaged', 'A file of the repository is in a form that version 2 does not have.');
}
