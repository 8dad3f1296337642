import { join, resolve } from 'node:path';
import { countWords } from '../count-words.ts';
import { type Repair, repairRepository } from '../flows/store/repair-repository.ts';
import { makeFolders } from '../make-folders.ts';
import type { PackId } from '../store/format/ids.ts';
import { namesOfFinding } from '../store/repository/affected-files.ts';
import { writeFileWhole } from '../vault/whole-file.ts';
import { commandActor } from './actor.ts';
import { type Command, json, text } from './command.ts';
import { doForEachRepository } from './each-repository.ts';
import { oneOrAll } from './people.ts';

/** Saves what is intact of damaged packs, mends the index, and says what is lost until it is backed up again. */
export const repairCommand: Command = {
  usage: '--user NAME | --all [--read-data] [--dry-run] [--keep DIR] [--packs-are-gone] [--json]',
  summary: 'repair damaged repositories',
  options: {
    ...oneOrAll,
    'read-data': { help: 'read every pack completely to find damage' },
    'dry-run': { help: 'only say what would be done' },
    keep: { value: 'DIR', help: 'copy damaged packs to this folder before they are removed' },
    'packs-are-gone': { help: 'continue although not a single pack is there' },
    ...json,
  },
  exits: { 3: 'not everything can be restored, or it failed for some' },
  run: async (options, output) => {
    const folder = text(options, 'keep');
    const dryRun = options['dry-run'] === true;
    const by = commandActor();
    return doForEachRepository(options, output, {
      use: dryRun ? 'looking' : 'acting',
      work: async (resources, { user, userId, signal }): Promise<Row> => {
        const repaired = await repairRepository(resources, {
          userId,
          by,
          dryRun,
          signal,
          readData: options['read-data'] === true ? 'all' : 'none',
          allMayBeGone: options['packs-are-gone'] === true,
          ...(folder !== undefined && { keep: keepIn(resolve(folder)) }),
        });
        return { user, dryRun, ...summaryOf(repaired) };
      },
      linesOf: (row) => [...linesOf(row)],
      codeOf: (rows) => (rows.some(({ findings }) => findings.length > 0) ? 3 : 0),
      ...(!dryRun && { whenStopped: 'Nothing is lost by that: the same command does the rest.' }),
    });
  },
};

/** A pack is removed once its copy is there, so that one which cannot be written ends the repair. */
function keepIn(folder: string) {
  return async (id: PackId, bytes: Buffer): Promise<void> => {
    try {
      makeFolders(folder, 0o700);
    } catch {
      // Whoever writes there is told why it cannot be.
    }
    await writeFileWhole(join(folder, id), (sink) => sink(bytes));
  };
}

type Row = { user: string; dryRun: boolean } & ReturnType<typeof summaryOf>;

/** How much is lost, but no names of files: these are for their owner alone. */
function summaryOf({ findings, ...report }: Repair) {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const files = errors.flatMap((finding) => finding.files ?? []);
  return {
    ...report,
    findings: errors.map(({ kind, message }) => ({ kind, message })),
    incompleteSnapshots: [...new Set(files.map(({ snapshot }) => snapshot))],
    filesLost: new Set(files.map(({ snapshot, path }) => `${snapshot} ${path}`)).size,
    /** More than are counted may be. */
    orMore: errors.some(
      ({ files: named, more }) => more !== undefined || new Set(named?.map(({ path }) => path)).size >= namesOfFinding,
    ),
  };
}

function* linesOf(row: Row): Generator<string> {
  const { user, dryRun, findings, incompleteSnapshots, filesLost, orMore, packsUnreadable } = row;
  yield `${user}: ${deeds(row).join(', ') || 'nothing to repair'}${dryRun ? ' (nothing was done yet)' : ''}`;
  const unreadable = packsUnreadable.length;
  if (unreadable > 0)
    yield `  ${countWords(unreadable, 'pack is in no index and does', 'packs are in no index and do')} not open: the next prune removes ${unreadable === 1 ? 'it' : 'them'}.`;
  if (dryRun) return;
  if (filesLost > 0)
    yield `  ${countWords(filesLost, 'file')}${orMore ? ' or more' : ''} of ${countWords(incompleteSnapshots.length, 'snapshot')} cannot be restored; what the server still has of that is read again by the next backup, where one comes. Until then stock restic restores nothing of ${incompleteSnapshots.length === 1 ? 'this snapshot; nightkeep repair snapshots makes it' : 'these snapshots; nightkeep repair snapshots makes them'} anew without what is lost. ` +
      `Snapshots: ${incompleteSnapshots.map((id) => id.slice(0, 8)).join(' ')}`;
  for (const { kind, message } of findings) if (kind !== 'blob-missing') yield `  ${message}`;
}

function deeds(row: Row): string[] {
  const { indexesDamaged, packsIndexed, packsMissing, packsReplaced, blobsSaved, blobsLost } = row;
  const saved = `${blobsSaved} of ${packsReplaced.length === 1 ? 'its' : 'their'} blobs saved`;
  const counted: readonly [number, one: string, many: string][] = [
    [indexesDamaged, 'damaged index file', 'damaged index files'],
    [packsIndexed, 'pack indexed by its header', 'packs indexed by their headers'],
    [packsMissing.length, 'pack is gone', 'packs are gone'],
    [packsReplaced.length, `damaged pack (${saved})`, `damaged packs (${saved})`],
    [blobsLost, 'blob lost', 'blobs lost'],
  ];
  return counted.filter(([count]) => count > 0).map((what) => countWords(...what));
}
