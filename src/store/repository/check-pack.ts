import { createHash } from 'node:crypto';
import { countWords } from '../../count-words.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Backend, ByteRange } from '../backend/backend.ts';
import { type OpeningBuffers, openingBuffers, type PackedBlob, proveBlob } from '../format/blob.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { decodePackHeader, headerLength, headerLengthBytes } from '../format/pack-header.ts';
import type { ReadMemory } from '../format/read-memory.ts';
import type { Finding } from './finding.ts';
import { loadUnlessFaulty } from './load-unless-faulty.ts';
import type { Repository } from './repository.ts';

/** A part of a pack. No blob reaches beyond it, unless the pack is shorter than its index says. */
export interface PackPiece {
  readonly offset: number;
  readonly length: number;
  readonly blobs: readonly PackedBlob[];
}

/** Looks at the pieces of one pack, `piecesOf`, in their order. */
export interface Examination extends Disposable {
  /** Settles when the bytes of the next piece, which are given away, have been looked at. */
  add(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What is wrong with the pack, once all of its pieces were added. */
  end(): Promise<Finding[]>;
}

/** What examines packs, and the memory that their pieces are read to. */
export interface PackExaminer {
  /** Begins a pack of this many bytes. */
  examine(pack: IndexedPack, size: number): Examination;
  readonly memory: ReadMemory;
  /** Into what pieces packs are divided, in bytes; blobs that are longer by themselves, and the header, are not. */
  readonly longestPiece: number;
}

/** What a thread does next: it begins to examine a pack, examines the next piece of one or, without bytes, ends. */
export interface ExaminingTask {
  readonly number: number;
  readonly begin?: { readonly pack: IndexedPack; readonly size: number; readonly longestPiece: number } | undefined;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** What it answers: the memory of a piece, to be used again, or what is wrong with the pack. */
export type ExaminingAnswer = { readonly memory: ArrayBuffer } | { readonly findings: Finding[] };

/** Of a store that is near, packs are read in pieces, which take less memory; another one is asked once for each pack. */
export function longestPieceOf({ isNear }: Pick<Backend, 'isNear'>): number {
  return isNear ? 2 * 1024 * 1024 : Number.POSITIVE_INFINITY;
}

/**
 * Reads a pack whole: its name, every blob, and its header against the index. One bad read is no damage: it is read once more. Of packs
 * that are checked one after the other, the examiner and the size are given.
 */
export async function checkPack(
  repository: Pick<Repository, 'backend' | 'masterKey'>,
  pack: IndexedPack,
  many?: { readonly examiner: PackExaminer; readonly size: number },
): Promise<Finding[]> {
  const readAlone = async () => {
    const bytes = await loadPack(repository.backend, pack.id);
    return bytes === undefined ? [lost(pack)] : examinePack(repository.masterKey, pack, bytes);
  };
  const read = () => (many === undefined ? readAlone() : readPack(repository, pack, many));
  const findings = await read();
  return findings.length === 0 ? findings : read();
}

/** The same by one reading. The next piece is read while the last one is examined. */
export async function readPack(
  { backend }: Pick<Repository, 'backend'>,
  pack: IndexedPack,
  { examiner, size }: { readonly examiner: PackExaminer; readonly size: number },
): Promise<Finding[]> {
  using examination = examiner.examine(pack, size);
  let examined = Promise.resolve();
  for (const piece of piecesOf(pack.blobs, size, examiner.longestPiece)) {
    const load = (place: ArrayBuffer) => loadPack(backend, pack.id, piece, place);
    const bytes = await examiner.memory.fill(piece.length, load);
    if (bytes === undefined) return [lost(pack)];
    await examined;
    examined = examination.add(bytes);
    examined.catch(() => undefined);
  }
  await examined;
  return await examination.end();
}

/** What is wrong with a pack that has these bytes: its blobs, its header against the index, its name. */
export function examinePack(key: MasterKey, pack: IndexedPack, bytes: Uint8Array): Finding[] {
  const { add, end } = examineHere(key, pack, { size: bytes.length });
  add(bytes);
  return end();
}

/** The same in the calling thread, piece after piece of a pack of so many bytes. What is found does not depend on how it was divided. */
export function examineHere(
  key: MasterKey,
  { id, blobs }: IndexedPack,
  {
    size,
    longestPiece = Number.POSITIVE_INFINITY,
    buffers = openingBuffers(),
  }: { readonly size: number; readonly longestPiece?: number; readonly buffers?: OpeningBuffers },
) {
  const pieces = piecesOf(blobs, size, longestPiece);
  const whole = createHash('sha256');
  const unopened = new Set<string>();
  let isHeaderRight = false;
  return {
    add(bytes: Uint8Array): void {
      const { value: piece } = pieces.next();
      if (piece === undefined) throw new RangeError('A pack has no more pieces than it was divided into.');
      const { offset: from, blobs: here } = piece;
      const sealedOf = ({ offset, length }: PackedBlob) => bytes.subarray(offset - from, offset - from + length);
      for (const blob of here)
        if (isDamage(() => proveBlob(key, blob, sealedOf(blob), buffers))) unopened.add(spell(blob));
      whole.update(bytes);
      if (from + bytes.length === size) isHeaderRight = headerAgrees(key, bytes, blobs);
    },
    end(): Finding[] {
      const broken = blobs.filter((blob) => unopened.size > 0 && unopened.has(spell(blob)));
      if (broken.length > 0)
        return [
          finding(
            id,
            broken,
            `is damaged: ${broken.length} of its ${countWords(blobs.length, 'blob')} ${broken.length === 1 ? 'does' : 'do'} not open`,
          ),
        ];
      if (!isHeaderRight) return [finding(id, [], 'has a header that says other than the index')];
      if (whole.digest('hex') !== id)
        return [finding(id, [], 'holds other bytes than its name says; its blobs are intact')];
      return [];
    },
  };
}

/** All bytes of a pack of this size, in pieces that end between blobs, the last one with the header. */
export function* piecesOf(
  blobs: readonly PackedBlob[],
  size: number,
  longestPiece: number,
): Generator<PackPiece, void> {
  let from = 0;
  let end = 0;
  let held: PackedBlob[] = [];
  for (const blob of blobs.toSorted((a, b) => a.offset - b.offset)) {
    const next = Math.min(size, blob.offset + blob.length);
    if (blob.offset >= end && end > from && next - from > longestPiece) {
      yield { offset: from, length: end - from, blobs: held };
      from = end;
      held = [];
    }
    held.push(blob);
    end = Math.max(end, next);
  }
  yield { offset: from, length: size - from, blobs: held };
}

async function loadPack(
  backend: Backend,
  id: IndexedPack['id'],
  range?: ByteRange,
  memory?: ArrayBuffer,
): Promise<Buffer | undefined> {
  const bytes = await loadUnlessFaulty(backend, { type: 'data', name: id, range, memory });
  return bytes instanceof AppError ? undefined : bytes;
}

function headerAgrees(key: MasterKey, pack: Uint8Array, blobs: readonly PackedBlob[]): boolean {
  let listed: PackedBlob[] = [];
  const broken = isDamage(() => {
    const end = pack.length - headerLengthBytes;
    listed = decodePackHeader(key, pack.subarray(Math.max(0, end - headerLength(pack)), end));
  });
  const inOrder = blobs.toSorted((a, b) => a.offset - b.offset);
  return !broken && listed.map(spell).join() === inOrder.map(spell).join();
}

function spell({ type, id, offset, length, uncompressedLength }: PackedBlob): string {
  return [type, id, offset, length, uncompressedLength].join(' ');
}

function isDamage(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (isAppError(error, 'repository/damaged')) return true;
    throw error;
  }
}

function lost({ id, blobs }: IndexedPack): Finding {
  return finding(id, blobs, 'is missing, shorter than it was, or cannot be read from the store');
}

function finding(packId: IndexedPack['id'], blobs: readonly PackedBlob[], what: string): Finding {
  return { kind: 'pack-damaged', severity: 'error', packId, blobs, message: `The pack ${packId} ${what}.` };
}
