import { isAppError } from '../../errors.ts';
import { openPacks } from '../archiver/open-packs.ts';
import type { Backend } from '../backend/backend.ts';
import { openBlob, type PackedBlob } from '../format/blob.ts';
import type { PackId } from '../format/ids.ts';
import type { FinishedPack } from '../format/pack.ts';
import { decodeEntries, decodePackHeader, headerLength, headerLengthBytes } from '../format/pack-header.ts';
import type { MasterIndex } from '../repository/master-index.ts';
import type { Repository } from '../repository/repository.ts';

interface Salvage {
  /** Where the new packs are made known. */
  readonly index: MasterIndex;
  /** Absent where nothing is to be written. */
  readonly save: Backend['save'] | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Copies every blob of these packs that opens into new packs, and answers how many did. */
export async function salvagePacks(
  repository: Repository,
  packIds: readonly PackId[],
  { index, save, signal }: Salvage,
): Promise<number> {
  const finished: FinishedPack[] = [];
  const packs = openPacks(repository.masterKey, (pack) => finished.push(pack));
  const saved = new Set<string>();
  const saveFinished = async () => {
    for (let pack = finished.shift(); pack !== undefined; pack = finished.shift()) {
      signal?.throwIfAborted();
      await save?.('data', pack.id, pack.bytes);
      index.insertPack(pack.id, decodeEntries(pack.entries));
    }
  };
  for (const packId of packIds) {
    signal?.throwIfAborted();
    for await (const { blob, sealed } of intactBlobs(repository, packId)) {
      const { type, id, uncompressedLength } = blob;
      if (saved.has(type + id)) continue;
      saved.add(type + id);
      packs.add({ type, id, sealed, ...(uncompressedLength !== undefined && { uncompressedLength }) });
      await saveFinished();
    }
  }
  packs.finish();
  await saveFinished();
  return saved.size;
}

/** A blob that does not open is read once more, alone: a bad read is no damage. */
async function* intactBlobs({ backend, masterKey, index }: Repository, packId: PackId) {
  const pack = await backend.load('data', packId).catch(undefinedIfDamaged);
  if (pack === undefined) return;
  for (const blob of blobsOf(index.pack(packId).blobs, listedIn(masterKey, pack))) {
    const { offset, length } = blob;
    const whole = pack.subarray(offset, offset + length);
    if (opens(masterKey, blob, whole)) yield { blob, sealed: whole };
    else {
      const again = await backend.load('data', packId, { offset, length }).catch(undefinedIfDamaged);
      if (again !== undefined && opens(masterKey, blob, again)) yield { blob, sealed: again };
    }
  }
}

/** The blobs that the index names or the header, or both; what does not lie where one of them says does not open. */
function blobsOf(indexed: readonly PackedBlob[], listed: readonly PackedBlob[]): Iterable<PackedBlob> {
  const spell = (blob: PackedBlob) => [blob.type, blob.id, blob.offset, blob.length, blob.uncompressedLength].join(' ');
  return new Map([...listed, ...indexed].map((blob) => [spell(blob), blob])).values();
}

function listedIn(masterKey: Repository['masterKey'], pack: Buffer): readonly PackedBlob[] {
  try {
    const end = pack.length - headerLengthBytes;
    return decodePackHeader(masterKey, pack.subarray(Math.max(0, end - headerLength(pack)), end));
  } catch (error) {
    undefinedIfDamaged(error);
    return [];
  }
}

function opens(masterKey: Repository['masterKey'], { id, uncompressedLength }: PackedBlob, sealed: Buffer): boolean {
  try {
    openBlob(masterKey, id, sealed, uncompressedLength);
    return true;
  } catch (error) {
    undefinedIfDamaged(error);
    return false;
  }
}

/** Undefined where what was asked for is damaged or gone; whatever else went wrong is passed on. */
export function undefinedIfDamaged(error: unknown): undefined {
  if (isAppError(error, 'store/not-found') || isAppError(error, 'repository/damaged')) return undefined;
  throw error;
}
