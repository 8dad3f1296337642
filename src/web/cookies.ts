import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { webSessionMs } from '../flows/consent/end-session.ts';
import type { ConsentTransaction } from '../flows/consent/give-consent.ts';
import type { AuthorizationTransaction } from '../oidc/authorization.ts';
import type { House, Signed } from './house.ts';

/** What a signed-in browser carries, sealed. */
export interface Session {
  readonly sid: string;
  readonly userId: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** The session at the provider that it came of, and when, in milliseconds since 1970. */
  readonly provider: Signed['provider'];
  readonly began: number;
  /** Goes into each form of this session. */
  readonly csrf: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** What a browser on its way to the provider carries, sealed; taken once. */
type Pending =
  | { readonly leg: 'sign-in'; readonly transaction: AuthorizationTransaction }
  | { readonly leg: 'consent'; readonly userId: string; readonly transaction: ConsentTransaction };

const sessionSeconds = webSessionMs / 1000;
const pendingSeconds = 10 * 60;
const names = { session: 'nightkeep', pending: 'nightkeep-begun' } as const;
const attributes = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;

/** Starts a session that nobody could know before: everything in it is new. */
export function startSession(c: Context, house: House, signed: Signed): void {
  const secret = () => randomBytes(24).toString('base64url');
  const began = house.clock.now().getTime();
  const session = { sid: secret(), ...signed, began, csrf: secret(), until: began + webSessionMs };
  write<Session>(c, house, 'session', session, sessionSeconds);
}

export function endSession(c: Context): void {
  deleteCookie(c, names.session, attributes);
}

/** The session of the browser, if it has one that still counts: not too old, and not ended by the provider. */
export async function findSession(c: Context, house: House): Promise<Session | undefined> {
  const session = read<Session>(c, house, 'session');
  if (session === undefined || !(await house.isSessionEnded(session.provider, new Date(session.began)))) return session;
  endSession(c);
  return undefined;
}

export function rememberPending(c: Context, house: House, pending: Pending): void {
  const until = house.clock.now().getTime() + pendingSeconds * 1000;
  write(c, house, 'pending', { ...pending, until }, pendingSeconds);
}

/** The leg that this browser began; it is cleared whatever comes of it. */
export function takePending(c: Context, house: House): Pending | undefined {
  const pending = read<Pending & { until: number }>(c, house, 'pending');
  deleteCookie(c, names.pending, attributes);
  return pending;
}

function write<T extends object>(c: Context, house: House, kind: keyof typeof names, value: T, maxAge: number): void {
  setCookie(c, names[kind], house.sealCookie(kind, JSON.stringify(value)), { ...attributes, maxAge });
}

/** What we sealed ourselves needs no look at its shape, only at its age. */
function read<T extends { until: number }>(c: Context, house: House, kind: keyof typeof names): T | undefined {
  const text = getCookie(c, names[kind], 'host');
  const opened = text === undefined ? undefined : house.openCookie(kind, text);
  if (opened === undefined) return undefined;
  const value: T = JSON.parse(opened);
  return value.until > house.clock.now().getTime() ? value : undefined;
}
