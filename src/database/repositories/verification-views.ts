import { type DamageState, quietDamage } from '../../domain/damage.ts';
import type { DamagedPeople } from '../../domain/notices.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';

const gone = 'gone' satisfies DamageState;

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

/**
 * How many people's repositories are damaged or gone, or were healed or are back after that moment, found by indexes of those few; not of those who
 * took their consent back.
 */
export async function countDamaged(database: Database, { after }: { after: Date }): Promise<DamagedPeople> {
  const [counted] = await database.$queryRaw<[DamagedPeople]>`
    WITH known AS (
      SELECT user_id, CASE damage_state WHEN ${gone} THEN ${gone} ELSE 'damaged' END AS are,
        CASE damage_state WHEN ${gone} THEN greatest(gone_at, found_at) ELSE found_at END AS at, NULL::timestamptz AS gone_at
      FROM verifications WHERE damage_state IS NOT NULL AND damage_state <> ALL (${[...quietDamage]})
      UNION ALL
      SELECT user_id, 'healed', cleared_at, NULL FROM verifications
      WHERE cleared_at > ${after} AND (damage_state IS NULL OR damage_state = 'superseded')
      UNION ALL
      SELECT user_id, 'back', back_at, gone_at FROM verifications
      WHERE back_at > ${after} AND damage_state IS DISTINCT FROM ${gone}
    )
    SELECT count(*) FILTER (WHERE are = 'damaged')::int AS damaged, max(at) FILTER (WHERE are = 'damaged') AS "newestDamage",
      count(*) FILTER (WHERE are = 'gone')::int AS gone, max(at) FILTER (WHERE are = 'gone') AS "newestGone",
      count(*) FILTER (WHERE are = 'healed')::int AS healed, max(at) FILTER (WHERE are = 'healed') AS "newestHealing",
      count(*) FILTER (WHERE are = 'back')::int AS back, max(at) FILTER (WHERE are = 'back') AS "newestBack",
      min(gone_at) AS "backFrom"
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

/** The people whose repositories are known to be gone, a page at a time. */
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
 * The people whose repositories have a known fault, or were not looked at since then, a page at a time: found by indexes of those few
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
