import type { ErrorCode } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import { type BlobId, type DataId, idOf } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import { openChunkBuffers, openChunkedStream } from './blob-stream.ts';
import { openChunker } from './chunker.ts';
import type { ArchiveRepository, Reading } from './contract.ts';
import { archiveEntry, hasContent, keepFile, type Outcome } from './entry.ts';
import { countFiles } from './parent.ts';
import { type Place, type Run, throwUnlessProblem } from './run.ts';

/**
 * Reads an entry that is listed as unchanged and compares it with the parent's copy. Where they are the same the copy stays, and is restored to
 * nothing in the end (`restoreCompared`), which shows that the store holds it. An entry that differs is archived as it is now, which shows whether
 * its validator was wrong. One that cannot be read at present is taken as unchanged, and counted as such; one that is refused is a problem like any other.
 */
export async function checkEntry(run: Run, place: Place, parent: FileNode): Promise<{ outcome: Promise<Outcome> }> {
  const found = await compare(run, place, parent);
  if (found === 'other') return archiveEntry(run, place, parent);
  const node = keepFile(run, parent, 'unchanged');
  if (node !== undefined && found === 'same') {
    run.seen.checked++;
    run.compared.push(node);
  }
  if (found === 'unreadable') run.seen.unchecked++;
  return { outcome: Promise.resolve({ partial: false, ...(node && { node }) }) };
}

async function compare(run: Run, { member }: Place, parent: FileNode): Promise<'same' | 'other' | 'unreadable'> {
  try {
    const { body } = await run.source.open(member, run.signal);
    return hasContent(parent, await blobsOf(run, body)) ? 'same' : 'other';
  } catch (error) {
    throwUnlessProblem(run, error);
    return passing.includes(error.code) ? 'unreadable' : 'other';
  }
}

const passing: readonly ErrorCode[] = ['source/unavailable', 'source/too-slow', 'source/too-large'];

/**
 * Restores to nothing what was compared, all of it together, so that what lies together is read together: whether all of its content
 * opens, and is what the ids of its blobs say. What keeps it from that is put on record.
 */
export async function restoreCompared({
  repository,
  compared,
  damagedPacks,
  seen,
  signal,
}: Pick<Run, 'repository' | 'compared' | 'damagedPacks' | 'seen' | 'signal'>): Promise<void> {
  const lost = new Set<BlobId>();
  const ids = compared.flatMap(({ content }) => content);
  for await (const blob of repository.loadBlobs('data', ids)) {
    signal.throwIfAborted();
    if (!('error' in blob)) continue;
    lost.add(blob.id);
    const { packId } = blob.error.detail;
    if (typeof packId === 'string') damagedPacks.add(packId);
  }
  seen.restored += compared.filter(({ content }) => !content.some((id) => lost.has(id))).length;
}

/** The blobs that a sealer would make of it; in this thread, since another one takes longer to start than this takes. */
async function blobsOf({ repository, seen, passed }: Run, body: Reading['body']): Promise<readonly DataId[]> {
  const ids: DataId[] = [];
  const cutting = cuttings.get(repository) ?? openCutting(repository);
  cuttings.set(repository, cutting);
  const stream = openChunkedStream(cutting.chunker, cutting.buffers, (blob) => ids.push(idOf<DataId>(blob)));
  for await (const bytes of body) {
    seen.bytes += bytes.length;
    passed(bytes.length);
    stream.write(bytes);
  }
  stream.end(new Uint8Array());
  return ids;
}

/** What cuts the entries of one repository: opening it takes longer than cutting most of them. */
const cuttings = new WeakMap<ArchiveRepository, ReturnType<typeof openCutting>>();

function openCutting({ chunkerPolynomial }: ArchiveRepository) {
  return { chunker: openChunker(chunkerPolynomial), buffers: openChunkBuffers() };
}

/** The members of a folder that have entries of the sample in them, which are counted from 0 in the order of the parent's tree. */
export async function shareOut(
  { countBelow }: Pick<Run, 'countBelow'>,
  nodes: Iterable<Node>,
  drawn: readonly number[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const shares = new Map<string, readonly number[]>();
  let from = 0;
  for await (const piece of piecesOf(nodes))
    for (const node of piece) {
      const to = from + (await countFiles(countBelow, node));
      const share = drawn.filter((one) => one >= from && one < to).map((one) => one - from);
      if (share.length > 0) shares.set(node.name, share);
      from = to;
    }
  return shares;
}
