import { findPlanWithPerson } from '../../database/nights/plan-rows.ts';
import { getUser } from '../../database/people/users.ts';
import { endRestore, findRestore, startRestore, tellRestore } from '../../database/repositories/restores.ts';
import { peopleRow } from '../../domain/marks.ts';
import { isValidZone } from '../../domain/nights.ts';
import { mostNotes, type RestorePlace, restorePlaceOf, writtenInPart } from '../../domain/restore-place.ts';
import { namedSources } from '../../domain/source-names.ts';
import { AppError, isAppError, messageForPeople } from '../../errors.ts';
import { escapedName } from '../../file-name.ts';
import type { Resources } from '../../resources.ts';
import type { Access } from '../../sources/source.ts';
import { parseId, type SnapshotId } from '../../store/format/ids.ts';
import { emptyReport, type RestoreProblem, type RestoreReport } from '../../store/restorer/report.ts';
import { personSealing } from '../../vault/row-seals.ts';
import { requireNewest } from '../keys/marks.ts';
import { ownSource, sourcesOf, standingOf } from '../nights/sources-of.ts';
import { openPersonHistory } from '../snapshots/open-history.ts';
import type { RestoreAccess } from './authorize-restore.ts';
import { writeDav } from './write-dav.ts';
import { writeMail } from './write-mail.ts';
import type { RestoreNote, Writing } from './writing.ts';

type Needs = Pick<
  Resources,
  | 'background'
  | 'clock'
  | 'config'
  | 'database'
  | 'histories'
  | 'keyring'
  | 'marks'
  | 'log'
  | 'repositoryKeys'
  | 'sourceServers'
  | 'store'
>;

interface Asked {
  readonly id: string;
  readonly userId: string;
  readonly granted: RestoreAccess;
}

const tellEveryMs = 2_000;
/** Problems on record. */
const mostProblems = 100;

/**
 * Starts writing the requested entries to a new folder at the source, and continues after this call; the result is recorded under the restore's id.
 * The access ends with it. Answers false if it was started before.
 */
export async function beginRestoreToSource(resources: Needs, { id, userId, granted }: Asked): Promise<boolean> {
  const begun = await startRestore(resources.database, { id, userId, at: resources.clock.now() });
  if (!begun) await granted.end();
  else
    resources.background.begin(async (closing) => {
      await writeAndTell(resources, { id, userId, access: granted.access, closing }).catch((error: unknown) =>
        resources.log.error('restore.failed', { restore: id, userId, error }),
      );
      await granted.end();
    });
  return begun;
}

interface Begun {
  readonly id: string;
  readonly userId: string;
  readonly access: Access;
  /** Aborted when the process ends. */
  readonly closing: AbortSignal;
}

/** Writes, tells every two seconds how far it is, stops when it is cancelled, and puts on record what came of it. */
async function writeAndTell(resources: Needs, { id, userId, access, closing }: Begun): Promise<void> {
  const { clock, database } = resources;
  const cancelling = new AbortController();
  const written: Writing['written'] = { files: 0, bytes: 0, folder: null };
  const told = () => ({ ...written, at: clock.now() });
  using _telling = clock.every(tellEveryMs, async () => {
    if (!(await tellRestore(database, id, told()).catch(() => true))) cancelling.abort(cancelled());
  });
  const signal = AbortSignal.any([cancelling.signal, closing]);
  const report = emptyReport();
  const notes: RestoreNote[] = [];
  const end = await write(resources, { id, userId, access, signal, written, report, notes }).then(
    () =>
      ({ state: notWritten(report).length === 0 ? 'succeeded' : 'partial', message: null, errorCode: null }) as const,
    (error: unknown) => {
      if (cancelling.signal.aborted) return { state: 'cancelled', message: null, errorCode: null } as const;
      if (!isAppError(error) && !closing.aborted) resources.log.error('restore.failed', { restore: id, userId, error });
      const [errorCode, message] = closing.aborted
        ? (['run/stopped', 'Nightkeep was stopped before it was finished.'] as const)
        : ([isAppError(error) ? error.code : null, messageForPeople(error)] as const);
      return { state: 'failed', message, errorCode } as const;
    },
  );
  const problems = notWritten(report);
  await endRestore(database, id, {
    ...told(),
    ...end,
    message: end.message && escapedName(end.message),
    problems: [
      ...problems.slice(0, mostProblems),
      ...notes.slice(0, mostNotes).map((note) => ({ ...note, code: writtenInPart })),
    ].map(({ path, code, message }) => ({ path: escapedName(path), code, message: escapedName(message) })),
    problemCount: problems.length,
  });
}

/** What is not at the source, however far it came, and why. */
function notWritten({ problems, skipped }: RestoreReport): RestoreProblem[] {
  const words = 'the server has no devices, pipes or sockets.';
  const code = 'restore/not-written';
  return [
    ...problems,
    ...skipped.map((path) => ({ path, code, message: `Could not write ${path}: ${words}` }) as const),
  ];
}

function cancelled(): AppError {
  return new AppError('run/stopped', 'The restore was cancelled.');
}

interface Steered extends Omit<Begun, 'closing'>, Pick<Writing, 'signal' | 'written' | 'report' | 'notes'> {}

async function write(resources: Needs, options: Steered): Promise<void> {
  const { id, userId, written } = options;
  const { clock, config, database } = resources;
  const asked = await findRestore(database, { id, userId, now: clock.now() });
  if (asked === null) throw cancelled();
  written.folder = ownFolder(asked.folder);
  const history = await openPersonHistory(resources, userId);
  const snapshot = await history.repository.loadSnapshot(parseId<SnapshotId>(asked.snapshotId));
  const [plan, user] = await Promise.all([findPlanWithPerson(database, userId), getUser(database, userId)]);
  const sources = plan === null ? [] : sourcesOf(resources, plan);
  const standing =
    plan === null
      ? { rows: { [peopleRow]: personSealing(resources.keyring).require(user) } }
      : standingOf(resources, plan);
  await requireNewest(resources, userId, standing);
  const place = restorePlaceOf(asked.path, config);
  const usual = () => ownSource(resources, user, { name: place, url: urlOf(place, config) });
  const source = sources.find(({ name }) => name === place) ?? usual();
  if ('error' in source) throw source.error;
  const name = nameAt(clock.now(), plan?.zone ?? config.window.zone);
  const writing = { ...options, history, snapshot, path: asked.path, url: source.url, name };
  if (place === 'mail') await writeMail(resources, writing);
  else await writeDav(resources, { ...writing, place, isShared: source.isShared });
}

function urlOf(place: RestorePlace, config: Resources['config']): string {
  return namedSources(config).find(({ name }) => name === place)?.url ?? config.filesUrl;
}

/**
 * That of an earlier restore, which is continued. Throws `restore/not-written` for a name that no restore made: somebody who writes to the database could lead
 * a person's mail into a mailbox that others read.
 */
function ownFolder(folder: string | null): string | null {
  if (folder === null || /^Restored \d{4}-\d\d-\d\d \d\d\.\d\d( \(\d{1,2}\))?$/.test(folder)) return folder;
  throw new AppError(
    'restore/not-written',
    'The mailbox that this restore continues was made by no restore, so nothing was written.',
  );
}

/** As "Restored 2026-11-26 14.05", in the zone: a name that every file system takes. */
function nameAt(now: Date, zone: string): string {
  const timeZone = isValidZone(zone) ? zone : 'UTC';
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(now);
  return `Restored ${parts.replace(':', '.')}`;
}
