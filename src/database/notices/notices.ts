import { randomUUID } from 'node:crypto';
import type { Channel, Notice, NoticeFacts } from '../../domain/notices.ts';
import { hourMs, minuteMs } from '../../durations.ts';
import type { Database, Transaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** A notice for one receiver by one channel. */
export interface Delivery extends Notice {
  channel: Channel;
  userId?: string;
}

/** One that is being delivered. */
export interface ClaimedDelivery {
  id: string;
  channel: Channel;
  userId: string | null;
  facts: NoticeFacts;
  failures: number;
  createdAt: Date;
}

/** While a process delivers, no other does; one that dies meanwhile leaves it to be delivered again after this. */
const claimMs = 10 * minuteMs;
/** A person gets no more mails than one in this time. */
const pauseForPersonMs = 20 * hourMs;

/** Saves what is to be delivered, at once; what is on record under its key already is left alone. Answers how many are new. */
export async function saveDeliveries(
  database: Transaction,
  deliveries: readonly Delivery[],
  at: Date,
): Promise<number> {
  const { count } = await database.notice.createMany({
    data: deliveries.map(({ key, channel, userId, facts }) => ({
      id: randomUUID(),
      key: keyOf({ channel, key }),
      channel,
      userId: userId ?? null,
      facts: { ...facts },
      createdAt: at,
      nextAttemptAt: at,
    })),
    skipDuplicates: true,
  });
  return count;
}

function keyOf({ channel, key }: Pick<Delivery, 'channel' | 'key'>): string {
  return `${channel}/${key}`;
}

/** The keys of those that are on record already. */
export async function listOnRecord(database: Database, deliveries: readonly Delivery[]): Promise<Set<string>> {
  const byKey = new Map(deliveries.map((delivery) => [keyOf(delivery), delivery.key]));
  const found = await database.notice.findMany({ where: { key: { in: [...byKey.keys()] } }, select: { key: true } });
  return new Set(found.map(({ key }) => byKey.get(key) ?? key));
}

/**
 * Those of these people to whom mail may be sent now (they have an address, and got no mail within 20 hours), with the kinds of mail
 * that they do not want.
 */
export async function listWhoMayBeMailed(
  database: Database,
  { userIds, at }: { userIds: readonly string[]; at: Date },
): Promise<Map<string, readonly string[]>> {
  const since = new Date(at.getTime() - pauseForPersonMs);
  const people = await database.user.findMany({
    where: { id: { in: [...userIds] }, email: { not: null }, notices: { none: { createdAt: { gt: since } } } },
    select: { id: true, mutedMails: true },
  });
  return new Map(people.map(({ id, mutedMails }) => [id, mutedMails]));
}

/** Claims what is due, the oldest first; two processes never claim the same. */
export async function claimDeliveries(
  database: Database,
  { at, limit }: { at: Date; limit: number },
): Promise<ClaimedDelivery[]> {
  const until = new Date(at.getTime() + claimMs);
  return database.$queryRaw<ClaimedDelivery[]>`
    UPDATE notices SET next_attempt_at = ${until} WHERE id IN (
      SELECT id FROM notices WHERE next_attempt_at <= ${at} ORDER BY next_attempt_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id, channel, user_id AS "userId", facts, failures, created_at AS "createdAt"`;
}

/** Records that a notice was delivered; it is not tried again. */
export async function saveDelivered(database: Database, { id, at }: { id: string; at: Date }): Promise<void> {
  await database.notice.updateMany({ where: { id }, data: { deliveredAt: at, nextAttemptAt: null, errorCode: null } });
}

/** Records that what the notice would tell is over, so that it is not sent. */
export async function saveNotNeeded(database: Database, id: string): Promise<void> {
  await database.notice.updateMany({ where: { id }, data: { nextAttemptAt: null, errorCode: null } });
}

/** Records that a delivery failed, and when it is tried again (null: given up). */
export async function saveNotDelivered(
  database: Database,
  { id, errorCode, nextAttemptAt }: { id: string; errorCode: string; nextAttemptAt: Date | null },
): Promise<void> {
  await database.notice.updateMany({ where: { id }, data: { errorCode, nextAttemptAt, failures: { increment: 1 } } });
}

/** The address of a person, where the provider told one. */
export async function findEmail(database: Database, userId: string): Promise<string | null> {
  const user = await database.user.findUnique({ where: { id: userId }, select: { email: true } });
  return user?.email ?? null;
}

/** Since when the circuits that are open are open. */
export async function listOpenCircuits(database: Database): Promise<{ issuer: string; openedAt: Date }[]> {
  return database.circuit.findMany({ where: { open: true }, select: { issuer: true, openedAt: true } });
}

/** The circuits of providers: since when those are open that are, and until when the others were. */
export async function listCircuitTimes(
  database: Database,
): Promise<{ issuer: string; open: boolean; openedAt: Date; closedAt: Date | null }[]> {
  return database.circuit.findMany({ select: { issuer: true, open: true, openedAt: true, closedAt: true } });
}

/** Whether a circuit of this provider is open, and was then. */
export async function isStillOpen(database: Database, issuer: string, then: Date): Promise<boolean> {
  return (await database.circuit.count({ where: { issuer, open: true, openedAt: { lte: then } } })) > 0;
}

/** What a channel last heard of the circuit of a provider: that it had opened, or that it had closed. */
export interface CircuitTold {
  readonly channel: Channel;
  readonly issuer: string;
  readonly open: boolean;
}

/** What each channel last heard of each circuit. That it closed counts where it was given up to say so, and not while it waits to be delivered. */
export async function listCircuitsTold(database: Database): Promise<CircuitTold[]> {
  return database.$queryRaw<CircuitTold[]>`
    SELECT DISTINCT ON (channel, facts->>'issuer') channel, facts->>'issuer' AS issuer, facts->'openMs' IS NULL AS open FROM notices
    WHERE user_id IS NULL AND facts->>'kind' = 'circuit' AND (delivered_at IS NOT NULL
      OR (facts->'openMs' IS NOT NULL AND next_attempt_at IS NULL AND error_code IS NOT NULL))
    ORDER BY channel, facts->>'issuer', coalesce(delivered_at, created_at) DESC`;
}

/** What a channel accepted last of this kind of message, and of repositories that are so. */
export async function findLastDelivered(
  database: Database,
  { channel, kind, are = [] }: { channel: Channel; kind: NoticeFacts['kind']; are?: readonly string[] },
): Promise<NoticeFacts | null> {
  const only = are.length === 0 ? Prisma.empty : Prisma.sql`AND facts->>'are' IN (${Prisma.join([...are])})`;
  const [row] = await database.$queryRaw<{ facts: NoticeFacts }[]>`
    SELECT facts FROM notices
    WHERE user_id IS NULL AND channel = ${channel} AND delivered_at IS NOT NULL AND facts->>'kind' = ${kind} ${only}
    ORDER BY delivered_at DESC LIMIT 1`;
  return row?.facts ?? null;
}

/** The channels that were told last, of the windows to come, that these are too short, or still will be. */
export async function listToldTooShort(database: Database): Promise<string[]> {
  const rows = await database.$queryRaw<{ channel: string }[]>`
    SELECT channel FROM (
      SELECT DISTINCT ON (channel) channel, facts->'holds' AS holds FROM notices
      WHERE user_id IS NULL AND facts->>'kind' = 'forecast' AND (delivered_at IS NOT NULL OR next_attempt_at IS NOT NULL)
      ORDER BY channel, created_at DESC) told
    WHERE holds = 'false'`;
  return rows.map(({ channel }) => channel);
}

/** The channels that were told from that moment on that repositories are gone. */
export async function listToldGone(database: Database, from: Date): Promise<string[]> {
  const rows = await database.$queryRaw<{ channel: string }[]>`
    SELECT DISTINCT channel FROM notices
    WHERE user_id IS NULL AND created_at >= ${from} AND facts->>'kind' = 'repositories' AND facts->>'are' = 'gone'`;
  return rows.map(({ channel }) => channel);
}

/** Consents that have ended because a rotated token was lost: until that is proven, the token is asked again. */
export async function countLostRotations(database: Database): Promise<number> {
  return database.grant.count({ where: { state: 'needs_consent', reason: 'lost_rotation' } });
}

/** When a channel accepted a message for operators, and which one. */
export interface OperatorsTold {
  at: Date;
  channel: string;
}

/** When a message for operators was last delivered. */
export async function findOperatorsLastTold(database: Database): Promise<OperatorsTold | null> {
  const [row] = await database.$queryRaw<OperatorsTold[]>`
    SELECT delivered_at AS at, channel FROM notices WHERE delivered_at IS NOT NULL AND user_id IS NULL
      AND (facts->>'kind' IN ('digest', 'circuit', 'rotation_lost', 'repositories', 'forecast') OR facts->'reasons' <> '{}')
      ORDER BY delivered_at DESC LIMIT 1`;
  return row ?? null;
}

/** When operators were last notified, since then, that people are not protected for this reason, or that a circuit is open. */
export async function findOperatorsTold(
  database: Database,
  { reason, since }: { reason: string; since: Date | null },
): Promise<OperatorsTold | null> {
  const circuit =
    reason === 'provider_trouble'
      ? Prisma.sql`OR (facts->>'kind' = 'circuit' AND facts->'openMs' IS NULL)`
      : Prisma.empty;
  const after = since === null ? Prisma.empty : Prisma.sql`AND created_at >= ${since}`;
  const [row] = await database.$queryRaw<OperatorsTold[]>`
    SELECT delivered_at AS at, channel FROM notices WHERE delivered_at IS NOT NULL AND user_id IS NULL ${after}
      AND (jsonb_exists(facts->'reasons', ${reason}) ${circuit}) ORDER BY delivered_at DESC LIMIT 1`;
  return row ?? null;
}

export interface NoticeFaults {
  /** Not delivered yet although first tried before `waitingBefore`. */
  waiting: number;
  /** Given up since `since`. */
  givenUp: number;
  /** The error of the last one that failed. */
  errorCode: string | null;
}

/** What the doctor says of notices. */
export async function inspectNotices(
  database: Database,
  { since, waitingBefore }: { since: Date; waitingBefore: Date },
): Promise<NoticeFaults> {
  const undelivered = { deliveredAt: null, errorCode: { not: null } };
  const [waiting, givenUp, last] = await Promise.all([
    database.notice.count({
      where: { ...undelivered, nextAttemptAt: { not: null }, createdAt: { lt: waitingBefore } },
    }),
    database.notice.count({ where: { ...undelivered, nextAttemptAt: null, createdAt: { gt: since } } }),
    database.notice.findFirst({
      where: { ...undelivered, createdAt: { gt: since } },
      orderBy: { createdAt: 'desc' },
      select: { errorCode: true },
    }),
  ]);
  return { waiting, givenUp, errorCode: last?.errorCode ?? null };
}
