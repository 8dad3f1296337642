import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { isSessionEnded, type ProviderSession } from '../database/ended-sessions.ts';
import { isAppError } from '../errors.ts';
import { webSessionMs } from '../flows/consent/end-session.ts';
import type { ConsentTransaction } from '../flows/consent/give-consent.ts';
import type { AuthorizationTransaction } from '../oidc/authorization.ts';
import type { Resources } from '../resources.ts';
import { purposes } from '../vault/purposes.ts';
import { seal, unseal } from '../vault/seal.ts';

/** What a signed-in browser carries, sealed. */
export interface Session {
  readonly sid: string;
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** The session at the provider that it came of, and when, in milliseconds since 1970. */
  readonly provider: ProviderSession;
  readonly began: number;
  /** Goes into each form of this session. */
  readonly csrf: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Who signed in. */
export type Signed = Pick<Session, 'userId' | 'name' | 'roles' | 'provider'>;

/** What a browser on its way to the provider carries, sealed; taken once. */
type Pending =
  | { readonly leg: 'sign-in'; readonly transaction: AuthorizationTransaction }
  | { readonly leg: 'consent'; readonly userId: string; readonly transaction: ConsentTransaction };

type Needs = Pick<Resources, 'clock' | 'keyring'>;

const sessionSeconds = webSessionMs / 1000;
const pendingSeconds = 10 * 60;
const names = { session: 'nightkeep', pending: 'nightkeep-begun' } as const;
const attributes = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;

/** Starts a session of which nothing could be known before: identifier and form token are new. */
export function startSession(c: Context, resources: Needs, signed: Signed): void {
  const secret = () => randomBytes(24).toString('base64url');
  const began = resources.clock.now().getTime();
  const session = { sid: secret(), ...signed, began, csrf: secret(), until: began + webSessionMs };
  write<Session>(c, resources, 'session', session, sessionSeconds);
}

export function clearSession(c: Context): void {
  deleteCookie(c, names.session, attributes);
}

/** The session of the browser, unless it is too old or the provider ended it. */
export async function findSession(c: Context, resources: Needs & Pick<Resources, 'database'>) {
  const session = read<Session>(c, resources, 'session');
  if (session === undefined) return undefined;
  const { provider, began } = session;
  if (!(await isSessionEnded(resources.database, { ...provider, began: new Date(began) }))) return session;
  clearSession(c);
  return undefined;
}

export function rememberPending(c: Context, resources: Needs, pending: Pending): void {
  const until = resources.clock.now().getTime() + pendingSeconds * 1000;
  write(c, resources, 'pending', { ...pending, until }, pendingSeconds);
}

/** The leg that this browser began; it is cleared whatever comes of it. */
export function takePending(c: Context, resources: Needs): Pending | undefined {
  const pending = read<Pending & { until: number }>(c, resources, 'pending');
  deleteCookie(c, names.pending, attributes);
  return pending;
}

type Kind = keyof typeof names;

function write<T extends object>(c: Context, { keyring }: Needs, kind: Kind, value: T, maxAge: number): void {
  const { sealed } = seal(keyring, purposes.cookie(kind), JSON.stringify(value));
  setCookie(c, names[kind], Buffer.from(sealed).toString('base64url'), { ...attributes, maxAge });
}

/** What was sealed here has its shape: only the age is looked at. */
function read<T extends { until: number }>(c: Context, { clock, keyring }: Needs, kind: Kind): T | undefined {
  const sealed = getCookie(c, names[kind], 'host');
  const text = sealed === undefined ? undefined : open(keyring, kind, sealed);
  if (text === undefined) return undefined;
  const value: T = JSON.parse(text);
  return value.until > clock.now().getTime() ? value : undefined;
}

/** Undefined where the cookie was altered, or sealed for another use. */
function open(keyring: Needs['keyring'], kind: Kind, sealed: string): string | undefined {
  try {
    return Buffer.from(unseal(keyring, purposes.cookie(kind), Buffer.from(sealed, 'base64url'))).toString();
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}
