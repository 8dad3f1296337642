import { type DamageState, goneSince } from '../../domain/damage.ts';
import type { EndedRun, ProtectionFacts } from '../../domain/protection-facts.ts';
import { isOfStore } from '../../domain/run-fault.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction } from '../client.ts';
import { saveEvents } from '../events.ts';
import { Prisma } from '../generated/client.ts';
import { lockUser } from '../people/users.ts';

/** Whose facts they are. */
export interface PersonFacts {
  readonly userId: string;
  readonly username: string | null;
  readonly subject: string;
  readonly facts: ProtectionFacts;
}

/** What the verdict on one person's data needs; somebody without consent has none of it. */
export async function findProtectionFacts(database: Database, userId: string): Promise<ProtectionFacts> {
  const [person] = await read(database, { which: Prisma.sql`u.id = ${userId}::uuid`, order: Prisma.sql`u.id` });
  return person?.facts ?? nothing;
}

/** The same for everybody whose consent was not withdrawn, by name, a page at a time: those after the person `after`. */
export async function listProtectionFactsByName(
  database: Database,
  { after, limit }: { after: Pick<PersonFacts, 'userId' | 'username' | 'subject'> | null; limit: number },
): Promise<PersonFacts[]> {
  const name = Prisma.sql`coalesce(u.username, u.subject), u.id`;
  const from = after === null ? Prisma.sql`true` : Prisma.sql`(${name}) > (${nameOf(after)}, ${after.userId}::uuid)`;
  return read(database, { which: Prisma.sql`g.state <> 'withdrawn' AND ${from}`, order: name, limit });
}

function nameOf({ username, subject }: Pick<PersonFacts, 'username' | 'subject'>): string {
  return username ?? subject;
}

/** The same by their ids. */
export async function listProtectionFactsAfter(
  database: Database,
  { after, limit }: { after: string; limit: number },
): Promise<PersonFacts[]> {
  const which = Prisma.sql`g.state <> 'withdrawn' AND u.id > ${after}::uuid`;
  return read(database, { which, order: Prisma.sql`u.id`, limit });
}

/** The same of these people. */
export async function listProtectionFactsOf(database: Database, userIds: readonly string[]): Promise<PersonFacts[]> {
  const which = Prisma.sql`g.state <> 'withdrawn' AND u.id = ANY(${[...userIds]}::uuid[])`;
  return read(database, { which, order: Prisma.sql`u.id` });
}

/**
 * Puts on record that somebody looked at the great losses and changes of a person's runs that ended by then: what was
 * held for them may be forgotten as usual. Answers how many there were.
 */
export async function confirmAlarms(
  database: Database,
  { userId, until, at, by }: { userId: string; until: Date; at: Date; by: string },
): Promise<number> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const unseen = { alarm: { not: null }, alarmSeenAt: null, finishedAt: { lte: until }, plan: { userId } };
    const runs = await transaction.run.updateManyAndReturn({
      where: unseen,
      data: { alarmSeenAt: at },
      select: { id: true },
    });
    const runIds = runs.map(({ id }) => id);
    await saveEvents(transaction, 'run', runIds, { to: 'looked at', at, by });
    if (runIds.length > 0)
      await saveAudit(transaction, { at, by, act: 'changes-confirmed', userId, about: runIds.join(' ') });
    return runIds.length;
  });
}

const nothing: ProtectionFacts = {
  consent: null,
  circuitOpen: false,
  plan: null,
  complete: null,
  partial: null,
  failed: null,
  underWay: null,
  workersUntil: null,
  nightPausedAt: null,
  alarm: null,
  verification: null,
};

interface Row {
  userId: string;
  username: string | null;
  subject: string;
  state: NonNullable<ProtectionFacts['consent']>['state'] | null;
  reason: string | null;
  idleDeadline: Date;
  maxDeadline: Date | null;
  nextExchangeAt: Date | null;
  circuitOpen: boolean;
  zone: string | null;
  windowStart: string;
  windowEnd: string;
  paused: boolean;
  pausedUntil: Date | null;
  nextDueAt: Date;
  sources: number;
  completeId: string | null;
  completeAt: Date;
  partialId: string | null;
  partialAt: Date;
  failedId: string | null;
  failedAt: Date;
  failedCode: string | null;
  underWayId: string | null;
  underWayState: 'queued' | 'running';
  dueAt: Date;
  ownDueAt: Date;
  leaseUntil: Date | null;
  underWayCode: string | null;
  triedUntil: Date;
  workersUntil: Date | null;
  nightPausedAt: Date | null;
  alarmId: string | null;
  alarmAt: Date;
  alarmKind: 'loss' | 'change' | 'root';
  /** When the repository that is there now was made; null where there is none, as of `verifySince`. */
  madeAt: Date | null;
  verifySince: Date | null;
  verifiedAt: Date | null;
  checkedAt: Date | null;
  damageState: DamageState | null;
  foundAt: Date | null;
  goneAt: Date | null;
  clearedAt: Date | null;
}

/**
 * The facts of these people, in that order: of those of `person`, which are columns of users `u` and of their newest grants `g`. A snapshot
 * that was erased, given up as lost or removed from outside protects nobody.
 */
async function read(
  database: Database,
  { which, order, limit }: { which: Prisma.Sql; order: Prisma.Sql; limit?: number },
): Promise<PersonFacts[]> {
  // Of each person and each plan by itself, so that indexes find it: a join of the tables would begin with the first person for each batch.
  const first = (columns: Prisma.Sql, runs: Prisma.Sql, by: Prisma.Sql) => Prisma.sql`LEFT JOIN LATERAL (
    SELECT ${columns} FROM runs r WHERE r.plan_id = p.id AND ${runs} ORDER BY ${by} LIMIT 1)`;
  const newest = (columns: Prisma.Sql, runs: Prisma.Sql) => first(columns, runs, Prisma.sql`r.finished_at DESC`);
  const hasSnapshot = Prisma.sql`r.snapshot_id IS NOT NULL AND r.snapshot_forgotten_at IS NULL`;
  const rows = await database.$queryRaw<Row[]>`
    SELECT u.id AS "userId", u.username, u.subject, u.state::text, u.reason, u.idle_deadline AS "idleDeadline",
      u.max_deadline AS "maxDeadline", u.next_exchange_at AS "nextExchangeAt", coalesce(c.open, false) AS "circuitOpen",
      p.zone, p.window_start AS "windowStart", p.window_end AS "windowEnd", p.paused, p.paused_until AS "pausedUntil", p.next_due_at AS "nextDueAt",
      CASE jsonb_typeof(p.sources) WHEN 'array' THEN jsonb_array_length(p.sources) ELSE 0 END AS sources,
      complete.id AS "completeId", complete.finished_at AS "completeAt", partial.id AS "partialId",
      partial.finished_at AS "partialAt", failed.id AS "failedId", failed.finished_at AS "failedAt",
      failed.error_code AS "failedCode", under_way.id AS "underWayId", under_way.state::text AS "underWayState",
      under_way.due_at AS "dueAt", under_way.own_due_at AS "ownDueAt", under_way.lease_until AS "leaseUntil",
      under_way.error_code AS "underWayCode", under_way.tried_until AS "triedUntil",
      (SELECT max(lease_until) FROM runs WHERE state = 'running') AS "workersUntil", ${nightPausedAt} AS "nightPausedAt",
      alarm.id AS "alarmId", alarm.finished_at AS "alarmAt", alarm.alarm AS "alarmKind",
      repository.created_at AS "madeAt", CASE WHEN repository.id IS NOT NULL THEN coalesce(v.since, repository.created_at) END AS "verifySince",
      v.verified_at AS "verifiedAt", v.checked_at AS "checkedAt", v.damage_state AS "damageState", v.found_at AS "foundAt", v.gone_at AS "goneAt", v.cleared_at AS "clearedAt"
    FROM (
      SELECT u.id, u.username, u.subject, g.issuer, g.client_id, g.state, g.reason, g.idle_deadline, g.max_deadline, g.next_exchange_at
      FROM users u LEFT JOIN LATERAL (SELECT * FROM grants WHERE user_id = u.id ORDER BY created_at DESC LIMIT 1) g ON true
      WHERE ${which} ORDER BY ${order} LIMIT ${limit ?? null}::int
    ) u
    LEFT JOIN LATERAL (SELECT * FROM repositories WHERE user_id = u.id LIMIT 1) repository ON true
    LEFT JOIN LATERAL (SELECT * FROM verifications WHERE user_id = repository.user_id LIMIT 1) v ON true
    LEFT JOIN LATERAL (SELECT * FROM plans WHERE user_id = u.id OFFSET 0) p ON true
    LEFT JOIN circuits c ON c.issuer = u.issuer AND c.client_id = u.client_id
    ${newest(Prisma.sql`r.id, r.finished_at`, Prisma.sql`r.state = 'succeeded' AND ${hasSnapshot}`)} complete ON true
    ${newest(Prisma.sql`r.id, r.finished_at`, Prisma.sql`r.state = 'partial' AND ${hasSnapshot}`)} partial ON true
    ${newest(Prisma.sql`r.id, r.finished_at, r.error_code`, Prisma.sql`r.state = 'failed'`)} failed ON true
    ${first(
      Prisma.sql`r.id, r.state, ${sinceTurn} AS due_at, r.due_at AS own_due_at, r.lease_until, r.error_code, r.tried_until`,
      Prisma.sql`r.state IN ('queued', 'running')`,
      Prisma.sql`r.state = 'running' DESC, r.due_at`,
    )} under_way ON true
    ${newest(
      Prisma.sql`r.id, r.finished_at, r.alarm`,
      Prisma.sql`r.alarm IS NOT NULL AND r.alarm_seen_at IS NULL AND r.snapshot_id IS NOT NULL`,
    )} alarm ON true
    ORDER BY ${order}, p.created_at DESC`;
  return [...Map.groupBy(rows, ({ userId }) => userId).values()].flatMap(personFrom);
}

/** For one person, a row for each plan, the newest first. */
function personFrom(rows: readonly Row[]): PersonFacts[] {
  const [own] = rows;
  if (own === undefined) return [];
  const { userId, username, subject } = own;
  const all = rows.length === 1 ? own : rows.reduce(together);
  return [{ userId, username, subject, facts: factsOf(all) }];
}

/** What the runs of both plans come to: the latest of each kind; of those under way, the one that is worked on, or else is due first. */
function together(one: Row, other: Row): Row {
  const { completeId, completeAt, partialId, partialAt, failedId, failedAt, failedCode } = other;
  const { alarmId, alarmAt, alarmKind, underWayId, underWayState, dueAt, ownDueAt, leaseUntil, underWayCode } = other;
  const isLater = (id: string | null, at: Date, known: string | null, knownAt: Date) =>
    id !== null && (known === null || at > knownAt);
  const isFirst =
    underWayId !== null &&
    (one.underWayId === null ||
      (underWayState === one.underWayState ? ownDueAt < one.ownDueAt : underWayState === 'running'));
  return {
    ...one,
    ...(isLater(completeId, completeAt, one.completeId, one.completeAt) && { completeId, completeAt }),
    ...(isLater(partialId, partialAt, one.partialId, one.partialAt) && { partialId, partialAt }),
    ...(isLater(failedId, failedAt, one.failedId, one.failedAt) && { failedId, failedAt, failedCode }),
    ...(isLater(alarmId, alarmAt, one.alarmId, one.alarmAt) && { alarmId, alarmAt, alarmKind }),
    ...(isFirst && {
      underWayId,
      underWayState,
      dueAt,
      ownDueAt,
      leaseUntil,
      underWayCode,
      triedUntil: other.triedUntil,
    }),
  };
}

function factsOf(row: Row): ProtectionFacts {
  const { state, reason, idleDeadline, maxDeadline, nextExchangeAt, circuitOpen } = row;
  const { zone, windowStart, windowEnd, paused, pausedUntil, nextDueAt, sources } = row;
  const { alarmId, alarmAt, alarmKind: kind } = row;
  const { underWayId, underWayState: runState, dueAt, leaseUntil, underWayCode, triedUntil } = row;
  const { workersUntil, nightPausedAt } = row;
  const underWay = { state: runState, dueAt, leaseUntil, errorCode: underWayCode, triedUntil };
  return {
    consent: state && { state, reason, idleDeadline, maxDeadline, nextExchangeAt },
    circuitOpen,
    plan: zone === null ? null : { zone, windowStart, windowEnd, paused, pausedUntil, nextDueAt, sources },
    complete: ended(row.completeId, row.completeAt),
    partial: ended(row.partialId, row.partialAt),
    failed: failedOf(row),
    underWay: underWayId === null ? null : { id: underWayId, ...underWay },
    workersUntil,
    nightPausedAt,
    alarm: alarmId === null ? null : { id: alarmId, endedAt: alarmAt, kind },
    verification: verificationOf(row),
  };
}

/** What was wrong with a repository that is there no more, as after `nightkeep store lost`, says nothing of the one that is made next. */
function failedOf({ failedId, failedAt, failedCode, madeAt }: Row): ProtectionFacts['failed'] {
  const isOfFormer = isOfStore(failedCode) && (madeAt === null || failedAt < madeAt);
  return failedId === null || isOfFormer ? null : { id: failedId, endedAt: failedAt, errorCode: failedCode };
}

function verificationOf({
  verifySince: since,
  verifiedAt,
  checkedAt,
  damageState: damage,
  foundAt,
  goneAt,
  clearedAt: healedAt,
}: Row): ProtectionFacts['verification'] {
  const damagedSince = damage === 'gone' ? goneSince({ foundAt, goneAt }) : foundAt;
  return since === null ? null : { since, verifiedAt, checkedAt, damage, damagedSince, healedAt };
}

function ended(id: string | null, endedAt: Date): EndedRun | null {
  return id === null ? null : { id, endedAt };
}

/** When a run is waited for: one that gave way to others lets them go first. */
const sinceTurn = Prisma.sql`CASE WHEN r.worked_ms > 0 AND r.error_code IS NULL THEN greatest(r.due_at, r.turn_at) ELSE r.due_at END`;

/**
 * Since when the night is known to be paused, by operators or by another program; null where it was resumed. A run that began later than what
 * workers had in hand then shows that it goes on all the same: another program resumed the queue, or Redis lost that it was paused.
 */
const nightPausedAt = Prisma.sql`(SELECT at FROM audit pause WHERE act = 'night-paused'
  AND id > coalesce((SELECT max(id) FROM audit WHERE act = 'night-resumed'), 0)
  AND NOT EXISTS (SELECT FROM runs WHERE state = 'running' AND started_at > pause.at + interval '1 minute')
  ORDER BY id DESC LIMIT 1)`;
