import { formsOfId, shortId } from '../../domain/short-id.ts';
import { type Database, inTransaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import { Prisma } from '../generated/client.ts';
import type { OldRecords } from '../records/old-records.ts';
import { endWebSessionsAtProvider } from './web-sessions.ts';

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

/** Ends the web sessions, and records the logout token; false where it was used meanwhile. */
export async function saveLogout(database: Database, logout: Logout, at: Date): Promise<boolean> {
  const { issuer, jti, expiresAt, sid, subject } = logout;
  const session = sid === undefined ? `sub:${shortId(subject ?? '')}` : `sid:${shortId(sid)}`;
  return inTransaction(database, async (transaction) => {
    const taken = await transaction.logoutToken.createMany({
      data: [{ issuer, jti, expiresAt }],
      skipDuplicates: true,
    });
    if (taken.count === 0) return false;
    await endWebSessionsAtProvider(transaction, logout);
    await saveEvent(transaction, 'session', session, {
      to: 'ended',
      reason: 'back_channel_logout',
      at,
      by: 'provider',
    });
    return true;
  });
}

/** The living grants that came from a session, or all of a person where no session is named. */
export async function listGrantsOfSession(database: Database, { issuer, subject, sid }: Logout): Promise<string[]> {
  const known = sid === undefined ? undefined : formsOfId(sid);
  const living = Prisma.sql`g.issuer = ${issuer} AND g.state <> 'withdrawn' AND ${
    subject === undefined ? Prisma.sql`true` : Prisma.sql`g.subject = ${subject}`
  }`;
  const rows = await database.$queryRaw<{ id: string }[]>(
    known === undefined
      ? Prisma.sql`SELECT g.id FROM grants g WHERE ${living}`
      : Prisma.sql`
        SELECT g.id FROM grants g WHERE ${living} AND g.sid = ANY(${known})
        UNION SELECT g.id FROM token_generations t JOIN grants g ON g.id = t.grant_id
          WHERE t.sid = ANY(${known}) AND t.state = 'current' AND ${living}`,
  );
  return rows.map(({ id }) => id);
}

/** Deletes logout tokens that expired before then. Answers how many went. */
export async function forgetLogouts(database: Database, { before, limit }: OldRecords): Promise<number> {
  return database.$executeRaw`
    DELETE FROM logout_tokens WHERE (issuer, jti) IN (
      SELECT issuer, jti FROM logout_tokens WHERE expires_at < ${before}
      ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`;
}
