import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { endWebSession, findWebSession, saveSeen, saveWebSession } from '../database/people/web-sessions.ts';
import type { Language } from '../domain/language.ts';
import { minuteMs } from '../durations.ts';
import type { Resources } from '../resources.ts';
import { isSameSecret } from '../vault/same-secret.ts';
import { fingerprint } from '../vault/seal.ts';
import { cookieAttributes } from './cookies.ts';
import { agentOf } from './user-agent.ts';

/** Somebody who is signed in here in this browser. */
export interface Session {
  /** Hash of what the cookie carries. */
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** Whether the person has the operator's role. */
  readonly operator: boolean;
  /** The language that they chose. */
  readonly language: Language | null;
  /** When they last showed the provider who they are; null where it did not tell. */
  readonly authenticatedAt: Date | null;
  /** Goes into each form of this session. */
  readonly csrf: string;
}

/** Who signed in. */
export type Signed = Pick<Session, 'userId' | 'operator' | 'authenticatedAt'> & { readonly sid: string | undefined };

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log'> & {
  readonly config: Pick<Resources['config'], 'session'>;
};

const cookie = 'nightkeep';
const secretBytes = 32;
const secretCharacters = 43;
/** The last use of a session is written down at most this often, so most requests write nothing. */
const seenEveryMs = minuteMs;

/**
 * Starts a session with a new secret, in place of the one that this browser had. Forms that are open in other tabs stay valid where the same
 * person signs in again.
 */
export async function startSession(c: Context, needs: Needs, signed: Signed, before?: Session): Promise<void> {
  const { clock, config, database } = needs;
  const secret = randomBytes(secretBytes).toString('base64url');
  const at = clock.now();
  const { maxMs } = config.session;
  const [former] = readCookie(c);
  const session = { ...signed, id: hashOf(secret), endsAt: new Date(at.getTime() + maxMs) };
  await saveWebSession(database, {
    ...session,
    agent: agentOf(c.req.header('user-agent')),
    at,
    replaced: former === undefined ? undefined : hashOf(former),
  });
  const csrf = before?.userId === signed.userId ? before.csrf : randomBytes(secretBytes).toString('base64url');
  setCookie(c, cookie, secret + proofOf(needs, session) + csrf, {
    ...cookieAttributes,
    maxAge: Math.floor(maxMs / 1000),
  });
}

/** The session of the browser, unless it has ended: by its age, unused for too long, signed out here or at the provider. */
export async function findSession(c: Context, needs: Needs): Promise<Session | undefined> {
  const { clock, config, database, log } = needs;
  const [secret, proof = '', csrf = ''] = readCookie(c);
  if (secret === undefined) return undefined;
  const [id, at] = [hashOf(secret), clock.now()];
  const found = await findWebSession(database, { id, at, idleMs: config.session.idleMs });
  const isOurs = found !== null && isSameSecret(proof, proofOf(needs, { ...found, id }));
  if (found !== null && !isOurs) log.error('session.row-changed', { userId: found.userId });
  if (!isOurs) {
    clearSession(c);
    return undefined;
  }
  const { endsAt: _, lastSeenAt, name, ...session } = found;
  if (at.getTime() >= lastSeenAt.getTime() + seenEveryMs) await saveSeen(database, { id, at });
  return {
    ...session,
    id,
    name: shortName(name),
    csrf,
  };
}

/** Ends the session on the server and in the browser. */
export async function endSession(c: Context, { database }: Needs, { id, userId }: Session): Promise<void> {
  await endWebSession(database, { id, userId });
  clearSession(c);
}

/** Lets the browser forget a session that has ended on the server. */
export function clearSession(c: Context): void {
  deleteCookie(c, cookie, cookieAttributes);
}

/** The secret of the session, the proof of what it was when it began, and the token of its forms. */
function readCookie(c: Context): string[] {
  const value = getCookie(c, cookie, 'host');
  if (value?.length !== 3 * secretCharacters) return [];
  const [proofAt, csrfAt] = [secretCharacters, 2 * secretCharacters];
  return [value.slice(0, proofAt), value.slice(proofAt, csrfAt), value.slice(csrfAt)];
}

/** Goes into the cookie: nobody who can only write to the database makes their session somebody else's, an operator's, a longer or a fresher one. */
function proofOf(
  { keyring }: Needs,
  { id, userId, operator, endsAt, authenticatedAt }: Omit<Signed, 'sid'> & { id: string; endsAt: Date },
): string {
  const facts = JSON.stringify(['web session', id, userId, operator, endsAt, authenticatedAt]);
  return Buffer.from(fingerprint(keyring, facts)).toString('base64url');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

const nameCharacters = 60;

function shortName(name: string): string {
  const characters = [...name];
  if (characters.length <= nameCharacters) return name;
  return `${characters.slice(0, nameCharacters - 1).join('')}…`;
}
