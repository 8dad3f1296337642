import { asRule, type RetentionRule, ruleText } from '../../domain/retention/rule.ts';
import {
  type AgreedRuleFacts,
  type RowSeal,
  type RowSealing,
  type Sealed,
  vouchesFor,
} from '../../domain/row-facts.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { type Plan, Prisma } from '../generated/client.ts';
import { noCheckpoint } from '../nights/checkpoints.ts';
import { lockUser } from '../people/users.ts';
import { isQuiet } from './quiet-repositories.ts';
import { hastenVerification } from './verifications.ts';

/** What decides which of a person's snapshots stay. */
export interface RetentionFacts {
  readonly planId: string;
  readonly zone: string;
  /** As it was saved; `asRule` reads it. */
  readonly rule: unknown;
  /** Since when snapshots go by the rule; null where all of them stay. */
  readonly agreedAt: Date | null;
  /** Vouches for both. */
  readonly seal: RowSeal | null;
  /** The end of the last run with a great loss or change that nobody has looked at. */
  readonly alarmAt: Date | null;
  /** The newest snapshot that brought everything. */
  readonly completeId: string | null;
  /** When snapshots were last forgotten as agreed; why they were not since. */
  readonly retainedAt: Date | null;
  readonly hold: string | null;
  /** When the next night is due, not before a pause is over. */
  readonly nextDueAt: Date;
  /** When all snapshots are erased, of a consent that was withdrawn. */
  readonly eraseAt: Date | null;
}

/** What is known of a person's retention; null where there is no plan. */
export async function findRetention(database: Database, userId: string): Promise<RetentionFacts | null> {
  const last = (which: Prisma.Sql) => Prisma.sql`FROM runs JOIN plans own ON own.id = plan_id
    WHERE own.user_id = ${userId}::uuid AND snapshot_id IS NOT NULL AND ${which} ORDER BY finished_at DESC LIMIT 1`;
  const [found] = await database.$queryRaw<RetentionFacts[]>`
    SELECT plans.id AS "planId", zone, retention AS rule, retention_agreed_at AS "agreedAt", retention_seal AS seal,
      (SELECT finished_at ${last(Prisma.sql`alarm IS NOT NULL AND alarm_seen_at IS NULL`)}) AS "alarmAt",
      (SELECT snapshot_id ${last(Prisma.sql`state = 'succeeded' AND snapshot_forgotten_at IS NULL`)}) AS "completeId",
      retained_at AS "retainedAt", retention_hold AS hold, greatest(next_due_at, CASE WHEN paused THEN paused_until END) AS "nextDueAt", erase_at AS "eraseAt"
    FROM plans LEFT JOIN repositories ON repositories.user_id = plans.user_id
    WHERE plans.user_id = ${userId}::uuid ORDER BY plans.created_at DESC LIMIT 1`;
  return found ?? null;
}

/**
 * Puts on record that snapshots were forgotten as agreed, and how many: runs whose snapshot is not among those that
 * stayed have lost it.
 */
export async function saveForgotten(
  database: Database,
  { userId, stayed, count, at, by }: { userId: string; stayed: readonly string[]; count: number; at: Date; by: string },
): Promise<void> {
  const save = (transaction: Transaction) => transaction.$executeRaw`
    WITH gone AS (
      UPDATE runs SET snapshot_forgotten_at = ${at} FROM plans
      WHERE plans.id = plan_id AND user_id = ${userId}::uuid AND snapshot_id IS NOT NULL AND snapshot_id <> ALL(${[...stayed]}) AND snapshot_forgotten_at IS NULL
    )
    UPDATE repositories SET retained_at = ${at}, retention_hold = NULL WHERE user_id = ${userId}::uuid`;
  if (count === 0) {
    await save(database);
    return;
  }
  await inTransaction(database, async (transaction) => {
    await save(transaction);
    await saveAudit(transaction, { at, by, act: 'snapshots-forgotten', userId, about: String(count) });
  });
}

/** Puts on record that snapshots were repaired, and which took the place of one that is gone; null: nothing did. */
export async function saveReplaced(
  database: Database,
  {
    userId,
    replaced,
    at,
    by,
  }: { userId: string; replaced: readonly { from: string; to: string | null }[]; at: Date; by: string },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    for (const { from, to } of replaced) {
      const ofPerson = { plan: { userId } };
      const data =
        to === null ? { snapshotForgottenAt: at, snapshotLost: true } : { snapshotId: to, snapshotRepairedAt: at };
      await transaction.run.updateMany({ where: { ...ofPerson, snapshotId: from }, data });
      if (to !== null)
        await transaction.run.updateMany({
          where: { ...ofPerson, heldSnapshotId: from },
          data: { heldSnapshotId: to },
        });
    }
    await saveAudit(transaction, { at, by, act: 'repository-repaired', userId });
    await hastenVerification(transaction, { userId, at });
  });
}

/** A snapshot that a run wrote, and when. */
export interface SnapshotOnRecord {
  readonly id: string;
  readonly at: Date;
}

/** Every snapshot of a person's runs that is not known to be forgotten, newest first. */
export async function listSnapshotsOnRecord(database: Database, userId: string): Promise<SnapshotOnRecord[]> {
  return database.$queryRaw<SnapshotOnRecord[]>`
    SELECT snapshot_id AS id, coalesce(finished_at, queued_at) AS at FROM runs JOIN plans ON plans.id = plan_id
    WHERE user_id = ${userId}::uuid AND snapshot_id IS NOT NULL AND snapshot_forgotten_at IS NULL ORDER BY finished_at DESC NULLS FIRST`;
}

/** Puts on record why snapshots were not forgotten as agreed. */
export async function saveRetentionHold(
  database: Database,
  { userId, hold }: { userId: string; hold: string },
): Promise<void> {
  await database.repository.updateMany({ where: { userId }, data: { retentionHold: hold } });
}

/** Puts on record that data which no snapshot needs was removed; what a backup that was interrupted had read is among it. */
export async function savePruned(
  database: Database,
  { userId, at, by }: { userId: string; at: Date; by: string },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const pruned = { prunedAt: at, unprunedSince: null, unprunedReason: null };
    await transaction.repository.updateMany({ where: { userId }, data: { ...noCheckpoint, ...pruned } });
    await saveAudit(transaction, { at, by, act: 'data-pruned', userId });
  });
}

/** Puts on record why such data could not be removed, and since when it cannot. */
export async function saveNotPruned(
  database: Database,
  { userId, reason, at }: { userId: string; reason: string; at: Date },
): Promise<void> {
  await database.$executeRaw`
    UPDATE repositories SET unpruned_since = coalesce(unpruned_since, ${at}), unpruned_reason = ${reason} WHERE user_id = ${userId}::uuid`;
}

/** The rule that a consent agreed to, in the transaction that keeps it; it counts from the first time on. */
export async function saveAgreedRule(
  transaction: Transaction,
  { planId, rule, sealing, at }: { planId: string; rule: RetentionRule; sealing: RuleSealing; at: Date },
): Promise<void> {
  const known = await transaction.plan.findUniqueOrThrow({ where: { id: planId } });
  await saveRule(transaction, known, { rule, agreedAt: known.retentionAgreedAt ?? at, sealing });
}

type RuleSealing = RowSealing<AgreedRuleFacts>;

/** What vouches for the rule of a plan. */
function ruleFactsOf({ retentionSeal: seal, ...plan }: Plan): Sealed<AgreedRuleFacts> {
  return { ...plan, seal };
}

/** Without a rule all snapshots stay. */
async function saveRule(
  transaction: Transaction,
  known: Plan,
  { rule, agreedAt, sealing }: { rule: RetentionRule | null; agreedAt: Date; sealing: RuleSealing },
): Promise<void> {
  const data = rule === null ? { retentionAgreedAt: null } : { retention: { ...rule }, retentionAgreedAt: agreedAt };
  const retentionSeal = sealing.reseal(ruleFactsOf(known), { ...known, ...data });
  await transaction.plan.update({ where: { id: known.id }, data: { ...data, retentionSeal } });
}

/** From now on snapshots of the person go by this rule; null: all of them stay. What is so already is not put on record again. */
export async function saveRetention(
  database: Database,
  {
    userId,
    planId,
    rule,
    sealing,
    at,
    by,
  }: { userId: string; planId: string; rule: RetentionRule | null; sealing: RuleSealing; at: Date; by: string },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const known = await transaction.plan.findUniqueOrThrow({ where: { id: planId } });
    const agreed = known.retentionAgreedAt === null ? null : ruleText(asRule(known.retention));
    const isSame = agreed === (rule === null ? null : ruleText(rule));
    if (isSame && vouchesFor(sealing, ruleFactsOf(known))) return;
    const about = rule === null ? 'all' : ruleText(rule);
    await saveRule(transaction, known, { rule, agreedAt: at, sealing });
    await saveAudit(transaction, { at, by, act: 'retention-changed', userId, about });
  });
}

/**
 * Whose repositories, last pruned before `prunedBefore`, may hold data that no snapshot needs: since then snapshots were forgotten, or a
 * run was interrupted or failed. Not where a run is due until `quietUntil`, or where an interrupted one will be continued. Those after one of them.
 */
export async function listPruneDue(
  database: Database,
  { prunedBefore, quietUntil, after, limit }: { prunedBefore: Date; quietUntil: Date; after: PruneDue; limit: number },
): Promise<PruneDue[]> {
  return database.$queryRaw<PruneDue[]>(Prisma.sql`
    SELECT r.user_id AS "userId", coalesce(r.pruned_at, r.created_at) AS since FROM repositories r
    WHERE r.erase_at IS NULL AND r.checkpoint IS NULL
      AND coalesce(r.pruned_at, r.created_at) < ${prunedBefore}
      AND (coalesce(r.pruned_at, r.created_at), r.user_id) > (${after.since}, ${after.userId}::uuid)
      AND EXISTS (SELECT FROM plans p JOIN runs n ON n.plan_id = p.id
        WHERE p.user_id = r.user_id AND (n.snapshot_forgotten_at > coalesce(r.pruned_at, '-infinity')
          OR n.started_at > coalesce(r.pruned_at, '-infinity') AND (n.fence > 1 OR n.state IN ('failed', 'cancelled'))))
      AND ${isQuiet(quietUntil)}
    ORDER BY coalesce(r.pruned_at, r.created_at), r.user_id LIMIT ${limit}`);
}

/** Whose repository it is, and when it was pruned last, or made. */
export interface PruneDue {
  readonly userId: string;
  readonly since: Date;
}

/** What comes before all of them. */
export const beforeAllPruneDue: PruneDue = { userId: '00000000-0000-0000-0000-000000000000', since: new Date(-1) };

/** Somebody whose snapshots, or the data that these no longer need, did not go. */
export interface HeldRetention {
  readonly userId: string;
  readonly username: string | null;
  readonly subject: string;
  readonly what: 'snapshots' | 'data';
  readonly reason: string;
}

/**
 * People whose snapshots should have been forgotten by a rule before then and were not, or whose data that no snapshot needs could not be removed
 * since, with the reason. Of somebody of whom both is true, snapshots alone: their data cannot go before.
 */
export async function listHeldRetentions(database: Database, before: Date): Promise<HeldRetention[]> {
  return database.$queryRaw<HeldRetention[]>(
    Prisma.sql`
      WITH held AS (
      SELECT u.id AS "userId", u.username, u.subject, 'snapshots' AS what, r.retention_hold AS reason
      FROM repositories r JOIN users u ON u.id = r.user_id
      JOIN LATERAL (SELECT * FROM plans p WHERE p.user_id = u.id ORDER BY p.created_at DESC LIMIT 1) p ON true
      WHERE p.retention_agreed_at < ${before} AND r.retention_hold IS NOT NULL
        AND coalesce(r.retained_at, p.retention_agreed_at) < ${before}
      )
      SELECT * FROM held UNION ALL
      SELECT u.id, u.username, u.subject, 'data', r.unpruned_reason FROM repositories r JOIN users u ON u.id = r.user_id
      WHERE r.unpruned_since < ${before} AND r.erase_at IS NULL AND u.id NOT IN (SELECT "userId" FROM held)
      ORDER BY username, subject`,
  );
}
