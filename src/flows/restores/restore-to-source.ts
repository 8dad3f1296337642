import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { findPlanWithPerson } from '../../database/nights/plan-rows.ts';
import { getUser } from '../../database/people/users.ts';
import { endRestore, findRestore, startRestore, tellRestore } from '../../database/repositories/restores.ts';
import { peopleRow } from '../../domain/marks.ts';
import { propertiesName, type RestorePlace, restorePlaceOf } from '../../domain/restore-place.ts';
import { namedSources } from '../../domain/source-names.ts';
import { AppError, isAppError, messageForPeople } from '../../errors.ts';
import { escapedName, shownName } from '../../file-name.ts';
import type { Resources } from '../../resources.ts';
import { heldKinds, type NewCollection } from '../../sources/dav/held-kind.ts';
import { webdavSource } from '../../sources/dav/webdav.ts';
import { davWriter } from '../../sources/dav/writer.ts';
import type { Access } from '../../sources/source.ts';
import { parseId, type SnapshotId } from '../../store/format/ids.ts';
import type { Snapshot } from '../../store/format/snapshot.ts';
import type { History } from '../../store/history/history.ts';
import { findPlace } from '../../store/restorer/find-place.ts';
import { readFile } from '../../store/restorer/read-file.ts';
import { emptyReport, type RestoreProblem, type RestoreReport } from '../../store/restorer/report.ts';
import { restoreInOrder } from '../../store/restorer/restore-in-order.ts';
import { personSealing } from '../../vault/row-seals.ts';
import { requireNewest } from '../keys/marks.ts';
import { ownSource, sourcesOf, standingOf } from '../nights/sources-of.ts';
import { openPersonHistory } from '../snapshots/open-history.ts';
import type { RestoreAccess } from './authorize-restore.ts';
import { openSourceTarget, type Written } from './source-target.ts';

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
/** Of what Nightkeep keeps of a calendar, at most; what is longer is an object of the person's. */
const mostPropertiesBytes = 1024 * 1024;

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

interface Writing {
  readonly id: string;
  readonly userId: string;
  readonly access: Access;
  /** Aborted when the process ends. */
  readonly closing: AbortSignal;
}

/** Writes, tells every two seconds how far it is, stops when it is cancelled, and puts on record what came of it. */
async function writeAndTell(resources: Needs, { id, userId, access, closing }: Writing): Promise<void> {
  const { clock, database } = resources;
  const cancelling = new AbortController();
  const written: Written & { folder: string | null } = { files: 0, bytes: 0, folder: null };
  const told = () => ({ ...written, at: clock.now() });
  using _telling = clock.every(tellEveryMs, async () => {
    if (!(await tellRestore(database, id, told()).catch(() => true))) cancelling.abort(cancelled());
  });
  const signal = AbortSignal.any([cancelling.signal, closing]);
  const report = emptyReport();
  const end = await write(resources, { id, userId, access, signal, written, report }).then(
    () => ({ state: notWritten(report).length === 0 ? 'succeeded' : 'partial', message: null }) as const,
    (error: unknown) => {
      if (cancelling.signal.aborted) return { state: 'cancelled', message: null } as const;
      if (!isAppError(error) && !closing.aborted) resources.log.error('restore.failed', { restore: id, userId, error });
      const message = closing.aborted ? 'Nightkeep was stopped before it was finished.' : messageForPeople(error);
      return { state: 'failed', message } as const;
    },
  );
  const problems = notWritten(report);
  await endRestore(database, id, {
    ...told(),
    ...end,
    problems: problems.slice(0, mostProblems).map(({ path, code, message }) => ({
      path: escapedName(path),
      code,
      message: escapedName(message),
    })),
    problemCount: problems.length,
  });
}

/** What is not at the source, however far it came, and why. */
function notWritten({ problems, skipped }: RestoreReport): RestoreProblem[] {
  const words = 'WebDAV has no devices, pipes or sockets.';
  const code = 'restore/not-written';
  return [
    ...problems,
    ...skipped.map((path) => ({ path, code, message: `Could not write ${path}: ${words}` }) as const),
  ];
}

function cancelled(): AppError {
  return new AppError('run/stopped', 'The restore was cancelled.');
}

interface WriteOptions extends Omit<Writing, 'closing'> {
  readonly signal: AbortSignal;
  readonly written: Written & { folder: string | null };
  readonly report: RestoreReport;
}

async function write(resources: Needs, { id, userId, access, signal, written, report }: WriteOptions): Promise<void> {
  const { clock, config, database, log, sourceServers: servers } = resources;
  const asked = await findRestore(database, { id, userId, now: clock.now() });
  if (asked === null) throw cancelled();
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
  const kind = place === 'files' ? undefined : heldKinds[place];
  const common = { url: source.url, access, servers, clock, log };
  await using reader = webdavSource({ ...common, ...source, kind });
  const roots = await reader.roots(signal);
  const [root] = roots;
  if (root === undefined) throw new AppError('source/not-found', 'The source offers no folder to restore to.');
  await using writer = davWriter({ ...common, location: root.collection.location });
  const held = kind && { kind, ...(await findProperties(history, snapshot, asked.path)) };
  const make = (name: string) =>
    held === undefined
      ? writer.makeCollection([name], signal)
      : writer.makeHeld(name, { ...held, displayName: `${name} (${held.displayName})` }, signal);
  const folder = await makeNewFolder(make, nameAt(clock.now(), plan?.zone ?? config.window.zone));
  written.folder = folder;
  const below = [folder, ...(held === undefined ? await foldersFor(history, snapshot, asked.path) : [])];
  if (below.length > 1) await writer.makeCollection(below, signal);
  const target = openSourceTarget({ writer, below, signal, written, kind });
  await restoreInOrder(history.repository, snapshot, target, {
    ...{ path: asked.path, signal, mostEntries: config.runLimits.members, report },
  });
}

/** A folder below the root keeps its name in the new one; all of a root comes without. */
async function foldersFor(history: History, snapshot: Snapshot, path: string): Promise<string[]> {
  const place = await findPlace(history.repository, snapshot, path);
  return place.type === 'dir' && path.includes('/') ? [place.name] : [];
}

function urlOf(place: RestorePlace, config: Resources['config']): string {
  return namedSources(config).find(({ name }) => name === place)?.url ?? config.filesUrl;
}

/** What there is to say of the calendar or address book that the path names, or is in. */
async function findProperties({ repository }: History, snapshot: Snapshot, path: string): Promise<NewCollection> {
  const [top = '', name = ''] = path.split('/');
  const collection = await findPlace(repository, snapshot, `${top}/${name}`);
  const plain = { displayName: 'name' in collection ? shownName(collection.name) : name };
  if (collection.type !== 'dir') return plain;
  const { nodes } = await repository.loadTree(collection.subtree);
  const node = nodes.find((one) => one.name === propertiesName);
  if (node?.type !== 'file' || node.size > mostPropertiesBytes) return plain;
  const { displayname, ...kept } = parsed(await text(Readable.from(readFile(repository, node))));
  const components = kept['supported-calendar-component-set'];
  return {
    displayName: typeof displayname === 'string' ? displayname : plain.displayName,
    ...(Array.isArray(components) && { components: components.filter((one) => typeof one === 'string') }),
  };
}

/** An object of that name may be anything. */
function parsed(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** As "Restored 2026-11-26 14.05", in the zone: a name that every file system takes. */
function nameAt(now: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(
    now,
  );
  return `Restored ${parts.replace(':', '.')}`;
}

/** Never one that is there: nothing of the person's is touched. Throws `source/forbidden` where the server takes nothing at all. */
async function makeNewFolder(make: (name: string) => Promise<boolean>, name: string): Promise<string> {
  for (let number = 1; number <= 20; number += 1) {
    const folder = number === 1 ? name : `${name} (${number})`;
    if (await make(folder).catch(asRefusal)) return folder;
  }
  throw new AppError(
    'source/forbidden',
    'The server makes nothing new for the restore: it does not let anybody do that, or all names that were tried exist already.',
  );
}

function asRefusal(error: unknown): never {
  if (!isAppError(error, 'source/forbidden') && !isAppError(error, 'source/malformed')) throw error;
  throw new AppError(
    'source/forbidden',
    'The server does not let Nightkeep write there, so nothing was restored. Download what you need instead.',
    { cause: error },
  );
}
