import { isAppError } from '../../errors.ts';
import type { Backend, ByteRange } from '../backend/backend.ts';
import { openingBuffers, type PackedBlob, proveBlob } from '../format/blob.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { decodePackHeader, headerLength, headerLengthBytes, packIdOf } from '../format/pack-header.ts';
import type { ReadMemory } from '../format/read-memory.ts';
import type { Finding } from './finding.ts';
import type { Repository } from './repository.ts';

/** Says what is wrong with a pack that has these bytes, which are given away. */
export type ExaminePack = (pack: IndexedPack, bytes: Uint8Array<ArrayBuffer>) => Promise<Finding[]>;

/** What examines packs, and the memory that they are read to. */
export interface PackExaminer {
  readonly examine: ExaminePack;
  readonly memory: ReadMemory;
}

/** What a thread answers: what is wrong, and the memory of the pack to be used again. */
export interface ExaminingAnswer {
  readonly findings: Finding[];
  readonly memory: ArrayBuffer;
}

/** The same, to be done in another thread. */
export interface ExaminingTask {
  readonly pack: IndexedPack;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a pack whole: its name, every blob, and its header against the index. One bad read is no damage: it is read once more. Of packs
 * that are checked one after the other, the examiner and the size are given.
 */
export async function checkPack(
  { backend, masterKey }: Pick<Repository, 'backend' | 'masterKey'>,
  pack: IndexedPack,
  many?: { readonly examiner: PackExaminer; readonly size: number },
): Promise<Finding[]> {
  const lost = () => [finding(pack.id, pack.blobs, 'is missing or shorter than it was')];
  const readAlone = async () => {
    const bytes = await loadPack(backend, pack.id);
    return bytes === undefined ? lost() : examinePack(masterKey, pack, bytes);
  };
  const readAmongMany = async ({ examiner: { examine, memory }, size: length }: NonNullable<typeof many>) => {
    const bytes = await memory.fill(length, (place) => loadPack(backend, pack.id, { offset: 0, length }, place));
    return bytes === undefined ? lost() : examine(pack, bytes);
  };
  const read = () => (many === undefined ? readAlone() : readAmongMany(many));
  const findings = await read();
  return findings.length === 0 ? findings : read();
}

/** What is wrong with a pack that has these bytes: its blobs, its header against the index, its name. */
export function examinePack(
  key: MasterKey,
  { id, blobs }: IndexedPack,
  bytes: Uint8Array,
  buffers = openingBuffers(),
): Finding[] {
  const sealedOf = ({ offset, length }: PackedBlob) => bytes.subarray(offset, offset + length);
  const broken = blobs.filter((blob) => isDamage(() => proveBlob(key, blob, sealedOf(blob), buffers)));
  if (broken.length > 0)
    return [finding(id, broken, `is damaged: ${broken.length} of its ${blobs.length} blobs do not open`)];
  if (!headerAgrees(key, bytes, blobs)) return [finding(id, [], 'has a header that says other than the index')];
  if (packIdOf(bytes) !== id) return [finding(id, [], 'holds other bytes than its name says; its blobs are whole')];
  return [];
}

async function loadPack(
  backend: Backend,
  id: IndexedPack['id'],
  range?: ByteRange,
  memory?: ArrayBuffer,
): Promise<Buffer | undefined> {
  return backend.load('data', id, range, memory).catch((error: unknown) => {
    if (isAppError(error, 'store/not-found') || isAppError(error, 'repository/damaged')) return undefined;
    throw error;
  });
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

function finding(packId: IndexedPack['id'], blobs: readonly PackedBlob[], what: string): Finding {
  return { kind: 'pack-damaged', severity: 'error', packId, blobs, message: `The pack ${packId} ${what}.` };
}
