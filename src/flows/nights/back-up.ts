import { findProblemsOfSnapshot, getRunWithPlan } from '../../database/runs.ts';
import { expandUrl } from '../../domain/url-template.ts';
import type { Resources } from '../../resources.ts';
import { webdavSource } from '../../sources/dav/webdav.ts';
import type { Access, Source } from '../../sources/source.ts';
import { archive } from '../../store/archiver/archiver.ts';
import { timestamp, timestampMs } from '../../store/format/timestamp.ts';
import { openArchiveTarget } from '../../store/repository/archive-target.ts';
import { loadWhileLocking } from '../../store/repository/load-while-locking.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { version } from '../../version.ts';
import { forgetAccess, obtainAccess } from '../custody/obtain-access.ts';
import { eraseBeforeUse } from '../erasure/erase-repositories.ts';
import { ensurePersonRepository } from './ensure-person-repository.ts';
import { type Before, type countsOf, outcomeOf } from './run-outcome.ts';
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
  | 'log'
  | 'sourceServers'
  | 'spool'
  | 'store'
>;

export interface BackUp {
  runId: string;
  signal: AbortSignal;
  /** Told now and then how far it is. */
  report: (counts: Record<string, number>) => void;
}

/**
 * Backs one run's plan up: access first (a rotated token is saved before anything else happens), then the
 * repository with its lock, then the sources into it, and last the snapshot. Throws what ends a run; entries that
 * could not be read make it partial.
 */
export async function backUp(resources: Needs, { runId, signal, report }: BackUp): Promise<Outcome> {
  const { clock } = resources;
  const began = clock.elapsed();
  const run = await getRunWithPlan(resources.database, runId);
  const access = accessOf(resources, { grantId: run.plan.grantId, runId });
  signal.addEventListener('abort', () => forgetAccess(resources, run.plan.grantId), { once: true });
  await access({ minimumSeconds: 30, signal });
  await eraseBeforeUse(resources, { userId: run.plan.userId, signal });
  const { repository, username } = await ensurePersonRepository(resources, run.plan.userId);
  await using lock = await loadWhileLocking(repository, { clock, ...resources.lockOwner });
  const either = AbortSignal.any([signal, lock.signal]);
  await using opened = new AsyncDisposableStack();
  const sources = openSources(resources, run.plan, access).map((source) => opened.use(source));
  using _ = clock.every(5_000, () => report(trafficOf(sources)));
  const [last] = (await Array.fromAsync(repository.listSnapshots(() => undefined))).toReversed();
  const target = openArchiveTarget(repository, clock, lock.settled);
  const archived = await archive({
    sources,
    repository: target,
    clock,
    zone: run.plan.zone,
    signal: either,
    ...(last && { parent: last.snapshot.tree }),
  });
  either.throwIfAborted();
  const snapshotId = await repository.saveSnapshot({
    time: timestamp(clock.now(), run.plan.zone),
    ...(last && { parent: last.id }),
    tree: archived.tree,
    paths: sources.map(({ name }) => `/${name}`),
    hostname: 'nightkeep',
    username,
    program_version: `nightkeep ${version}`,
    summary: archived.summary,
  });
  const outcome = outcomeOf(archived, last && (await whatWasBefore(resources, run.plan.userId, last)));
  const counts = { ...outcome.counts, ...trafficOf(sources), ms: Math.round(clock.elapsed() - began) };
  return { ...outcome, snapshotId, counts };
}

async function whatWasBefore({ database }: Needs, userId: string, { id, snapshot }: SavedSnapshot): Promise<Before> {
  const { problems, problemCount } = await findProblemsOfSnapshot(database, { userId, snapshotId: id });
  return { snapshotId: id, takenAt: new Date(timestampMs(snapshot.time)), problems, problemCount };
}

function accessOf(resources: Needs, about: { grantId: string; runId: string }): Access {
  return (options) => obtainAccess(resources, { ...about, purpose: 'run', ...options });
}

function openSources(resources: Needs, plan: RunPlan, access: Access): Source[] {
  const { clock, log, sourceServers: servers } = resources;
  return plan.sources.map(({ name, url }) =>
    webdavSource({ name, url: expandUrl(url, plan.claims), access, servers, clock, log }),
  );
}

type RunPlan = Awaited<ReturnType<typeof getRunWithPlan>>['plan'];

function trafficOf(sources: readonly Source[]): { requests: number; bytesRead: number } {
  const sum = (key: 'requests' | 'bytes') => sources.reduce((total, { traffic }) => total + traffic[key], 0);
  return { requests: sum('requests'), bytesRead: sum('bytes') };
}

/** What a finished run has counts of. */
export type CountName = keyof ReturnType<typeof countsOf> | keyof ReturnType<typeof trafficOf> | 'ms';
