import {
  findRetention,
  listSnapshotsOnRecord,
  type RetentionFacts,
  saveForgotten,
  saveRetentionHold,
} from '../../database/repositories/retention.ts';
import { saveDoubted } from '../../database/repositories/verifications.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { SnapshotId } from '../../store/format/ids.ts';
import type { Snapshot } from '../../store/format/snapshot.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import type { Repository } from '../../store/repository/repository.ts';
import { agreedRuleSealing } from '../../vault/row-seals.ts';
import { openPersonRepository, type PersonRepository } from '../nights/open-person-repository.ts';
import { refuseIfMoved } from '../store/refuse-if-moved.ts';
import { findRemoved } from './find-removed.ts';
import { type Judgement, judgeSnapshots, ruleOf } from './judge-snapshots.ts';
import { refuseOldListing } from './refuse-old-listing.ts';

export type RetentionNeeds = Pick<Resources, 'clock' | 'database' | 'keyring' | 'lockOwner' | 'store'>;

/** What of a repository that is open already is used to let snapshots go. */
export type OpenedRepository = Pick<PersonRepository, 'repository' | 'store'>;

/** What the person's rule does with their snapshots now, without doing it. Throws `repository/not-found` where there is none. */
export async function previewRetention(
  resources: Pick<RetentionNeeds, 'clock' | 'database' | 'keyring' | 'store'>,
  userId: string,
): Promise<Judgement> {
  const facts = await factsOf(resources, userId);
  const { repository } = await openPersonRepository(resources, userId);
  const saved = await Array.fromAsync(repository.listSnapshots());
  return judgeSnapshots(saved, facts, { rule: ruleOf(facts), now: resources.clock.now() });
}

/**
 * Forgets the snapshots that the person's rule lets go. Their data stays until a prune, so that others may use the repository
 * meanwhile. Throws `repository/locked`, `store/may-not-delete`, and `repository/damaged` where a snapshot cannot be read, or
 * `store/unavailable` where one is not listed: which ones stay cannot be told then; and `seal/broken` where nobody agreed to the rule. `known` is what was read of the person just now, `opened`
 * their repository where it is open already.
 */
export async function forgetSnapshots(
  resources: RetentionNeeds,
  {
    userId,
    by,
    signal,
    known,
    opened,
  }: {
    userId: string;
    by: string;
    signal?: AbortSignal;
    known?: RetentionFacts;
    opened?: OpenedRepository | undefined;
  },
): Promise<Judgement> {
  const { clock, database } = resources;
  const { repository, store } = opened ?? (await openPersonRepository(resources, userId));
  const read = new Map<SnapshotId, Snapshot>();
  const look = async (given?: RetentionFacts) => {
    await refuseIfMoved(resources, { userId, store });
    const facts = given ?? (await factsOf(resources, userId));
    const { planId: id, rule: retention, agreedAt: retentionAgreedAt, seal } = facts;
    agreedRuleSealing(resources.keyring).require({ id, userId, retention, retentionAgreedAt, seal });
    const saved = await Array.fromAsync(repository.listSnapshots(undefined, read));
    const onRecord = await listSnapshotsOnRecord(database, userId);
    await refuseOldListing(repository.backend, { listed: saved, onRecord });
    const removed = await findRemoved(resources, { userId, repository, saved, known: { facts, onRecord } });
    return { ...judgeSnapshots(saved, facts, { rule: ruleOf(facts), now: clock.now() }), removed };
  };
  const first = await look(known);
  const { removed, ...judgement } =
    first.going.length === 0 ? first : await letGo(resources, repository, { look, signal });
  if (removed.length > 0) await saveDoubted(database, { userId, packs: [], at: clock.now() });
  const { going, hold, snapshots } = judgement;
  if (hold === 'alarm') await saveRetentionHold(database, { userId, hold });
  if (hold !== null) return judgement;
  const kept = snapshots.filter(({ id }) => !going.includes(id)).map(({ id }) => id);
  // What somebody else removed did not go by the rule: the next verification, which is due now, names it.
  const stayed = [...kept, ...removed];
  await saveForgotten(database, { userId, stayed, count: going.length, at: clock.now(), by });
  return judgement;
}

type Look = Judgement & { readonly removed: readonly string[] };

interface LettingGo {
  readonly look: () => Promise<Look>;
  readonly signal: AbortSignal | undefined;
}

/** Looks again under the lock, so that nothing goes for what was true before it. */
async function letGo(
  { clock, lockOwner }: RetentionNeeds,
  repository: Repository,
  { look, signal }: LettingGo,
): Promise<Look> {
  await using lock = await lockRepository(repository, { clock, ...lockOwner, signal });
  const judgement = await look();
  for (const id of judgement.going) {
    lock.signal.throwIfAborted();
    await repository.forgetSnapshot(id).catch(ignoreGone);
  }
  return judgement;
}

async function factsOf({ database }: Pick<RetentionNeeds, 'database'>, userId: string) {
  const facts = await findRetention(database, userId);
  if (facts === null) throw new AppError('request/not-found', 'This person has no plan: they have not consented yet.');
  return facts;
}

function ignoreGone(error: unknown): void {
  if (!isAppError(error, 'repository/no-such-snapshot')) throw error;
}
