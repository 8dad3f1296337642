import { type Language, languageNamed } from '../../domain/language.ts';
import { formsOfId, shortId } from '../../domain/short-id.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import { lockUser } from './users.ts';

/** How long a session lives unused; how long in all was decided when it began. */
interface Idle {
  at: Date;
  idleMs: number;
}

export interface NewWebSession {
  id: string;
  userId: string;
  /** The provider's session id, where it sends one. */
  sid: string | undefined;
  operator: boolean;
  authenticatedAt: Date | null;
  agent: string;
  at: Date;
  endsAt: Date;
}

/** A session as pages need it: who is signed in, and in which language they read. */
export interface WebSessionView {
  userId: string;
  name: string;
  operator: boolean;
  language: Language | null;
  authenticatedAt: Date | null;
  lastSeenAt: Date;
  endsAt: Date;
}

/** How many sessions a person may have: neither the table nor what lists them may grow with how often somebody signs in. */
const mostSessions = 100;

/** Saves a session; the one that the browser had before, `replaced`, ends, and of more than a hundred those that were unused for longest. */
export async function saveWebSession(
  database: Database,
  { at, sid, replaced, ...session }: NewWebSession & { replaced: string | undefined },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    if (replaced !== undefined) await transaction.webSession.deleteMany({ where: { id: replaced } });
    await transaction.webSession.create({
      data: { ...session, sid: sid === undefined ? null : shortId(sid), createdAt: at, lastSeenAt: at },
    });
    const { userId } = session;
    const unused = await transaction.webSession.findMany({
      where: { userId, id: { not: session.id } },
      orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
      skip: mostSessions - 1,
      select: { id: true },
    });
    if (unused.length > 0)
      await transaction.webSession.deleteMany({ where: { userId, id: { in: unused.map(({ id }) => id) } } });
  });
}

/** The session of that id with its person; null where it has ended. */
export async function findWebSession(
  database: Database,
  { id, ...idle }: Idle & { id: string },
): Promise<WebSessionView | null> {
  const [found] = await database.$queryRaw<(Omit<WebSessionView, 'language'> & { language: string | null })[]>`
    SELECT s.user_id AS "userId", coalesce(u.name, u.username, u.subject) AS name, s.operator, u.language,
      s.authenticated_at AS "authenticatedAt", s.last_seen_at AS "lastSeenAt", s.ends_at AS "endsAt"
    FROM web_sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = ${id} AND s.ends_at > ${idle.at} AND s.last_seen_at > ${idleSince(idle)}`;
  return found === undefined ? null : { ...found, language: languageNamed(found.language) };
}

/** Saves that a session was used. */
export async function saveSeen(database: Database, { id, at }: { id: string; at: Date }): Promise<void> {
  await database.webSession.updateMany({ where: { id, lastSeenAt: { lt: at } }, data: { lastSeenAt: at } });
}

/** A session as a person sees it in their list. */
export interface WebSessionLine {
  id: string;
  agent: string;
  createdAt: Date;
  lastSeenAt: Date;
  endsAt: Date;
}

/** The sessions of a person that live, the one that was used last first. */
export async function listWebSessions(
  database: Database,
  { userId, ...idle }: Idle & { userId: string },
): Promise<WebSessionLine[]> {
  return database.webSession.findMany({
    where: { userId, endsAt: { gt: idle.at }, lastSeenAt: { gt: idleSince(idle) } },
    orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
    select: { id: true, agent: true, createdAt: true, lastSeenAt: true, endsAt: true },
  });
}

/** Those of these people who have a session that lives. */
export async function listSignedIn(
  database: Database,
  { userIds, ...idle }: Idle & { userIds: readonly string[] },
): Promise<string[]> {
  const rows = await database.webSession.findMany({
    where: { userId: { in: [...userIds] }, endsAt: { gt: idle.at }, lastSeenAt: { gt: idleSince(idle) } },
    distinct: ['userId'],
    select: { userId: true },
  });
  return rows.map(({ userId }) => userId);
}

/** Ends one session of a person; false where they have no such session. */
export async function endWebSession(
  database: Database,
  { id, userId }: { id: string; userId: string },
): Promise<boolean> {
  return (await database.webSession.deleteMany({ where: { id, userId } })).count > 0;
}

/** Who ends the sessions of a person, and why. */
export interface SignOut {
  userId: string;
  at: Date;
  by: string;
  /** Why, in the words of the operator. */
  words?: string | undefined;
  /** The session that goes on: that of the person who ends all others. */
  except?: string | undefined;
}

/** Ends the web sessions of a person, and puts it on record; false where there are none. */
export async function endWebSessionsOf(
  database: Database,
  { userId, at, by, words, except }: SignOut,
): Promise<boolean> {
  return inTransaction(database, async (transaction) => {
    await lockUser(transaction, userId);
    const others = except === undefined ? {} : { id: { not: except } };
    const { count } = await transaction.webSession.deleteMany({ where: { userId, ...others } });
    if (count === 0) return false;
    await saveEvent(transaction, 'session', userId, { to: 'ended', reason: 'signed_out', at, by });
    await saveAudit(transaction, { at, by, act: 'signed-out', userId, reason: words });
    return true;
  });
}

/** Ends the sessions that came of a session at the provider, or all of a subject where none is named. */
export async function endWebSessionsAtProvider(
  transaction: Transaction,
  { issuer, subject, sid }: { issuer: string; subject: string | undefined; sid: string | undefined },
): Promise<void> {
  const ofSession =
    sid === undefined
      ? { user: { issuer, subject: subject ?? '' } }
      : { sid: { in: formsOfId(sid) }, user: { issuer } };
  await transaction.webSession.deleteMany({ where: ofSession });
}

/** Deletes sessions that have expired, at most `limit`. Answers how many went. */
export async function forgetWebSessions(
  database: Database,
  { limit, ...idle }: Idle & { limit: number },
): Promise<number> {
  return database.$executeRaw`
    DELETE FROM web_sessions WHERE id IN (
      SELECT id FROM web_sessions WHERE ends_at <= ${idle.at} OR last_seen_at <= ${idleSince(idle)}
      LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}

function idleSince({ at, idleMs }: Idle): Date {
  return new Date(at.getTime() - idleMs);
}
