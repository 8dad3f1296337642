import { resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { bytesWords, countWords } from '../count-words.ts';
import { timeLeftOf } from '../domain/run-progress.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Snapshot } from '../store/format/snapshot.ts';
import { openBudget } from '../store/history/budget.ts';
import { weigh } from '../store/history/weigh.ts';
import { createCache } from '../store/repository/cache.ts';
import type { Repository } from '../store/repository/repository.ts';
import { openTreeReadAhead } from '../store/repository/tree-read-ahead.ts';
import { overwriteWords } from '../store/restorer/existing.ts';
import { findPlace } from '../store/restorer/find-place.ts';
import type { FolderReport } from '../store/restorer/report.ts';
import { restore } from '../store/restorer/restore.ts';
import { type Command, json, type Options, oneOf, printAnswer, text, warn } from './command.ts';
import { openInterrupt, saidOfStop } from './interrupt.ts';
import { openNamedPerson } from './one-person.ts';
import { openRepositoriesFromEnvironment } from './open-resources.ts';
import { givenName } from './people.ts';
import { flowWords, leftWords } from './progress-words.ts';
import { openStatusLine } from './status-line.ts';

/** Restores a snapshot, or a part of it, to a folder; exit code 3 when some of it could not be restored. */
export const restoreCommand: Command = {
  usage: `--user NAME --to DIR [--snapshot ID] [--path PATH] [--overwrite ${overwriteWords.join('|')}] [--json]`,
  summary: 'restore to a folder',
  options: {
    user: { value: 'NAME', help: 'the person: a user name, subject or id' },
    to: { value: 'DIR', help: 'the folder to restore into; created if missing' },
    snapshot: { value: 'ID', help: 'the snapshot, by the beginning of its id (default: the latest backup)' },
    path: { value: 'PATH', help: 'only this file or folder of the snapshot, such as files/Documents' },
    overwrite: {
      value: 'WORD',
      help: 'files that are there: always replaces those that differ, if-changed compares only size and time, if-newer replaces older ones, never keeps all (default: nothing may be there)',
    },
    ...json,
  },
  exits: { 3: 'some of it could not be restored' },
  run: async (options, output) => {
    const to = text(options, 'to');
    if (to === undefined) throw new AppError('usage/invalid', 'Name the folder to restore into with --to DIR.');
    const overwrite = oneOf(options, 'overwrite', overwriteWords);
    const name = givenName(options);
    await using resources = await openRepositoriesFromEnvironment();
    using interrupt = openInterrupt();
    const { clock, config } = resources;
    const { repository, snapshot: find, record, loadIndex } = await openNamedPerson(resources, name);
    const { id, snapshot } = await find(text(options, 'snapshot'));
    await record('files-restored', `snapshot ${id.slice(0, 8)}`);
    await loadIndex();
    const path = text(options, 'path') ?? '';
    const status = await openProgress(options, clock, () => bytesOf(repository, snapshot, path));
    const report = await restore(readingAhead(repository), snapshot, resolve(to), {
      path,
      overwrite,
      signal: interrupt.signal,
      mostEntries: config.runLimits.members,
      onProgress: status.show,
    })
      .catch((error: unknown) => Promise.reject(withCure(error)))
      .finally(status.clear);
    if (report.inexact > 0) warn(inexactWords(report));
    printAnswer(output, options, { snapshot: id, to: resolve(to), ...report }, ...wordsOf(report, id, to));
    return report.problems.length === 0 ? 0 : 3;
  },
};

/** Folders that lie beside each other are read together. */
function readingAhead(repository: Repository): Repository {
  return { ...repository, loadTree: openTreeReadAhead(repository) };
}

/** What all files at the path hold; undefined where that is not known. */
async function bytesOf(repository: Repository, { tree, summary }: Snapshot, path: string): Promise<number | undefined> {
  if (path === '' && summary !== undefined) return summary.total_bytes_processed;
  const place = await findPlace(repository, { tree }, path);
  if (place.type === 'file') return place.size;
  if (place.type !== 'root' && place.type !== 'dir') return undefined;
  const reader = { repository, weights: createCache<typeof place.subtree, { files: number; bytes: number }>(50_000) };
  return (await weigh(reader, place.subtree, openBudget(Number.POSITIVE_INFINITY)))?.bytes;
}

/** Shows how far the restore is, where somebody watches. */
async function openProgress(options: Options, { elapsed }: Clock, count: () => Promise<number | undefined>) {
  const status = openStatusLine(options, elapsed);
  const whole = options.json === true ? undefined : await count();
  const start = elapsed();
  const show = ({ files, bytes, kept, keptBytes, problems }: FolderReport) => {
    const ms = elapsed() - start;
    const left = whole === undefined ? undefined : timeLeftOf(bytes, whole - keptBytes, ms);
    const facts = [
      countWords(files, 'file'),
      `${flowWords({ bytesRead: bytes, ms })}${whole === undefined ? '' : ` of ${bytesWords(whole)}`}`,
      ...(kept > 0 ? [`${countWords(kept, 'was', 'were')} there`] : []),
      ...(problems.length > 0 ? [`${problems.length} not restored`] : []),
      ...leftWords(left),
    ];
    status.show(`restores ${facts.join(', ')}`);
  };
  return { show, clear: status.clear };
}

function withCure(error: unknown): unknown {
  if (isAppError(error, 'repository/damaged')) {
    const cure = 'nightkeep check says what else is damaged; another snapshot (--snapshot ID) may have it intact.';
    return new AppError(error.code, `${error.message} ${cure}`, { cause: error, detail: error.detail });
  }
  return saidOfStop(
    error,
    'Stopped. There are no partial files. To continue where this stopped, run the same command with --overwrite if-changed.',
  );
}

function inexactWords({ inexact }: FolderReport): string {
  return `${countWords(inexact, 'entry has', 'entries have')} no extended attributes, or times that are a quarter of a microsecond off: these need Perl, on Linux.`;
}

function wordsOf(report: FolderReport, id: string, to: string): string[] {
  const { files, folders, bytes, kept, problems, skipped } = report;
  const there = kept === 0 ? '' : ` ${countWords(kept, 'file was', 'files were')} there and stayed.`;
  return [
    `Restored ${countWords(files, 'file')} (${countWords(bytes, 'byte')}) in ${countWords(folders, 'folder')} of snapshot ${id.slice(0, 8)} to ${to}.${there}`,
    ...skipped.map((path) => `Left out: ${path}: a socket is there only while a program listens on it.`),
    ...problems.map(({ path, message }) => `Not restored: ${path}: ${message}`),
  ];
}
