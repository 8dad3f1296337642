import { untilAborted } from '../../abort.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { DataId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import { judgeAbsence } from './absence.ts';
import type { Following } from './checkpoints.ts';
import type { Member, Reading } from './contract.ts';
import { longEntry } from './long-readings.ts';
import { fileNode, hasValidator } from './nodes.ts';
import { holdsFile } from './parent.ts';
import { type Place, type Run, recordProblem, throwUnlessProblem } from './run.ts';
import type { SealerStream } from './sealer-handle.ts';
import { countFile } from './tally.ts';

/**
 * What became of a member: its node, or none where it is left out; `partial` where it must be looked at again next time: it is
 * not what the server has now, or may not be any more though the server says nothing of it.
 */
export interface Outcome {
  readonly node?: Node;
  readonly partial: boolean;
}

/** The parent's node for an entry whose validator and size are unchanged and whose blobs are all still held. */
export function findUnchanged(
  { readAll, repository }: Run,
  { member }: Place,
  parent: Node | undefined,
): FileNode | undefined {
  if (readAll || parent?.type !== 'file' || !hasValidator(parent, versionOf(member, parent.size))) return undefined;
  return holdsFile(repository, parent) ? parent : undefined;
}

/**
 * The node that an archive which was interrupted made of an entry, counted like one that was read, where its validator and size are
 * still the same and its blobs are held.
 */
export function takeDone(run: Run, { member, done }: Place, parent: Node | undefined): FileNode | undefined {
  if (done?.type !== 'file') return undefined;
  const validator = versionOf(member, done.size);
  if (!hasValidator(done, validator) || !holdsFile(run.repository, done)) return undefined;
  run.seen.resumed++;
  countRead(run, done, parent, validator);
  return done;
}

/** What stands for a listed version of so many bytes: its validator, and its size as well where that is listed wrongly. */
function versionOf({ validator, size }: Member, bytes: number): string | undefined {
  return validator === undefined || size === undefined || size === bytes ? validator : `${validator} size ${size}`;
}

/**
 * Reads an entry and has it sealed. Resolves when its bytes are handed over; the outcome follows when they are sealed. An
 * entry that cannot be read keeps its node of the parent; only one that is gone from its folder as well is left out.
 */
export async function archiveEntry(
  run: Run,
  place: Place,
  parent: Node | undefined,
): Promise<{ outcome: Promise<Outcome> }> {
  run.at.folder = folderOf(run, place);
  const room = roomFor(run);
  if (room !== undefined) await room;
  try {
    const content = await readUntilSettled(run, place);
    run.outages = 0;
    if (isCutShort(place.member, parent, content)) {
      content.blobs.catch(() => undefined); // Nobody needs them.
      throw new AppError(
        'source/malformed',
        'The server sent less than it lists, and less than it sent of the same version before.',
      );
    }
    return { outcome: finishNode(run, place, parent, content) };
  } catch (error) {
    throwUnlessProblem(run, error);
    const problem = await judgeAbsence(run, place, error);
    if (problem === 'gone') return { outcome: Promise.resolve({ partial: true }) };
    const node = parent?.type === 'file' ? keepFile(run, parent, 'kept') : undefined;
    await recordProblem(run, place.path, problem, { kept: node !== undefined });
    return { outcome: Promise.resolve({ partial: true, ...(node && { node }) }) };
  }
}

/**
 * Whether less came than is listed, without its length, though all of that was read of the same version before: a server that gives
 * out in the middle may end a body in chunks as if it were whole.
 */
function isCutShort({ size, validator }: Member, parent: Node | undefined, { reading, size: read }: Content): boolean {
  const hadAll = parent?.type === 'file' && parent.size === size && hasValidator(parent, validator);
  return hadAll && reading.size === undefined && read < parent.size;
}

/** From the top of the snapshot. */
function folderOf({ root }: Run, { within }: Place): string {
  return within?.fromTop ?? root.name;
}

interface Content {
  readonly reading: Reading;
  readonly size: number;
  readonly blobs: Promise<readonly DataId[]>;
}

/** A reading, and what an archive that was interrupted had read before where it begins. */
interface Opened {
  readonly reading: Reading;
  readonly begun?: FileNode | undefined;
}

const mostReadings = 3;

/** An entry is read again where its source has leave to hope that another reading can tell more. */
async function readUntilSettled(run: Run, place: Place): Promise<Content> {
  for (let readings = 1; ; readings++) {
    try {
      return await readContent(run, place, await openEntry(run, place, { mayGoOn: readings === 1 }));
    } catch (error) {
      const isWorthAnother = isAppError(error, 'source/changed') && error.retry !== undefined;
      if (!isWorthAnother || readings >= mostReadings) throw error;
    }
  }
}

/** Opens it where an archive that was interrupted had got to, if the source can say that the rest belongs to that. */
async function openEntry(run: Run, place: Place, { mayGoOn }: { mayGoOn: boolean }): Promise<Opened> {
  const { source, signal, checkpoints, repository } = run;
  const { member } = place;
  const begun = checkpoints.finished.begun(folderOf(run, place), member.name);
  if (mayGoOn && begun !== undefined && hasValidator(begun, member.validator) && holdsFile(repository, begun)) {
    const reading = await source.openRest?.(member, begun.size, signal);
    if (reading !== undefined) return { reading, begun };
  }
  return { reading: await source.open(member, signal) };
}

async function readContent(run: Run, place: Place, { reading, begun }: Opened): Promise<Content> {
  const { sealing, seen, passed } = run;
  let stream: SealerStream | undefined;
  let following: Following | undefined;
  let size = 0;
  try {
    for await (const bytes of reading.body) {
      if (bytes.length === 0) continue;
      if (stream === undefined) {
        stream = sealing.openEntry(reading.size);
        following = follow(run, place, { stream, begun });
      }
      following?.passed(bytes.length);
      size += bytes.length;
      seen.bytes += bytes.length;
      passed(bytes.length);
      const space = stream.write(bytes);
      if (space !== undefined) await space;
      const room = roomFor(run);
      if (room !== undefined) await room;
    }
    if (reading.size !== undefined && reading.size !== size) throw otherLength(reading.size, size);
  } catch (error) {
    stream?.abandon();
    throw error;
  } finally {
    following?.[Symbol.dispose]();
  }
  const rest = stream?.end() ?? Promise.resolve([]);
  if (begun === undefined) return { reading, size, blobs: rest };
  return { reading, size: begun.size + size, blobs: rest.then((blobs) => [...begun.content, ...blobs]) };
}

/** Waits while no more may be read before a checkpoint is saved. */
function roomFor({ checkpoints, signal }: Run): Promise<void> | undefined {
  const saved = checkpoints.room();
  return saved && untilAborted(saved, signal);
}

/** Lets checkpoints tell how far a long entry is, where a source could go on with it. */
function follow(
  run: Run,
  place: Place,
  { stream, begun }: { stream: SealerStream; begun: FileNode | undefined },
): Following | undefined {
  const { name, size = 0, validator, modified } = place.member;
  if (run.source.openRest === undefined || size < longEntry || validator === undefined) return undefined;
  const node = fileNode({ name, modified, validator }, 0, []);
  return run.checkpoints.follow({ folder: folderOf(run, place), node, begun, stream });
}

async function finishNode(
  run: Run,
  { member }: Place,
  parent: Node | undefined,
  { reading, size, blobs }: Content,
): Promise<Outcome> {
  const validator = reading.validator === member.validator ? versionOf(member, size) : reading.validator;
  const facts = { name: member.name, modified: reading.modified ?? member.modified, validator };
  const node = fileNode(facts, size, await blobs);
  countRead(run, node, parent, validator);
  return { node, partial: validator === undefined };
}

function countRead(
  { root, counts, seen, unreliable }: Run,
  { content, size }: FileNode,
  parent: Node | undefined,
  validator: string | undefined,
): void {
  const isSame = parent !== undefined && hasContent(parent, content);
  if (parent?.type === 'file' && !isSame && hasValidator(parent, validator)) unreliable.add(root.name);
  seen.read++;
  countFile(counts, parent === undefined ? 'new' : isSame ? 'unmodified' : 'changed', size);
}

/** Whether it is a file of these blobs. */
export function hasContent(node: Node, content: readonly DataId[]): boolean {
  return (
    node.type === 'file' && node.content.length === content.length && node.content.every((id, at) => id === content[at])
  );
}

/** The parent's node of a file, where the repository still holds all of it. */
export function keepFile(
  run: Pick<Run, 'repository' | 'counts' | 'seen'>,
  parent: FileNode,
  why: 'unchanged' | 'kept',
): FileNode | undefined {
  return holdsFile(run.repository, parent) ? countKept(run, parent, why) : undefined;
}

/** Counts a file of the parent that the repository is known to hold, and returns its node. */
export function countKept(
  { counts, seen }: Pick<Run, 'counts' | 'seen'>,
  parent: FileNode,
  why: 'unchanged' | 'kept',
): FileNode {
  seen[why]++;
  countFile(counts, 'unmodified', parent.size);
  return parent;
}

function otherLength(announced: number, received: number): AppError {
  return new AppError('source/changed', 'The server sent a different number of bytes than it announced.', {
    detail: { announced, received },
  });
}
