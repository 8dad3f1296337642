import { createHash } from 'node:crypto';
import { saveAudit } from './audit.ts';
import { type Database, inTransaction } from './client.ts';
import { saveEvent } from './events.ts';
import type { OperatorAct } from './plans.ts';

/** A web session as the provider knows it. */
export interface ProviderSession {
  issuer: string;
  subject: string;
  /** The provider's session id, where it sends one. */
  sid?: string | undefined;
}

const longestId = 128;

/** A subject or session id as cookies carry it: itself, or its hash where it is long. Short ones are left as they are. */
export function shortId(id: string): string {
  return Buffer.byteLength(id) <= longestId ? id : createHash('sha256').update(id).digest('base64url');
}

/** Whether the provider ended a session that began then. */
export async function isSessionEnded(
  database: Database,
  { issuer, subject, sid, began }: ProviderSession & { began: Date },
): Promise<boolean> {
  const session = { in: [`sub:${shortId(subject)}`, ...(sid === undefined ? [] : [`sid:${shortId(sid)}`])] };
  return (await database.endedSession.count({ where: { issuer, session, endedAt: { gte: began } }, take: 1 })) > 0;
}

/** What a logout token ends: one session, or every session of a person. */
export interface Logout {
  issuer: string;
  subject: string | undefined;
  sid: string | undefined;
  jti: string;
  expiresAt: Date;
}

/** Whether a logout token was used before. */
export async function isLogoutTaken(database: Database, { issuer, jti }: Logout): Promise<boolean> {
  return (await database.logoutToken.count({ where: { issuer, jti } })) > 0;
}

/** Ends the web sessions that began before, and records the logout token; false where it was used meanwhile. */
export async function saveLogout(
  database: Database,
  { logout, at, sessionsEndBy }: { logout: Logout; at: Date; sessionsEndBy: Date },
): Promise<boolean> {
  const { issuer, jti, expiresAt } = logout;
  const session = logout.sid === undefined ? `sub:${shortId(logout.subject ?? '')}` : `sid:${shortId(logout.sid)}`;
  const ended = { endedAt: at, expiresAt: sessionsEndBy };
  return inTransaction(database, async (transaction) => {
    const taken = await transaction.logoutToken.createMany({
      data: [{ issuer, jti, expiresAt }],
      skipDuplicates: true,
    });
    if (taken.count === 0) return false;
    await transaction.endedSession.upsert({
      where: { issuer_session: { issuer, session } },
      create: { issuer, session, ...ended },
      update: ended,
    });
    await saveEvent(transaction, 'session', session, {
      to: 'ended',
      reason: 'back_channel_logout',
      at,
      by: 'provider',
    });
    return true;
  });
}

/** Ends every web session of a person that began before. */
export async function endSessionsOf(
  database: Database,
  { userId, at, by, words, sessionsEndBy }: OperatorAct & { sessionsEndBy: Date },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const where = { id: userId };
    const { issuer, subject } = await transaction.user.findUniqueOrThrow({
      where,
      select: { issuer: true, subject: true },
    });
    const session = `sub:${shortId(subject)}`;
    const ended = { endedAt: at, expiresAt: sessionsEndBy };
    await transaction.endedSession.upsert({
      where: { issuer_session: { issuer, session } },
      create: { issuer, session, ...ended },
      update: ended,
    });
    await saveEvent(transaction, 'session', session, { to: 'ended', reason: 'signed_out', at, by });
    await saveAudit(transaction, { at, by, act: 'signed-out', userId, reason: words });
  });
}

/** The living grants that came from a session, or all of a person where no session is named. */
export async function listGrantsOfSession(database: Database, { issuer, subject, sid }: Logout): Promise<string[]> {
  const ofSession =
    sid === undefined ? {} : { OR: [{ sid }, { generations: { some: { sid, state: 'current' as const } } }] };
  const rows = await database.grant.findMany({
    where: { issuer, state: { not: 'withdrawn' }, ...ofSession, ...(subject !== undefined && { subject }) },
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/** Deletes logout tokens and ended sessions that have expired. */
export async function forgetLogouts(database: Database, at: Date): Promise<void> {
  const expired = { where: { expiresAt: { lt: at } } };
  await database.logoutToken.deleteMany(expired);
  await database.endedSession.deleteMany(expired);
}
