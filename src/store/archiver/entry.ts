import { AppError, isAppError } from '../../errors.ts';
import type { DataId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import { judgeAbsence } from './absence.ts';
import type { Member, Reading } from './contract.ts';
import { fileNode, hasValidator } from './nodes.ts';
import { holdsFile } from './parent.ts';
import { enterFolder, type Place, type Run, recordProblem, throwUnlessProblem } from './run.ts';
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
  enterFolder(run, place.path.slice(0, Math.max(0, place.path.lastIndexOf('/'))));
  try {
    const content = await readUntilSettled(run, place);
    run.outages = 0;
    return { outcome: finishNode(run, place, parent, content) };
  } catch (error) {
    throwUnlessProblem(run, error);
    const problem = await judgeAbsence(run, place, error);
    if (problem === 'gone') return { outcome: Promise.resolve({ partial: true }) };
    const node = parent?.type === 'file' ? keepFile(run, parent, 'kept') : undefined;
    await recordProblem(run, place.path, problem, node !== undefined);
    return { outcome: Promise.resolve({ partial: true, ...(node && { node }) }) };
  }
}

interface Content {
  readonly reading: Reading;
  readonly size: number;
  readonly blobs: Promise<readonly DataId[]>;
}

const mostReadings = 3;

/** An entry is read again where its source has leave to hope that another reading can tell more. */
async function readUntilSettled(run: Run, place: Place): Promise<Content> {
  for (let readings = 1; ; readings++) {
    try {
      return await readContent(run, place);
    } catch (error) {
      const isWorthAnother = isAppError(error, 'source/changed') && error.retry !== undefined;
      if (!isWorthAnother || readings >= mostReadings) throw error;
    }
  }
}

async function readContent({ source, sealing, signal, seen, passed }: Run, { member }: Place): Promise<Content> {
  const reading = await source.open(member, signal);
  let stream: SealerStream | undefined;
  let size = 0;
  try {
    for await (const bytes of reading.body) {
      if (bytes.length === 0) continue;
      stream ??= sealing.openEntry(reading.size);
      size += bytes.length;
      seen.bytes += bytes.length;
      passed(bytes.length);
      const space = stream.write(bytes);
      if (space !== undefined) await space;
    }
    if (reading.size !== undefined && reading.size !== size) throw otherLength(reading.size, size);
  } catch (error) {
    stream?.abandon();
    throw error;
  }
  return { reading, size, blobs: stream?.end() ?? Promise.resolve([]) };
}

async function finishNode(
  { root, counts, seen, unreliable }: Run,
  { member }: Place,
  parent: Node | undefined,
  { reading, size, blobs }: Content,
): Promise<Outcome> {
  const validator = reading.validator === member.validator ? versionOf(member, size) : reading.validator;
  const facts = { name: member.name, modified: reading.modified ?? member.modified, validator };
  const node = fileNode(facts, size, await blobs);
  const isSame = parent !== undefined && hasContent(parent, node.content);
  if (parent?.type === 'file' && !isSame && hasValidator(parent, validator)) unreliable.add(root.name);
  seen.read++;
  countFile(counts, parent === undefined ? 'new' : isSame ? 'unmodified' : 'changed', size);
  return { node, partial: validator === undefined };
}

/** Whether it is a file of these blobs. */
export function hasContent(node: Node, content: readonly DataId[]): boolean {
  return (
    node.type === 'file' && node.content.length === content.length && node.content.every((id, at) => id === content[at])
  );
}

/** The parent's node of a file, where the repository still holds all of it. */
export function keepFile(
  { repository, counts, seen }: Pick<Run, 'repository' | 'counts' | 'seen'>,
  parent: FileNode,
  why: 'unchanged' | 'kept',
): FileNode | undefined {
  if (!holdsFile(repository, parent)) return undefined;
  seen[why]++;
  countFile(counts, 'unmodified', parent.size);
  return parent;
}

function otherLength(announced: number, received: number): AppError {
  return new AppError('source/changed', 'The server sent a different number of bytes than it announced.', {
    detail: { announced, received },
  });
}
