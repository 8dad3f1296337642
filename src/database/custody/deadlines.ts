import { warnings } from '../../domain/deadlines.ts';
import { dayMs, minuteMs } from '../../durations.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, repeated } from '../client.ts';
import { saveEvent } from '../events.ts';
import { type Grant, type GrantState, Prisma } from '../generated/client.ts';

export interface GrantRow extends Pick<Grant, 'id' | 'state' | 'reason' | 'generation' | 'lastExchangedAt'> {
  user: { id: string; username: string | null; subject: string };
  idleDeadline: Date;
  maxDeadline: Date | null;
  nextExchangeAt: Date | null;
}

const page = 1_000;

/**
 * Grants as an operator sees them, those that end first before the others, a page at a time; with `endingBefore`, only those that end by
 * then. One that is used meanwhile may come again.
 */
export async function* eachGrant(
  database: Database,
  filter: { state?: GrantState | undefined; endingBefore?: Date | undefined },
): AsyncGenerator<readonly GrantRow[]> {
  for (let after: GrantRow | undefined; ; ) {
    const grants: GrantRow[] = await listGrants(database, { ...filter, after });
    yield grants;
    if (grants.length < page) return;
    after = grants.at(-1);
  }
}

async function listGrants(
  database: Database,
  {
    state,
    endingBefore,
    after,
  }: { state?: GrantState | undefined; endingBefore?: Date | undefined; after: GrantRow | undefined },
): Promise<GrantRow[]> {
  const living = { state: state ?? { not: 'withdrawn' as const } };
  const ending = endingBefore && {
    OR: [{ idleDeadline: { lte: endingBefore } }, { maxDeadline: { lte: endingBefore } }],
  };
  const next = after && {
    idleDeadline: { gte: after.idleDeadline },
    OR: [{ idleDeadline: { gt: after.idleDeadline } }, { id: { gt: after.id } }],
  };
  return database.grant.findMany({
    where: { ...living, AND: [ending ?? {}, next ?? {}] },
    take: page,
    orderBy: [{ idleDeadline: 'asc' }, { id: 'asc' }],
    select: {
      id: true,
      state: true,
      reason: true,
      generation: true,
      lastExchangedAt: true,
      idleDeadline: true,
      maxDeadline: true,
      nextExchangeAt: true,
      user: { select: { id: true, username: true, subject: true } },
    },
  });
}

export interface ForecastDay {
  /** Whole days from now. */
  day: number;
  /** Grants that have ended by the end of that day, if nothing is exchanged from now on. */
  dead: number;
}

/** How many living grants end on each of the next days if nothing is exchanged from now on. */
export async function forecastUnusedEnds(
  database: Database,
  { at, days }: { at: Date; days: number },
): Promise<{ living: number; forecast: ForecastDay[] }> {
  const rows = await database.$queryRaw<{ day: number; dead: number }[]>`
    SELECT greatest(0, ceil(extract(epoch FROM least(idle_deadline, max_deadline) - ${at}) / 86400))::int AS day, count(*)::int AS dead
    FROM grants WHERE state IN ('active', 'suspect') GROUP BY 1`;
  const living = rows.reduce((sum, { dead }) => sum + dead, 0);
  const deadBy = (day: number) => rows.filter((row) => row.day <= day).reduce((sum, { dead }) => sum + dead, 0);
  return { living, forecast: Array.from({ length: days + 1 }, (_, day) => ({ day, dead: deadBy(day) })) };
}

/** How many grants keep-alive should have renewed long ago: less than a quarter is left of the time that their token lives unused. */
export async function countUnrenewed(database: Database, about: { at: Date; idleMs: number }): Promise<number> {
  const [{ count }] = await database.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM grants WHERE ${isUnrenewed(about)}`;
  return count;
}

/** The same of each row of `grants`; of one close to a fixed end, which nothing puts off, never. */
export function isUnrenewed({ at, idleMs }: { at: Date; idleMs: number }): Prisma.Sql {
  // No token is taken to live longer than the setting says, and many for less: only those that may be meant are read.
  return Prisma.sql`state = 'active' AND (max_deadline IS NULL OR idle_deadline < max_deadline - interval '1 minute')
    AND state IN ('active', 'suspect') AND idle_deadline < ${at}::timestamptz + make_interval(secs => ${idleMs / 1000}::float8 / 4)
    AND idle_deadline - ${at}::timestamptz < (idle_deadline - last_exchanged_at) / 4`;
}

export interface EndingGrant {
  id: string;
  maxDeadline: Date;
  warnedDays: number | null;
}

/** Living grants whose people are to be warned, those that reach their maximum first before the others: see `warningDue`. */
export async function listGrantsToWarn(
  database: Database,
  { at, limit }: { at: Date; limit: number },
): Promise<EndingGrant[]> {
  // Each is a range of the index by itself: most that end soon were warned.
  const due = warnings.map((days) => {
    const before = warnings.filter((earlier) => earlier > days);
    return Prisma.sql`(SELECT id, max_deadline, warned_days FROM grants
      WHERE state IN ('active', 'suspect') AND max_deadline > ${at} AND max_deadline <= ${new Date(at.getTime() + days * dayMs)}
        AND ${before.length === 0 ? Prisma.sql`warned_days IS NULL` : Prisma.sql`warned_days = ANY(${before})`}
      ORDER BY max_deadline LIMIT ${limit})`;
  });
  return database.$queryRaw<EndingGrant[]>`
    SELECT id, max_deadline AS "maxDeadline", warned_days AS "warnedDays" FROM (${Prisma.join(due, ' UNION ALL ')}) due
    ORDER BY max_deadline LIMIT ${limit}`;
}

/** Records that these people were warned, all in one statement, and answers whose records are new: another process may have been first. */
export async function saveWarnings(
  database: Database,
  { warned, at }: { warned: readonly (EndingGrant & { days: number })[]; at: Date },
): Promise<{ id: string; days: number }[]> {
  const never = -1;
  const column = <T>(value: (grant: (typeof warned)[number]) => T) => warned.map(value);
  return repeated(
    () => database.$queryRaw<{ id: string; days: number }[]>`
    WITH due AS (
      SELECT * FROM unnest(${column(({ id }) => id)}::uuid[], ${column(({ maxDeadline }) => maxDeadline)}::timestamptz[],
        ${column(({ warnedDays }) => warnedDays ?? never)}::int[], ${column(({ days }) => days)}::int[]) AS due (id, max_deadline, was, days)
    ), warned AS (
      UPDATE grants SET warned_days = due.days FROM due
      WHERE grants.id = due.id AND grants.max_deadline = due.max_deadline AND coalesce(grants.warned_days, ${never}) = due.was
      RETURNING grants.id, due.days
    ), told AS (
      INSERT INTO events (subject_kind, subject_id, "to", reason, at, by)
      SELECT 'grant', id::text, 'warned', days || ' days', ${at}, 'schedule' FROM warned
    )
    SELECT id, days FROM warned`,
  );
}

/** Somebody who asked so long ago, and has no answer, is not asking any more. */
const askingMs = minuteMs;

/**
 * Makes a refused grant due now. False where somebody is asking with it just now, so that one press of a button is one request. Nothing changes
 * where it was not refused, or has ended.
 */
export async function askGrantAgain(
  database: Database,
  { grantId, at, by, words }: { grantId: string; at: Date; by: string; words?: string | undefined },
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.grant.updateMany({
      where: {
        id: grantId,
        OR: [{ state: { in: ['suspect', 'needs_consent'] } }, { state: 'active', reason: { not: null } }],
      },
      data: { nextExchangeAt: at },
    });
    if (count !== 1) return true;
    const since = new Date(at.getTime() - askingMs);
    const asked = await transaction.event.findFirst({
      where: { subjectKind: 'grant', subjectId: grantId, to: 'asked again', at: { gt: since } },
      orderBy: { id: 'desc' },
    });
    if (asked !== null) {
      const answered = { grantId, startedAt: { gte: asked.at }, answeredAt: { not: null } };
      if ((await transaction.exchange.count({ where: answered })) === 0) return false;
    }
    const { userId } = await transaction.grant.findUniqueOrThrow({ where: { id: grantId }, select: { userId: true } });
    await saveEvent(transaction, 'grant', grantId, { to: 'asked again', at, by });
    await saveAudit(transaction, { at, by, act: 'consent-asked-again', userId, reason: words });
    return true;
  });
}
