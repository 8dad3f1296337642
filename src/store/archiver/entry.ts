import { AppError, isAppError } from '../../errors.ts';
import type { DataId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import type { Reading } from './contract.ts';
import { fileNode, hasValidator } from './nodes.ts';
import { holdsFile } from './parent.ts';
import { type Place, type Run, recordProblem, throwUnlessProblem } from './run.ts';
import type { LaneStream } from './sealer-handle.ts';
import { countFile } from './tally.ts';

/** What became of a member: its node, none when it is left out; `flawed` when it is not what the server has now. */
export interface Outcome {
  readonly node?: Node;
  readonly flawed: boolean;
}

/** The parent's node for an entry that is unchanged by its validator and size and still held whole. Reads nothing. */
export function findUnchanged(run: Run, { member }: Place, former: Node | undefined): FileNode | undefined {
  if (former?.type !== 'file' || !hasValidator(former, member.validator)) return undefined;
  if (member.size !== undefined && member.size !== former.size) return undefined;
  return keepFile(run, former, 'unchanged');
}

/**
 * Reads an entry into the sealing. Resolves when its bytes are handed over; the outcome follows when they are sealed. An
 * entry that cannot be read keeps its node of the parent, one that is gone is left out.
 */
export async function archiveEntry(
  run: Run,
  place: Place,
  former: Node | undefined,
): Promise<{ outcome: Promise<Outcome> }> {
  try {
    const content = await readTwice(run, place);
    run.outages = 0;
    return { outcome: finishNode(run, place, former, content) };
  } catch (error) {
    throwUnlessProblem(run, error);
    const keeps = former?.type === 'file' && error.code !== 'source/not-found';
    const node = keeps ? keepFile(run, former, 'kept') : undefined;
    await recordProblem(run, place.path, error, node !== undefined);
    return { outcome: Promise.resolve({ flawed: true, ...(node && { node }) }) };
  }
}

interface Content {
  readonly reading: Reading;
  readonly size: number;
  readonly blobs: Promise<readonly DataId[]>;
}

/** An entry that changes while it is read is read once more. */
async function readTwice(run: Run, place: Place): Promise<Content> {
  try {
    return await readContent(run, place);
  } catch (error) {
    if (!isAppError(error, 'source/changed')) throw error;
    return readContent(run, place);
  }
}

async function readContent({ source, sealing, signal, seen, passed }: Run, { member }: Place): Promise<Content> {
  const reading = await source.open(member, signal);
  let stream: LaneStream | undefined;
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
  { counts, seen }: Run,
  { member }: Place,
  former: Node | undefined,
  { reading, size, blobs }: Content,
): Promise<Outcome> {
  const facts = {
    name: member.name,
    modified: reading.modified ?? member.modified,
    validator: reading.validator ?? member.validator,
  };
  const node = fileNode(facts, size, await blobs);
  seen.read++;
  countFile(counts, former === undefined ? 'new' : sameContent(former, node) ? 'unmodified' : 'changed', size);
  return { node, flawed: false };
}

function sameContent(former: Node, { content }: FileNode): boolean {
  return (
    former.type === 'file' &&
    former.content.length === content.length &&
    former.content.every((id, at) => id === content[at])
  );
}

function keepFile(
  { repository, counts, seen }: Run,
  former: FileNode,
  why: 'unchanged' | 'kept',
): FileNode | undefined {
  if (!holdsFile(repository, former)) return undefined;
  seen[why]++;
  countFile(counts, 'unmodified', former.size);
  return former;
}

function otherLength(said: number, came: number): AppError {
  return new AppError('source/changed', 'The server sent another number of bytes than it said.', {
    detail: { said, came },
  });
}
