import { isAppError } from '../../errors.ts';
import { openBlob, type PackedBlob } from '../format/blob.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { decodePackHeader, headerLength, headerLengthBytes, packIdOf } from '../format/pack-header.ts';
import type { Finding } from './finding.ts';
import type { Repository } from './repository.ts';

/** Reads a pack whole: its name, every blob, and its header against the index. One bad read is no damage: it is read once more. */
export async function checkPack(repository: Repository, pack: IndexedPack): Promise<Finding[]> {
  const findings = await readPack(repository, pack);
  return findings.length === 0 ? findings : readPack(repository, pack);
}

async function readPack(repository: Repository, { id, blobs }: IndexedPack): Promise<Finding[]> {
  const bytes = await loadPack(repository, id);
  if (bytes === undefined) return [finding(id, blobs, 'is missing or shorter than it was')];
  const broken = blobs.filter((blob) => !opens(repository, bytes, blob));
  if (broken.length > 0)
    return [finding(id, broken, `is damaged: ${broken.length} of its ${blobs.length} blobs do not open`)];
  if (!headerAgrees(repository, bytes, blobs)) return [finding(id, [], 'has a header that says other than the index')];
  if (packIdOf(bytes) !== id) return [finding(id, [], 'holds other bytes than its name says; its blobs are whole')];
  return [];
}

async function loadPack({ backend }: Repository, id: IndexedPack['id']): Promise<Buffer | undefined> {
  return backend.load('data', id).catch((error: unknown) => {
    if (isAppError(error, 'store/not-found') || isAppError(error, 'repository/damaged')) return undefined;
    throw error;
  });
}

function opens({ masterKey }: Repository, pack: Buffer, blob: PackedBlob): boolean {
  return !isDamage(() =>
    openBlob(masterKey, blob.id, pack.subarray(blob.offset, blob.offset + blob.length), blob.uncompressedLength),
  );
}

function headerAgrees({ masterKey }: Repository, pack: Buffer, blobs: readonly PackedBlob[]): boolean {
  let listed: PackedBlob[] = [];
  const broken = isDamage(() => {
    const end = pack.length - headerLengthBytes;
    listed = decodePackHeader(masterKey, pack.subarray(Math.max(0, end - headerLength(pack)), end));
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
