import { randomUUID } from 'node:crypto';
import { saveAudit } from '../../database/audit.ts';
import {
  claimDueStateExport,
  claimStateExport,
  findLastErasure,
  findStateSince,
  hasRepositoriesInStore,
  saveStateExport,
} from '../../database/state/state-exports.ts';
import { dayMs, hourMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { cureOfAbsent } from '../../store/backend/absent.ts';
import { listExports, openExportWriter, removeExportFiles, statePlace } from '../../store/state-exports.ts';
import { markPlaces } from '../keys/marks.ts';
import { nightsOfAll } from '../nights/nights-of-all.ts';
import { writeExport } from './move-state.ts';

type Needs = Pick<Resources, 'clock' | 'config' | 'database' | 'keyring' | 'log' | 'places' | 'store'>;

/** As long as a transaction may take that reads all there is. */
const leaseMs = hourMs;
/** How much later one that failed is tried again. */
const againMs = hourMs;
/** What is older and not whole is not being written any more. */
const writtenWithinMs = dayMs;

/** What an export into the store came to. */
export interface StateExportDone {
  readonly createdAt: string;
  readonly bytes: number;
  /** Exports that are in the store now, and those of them that should be gone and that the store does not let go. */
  readonly kept: number;
  readonly overdue: number;
}

/**
 * Exports Nightkeep's own state into the store once the last window of a night is over, and besides as soon as somebody was erased or
 * another key seals; older exports go then. One that fails is tried again an hour later.
 */
export async function exportWhereDue(resources: Needs, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
  const { clock, config, database, keyring, log } = resources;
  if (config.stateExports === 0 || (await findStateSince(database)) === null) return;
  const at = clock.now();
  const nights = await nightsOfAll(resources);
  const { end: since } = nights(at, 'end');
  const [leaseUntil, triedBefore] = [later(at, leaseMs), later(at, -againMs)];
  const due = { at, leaseUntil, triedBefore, since, keyId: keyring.newest };
  if (!(await claimDueStateExport(database, due))) return;
  try {
    log.info('state.exported', { ...(await exportClaimed(resources, at, signal)) });
  } catch (error) {
    await saveUndone(database, error, signal);
    if (signal?.aborted !== true) throw error;
  }
}

/** One that was stopped is no failure. */
async function saveUndone(database: Needs['database'], error: unknown, signal: AbortSignal | undefined): Promise<void> {
  const errorCode = signal?.aborted === true ? null : isAppError(error) ? error.code : 'internal';
  await saveStateExport(database, { errorCode });
}

/** The same at once. Throws `request/invalid` where another process does it now. */
export async function exportIntoStore(
  resources: Needs,
  { by, signal }: { by: string; signal?: AbortSignal },
): Promise<StateExportDone> {
  const { clock, database } = resources;
  const at = clock.now();
  if (!(await claimStateExport(database, { at, leaseUntil: later(at, leaseMs) })))
    throw new AppError(
      'request/invalid',
      'Another process is exporting to the store. Wait until it is done (nightkeep import --list), or for an hour if it was killed.',
    );
  await saveAudit(database, { at, by, act: 'state-exported', about: 'into the store' });
  try {
    return await exportClaimed(resources, at, signal);
  } catch (error) {
    await saveUndone(database, error, signal);
    throw error;
  }
}

async function exportClaimed(resources: Needs, at: Date, signal?: AbortSignal): Promise<StateExportDone> {
  const { database, keyring, store } = resources;
  await refuseEmptyStore(resources);
  const writer = openExportWriter(store(statePlace, null), { createdAt: at, id: randomUUID() });
  const sink = async (bytes: Uint8Array) => {
    signal?.throwIfAborted();
    await writer.write(bytes);
  };
  await writeExport({ database, keyring }, sink, { withTokens: false, at });
  const bytes = await writer.finish();
  const left = await removeOlder(resources, at);
  await saveStateExport(database, { madeAt: at, keyId: keyring.newest, bytes, ...left });
  return { createdAt: at.toISOString(), bytes, ...left };
}

/** A disk that is not mounted gets nothing: what is written there would not outlive this machine. */
async function refuseEmptyStore({ database, places, store }: Needs): Promise<void> {
  if (!(await hasRepositoriesInStore(database)) || (await places(null)).some((place) => !place.startsWith(markPlaces)))
    return;
  const backend = store(statePlace, null);
  throw new AppError(
    'store/unavailable',
    `The store is empty, although it should hold repositories, so nothing was exported to ${backend.location}. ${cureOfAbsent(backend)}.`,
  );
}

/** Lets those of this installation go that are too many, and all that were made before somebody was erased. */
async function removeOlder(
  { clock, config: { stateExports }, database, store }: Needs,
  madeAt: Date,
): Promise<Pick<StateExportDone, 'kept' | 'overdue'>> {
  const backend = store(statePlace, null);
  const now = clock.now();
  const { whole, leftovers } = await listExports(backend, now);
  const [erasedAt, since] = await Promise.all([findLastErasure(database), findStateSince(database)]);
  // Without nightly exports those that somebody asked for stay.
  const most = stateExports === 0 ? whole.length : stateExports;
  const old = whole.filter(
    ({ createdAt }, index) =>
      // What is from before anybody was here is of a lost installation, and may still be wanted.
      (index >= most && since !== null && createdAt >= since) ||
      (erasedAt !== null && createdAt <= erasedAt && createdAt < madeAt),
  );
  const dead = leftovers.filter(({ createdAt }) => Math.abs(now.getTime() - createdAt.getTime()) > writtenWithinMs);
  let removed = 0;
  try {
    for (; removed < old.length; removed += 1) await removeExportFiles(backend, old[removed]?.files ?? []);
    await removeExportFiles(
      backend,
      dead.map(({ name }) => name),
    );
    // What a writer that was killed had half written is in no listing. Whoever claimed the export is the only one that writes there.
    await backend.vacate();
  } catch (error) {
    if (!isAppError(error, 'store/may-not-delete')) throw error;
  }
  return { kept: whole.length - removed, overdue: old.length - removed };
}

function later(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}
