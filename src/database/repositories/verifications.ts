import { type Damage, type DamageState, damageStateOf, goneSince, isAlarming } from '../../domain/damage.ts';
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
    const row = await transaction.verification.findUnique({ where: { userId } });
    // What is missing then is missing because it is being erased.
    if (row === null || (await areBeingErased(transaction, userId))) return;
    const before = readRow(row);
    const { damageState: from } = before;
    const to = found?.state ?? null;
    const isHealed = isAlarming(damageBefore(before)) && !isAlarming(to) && to !== 'accepted';
    await transaction.verification.update({
      where: { userId },
      data: {
        ...{ nextAt, cursor, packsRead, filesRead, damagedPacks: [...damagedPacks], errorCode: null, errorFiles: [] },
        ...{ readAt: at, checkedAt: at, damageState: to, foundAt: found?.foundAt ?? null },
        damage: found === null ? Prisma.DbNull : asJson(found.damage),
        ...(!isAlarming(to) && { verifiedAt: at }),
        ...(to === null && { accepted: [] }),
        ...(from === 'gone' && { goneAt: goneSince(before), backAt: at }),
        ...(isHealed && { clearedAt: at }),
      },
    });
    if (from !== to) await saveStateEvent(transaction, { userId, from, to, at, by: 'schedule' });
  });
}

/** What was known to be damaged, also before the repository was gone: what only was not there for a while was not damaged, and no person was told that it is. */
function damageBefore({ damage, damageState, foundAt, accepted }: VerificationRow): DamageState | null {
  if (damageState !== 'gone') return damageState;
  if (damage === null || foundAt === null) return null;
  return damageStateOf({ damage, foundAt, readAgainAt: null, accepted: new Set(accepted) });
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

/** Saves as an event that something else is known of a person's repository now. */
export async function saveStateEvent(
  transaction: Transaction,
  { userId, from, to, at, by }: { userId: string; from: string | null; to: DamageState | null; at: Date; by: string },
): Promise<void> {
  const words = (state: string | null) => `repository ${state ?? 'whole'}`;
  await saveEvent(transaction, 'user', userId, { from: words(from), to: words(to), at, by });
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

/** What is known of a person's repository; null where it was never to be verified. */
export async function findVerification(database: Database, userId: string): Promise<VerificationRow | null> {
  const row = await database.verification.findUnique({ where: { userId } });
  return row && readRow(row);
}

/**
 * Puts on record that somebody looked at what is lost for good, as it was found at `foundAt`: it is no alarm any more, and snapshots that
 * were removed are not looked for again. False where something else is damaged by now, or nothing.
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
