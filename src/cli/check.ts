import { countUpTo, countWords } from '../count-words.ts';
import { AppError } from '../errors.ts';
import { openPersonRepository } from '../flows/nights/open-person-repository.ts';
import { asFindings, findRemoved } from '../flows/retention/find-removed.ts';
import { namesOfFinding } from '../store/repository/affected-files.ts';
import { type CheckReport, checkRepository, type ReadShare } from '../store/repository/check.ts';
import type { Finding } from '../store/repository/finding.ts';
import { beginLock } from '../store/repository/load-while-locking.ts';
import { type Command, json, type Options, text } from './command.ts';
import { eachExits } from './each-person.ts';
import { doForEachRepository } from './each-repository.ts';
import { oneOrAll } from './people.ts';

/** Checks that everything which the snapshots need is there and intact, and names what is not. */
export const checkCommand: Command = {
  usage: '--user NAME | --all [--read-data | --read-data-subset N/T] [--json]',
  summary: 'check repositories for damage',
  options: {
    ...oneOrAll,
    'read-data': { help: 'also read every pack completely' },
    'read-data-subset': { value: 'N/T', help: 'read the N-th of T parts of the packs; so many checks read all' },
    ...json,
  },
  exits: { 1: 'failed, or something is damaged', ...eachExits },
  run: async (options, output) => {
    const readData = shareOf(options);
    return doForEachRepository(options, output, {
      use: 'looking',
      work: async (resources, { user, userId, signal }): Promise<Row> => {
        const { clock, lockOwner } = resources;
        const { repository, recoveryKeyFile } = await openPersonRepository(resources, userId);
        await using lock = beginLock(repository, { clock, ...lockOwner, exclusive: true, signal });
        const keys = recoveryKeyFile === null ? [] : [recoveryKeyFile];
        const { saved, ...report } = await checkRepository(repository, {
          ...{ locking: lock.settled, readData, keys, signal: lock.signal },
        });
        const damaged = report.findings.flatMap(({ snapshotId }) => snapshotId ?? []);
        const removed = await findRemoved(resources, { userId, repository, saved, damaged });
        const findings = [...report.findings, ...asFindings(removed)].map(withoutNames);
        return { user, ...report, findings };
      },
      linesOf,
      codeOf: (rows) => (rows.some(isDamaged) ? 1 : 0),
    });
  },
};

type Row = { user: string; findings: ReturnType<typeof withoutNames>[] } & Omit<CheckReport, 'findings' | 'saved'>;

/** What an operator may read of it: how many files it affects, and in how many snapshots, never their names. */
function withoutNames({ kind, severity, message, packId, files = [], more }: Finding) {
  const count = (name: 'path' | 'snapshot') => new Set(files.map((file) => file[name])).size;
  return { kind, severity, message, packId, files: count('path'), inSnapshots: count('snapshot'), more };
}

function isDamaged({ findings }: Row): boolean {
  return findings.some(({ severity }) => severity === 'error');
}

function linesOf(row: Row): string[] {
  const { user, findings, snapshots, packs, packsRead } = row;
  const whole = `${countWords(snapshots, 'snapshot')}, ${countWords(packs, 'pack')}, ${packsRead} of these read completely`;
  const each = findings.map(
    ({ severity, message, files, inSnapshots }) =>
      `  ${severity}: ${message}${files > 0 ? ` It affects ${countUpTo(files, namesOfFinding, 'file or folder', 'files and folders')} in ${countWords(inSnapshots, 'snapshot')}.` : ''}`,
  );
  return [`${user}: ${isDamaged(row) ? 'damaged' : 'no errors were found'} (${whole})`, ...each];
}

function shareOf(options: Options): ReadShare {
  const subset = text(options, 'read-data-subset');
  if (subset === undefined) return options['read-data'] === true ? 'all' : 'none';
  if (options['read-data'] === true)
    throw new AppError('usage/invalid', '--read-data and --read-data-subset do not go together.');
  const [part, of] = (/^(\d{1,3})\/(\d{1,3})$/.exec(subset) ?? []).slice(1).map(Number);
  if (part === undefined || of === undefined || part < 1 || of < part || of > 256)
    throw new AppError('usage/invalid', `--read-data-subset is "${subset}": write it as 1/30, up to 256 parts.`);
  return { part, of };
}
