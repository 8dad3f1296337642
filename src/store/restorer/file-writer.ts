import { closeSync, linkSync, renameSync, rmSync } from 'node:fs';
import { countWords } from '../../count-words.ts';
import { AppError } from '../../errors.ts';
import type { FileNode } from '../format/node.ts';
import { attributesOf, pathForSystem, setOfFile } from './attributes.ts';
import type { PackRead, ReadableRepository, RestorableRepository } from './contract.ts';
import { exactAttributesOf } from './exact-attributes.ts';
import { type Decision, decide, type Overwrite } from './existing.ts';
import {
  batchesOf,
  besideName,
  type Entry,
  inWriting,
  planWriting,
  type Writing,
  type WritingPlan,
} from './plan-writing.ts';
import { lengthOf, readFile } from './read-file.ts';
import { attempt, type FolderReport, note } from './report.ts';
import type { Rest } from './set-rest.ts';
import { errnoError, targetError } from './target-errors.ts';
import { discard, type FileInWriting, finishFile, type Outcome, openInWriting, writeSparsely } from './write-batch.ts';
import type { Writers } from './writers.ts';

export interface FileWriterNeeds<Read extends PackRead> {
  readonly repository: RestorableRepository<Read>;
  readonly folder: string;
  readonly overwrite: Overwrite | undefined;
  readonly report: FolderReport;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (report: FolderReport) => void;
  readonly writers: Writers;
  /** Takes what is left to set of files that are there. */
  readonly rest: Rest;
}

/** Writes the files of a snapshot, many at a time: each group of them in the order of the packs. */
export interface FileWriter {
  /** Takes a file whose folder is there; its path is below the target. */
  add(path: string, node: FileNode): Promise<void>;
  /** Writes the rest of what was added. */
  finish(): Promise<void>;
}

/** Limits of a group: a larger one reads fewer packs twice and takes more memory. */
const mostFiles = 10_000;
const mostBlobs = 50_000;

/** Opens the writer of a restore. What concerns one file alone goes on the report; what ends the restore is thrown by either method. */
export function openFileWriter<Read extends PackRead>(needs: FileWriterNeeds<Read>): FileWriter {
  let group: Entry[] = [];
  let blobs = 0;
  const firstNames = new Map<string, string>();
  const otherNames: OtherName[] = [];

  async function writeGroup(): Promise<void> {
    const entries = group;
    [group, blobs] = [[], 0];
    await writeEntries(needs, entries);
  }

  return {
    async add(path, node) {
      const inode = inodeOf(node);
      const first = inode === undefined ? undefined : firstNames.get(inode);
      if (first !== undefined) {
        otherNames.push({ path, first, node });
        return;
      }
      if (inode !== undefined) firstNames.set(inode, path);
      group.push({ path, node });
      if (needs.overwrite === undefined) needs.writers.expect(node.size);
      blobs += node.content.length;
      if (group.length >= mostFiles || blobs >= mostBlobs) await writeGroup();
    },
    async finish() {
      await writeGroup();
      for (const other of otherNames) attempt(needs, other.path, () => linkFile(needs, other));
    },
  };
}

interface OtherName extends Entry {
  /** The path of the name under which the file is restored. */
  readonly first: string;
}

/** The same for all names of one file. */
function inodeOf({ links = 1, inode, device_id: device }: FileNode): string | undefined {
  return links > 1 && inode ? `${device ?? 0}:${inode}` : undefined;
}

async function writeEntries<Read extends PackRead>(needs: FileWriterNeeds<Read>, entries: Entry[]): Promise<void> {
  const { folder, report, rest } = needs;
  const { missing, right } = await sortOut(needs, entries);
  for (const { path, node } of right) {
    if (!attempt(needs, path, () => setOfFile(`${folder}/${path}`, attributesOf(node)))) continue;
    keep(report, node);
    rest.add(exactAttributesOf(node, path));
  }
  await writeFiles(needs, missing);
  await rest.setMuch();
}

/** Which files are to be written, and which are there with the right content. */
async function sortOut<Read extends PackRead>(
  needs: FileWriterNeeds<Read>,
  entries: Entry[],
): Promise<{ missing: Entry[]; right: Entry[] }> {
  const { folder, overwrite, report } = needs;
  if (overwrite === undefined) return { missing: entries, right: [] };
  const sorted: Record<Decision, Entry[]> = { write: [], keep: [], believe: [], compare: [] };
  for (const entry of entries)
    attempt(needs, entry.path, () => {
      sorted[decide(`${folder}/${entry.path}`, entry.node, overwrite)].push(entry);
    });
  for (const { node } of sorted.keep) keep(report, node);
  const { same, different } = await compareAll(needs, sorted.compare);
  return { missing: [...sorted.write, ...different], right: [...sorted.believe, ...same] };
}

function keep(report: FolderReport, { size }: FileNode): void {
  report.kept++;
  report.keptBytes += size;
}

const comparedAtOnce = 100;

async function compareAll<Read extends PackRead>(
  needs: FileWriterNeeds<Read>,
  entries: Entry[],
): Promise<{ same: Entry[]; different: Entry[] }> {
  const { repository, folder, writers } = needs;
  const found: { same: Entry[]; different: Entry[] } = { same: [], different: [] };
  const known = entries.filter(({ path, node }) => attempt(needs, path, () => requireSize(repository, node)));
  await eachOf(needs, batchesOf(known, comparedAtOnce), async (batch) => {
    const files = batch.map(({ path, node }) => ({
      path: `${folder}/${path}`,
      parts: node.content.map((id) => ({ id, length: lengthOf(repository, id) })),
    }));
    const outcomes = await writers.run({ kind: 'compare', files });
    for (const [index, entry] of batch.entries())
      (outcomes[index]?.kind === 'same' ? found.same : found.different).push(entry);
  });
  return found;
}

async function writeFiles<Read extends PackRead>(needs: FileWriterNeeds<Read>, entries: Entry[]): Promise<void> {
  const { repository, folder, report, onProgress, writers, rest } = needs;
  const files = entries
    .filter(({ path, node }) => attempt(needs, path, () => requireSize(repository, node)))
    .map((entry) => inWriting(folder, entry));
  const plan = planWriting(repository, files);
  const left = new Set(files);
  try {
    await eachOf(needs, plan.parts, async (part) => {
      const outcomes = await writePart(repository, writers, plan, part);
      for (const [index, file] of part.files.entries()) {
        const outcome = outcomes[index] ?? { kind: 'damaged' };
        if (outcome.kind !== 'written') file.trouble ??= outcome;
        file.partsDone++;
        if (file.partsDone < file.parts) continue;
        left.delete(file);
        if (await settled(needs, file)) rest.add(file.exact);
      }
      onProgress(report);
    });
  } finally {
    for (const file of left) discard(file);
  }
}

async function writePart<Read extends PackRead>(
  repository: RestorableRepository<Read>,
  writers: Writers,
  plan: WritingPlan<Read>,
  part: WritingPlan<Read>['parts'][number],
): Promise<readonly Outcome[]> {
  const { read } = part;
  if (read === undefined) return writers.run(plan.taskOf(part));
  const bytes = await writers.memory.fill(read.length, (memory) => repository.readSealed(read, memory));
  return bytes === undefined ? [] : writers.run(plan.taskOf(part, bytes));
}

/** Ends the writing of a file that all parts were written of. Whether it is restored now. */
async function settled<Read extends PackRead>(needs: FileWriterNeeds<Read>, file: Writing): Promise<boolean> {
  const { report } = needs;
  const { path, node } = file.entry;
  try {
    await settle(needs, file);
  } catch (error) {
    discard(file);
    note(report.problems, path, targetError(error, needs.folder, path));
    return false;
  }
  report.files++;
  report.bytes += node.size;
  return true;
}

async function settle<Read extends PackRead>(
  { repository, folder }: FileWriterNeeds<Read>,
  file: Writing,
): Promise<void> {
  const { entry, trouble, parts } = file;
  if (trouble?.kind === 'failed') throw errnoError(trouble.errno, folder, entry.path);
  if (trouble !== undefined) {
    discard(file);
    await writeFromCopies(repository, file);
  } else if (parts > 1) withOpen(file, (fd) => finishFile(fd, file));
}

/** Writes a file blob by blob: of one that did not open in its pack, another pack may hold a whole copy. Throws `repository/damaged`. */
async function writeFromCopies(repository: ReadableRepository, file: Writing): Promise<void> {
  const fd = openInWriting(file);
  try {
    let at = 0;
    for await (const bytes of readFile(repository, file.entry.node)) {
      writeSparsely(fd, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), at);
      at += bytes.length;
    }
    finishFile(fd, file);
  } finally {
    closeSync(fd);
  }
}

function withOpen(file: FileInWriting, work: (fd: number) => void): void {
  const fd = openInWriting(file);
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}

/** Another name for a file that is restored already. */
function linkFile<Read extends PackRead>(
  { folder, overwrite, report }: FileWriterNeeds<Read>,
  { path, first, node }: OtherName,
): void {
  const [from, to] = [`${folder}/${first}`, `${folder}/${path}`];
  if (overwrite !== undefined && decide(to, node, overwrite) === 'keep') {
    keep(report, node);
    return;
  }
  const temporary = besideName(to);
  linkSync(pathForSystem(from), pathForSystem(temporary));
  renameSync(pathForSystem(temporary), pathForSystem(to));
  // Names of one file do not replace each other: the rename then does nothing.
  rmSync(pathForSystem(temporary), { force: true });
  report.files++;
}

/** Throws `repository/damaged` unless the file's blobs hold as many bytes as it says. */
function requireSize(repository: Pick<ReadableRepository, 'index'>, { size, content }: FileNode): void {
  const sum = content.reduce((total, id) => total + lengthOf(repository, id), 0);
  if (sum === size) return;
  throw new AppError(
    'repository/damaged',
    `The snapshot says ${countWords(size, 'byte')}, but the file's blobs hold ${sum}.`,
  );
}

/** Does the work on each item, as many at a time as keep the writers busy. What fails ends it, once no work is under way any more. */
async function eachOf<Item>(
  { signal, writers }: { readonly signal: AbortSignal | undefined; readonly writers: Writers },
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  let isBroken = false;
  const loop = async () => {
    for (const item of queue) {
      if (isBroken) return;
      signal?.throwIfAborted();
      await work(item);
    }
  };
  const failing = (error: unknown) => {
    isBroken = true;
    throw error;
  };
  const loops = Array.from({ length: writers.width }, () => loop().catch(failing));
  const failed = (await Promise.allSettled(loops)).find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
