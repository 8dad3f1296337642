import { type Damage, type DamageState, isAlarming, quietDamage } from '../../domain/damage.ts';
import type { DamagedPeople } from '../../domain/notices.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import { Prisma, type Verification } from '../generated/client.ts';
import { lockUser } from '../people/users.ts';
import { isBeingErased } from './erasures.ts';
import { isQuiet } from './quiet-repositories.ts';

export type VerificationRow = Omit<Verification, 'damage' | 'damageState'> & {
  readonly damage: Damage | null;
  readonly damageState: DamageState | null;
};

/**
 * Whose repositories with snapshots are due to be verified, who waits the longest first; not where a run is due until `quietUntil`.
 * Each has a row from its first snapshot on: a trigger sees to that (migration verifications_due).
 */
export async function listVerificationsDue(
  database: Database,
  { at, quietUntil, limit }: { at: Date; quietUntil: Date; limit: number },
): Promise<string[]> {
  const rows = await database.$queryRaw<{ userId: string }[]>(Prisma.sql`
    SELECT r.user_id AS "userId" FROM verifications v JOIN repositories r ON r.user_id = v.user_id
    WHERE v.next_at <= ${at} AND r.erase_at IS NULL AND ${isQuiet(quietUntil)}
      AND EXISTS (SELECT FROM plans p JOIN runs n ON n.plan_id = p.id
        WHERE p.user_id = r.user_id AND n.snapshot_id IS NOT NULL)
    ORDER BY v.next_at LIMIT ${limit}`);
  return rows.map(({ userId }) => userId);
}

/** Claims a verification that is due until `leaseUntil`; null where another worker has it. */
export async function claimVerification(
  database: Database,
  { userId, at, leaseUntil }: { userId: string; at: Date; leaseUntil: Date },
): Promise<VerificationRow | null> {
  await database.verification.createMany({ data: [{ userId, since: at, nextAt: at }], skipDuplicates: true });
  const [row] = await database.verification.updateManyAndReturn({
    where: { userId, nextAt: { lte: at } },
    data: { nextAt: leaseUntil },
  });
  return row === undefined ? null : readRow(row);
}

/**
 * Puts on record how far a claimed verification is, and keeps it claimed until then; false where it must end: a run of the person is
 * under way, or they or their snapshots are being erased.
 */
export async function saveVerifying(
  database: Database,
  { userId, ...data }: { userId: string; nextAt: Date; cursor?: number; damagedPacks: string[] },
): Promise<boolean> {
  const { count } = await database.verification.updateMany({ where: { userId }, data });
  if (count === 0 || (await areBeingErased(database, userId))) return false;
  return (await database.run.count({ where: { plan: { userId }, state: 'running' } })) === 0;
}

async function areBeingErased(database: Transaction, userId: string): Promise<boolean> {
  const repository = await database.repository.findUnique({ where: { userId }, select: { eraseAt: true } });
  return repository !== null && isBeingErased(repository);
}

/** What a verification came to. */
export interface Verified {
  readonly userId: string;
  readonly at: Date;
  readonly nextAt: Date;
  readonly cursor: number;
  readonly packsRead: number;
  readonly filesRead: number;
  readonly damagedPacks: readonly string[];
  /** Null: nothing is wrong. */
  readonly found: { readonly damage: Damage; readonly state: DamageState; readonly foundAt: Date } | null;
}

/** Puts it on record, and as an event what was found or healed. */
export async function saveVerified(database: Database, verified: Verified): Promise<void> {
  const { userId, at, nextAt, cursor, packsRead, filesRead, damagedPacks, found } = verified;
  await inTransaction(database, async (transaction) => {
    const before = await transaction.verification.findUnique({ where: { userId } });
    // What is missing then is missing because it is being erased.
    if (before === null || (await areBeingErased(transaction, userId))) return;
    const { damageState: from } = before;
    const to = found?.state ?? null;
    await transaction.verification.update({
      where: { userId },
      data: {
        ...{ nextAt, cursor, packsRead, filesRead, damagedPacks: [...damagedPacks], errorCode: null, errorFiles: [] },
        ...{ readAt: at, checkedAt: at, damageState: to, foundAt: found?.foundAt ?? null },
        damage: found === null ? Prisma.DbNull : asJson(found.damage),
        ...(!isAlarming(to) && { verifiedAt: at }),
        ...(to === null && { accepted: [] }),
        // What only was not there for a while was not damaged, and no person was told that it is.
        ...(isAlarming(readState(from)) && from !== gone && !isAlarming(to) && to !== 'accepted' && { clearedAt: at }),
      },
    });
    if (from === to) return;
    await saveEvent(transaction, 'user', userId, { from: spoken(from), to: spoken(to), at, by: 'schedule' });
  });
}

/** When the person's last run that brought everything began; null where there is none. */
export async function findLastCompleteStart(database: Database, userId: string): Promise<Date | null> {
  const run = await database.run.findFirst({
    where: { plan: { userId }, state: 'succeeded', snapshotId: { not: null }, startedAt: { not: null } },
    orderBy: { startedAt: 'desc' },
    select: { startedAt: true },
  });
  return run?.startedAt ?? null;
}

/** Puts on record why a verification could not be done, and when it is tried again. */
export async function saveNotVerified(
  database: Database,
  {
    userId,
    errorCode,
    errorFiles,
    nextAt,
  }: { userId: string; errorCode: string | null; errorFiles: readonly string[]; nextAt: Date },
): Promise<void> {
  await database.verification.updateMany({
    where: { userId },
    data: { nextAt, ...(errorCode && { errorCode, errorFiles: [...errorFiles] }) },
  });
}

/**
 * Puts on record that a repository which was made is not there, or that nothing opens it; not where it is being erased, or is in another place by
 * now. The next verification that opens it says what is left of that.
 */
export async function saveGone(
  database: Database,
  { userId, id, store, at, by }: { userId: string; id: string; store: string | null; at: Date; by: string },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const repository = await transaction.repository.findFirst({ where: { id, store }, select: { eraseAt: true } });
    if (repository === null || isBeingErased(repository)) return;
    const before = await transaction.verification.findUnique({ where: { userId } });
    if (before?.damageState === gone) return;
    const found = { damageState: gone, foundAt: at };
    await transaction.verification.upsert({
      where: { userId },
      create: { userId, since: at, nextAt: at, ...found },
      update: found,
    });
    const from = spoken(before?.damageState ?? null);
    await saveEvent(transaction, 'user', userId, { from, to: spoken(gone), at, by });
  });
}

/**
 * Puts on record that a repository which was known to be gone since `foundAt` is there again, in that state, and makes its verification due. False
 * where something else is known of it by now, or it is in another place.
 */
export async function saveBack(
  database: Database,
  back: { userId: string; id: string; store: string | null; foundAt: Date; state: DamageState | null; at: Date },
): Promise<boolean> {
  const { userId, id, store, foundAt, state, at } = back;
  return inTransaction(database, async (transaction) => {
    if ((await transaction.repository.count({ where: { id, store } })) === 0) return false;
    const { count } = await transaction.verification.updateMany({
      where: { userId, damageState: gone, foundAt },
      data: {
        damageState: state,
        nextAt: at,
        errorCode: null,
        errorFiles: [],
        ...(state === null && { foundAt: null }),
      },
    });
    if (count === 0) return false;
    await saveEvent(transaction, 'user', userId, { from: spoken(gone), to: spoken(state), at, by: 'schedule' });
    return true;
  });
}

const gone = 'gone' satisfies DamageState;

function spoken(state: string | null): string {
  return `repository ${state ?? 'whole'}`;
}

/** A verification of the person is due now where damage is known: something was done that may have mended it. */
export async function hastenVerification(
  database: Database | Transaction,
  { userId, at }: { userId: string; at: Date },
): Promise<void> {
  const isKnown = { damageState: { not: null } };
  await database.verification.updateMany({ where: { userId, ...isKnown, nextAt: { gt: at } }, data: { nextAt: at } });
}

/** Makes a verification of the person due now, since something may be damaged or gone: it reads these packs, if any are known. */
export async function saveDoubted(
  database: Database,
  { userId, packs, at }: { userId: string; packs: readonly string[]; at: Date },
): Promise<void> {
  await database.$executeRaw`
    INSERT INTO verifications (user_id, since, next_at, damaged_packs) VALUES (${userId}::uuid, ${at}, ${at}, ${[...packs]})
    ON CONFLICT (user_id) DO UPDATE SET next_at = least(verifications.next_at, excluded.next_at),
      damaged_packs = ARRAY(SELECT DISTINCT unnest(verifications.damaged_packs || excluded.damaged_packs))`;
}

/** When files were last restored to nothing in a backup and compared with the server, and how many; null where none were. */
export async function findCompared(
  database: Database,
  { userId }: { userId: string },
): Promise<{ at: Date; files: number } | null> {
  const [row] = await database.$queryRaw<{ at: Date; files: number }[]>`
    SELECT finished_at AS at, (counts ->> 'entriesRestored')::int AS files FROM runs JOIN plans ON plans.id = plan_id
    WHERE user_id = ${userId}::uuid AND finished_at IS NOT NULL AND counts ? 'entriesRestored'
    ORDER BY finished_at DESC LIMIT 1`;
  return row ?? null;
}

/** What is known of a person's repository; null where it was never to be verified. */
export async function findVerification(database: Database, userId: string): Promise<VerificationRow | null> {
  const row = await database.verification.findUnique({ where: { userId } });
  return row && readRow(row);
}

/** How many files and folders of each of these people cannot be restored, at most a thousand, and why verifying fails. */
export async function listVerifications(
  database: Database,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, { files: number; errorCode: string | null }>> {
  const rows = await database.$queryRaw<{ userId: string; files: number; errorCode: string | null }[]>(Prisma.sql`
    SELECT user_id AS "userId", error_code AS "errorCode",
      CASE jsonb_typeof(damage -> 'files') WHEN 'array' THEN jsonb_array_length(damage -> 'files') ELSE 0 END AS files
    FROM verifications WHERE user_id = ANY(${[...userIds]}::uuid[])`);
  return new Map(rows.map(({ userId, ...row }) => [userId, row]));
}

/** How many people's repositories are damaged, or were healed after that moment, found by indexes of those few; not of those who took their consent back. */
export async function countDamaged(database: Database, { healedAfter }: { healedAfter: Date }): Promise<DamagedPeople> {
  const [counted] = await database.$queryRaw<[DamagedPeople]>`
    WITH known AS (
      SELECT user_id, found_at, true AS is_damaged, NULL::timestamptz AS cleared_at FROM verifications
      WHERE damage_state IS NOT NULL AND damage_state <> ALL (${[...quietDamage]})
      UNION ALL
      SELECT user_id, NULL, false, cleared_at FROM verifications
      WHERE cleared_at > ${healedAfter} AND (damage_state IS NULL OR damage_state = 'superseded')
    )
    SELECT count(*) FILTER (WHERE is_damaged)::int AS damaged, max(found_at) AS "newestDamage",
      count(*) FILTER (WHERE NOT is_damaged)::int AS healed, max(cleared_at) AS "newestHealing"
    FROM known WHERE EXISTS (SELECT FROM repositories WHERE user_id = known.user_id OFFSET 0)
      AND (SELECT state FROM grants WHERE user_id = known.user_id ORDER BY created_at DESC LIMIT 1) <> 'withdrawn'`;
  return counted;
}

/**
 * How many people with snapshots have a repository that nobody has found whole since then and in which no damage is known that somebody
 * should look at; found by the index of when each was looked at, not of those who took their consent back.
 */
export async function countUnverified(database: Database, { before }: { before: Date }): Promise<number> {
  const [{ count }] = await database.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM verifications
    WHERE ${lookedAt} <= ${before} AND (damage_state IS NULL OR damage_state = ANY (${[...quietDamage]}))
      AND EXISTS (SELECT FROM repositories WHERE user_id = verifications.user_id OFFSET 0)
      AND (SELECT state FROM grants WHERE user_id = verifications.user_id ORDER BY created_at DESC LIMIT 1) <> 'withdrawn'
      AND EXISTS (SELECT FROM plans JOIN runs ON runs.plan_id = plans.id WHERE plans.user_id = verifications.user_id
        AND runs.state IN ('succeeded', 'partial') AND snapshot_id IS NOT NULL AND snapshot_forgotten_at IS NULL OFFSET 0)`;
  return count;
}

/** When the repository of a row of verifications was looked at last; the same expression as in their index (migration tallies). */
export const lookedAt = Prisma.sql`coalesce(CASE WHEN damage_state IS NULL THEN verified_at ELSE checked_at END, since)`;

const pageOfPeople = 1_000;
const nobody = '00000000-0000-0000-0000-000000000000';

/** Whose repositories are known to be gone, so many people at a time. */
export async function* eachGoneRepository(database: Database): AsyncGenerator<readonly string[]> {
  for (let after = nobody; ; ) {
    const rows = await database.verification.findMany({
      where: { damageState: gone, userId: { gt: after } },
      orderBy: { userId: 'asc' },
      take: pageOfPeople,
      select: { userId: true },
    });
    yield rows.map(({ userId }) => userId);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageOfPeople) return;
    after = last.userId;
  }
}

/**
 * Whose repositories something is known of, or nobody looked at since then, so many people at a time: found by indexes of those few
 * (migration tallies).
 */
export async function* eachDoubtfulRepository(database: Database, before: Date): AsyncGenerator<readonly string[]> {
  for (let after = nobody; ; ) {
    const rows = await database.$queryRaw<{ userId: string }[]>`
      SELECT user_id AS "userId" FROM verifications WHERE damage_state IS NOT NULL AND user_id > ${after}::uuid
      ORDER BY user_id LIMIT ${pageOfPeople}`;
    yield rows.map(({ userId }) => userId);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageOfPeople) break;
    after = last.userId;
  }
  for (let after = { at: new Date(-1), userId: nobody }; ; ) {
    const rows = await database.$queryRaw<{ userId: string; at: Date }[]>`
      SELECT user_id AS "userId", ${lookedAt} AS at FROM verifications
      WHERE (${lookedAt}, user_id) > (${after.at}, ${after.userId}::uuid) AND ${lookedAt} <= ${before} AND damage_state IS NULL
      ORDER BY ${lookedAt}, user_id LIMIT ${pageOfPeople}`;
    yield rows.map(({ userId }) => userId);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageOfPeople) return;
    after = last;
  }
}

/** When the runs ended that made these snapshots, as far as they are on record. */
export async function listNightsOf(
  database: Database,
  { userId, snapshotIds }: { userId: string; snapshotIds: readonly string[] },
): Promise<ReadonlyMap<string, Date>> {
  const runs = await database.run.findMany({
    where: { plan: { userId }, snapshotId: { in: [...snapshotIds] } },
    select: { snapshotId: true, finishedAt: true },
  });
  return new Map(
    runs.flatMap(({ snapshotId, finishedAt }) => (snapshotId && finishedAt ? [[snapshotId, finishedAt]] : [])),
  );
}

/**
 * Puts on record that somebody looked at what is lost for good, as it was found at `foundAt`: it is no alarm any more, and snapshots that
 * were removed are not looked for again. False where
 * something else is damaged by now, or nothing.
 */
export async function acceptLosses(
  database: Database,
  { userId, foundAt, at, by }: { userId: string; foundAt: Date; at: Date; by: string },
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const row = await transaction.verification.findFirst({
      where: { userId, foundAt, damageState: { in: ['lost', 'removed'] } },
    });
    if (row === null) return false;
    const { damage } = readRow(row);
    const accepted = [...(damage?.marks ?? [])];
    await transaction.verification.update({ where: { userId }, data: { damageState: 'accepted', accepted } });
    const gone = { plan: { userId }, snapshotId: { in: [...(damage?.removed ?? [])] }, snapshotForgottenAt: null };
    await transaction.run.updateMany({ where: gone, data: { snapshotForgottenAt: at, snapshotRemoved: true } });
    await saveAudit(transaction, { at, by, act: 'losses-accepted', userId, about: String(damage?.files.length ?? 0) });
    return true;
  });
}

function readRow(row: Verification): VerificationRow {
  // Written by saveVerified alone.
  return { ...row, damage: row.damage as Damage | null, damageState: readState(row.damageState) };
}

function readState(state: string | null): DamageState | null {
  return state as DamageState | null;
}

function asJson({ files, ...damage }: Damage): Prisma.InputJsonObject {
  return { ...damage, files: files.map(({ path, snapshots }) => ({ path, snapshots })) };
}
