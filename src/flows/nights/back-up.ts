import { whenAborted } from '../../abort.ts';
import { getNightFacts, type NightFacts } from '../../database/nights/night-facts.ts';
import { saveDoubted } from '../../database/repositories/verifications.ts';
import { placeOf } from '../../domain/marks.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import { sourceNames } from '../../domain/source-names.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { heldKinds } from '../../sources/dav/held-kind.ts';
import { type WebdavOptions, webdavSource } from '../../sources/dav/webdav.ts';
import { httpsElsewhere } from '../../sources/http/elsewhere.ts';
import { imapSource } from '../../sources/imap/imap-source.ts';
import { refusedSource } from '../../sources/refused-source.ts';
import type { Access, Source } from '../../sources/source.ts';
import { findTree } from '../../store/archiver/parent.ts';
import { timestamp } from '../../store/format/timestamp.ts';
import { openArchiveTarget } from '../../store/repository/archive-target.ts';
import { listLostPacks } from '../../store/repository/list-lost-packs.ts';
import { loadWhileLocking } from '../../store/repository/load-while-locking.ts';
import { version } from '../../version.ts';
import { keepCard } from '../adoption/keep-card.ts';
import { obtainAccess } from '../custody/obtain-access.ts';
import { eraseBeforeUse } from '../erasure/erase-repositories.ts';
import { raiseMark, requireNewest } from '../keys/marks.ts';
import { refuseIfMoved } from '../store/refuse-if-moved.ts';
import { repairRepository } from '../store/repair-repository.ts';
import { tellIfGone } from '../verification/tell-if-gone.ts';
import { archiveInTrust } from './archive-in-trust.ts';
import { ensurePersonRepository } from './ensure-person-repository.ts';
import { findBefore } from './find-before.ts';
import { findGoneFolders } from './find-gone-folders.ts';
import { findGreatChange } from './find-great-change.ts';
import { findTrust } from './find-trust.ts';
import { followProgress, trafficOf } from './follow-progress.ts';
import { limitRun } from './limit-run.ts';
import type { PersonRepository } from './open-person-repository.ts';
import { ownHostname } from './own-snapshots.ts';
import { outcomeOf } from './run-outcome.ts';
import { type OwnSource, type RefusedSource, sourcesOf, standingOf } from './sources-of.ts';
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
  /** Called at the start with a function that tells the progress whenever it is called. */
  report: (look: () => RunProgress) => void;
  /** Resolves if the run is still this worker's; otherwise two workers could each write a snapshot of it. */
  confirm: () => Promise<void>;
  /** A source that does not answer ends the run, to be tried again, although there are others; else it is a problem of the run. */
  waitsForAll?: boolean;
  /** Called with the repository once it is open, for work on it after the run. */
  onOpened?: (opened: PersonRepository) => void;
  /** A number from 0 to 1; draws the sample of files that are read although the server says that they are unchanged. */
  random?: () => number;
}

/**
 * Backs up the plan of one run: checks what the plan names, obtains access (a rotated token is saved before anything else happens), opens the
 * repository and locks it, archives the sources into it, and finally saves the snapshot. Throws what ends a run, `run/out-of-time` included; entries
 * that could not be read only make it partial.
 */
export async function backUp(
  resources: Needs,
  { runId, signal, report, confirm, waitsForAll = false, onOpened, random = Math.random }: BackUp,
): Promise<Outcome> {
  const { clock } = resources;
  const began = clock.elapsed();
  using processor = resources.sourceServers.processor.open();
  const progress = followProgress(clock);
  report(progress.look);
  const facts = await getNightFacts(resources.database, runId);
  using limits = limitRun(resources, facts);
  const { plan, night, unreliableRoots: unreliable } = facts;
  const { userId, zone } = plan;
  const places = sourcesOf(resources, plan);
  const standing = standingOf(resources, plan);
  const known = facts.repository;
  await requireNewest(resources, userId, { ...standing, place: known && placeOf(known) });

  const access = await openAccess(resources, { grantId: plan.grantId, runId, signal });

  progress.begin('repository');
  if (facts.isBeingErased) await eraseBeforeUse(resources, { userId, signal });
  const {
    opened: own,
    before,
    target,
    lock: held,
  } = await openAndLock(resources, facts, signal).catch(async (error: unknown) => {
    await tellIfGone(resources, { userId, by: 'schedule', error });
    throw error;
  });
  await using lock = held;
  onOpened?.(own);
  const { id, repository, username } = own;
  await raiseMark(resources, userId, { ...standing, place: own.place, first: true });
  await keepCard(resources, id, facts.isBeingErased ? null : facts.card);

  await using sources = openSources(resources, places, { access, processor, memory: limits.memory });
  const { last, trusted, checkpoint } = before;
  const trust = findTrust(resources, { night, unreliable, before: trusted, isOnRecord: last?.isOnRecord === true });
  progress.read({ sources: sources.list, expected: last?.files ?? null });
  const options = {
    sources: sources.list,
    repository: target,
    clock,
    zone,
    left: new Set(sourceNames.filter((name) => !places.some((place) => place.name === name))),
    waitsForAll,
    signal: lock.signal,
    spotCheck: { files: last?.files ?? 0, random },
    onProcessor: processor.had,
    onProgress: progress.archive,
    ...limits,
    ...last?.archiving,
  };
  const archived = await archiveInTrust(resources, options, trust, { runId, userId, checkpoint });
  lock.signal.throwIfAborted();

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
  const compared = last && { before: last.archiving.parent, archived };
  const change = compared && (await findGreatChange(repository, compared, lock.signal));
  const goneFolders = compared && (await findGoneFolders(repository, compared, lock.signal));
  const ms = Math.round(clock.elapsed() - began);
  const outcome = outcomeOf(archived, last, { change, ...(goneFolders && { goneFolders }) });
  return { ...outcome, snapshotId, counts: { ...outcome.counts, ...trafficOf(sources.list), ms } };
}

/** Obtains access for the first time, and answers how the sources obtain it again. It is forgotten once the run was stopped. */
async function openAccess(
  resources: Needs,
  { signal, ...about }: { grantId: string; runId: string; signal: AbortSignal },
): Promise<Access> {
  const access: Access = (options) => obtainAccess(resources, { ...about, ...options });
  whenAborted(signal, (reason) => {
    // A run that only lets others go first continues soon, and need not use the consent again.
    if (!isAppError(reason, 'run/gave-way')) resources.tokenCache.known.delete(about.grantId);
  });
  await access({ minimumSeconds: 30, signal });
  return access;
}

/**
 * The repository with its index, its lock, and what is known of the nights before. An index that is damaged or incomplete is mended first, from
 * the headers of the packs. Where the top folder of the last snapshot cannot be read, whatever is in packs that are gone counts as missing, so that
 * this night reads it again. The next verification, which is due at once, reports that, and also a snapshot that somebody removed.
 */
async function openAndLock(resources: Needs, facts: NightFacts, signal: AbortSignal) {
  const { userId } = facts.plan;
  const attempt = async (known?: NightFacts) => {
    const opened = await ensurePersonRepository(resources, userId, known);
    const { repository, store } = opened;
    const whenLocked = () => refuseIfMoved(resources, { userId, store });
    const { clock, lockOwner } = resources;
    const lock = await loadWhileLocking(repository, { clock, ...lockOwner, whenLocked, signal });
    try {
      const before = await findBefore(resources, userId, repository);
      const target = openArchiveTarget(repository, clock, lock.settled);
      const tree = before.last?.archiving.parent;
      const isLost = tree !== undefined && (await findTree(target, tree)) === undefined;
      const lost = isLost ? await listLostPacks(repository, tree) : [];
      if (isLost || before.isRemoved) {
        resources.log.warn('run.damage-found', { packs: lost.length, snapshotRemoved: before.isRemoved });
        await saveDoubted(resources.database, { userId, packs: lost, at: clock.now() });
      }
      return { opened, before, target, lock, lost: isLost ? lost : undefined };
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  };
  const mendIndex = async (error?: unknown) => {
    const repaired = await repairRepository(resources, { userId, by: 'schedule', signal });
    const { indexesDamaged, packsIndexed, blobsLost } = repaired;
    resources.log.warn('repository.repaired', { error, indexesDamaged, packsIndexed, blobsLost });
  };
  const first = await attempt(facts.isBeingErased ? undefined : facts).catch(async (error: unknown) => {
    if (!isAppError(error, 'repository/damaged')) throw error;
    await mendIndex(error).catch((cause: unknown) => {
      // Its own error says how to mend it with a key that may.
      throw isAppError(cause, 'store/may-not-delete') ? error : cause;
    });
    return attempt();
  });
  if (first.lost === undefined) return first;
  await first.lock[Symbol.asyncDispose]();
  // In no index, it may be in a pack all the same; if it is in none, or the index cannot be mended now, the night stores all anew.
  if (first.lost.length === 0)
    await mendIndex().catch((error: unknown) => {
      signal.throwIfAborted();
      resources.log.warn('repository.not-repaired', { error });
    });
  return attempt();
}

/** Opens the sources, which are closed together. */
function openSources(
  resources: Needs,
  places: readonly (OwnSource | RefusedSource)[],
  { access, processor, memory }: Required<Pick<WebdavOptions, 'access' | 'processor' | 'memory'>>,
): AsyncDisposable & { readonly list: readonly Source[] } {
  const { clock, config, log, sourceServers: servers } = resources;
  const { listing: limits, fileBytes } = config.sourceLimits;
  const redirects = config.filesRedirects === 'follow' ? httpsElsewhere(config.filesRedirectNetworks) : undefined;
  const common = { access, processor, servers, clock, log, limits, memory, fileBytes, redirects };
  const opened = new AsyncDisposableStack();
  const open = (place: OwnSource) =>
    place.name === 'mail'
      ? imapSource({ ...place, ...common })
      : webdavSource({ ...place, kind: kindOf(place), ...common });
  const list = places.map((place) => opened.use('error' in place ? refusedSource(place) : open(place)));
  return { list, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function kindOf({ name }: OwnSource): WebdavOptions['kind'] {
  return name === 'calendars' || name === 'contacts' ? heldKinds[name] : undefined;
}
