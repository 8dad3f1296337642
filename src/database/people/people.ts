import { isUuid } from '../../uuid.ts';
import type { Database } from '../client.ts';
import { type GrantState, Prisma, type RunState } from '../generated/client.ts';

/** A person as operators see them in a list. */
export interface PersonRow {
  id: string;
  username: string | null;
  subject: string;
  name: string | null;
  issuer: string;
  createdAt: Date;
  lastSignedInAt: Date | null;
  grantId: string | null;
  state: GrantState | null;
  reason: string | null;
  idleDeadline: Date | null;
  maxDeadline: Date | null;
  planId: string | null;
  zone: string | null;
  windowStart: string | null;
  windowEnd: string | null;
  nextDueAt: Date | null;
  paused: boolean | null;
  /** The names of what is backed up; null where there is no plan. */
  sources: string[] | null;
}

export interface PeopleFilter {
  /** A part of a user name, name or subject, or an id. */
  search?: string | undefined;
  /** The state of their newest consent; `none` where there never was one. */
  state?: GrantState | 'none' | undefined;
  /** Only those with this id. */
  userId?: string | undefined;
  /** Only those who are, or were, backed up by a plan. */
  hasPlan?: boolean;
}

const someGrant = (state: string) => Prisma.raw(`AND u.id IN (SELECT user_id FROM grants WHERE state = '${state}')`);
const ofState = {
  suspect: someGrant('suspect'),
  needs_consent: someGrant('needs_consent'),
  withdrawn: someGrant('withdrawn'),
  none: Prisma.raw('AND NOT EXISTS (SELECT FROM grants WHERE user_id = u.id)'),
} satisfies Partial<Record<GrantState | 'none', Prisma.Sql>>;

/** Each of these has an index of its own, where PostgreSQL has pg_trgm. */
function isFoundBy(search: string): Prisma.Sql {
  const part = `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const isId = isUuid(search) ? Prisma.sql`OR u.id = ${search}::uuid` : Prisma.empty;
  return Prisma.sql`(u.username ILIKE ${part} OR u.name ILIKE ${part} OR u.subject ILIKE ${part} ${isId})`;
}

/** People with their newest consent and plan, in the order of their user names; those after the one with the id `after`. */
export async function listPeople(
  database: Database,
  {
    search,
    state,
    userId,
    hasPlan = false,
    after,
    limit,
  }: PeopleFilter & { after?: string | undefined; limit: number },
): Promise<PersonRow[]> {
  // Few of many are found by their index; most are active, and found at once.
  const rare = Object.entries(ofState).find(([name]) => name === state)?.[1] ?? Prisma.empty;
  return database.$queryRaw<PersonRow[]>`
    SELECT u.id, u.username, u.subject, u.name, u.issuer, u.created_at AS "createdAt", u.last_signed_in_at AS "lastSignedInAt",
      g.id AS "grantId", g.state::text, g.reason, g.idle_deadline AS "idleDeadline", g.max_deadline AS "maxDeadline",
      p.id AS "planId", p.zone, p.window_start AS "windowStart", p.window_end AS "windowEnd", p.next_due_at AS "nextDueAt", p.paused,
      CASE jsonb_typeof(p.sources) WHEN 'array' THEN ARRAY(SELECT source ->> 'name' FROM jsonb_array_elements(p.sources) source) END AS sources
    FROM users u
    LEFT JOIN LATERAL (SELECT * FROM grants WHERE user_id = u.id ORDER BY created_at DESC LIMIT 1) g ON true
    LEFT JOIN LATERAL (SELECT * FROM plans WHERE user_id = u.id ORDER BY created_at DESC LIMIT 1) p ON true
    WHERE ${search === undefined ? Prisma.sql`true` : isFoundBy(search)}
      AND (${state ?? null}::text IS NULL OR coalesce(g.state::text, 'none') = ${state ?? ''}) ${rare}
      AND (NOT ${hasPlan} OR p.id IS NOT NULL) AND (${userId ?? null}::uuid IS NULL OR u.id = ${userId ?? null}::uuid)
      AND (${after ?? null}::uuid IS NULL OR (coalesce(u.username, u.subject), u.id) >
        (SELECT coalesce(username, subject), id FROM users WHERE id = ${after ?? null}::uuid))
    ORDER BY coalesce(u.username, u.subject), u.id LIMIT ${limit}`;
}

/** A run as operators see it: nothing of the files that it was about, so neither its problems nor its message. */
export interface OperatorRun {
  id: string;
  userId: string;
  username: string | null;
  subject: string;
  night: string;
  trigger: string;
  state: RunState;
  errorCode: string | null;
  attempt: number;
  problemCount: number;
  queuedAt: Date;
  dueAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** Runs, newest first: of one person or of all. */
export async function listRunsForOperators(
  database: Database,
  {
    userId,
    state,
    since,
    limit,
  }: { userId?: string | undefined; state?: RunState | undefined; since?: Date | undefined; limit: number },
): Promise<OperatorRun[]> {
  const rows = await database.run.findMany({
    where: {
      ...(userId !== undefined && { plan: { userId } }),
      ...(state !== undefined && { state }),
      ...(since !== undefined && { queuedAt: { gte: since } }),
    },
    orderBy: [{ queuedAt: 'desc' }, { id: 'desc' }],
    take: limit,
    select: {
      id: true,
      night: true,
      trigger: true,
      state: true,
      errorCode: true,
      attempt: true,
      problemCount: true,
      queuedAt: true,
      dueAt: true,
      startedAt: true,
      finishedAt: true,
      plan: { select: { user: { select: { id: true, username: true, subject: true } } } },
    },
  });
  return rows.map(({ plan: { user }, ...run }) => ({
    ...run,
    userId: user.id,
    username: user.username,
    subject: user.subject,
  }));
}

/** How many consents end by a day. */
export interface ForecastDay {
  /** Whole days from now. */
  day: number;
  /** Consents that will have ended by then whatever is done. */
  max: number;
  /** Those that will have ended by then if nothing is exchanged from now. */
  idle: number;
}

/** How many living consents will have ended, day by day. */
export async function forecastEnds(
  database: Database,
  { at, days }: { at: Date; days: number },
): Promise<ForecastDay[]> {
  return database.$queryRaw<ForecastDay[]>`
    WITH living AS (
      SELECT ceil(extract(epoch FROM max_deadline - ${at}::timestamptz) / 86400) AS max,
        ceil(extract(epoch FROM least(idle_deadline, max_deadline) - ${at}::timestamptz) / 86400) AS idle
      FROM grants WHERE state IN ('active', 'suspect')
    ), ending AS (
      SELECT greatest(0, max) AS day, count(*) AS max, 0 AS idle FROM living WHERE max <= ${days}::int GROUP BY 1
      UNION ALL SELECT greatest(0, idle), 0, count(*) FROM living WHERE idle <= ${days}::int GROUP BY 1
    )
    SELECT day::int, coalesce(sum(sum(max)) OVER (ORDER BY day), 0)::int AS max, coalesce(sum(sum(idle)) OVER (ORDER BY day), 0)::int AS idle
    FROM generate_series(0, ${days}::int) AS day LEFT JOIN ending USING (day) GROUP BY day ORDER BY day`;
}

/** Exchanges of the hours since then, by verdict. */
export async function countVerdicts(
  database: Database,
  { since }: { since: Date },
): Promise<{ hour: Date; ok: number; refused: number; unanswered: number }[]> {
  return database.$queryRaw`
    SELECT date_trunc('hour', started) AS hour, coalesce(sum(n) FILTER (WHERE verdict = 'ok'), 0)::int AS ok,
      coalesce(sum(n) FILTER (WHERE verdict IN ('person', 'unclear', 'operator', 'unsound')), 0)::int AS refused,
      coalesce(sum(n) FILTER (WHERE verdict IS NULL OR verdict IN ('transient', 'ambiguous')), 0)::int AS unanswered
    FROM (SELECT started, verdict, n FROM exchange_tallies WHERE started >= date_bin('1 minute', ${since}::timestamptz, 'epoch')
      UNION ALL SELECT started_at, NULL, 1 FROM exchanges WHERE answered_at IS NULL AND started_at >= ${since}) e
    GROUP BY 1 HAVING sum(n) <> 0 ORDER BY 1`;
}
