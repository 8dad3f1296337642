import { whenAborted } from '../../abort.ts';
import { type SavedCheckpoint, saveCheckpoint } from '../../database/checkpoints.ts';
import { findNightsBefore, getNightFacts, type NightFacts } from '../../database/night-facts.ts';
import { saveUnreliable } from '../../database/run-trust.ts';
import { saveDoubted } from '../../database/verifications.ts';
import { placeOf } from '../../domain/marks.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import type { Trust } from '../../domain/trust.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type WebdavOptions, webdavSource } from '../../sources/dav/webdav.ts';
import { httpsElsewhere } from '../../sources/http/elsewhere.ts';
import type { Access, Source } from '../../sources/source.ts';
import { type Archived, type ArchiveOptions, archive } from '../../store/archiver/archiver.ts';
import type { Checkpoint } from '../../store/archiver/checkpoints.ts';
import { type DataId, parseId, type SnapshotId } from '../../store/format/ids.ts';
import { timestamp, timestampMs } from '../../store/format/timestamp.ts';
import { openArchiveTarget } from '../../store/repository/archive-target.ts';
import { loadWhileLocking } from '../../store/repository/load-while-locking.ts';
import type { Repository } from '../../store/repository/repository.ts';
import type { Snapshots } from '../../store/repository/snapshots.ts';
import { version } from '../../version.ts';
import { keepCard } from '../adoption/keep-card.ts';
import { obtainAccess } from '../custody/obtain-access.ts';
import { eraseBeforeUse } from '../erasure/erase-repositories.ts';
import { raiseMark, requireNewest } from '../keys/marks.ts';
import { refuseIfMoved } from '../store/refuse-if-moved.ts';
import { repairRepository } from '../store/repair-repository.ts';
import { ensurePersonRepository } from './ensure-person-repository.ts';
import { findTrust } from './find-trust.ts';
import { followProgress, trafficOf } from './follow-progress.ts';
import { limitRun } from './limit-run.ts';
import type { PersonRepository } from './open-person-repository.ts';
import { isOfPast, isOwn, ownHostname, ownOf } from './own-snapshots.ts';
import { type countsOf, outcomeOf } from './run-outcome.ts';
import { type OwnSource, sourcesOf, standingOf } from './sources-of.ts';
import type { Outcome } from './steer-run.ts';

type Needs = Pick<
  Resources,
  | 'clock'
  | 'config'
  | 'database'
  | 'holder'
  | 'issuer'
  | 'keyring'
  | 'lockOwner'
  | 'marks'
  | 'meters'
  | 'runMemory'
  | 'scrypt'
  | 'log'
  | 'sourceServers'
  | 'spool'
  | 'store'
  | 'tokenCache'
>;

export interface BackUp {
  runId: string;
  signal: AbortSignal;
  /** Given at the start what tells how far it is, whenever it is asked. */
  report: (look: () => RunProgress) => void;
  /** Resolves when the run is still this worker's own: what else could write a second snapshot of it. */
  confirm: () => Promise<void>;
  /** Given the repository once it is open, for who goes on with it after the run. */
  onOpened?: (opened: PersonRepository) => void;
  /** From 0 to 1: draws the sample that is read though it is said to be unchanged. */
  random?: () => number;
}

/**
 * Backs one run's plan up: first what the plan names is looked at, then access (a rotated token is saved before anything else happens), then the
 * repository with its lock, then the sources into it, and last the snapshot. Throws what ends a run, `run/out-of-time` among it; entries that
 * could not be read make it partial.
 */
export async function backUp(
  resources: Needs,
  { runId, signal, report, confirm, onOpened, random = Math.random }: BackUp,
): Promise<Outcome> {
  const { clock } = resources;
  const began = clock.elapsed();
  using processor = resources.sourceServers.processor.open();
  const progress = followProgress(clock);
  report(progress.look);
  const facts = await getNightFacts(resources.database, runId);
  const { plan, night } = facts;
  using limits = limitRun(resources, facts);
  const { userId, zone } = plan;
  const places = sourcesOf(resources, plan);
  const standing = standingOf(resources, plan);
  const known = facts.repository;
  await requireNewest(resources, userId, { ...standing, place: known && placeOf(known) });
  const access = accessOf(resources, { grantId: plan.grantId, runId });
  whenAborted(signal, (reason) => {
    // One that only lets others go first goes on soon, and need not use the consent again.
    if (!isAppError(reason, 'run/gave-way')) resources.tokenCache.known.delete(plan.grantId);
  });
  await access({ minimumSeconds: 30, signal });
  progress.begin('repository');
  if (facts.isBeingErased) await eraseBeforeUse(resources, { userId, signal });
  const { opened: own, lock: held } = await openAndLock(resources, facts, signal);
  await using lock = held;
  onOpened?.(own);
  const { id, repository, username } = own;
  await raiseMark(resources, userId, { ...standing, place: own.place, first: true });
  await keepCard(resources, id, facts.isBeingErased ? null : facts.card);
  const either = AbortSignal.any([signal, lock.signal]);
  await using opened = new AsyncDisposableStack();
  const sources = openSources(resources, places, { access, processor, memory: limits.memory }).map((source) =>
    opened.use(source),
  );
  const { last, trusted, checkpoint } = await findBefore(resources, userId, repository);
  const isOnRecord = last?.isOnRecord === true;
  const { unreliableRoots: unreliable } = facts;
  const trust = findTrust(resources, { night, unreliable, before: trusted, isOnRecord });
  progress.read({ sources, expected: last?.files ?? null });
  const target = openArchiveTarget(repository, clock, lock.settled);
  const options = {
    sources,
    repository: target,
    clock,
    zone,
    signal: either,
    onProcessor: processor.had,
    ...limits,
    ...last?.archiving,
  };
  const archived = await archiveInTrust(
    resources,
    { ...options, spotCheck: { files: last?.files ?? 0, random }, onProgress: progress.archive },
    trust,
    { runId, userId, checkpoint },
  );
  either.throwIfAborted();
  progress.begin('snapshot');
  await confirm();
  const snapshotId = await repository.saveSnapshot({
    time: timestamp(clock.now(), zone),
    ...(last && { parent: last.snapshotId }),
    tree: archived.tree,
    paths: archived.tops.map((name) => `/${name}`),
    hostname: ownHostname,
    username,
    program_version: `nightkeep ${version}`,
    summary: archived.summary,
  });
  const outcome = outcomeOf(archived, last);
  const counts = { ...outcome.counts, ...trafficOf(sources), ms: Math.round(clock.elapsed() - began) };
  return { ...outcome, snapshotId, counts };
}

/** The repository with its index, and its lock. A damaged index is mended first: the packs name all that it named. */
async function openAndLock(resources: Needs, facts: NightFacts, signal: AbortSignal) {
  const { userId } = facts.plan;
  const attempt = async (known?: NightFacts) => {
    const opened = await ensurePersonRepository(resources, userId, known);
    const whenLocked = () => refuseIfMoved(resources, { userId, store: opened.store });
    const { clock, lockOwner } = resources;
    return { opened, lock: await loadWhileLocking(opened.repository, { clock, ...lockOwner, whenLocked }) };
  };
  try {
    return await attempt(facts.isBeingErased ? undefined : facts);
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    const repaired = await repairRepository(resources, { userId, by: 'schedule', signal }).catch((cause: unknown) => {
      // Its own error says how to mend it with a key that may.
      throw isAppError(cause, 'store/may-not-delete') ? error : cause;
    });
    const { indexesDamaged, packsIndexed, blobsLost } = repaired;
    resources.log.warn('repository.repaired', { error, indexesDamaged, packsIndexed, blobsLost });
    return await attempt();
  }
}

/**
 * Archives what is not believed to be unchanged, from where a backup before was interrupted. Where a root proves wrong about that, this
 * is put on record, and all of the root is read before anything is written of it.
 */
async function archiveInTrust(
  needs: Needs,
  options: ArchiveOptions,
  { listAll, readAll }: Trust,
  { checkpoint, ...about }: { runId: string; userId: string; checkpoint: SavedCheckpoint | null },
): Promise<Archived> {
  const { database, log } = needs;
  const from = usable(checkpoint, { readAll, ...about });
  const onCheckpoint = keepCheckpoints(needs, { readAll, ...about });
  const archived = await archive({ ...options, listAll, readAll: new Set(readAll), from, onCheckpoint });
  await tellDamage(needs, archived, about.userId);
  const { unreliable: roots } = archived;
  if (roots.length === 0) return archived;
  log.warn('run.validators-unreliable', { roots });
  await saveUnreliable(database, { runId: about.runId, roots });
  const all = new Set([...readAll, ...roots]);
  if (all.size === readAll.length) return archived;
  const anew = keepCheckpoints(needs, { readAll: [...all], ...about });
  return archive({ ...options, listAll, readAll: all, onCheckpoint: anew });
}

/** Packs of which a file could not be restored are looked at by the next verification, which is due now: it names and mends what is damaged. */
async function tellDamage({ clock, database, log }: Needs, { damagedPacks }: Archived, userId: string): Promise<void> {
  if (damagedPacks.length === 0) return;
  log.warn('run.damage-found', { packs: damagedPacks.length });
  await saveDoubted(database, { userId, packs: damagedPacks, at: clock.now() });
}

interface Reading {
  readonly runId: string;
  readonly userId: string;
  readonly readAll: readonly string[];
}

/** Where a root has to be read whole, only what this run has read of it by itself counts as read. */
function usable(saved: SavedCheckpoint | null, { runId, readAll }: Reading): Checkpoint | undefined {
  if (saved === null) return undefined;
  const isRead = (root: string) => saved.runId === runId && saved.readAll.includes(root);
  if (!readAll.every(isRead)) return undefined;
  return { journals: saved.journals.map((blobs) => blobs.map((id) => parseId<DataId>(id))) };
}

/** Without its checkpoints a run goes on all the same. */
function keepCheckpoints({ database, log }: Needs, { runId, userId, readAll }: Reading) {
  return async ({ journals }: Checkpoint): Promise<void> => {
    try {
      await saveCheckpoint(database, { userId, checkpoint: { runId, readAll, journals } });
    } catch (error) {
      log.warn('run.checkpoint-failed', { error });
      throw error;
    }
  };
}

/**
 * What is known of the nights before, and the snapshot to go on from: the newest that a run is on record for, so that a worker that died after its snapshot hides
 * no great loss from the next one. Where there is none on record, the newest of Nightkeep's own.
 */
async function findBefore(resources: Needs, userId: string, repository: Pick<Repository, keyof Snapshots>) {
  const ids = await repository.listSnapshotIds();
  const found = ids.length > mostAskedFor ? undefined : await findOnRecord(resources, { userId, ids }, repository);
  const { run, recorded, last, before } = found ?? (await findAmongAll(resources, userId, repository));
  if (last === undefined) return { last, ...before };
  const { problems = [], problemCount = 0 } = run ?? {};
  const { tree, time, summary } = last.snapshot;
  const described = {
    snapshotId: last.id,
    archiving: { parent: tree },
    isOnRecord: recorded !== undefined,
    files: summary?.total_files_processed ?? 0,
    takenAt: new Date(timestampMs(time)),
    problems,
    problemCount,
  };
  return { last: described, ...before };
}

/** Of more snapshots than that the newest are looked for first. */
const mostAskedFor = 1_000;

/**
 * The snapshot that the newest run is on record for, of which alone the file is read; undefined where it is not one to go on from, or none is on
 * record though there are some.
 */
async function findOnRecord(
  { clock, config, database }: Needs,
  { userId, ids }: { userId: string; ids: readonly SnapshotId[] },
  repository: Pick<Snapshots, 'loadSnapshot'>,
) {
  const nights = config.fullWalkNights;
  const { last: run, ...before } = await findNightsBefore(database, { userId, snapshotIds: ids, nights });
  const id = ids.find((one) => one === run?.snapshotId);
  if (id === undefined) return ids.length === 0 ? { run, recorded: undefined, last: undefined, before } : undefined;
  try {
    const recorded = { id, snapshot: await repository.loadSnapshot(id) };
    const isUsable = isOwn(recorded) && isOfPast(recorded, clock.now());
    return isUsable ? { run, recorded, last: recorded, before } : undefined;
  } catch (error) {
    if (isAppError(error, 'repository/damaged') || isAppError(error, 'repository/no-such-snapshot')) return undefined;
    throw error;
  }
}

async function findAmongAll(
  { clock, config, database }: Needs,
  userId: string,
  repository: Pick<Snapshots, 'listSnapshots'>,
) {
  const saved = await Array.fromAsync(repository.listSnapshots(() => undefined));
  const snapshots = ownOf(saved, clock.now()).toReversed();
  const snapshotIds = snapshots.slice(0, 100).map(({ id }) => id);
  const { fullWalkNights: nights } = config;
  const { last: run, ...before } = await findNightsBefore(database, { userId, snapshotIds, nights });
  const recorded = snapshots.find(({ id }) => id === run?.snapshotId);
  return { run, recorded, last: recorded ?? snapshots[0], before };
}

function accessOf(resources: Needs, about: { grantId: string; runId: string }): Access {
  return (options) => obtainAccess(resources, { ...about, ...options });
}

function openSources(
  resources: Needs,
  places: readonly OwnSource[],
  { access, processor, memory }: Required<Pick<WebdavOptions, 'access' | 'processor' | 'memory'>>,
): Source[] {
  const { clock, config, log, sourceServers: servers } = resources;
  const { listing: limits, fileBytes } = config.sourceLimits;
  const redirects = config.filesRedirects === 'follow' ? httpsElsewhere(config.filesRedirectNetworks) : undefined;
  const common = { access, processor, servers, clock, log, limits, memory, fileBytes, redirects };
  return places.map((place) => webdavSource({ ...place, ...common }));
}

/** What a finished run has counts of. */
export type CountName = keyof ReturnType<typeof countsOf> | keyof ReturnType<typeof trafficOf> | 'ms';
