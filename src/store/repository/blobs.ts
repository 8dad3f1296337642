import { AppError, isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import { openBlobInPieces } from '../format/blob.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { BlobId, BlobIdOf, BlobType, TreeId } from '../format/ids.ts';
import { decodeTreeInPieces, type Tree } from '../format/tree.ts';
import { createCache } from './cache.ts';
import { repositoryExists } from './exists.ts';
import { isFaultOfFile, loadUnlessFaulty } from './load-unless-faulty.ts';
import type { FoundBlob, MasterIndex } from './master-index.ts';
import { type PlannedRead, planReads, type Wanted, windowsOf } from './read-plan.ts';

export type LoadedBlob =
  | { readonly id: BlobId; readonly bytes: Buffer }
  | { readonly id: BlobId; readonly error: AppError };

/** Reading what the packs hold; every blob is proved to be what its id says. */
export interface Blobs {
  /** Throws `repository/damaged`, naming the pack, when no copy of the blob is whole, and `store/unavailable` where all of the repository is gone. */
  loadBlob<Type extends BlobType>(type: Type, id: BlobIdOf<Type>): Promise<Buffer>;
  /**
   * The blobs in the order asked for, a damaged one as an error in its place. Neighbours in a pack are read together, the next few MiB
   * while the last ones are being used; no more than about 32 MiB is held.
   */
  loadBlobs<Type extends BlobType>(type: Type, ids: Iterable<BlobIdOf<Type>>): AsyncIterable<LoadedBlob>;
  /**
   * The reads, pack by pack and of a few MiB each, that bring each of these blobs once. Ids that no index knows are left out. For who
   * takes blobs in any order, and opens them elsewhere.
   */
  planReads(type: BlobType, ids: Iterable<BlobId>): readonly PlannedRead[];
  /** The bytes of a read, still sealed, in `memory` where that is possible; undefined where the pack is missing or too short. */
  readSealed(read: PlannedRead, memory?: ArrayBuffer): Promise<Buffer | undefined>;
  /** A folder; recent ones are cached, and all who ask for one at a time share its reading. Throws `repository/damaged`. */
  loadTree(id: TreeId): Promise<Tree>;
}

export interface BlobsOptions {
  /** Bytes of folders, as they are stored, that are kept in memory decoded. */
  readonly cachedTreeBytes?: number | undefined;
  /** Another program may have moved what an index named. */
  readonly readNewIndexes: () => Promise<boolean>;
}

/** Reads blobs by the index given. Whatever is missing is looked for again in new indexes before it is reported. */
export function createBlobs(
  backend: Backend,
  masterKey: MasterKey,
  index: MasterIndex,
  { cachedTreeBytes = 16 * 1024 * 1024, readNewIndexes }: BlobsOptions,
): Blobs {
  const reader: Reader = {
    backend,
    masterKey,
    index,
    countFault: openFaultCount(),
    lookAgain: openLookAgain(readNewIndexes),
  };
  const trees = createCache<TreeId, Tree>(cachedTreeBytes);
  const underWay = new Map<TreeId, Promise<Tree>>();
  const readTree = async (id: TreeId) => {
    const bytes = await loadBlob(reader, 'tree', id);
    const tree = await decodeTreeInPieces(bytes);
    trees.set(id, tree, bytes.length);
    return tree;
  };
  return {
    loadBlob: (type, id) => loadBlob(reader, type, id),
    loadBlobs: (type, ids) => loadBlobs(reader, type, ids),
    planReads: (type, ids) =>
      planReads(
        Array.from(ids, (id) => ({ id, at: index.find(type, id) })),
        longestRead,
      ),
    readSealed: (read, memory) => readSealed(reader, read, memory),
    loadTree: async (id) => {
      const kept = trees.get(id);
      if (kept !== undefined) return kept;
      const reading = underWay.get(id) ?? readTree(id).finally(() => underWay.delete(id));
      underWay.set(id, reading);
      return reading;
    },
  };
}

const longestRead = 4 * 1024 * 1024;

interface Reader {
  readonly backend: Backend;
  readonly masterKey: MasterKey;
  readonly index: MasterIndex;
  /** Throws what the store failed to give once that was too often. */
  readonly countFault: (error: AppError) => void;
  /** Told where a blob was not found as the index said: reads what other programs have named since. */
  readonly lookAgain: (at: string) => Promise<void>;
}

/** Looks at the index files anew for what is missing, but only once for the same place until something new was found. */
function openLookAgain(readNewIndexes: () => Promise<boolean>): Reader['lookAgain'] {
  const inVain = new Set<string>();
  let looking: Promise<boolean> | undefined;
  return async (at) => {
    if (inVain.has(at)) return;
    looking ??= readNewIndexes().finally(() => {
      looking = undefined;
    });
    if (await looking) inVain.clear();
    else inVain.add(at);
  };
}

async function loadBlob(reader: Reader, type: BlobType, id: BlobId): Promise<Buffer> {
  const { size } = reader.index;
  try {
    return await loadAnyCopy(reader, type, id);
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    if (!(await repositoryExists(reader.backend))) throw gone(error);
    const { packId } = error.detail;
    await reader.lookAgain(typeof packId === 'string' ? packId : 'in no index');
    if (reader.index.size === size) throw error;
    return await loadAnyCopy(reader, type, id);
  }
}

async function loadAnyCopy(reader: Reader, type: BlobType, id: BlobId): Promise<Buffer> {
  const copies = reader.index.findAll(type, id);
  let problem: AppError | undefined;
  for (const copy of copies) {
    const { packId, uncompressedLength } = copy;
    const sealed = await readPart(reader, copy);
    const opened =
      sealed instanceof AppError
        ? sealed
        : await openBlobInPieces(reader.masterKey, id, sealed, uncompressedLength).catch(asDamage);
    if (!(opened instanceof AppError)) return opened;
    problem = damagedPack(type, id, { packId }, opened);
  }
  throw problem ?? notIndexed(type, id);
}

async function* loadBlobs(reader: Reader, type: BlobType, ids: Iterable<BlobId>): AsyncGenerator<LoadedBlob> {
  let reading: Promise<Window> | undefined;
  for (const wanted of windowsOf(ids, (id) => reader.index.find(type, id))) {
    const next = readWindow(reader, wanted);
    next.catch(() => undefined);
    if (reading !== undefined) yield* openWindow(reader, type, await reading);
    reading = next;
  }
  if (reading !== undefined) yield* openWindow(reader, type, await reading);
}

interface Window {
  readonly wanted: readonly Wanted[];
  readonly sealed: ReadonlyMap<BlobId, Buffer>;
}

async function readWindow(reader: Reader, wanted: readonly Wanted[]): Promise<Window> {
  const sealed = new Map<BlobId, Buffer>();
  const read = async (planned: PlannedRead) => {
    const bytes = await readSealed(reader, planned);
    if (bytes === undefined) return;
    for (const { id, at } of planned.blobs) {
      sealed.set(id, bytes.subarray(at.offset - planned.offset, at.offset - planned.offset + at.length));
    }
  };
  await Promise.all(planReads(wanted).map(read));
  return { wanted, sealed };
}

async function readSealed(reader: Reader, read: PlannedRead, memory?: ArrayBuffer): Promise<Buffer | undefined> {
  const sealed = await readPart(reader, read, memory);
  return sealed instanceof AppError ? undefined : sealed;
}

/** A part of a pack, or why it cannot be had. */
async function readPart(
  { backend, countFault }: Reader,
  { packId, offset, length }: Pick<PlannedRead, 'packId' | 'offset' | 'length'>,
  memory?: ArrayBuffer,
): Promise<Buffer | AppError> {
  const range = { offset, length };
  const sealed = await loadUnlessFaulty(backend, { type: 'data', name: packId, range, memory });
  if (sealed instanceof AppError) countFault(sealed);
  return sealed;
}

async function* openWindow(reader: Reader, type: BlobType, { wanted, sealed }: Window): AsyncGenerator<LoadedBlob> {
  for (const { id, at } of wanted) yield await openOne(reader, type, id, sealed.get(id), at);
}

/** A blob that was not read whole with its neighbours is read alone, from every pack that has it. */
async function openOne(
  reader: Reader,
  type: BlobType,
  id: BlobId,
  sealed: Buffer | undefined,
  at: FoundBlob | undefined,
): Promise<LoadedBlob> {
  if (sealed !== undefined) {
    const bytes = await openBlobInPieces(reader.masterKey, id, sealed, at?.uncompressedLength).catch(asDamage);
    if (!(bytes instanceof AppError)) return { id, bytes };
  }
  try {
    return { id, bytes: await loadBlob(reader, type, id) };
  } catch (error) {
    if (isAppError(error, 'repository/damaged')) return { id, error };
    throw error;
  }
}

function asDamage(error: unknown): AppError {
  if (isAppError(error, 'repository/damaged')) return error;
  throw error;
}

/** So often the store may fail to give what was asked for before it is taken for one that gives nothing. */
const mostFaults = 100;

function openFaultCount(): Reader['countFault'] {
  let faults = 0;
  return (error) => {
    if (isFaultOfFile(error) && ++faults > mostFaults) throw error;
  };
}

/** What is missing since all of it went is not damaged, and nobody takes the rest for the whole. */
function gone(cause: AppError): AppError {
  return new AppError(
    'store/unavailable',
    'The repository is not where it was: it is being erased, or the store is not mounted any more.',
    { cause },
  );
}

function notIndexed(type: BlobType, id: BlobId): AppError {
  return new AppError('repository/damaged', `The ${type} blob ${id} is in no index of the repository.`, {
    detail: { type, blobId: id },
  });
}

/** An error that names the pack. */
function damagedPack(type: BlobType, id: BlobId, { packId }: Pick<FoundBlob, 'packId'>, cause: AppError): AppError {
  const what = isAppError(cause, 'store/not-found')
    ? 'is missing'
    : isFaultOfFile(cause)
      ? 'cannot be read from the store'
      : 'is damaged';
  return new AppError('repository/damaged', `The pack ${packId} ${what}; it holds the ${type} blob ${id}.`, {
    cause,
    detail: { packId, type, blobId: id },
  });
}
