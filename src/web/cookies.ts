import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { isSessionEnded, type ProviderSession, shortId } from '../database/ended-sessions.ts';
import { isAppError } from '../errors.ts';
import type { CarriedAgreement } from '../flows/consent/agreement.ts';
import { webSessionMs } from '../flows/consent/end-session.ts';
import type { ConsentTransaction } from '../flows/consent/give-consent.ts';
import type { AuthorizationTransaction } from '../oidc/authorization.ts';
import type { Resources } from '../resources.ts';
import { purposes } from '../vault/purposes.ts';
import { seal, unseal } from '../vault/seal.ts';

/** What a signed-in browser carries, sealed. Each part has a limit, so that no person's cookie is too large for a browser. */
export interface Session {
  readonly sid: string;
  readonly userId: string;
  readonly name: string;
  /** Whether the person has the operator's role. */
  readonly operator: boolean;
  /** The session at the provider that it came of, and when, in milliseconds since 1970. */
  readonly provider: ProviderSession;
  readonly began: number;
  /** Goes into each form of this session. */
  readonly csrf: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Who signed in. */
export type Signed = Pick<Session, 'userId' | 'name' | 'operator' | 'provider'>;

/** A consent that was begun; what was agreed to is too long for a cookie. */
export type CarriedConsent = Omit<ConsentTransaction, 'terms'> & { readonly terms: CarriedAgreement };

/** What a browser on its way to the provider carries, sealed; taken once. */
type Pending =
  | { readonly leg: 'sign-in'; readonly transaction: AuthorizationTransaction }
  | { readonly leg: 'consent'; readonly userId: string; readonly transaction: CarriedConsent };

type Needs = Pick<Resources, 'clock' | 'keyring'>;

const sessionSeconds = webSessionMs / 1000;
const pendingSeconds = 10 * 60;
const names = { session: 'nightkeep', pending: 'nightkeep-begun' } as const;
const attributes = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
/** Browsers keep 4,096 bytes of a cookie, and servers before us often take 8 KB of all of them. */
const limits = { nameCharacters: 60, cookie: 4_000, pendingTogether: 6_000, pendingCount: 5 } as const;

/** Starts a session of which nothing could be known before: identifier and form token are new. */
export function startSession(c: Context, resources: Needs, { userId, operator, ...signed }: Signed): void {
  const secret = () => randomBytes(24).toString('base64url');
  const began = resources.clock.now().getTime();
  const { issuer, subject, sid } = signed.provider;
  const provider = { issuer, subject: shortId(subject), ...(sid !== undefined && { sid: shortId(sid) }) };
  const until = began + webSessionMs;
  const session = {
    sid: secret(),
    userId,
    name: shortName(signed.name),
    operator,
    provider,
    began,
    csrf: secret(),
    until,
  };
  write<Session>(c, resources, { kind: 'session', name: names.session, value: session, maxAge: sessionSeconds });
}

function shortName(name: string): string {
  const characters = [...name];
  if (characters.length <= limits.nameCharacters) return name;
  return `${characters.slice(0, limits.nameCharacters - 1).join('')}…`;
}

export function clearSession(c: Context): void {
  deleteCookie(c, names.session, attributes);
}

/** The session of the browser, unless it is too old or the provider ended it. */
export async function findSession(c: Context, resources: Needs & Pick<Resources, 'database'>) {
  const session = read<Session>(c, resources, 'session', names.session);
  if (session === undefined) return undefined;
  const { provider, began } = session;
  if (!(await isSessionEnded(resources.database, { ...provider, began: new Date(began) }))) return session;
  clearSession(c);
  return undefined;
}

/** Each tab has a cookie of its own, by its state. The newest stay that fit; what is older is forgotten. */
export function rememberPending(c: Context, resources: Needs, pending: Pending): void {
  const until = resources.clock.now().getTime() + pendingSeconds * 1000;
  const name = pendingName(pending.transaction.state);
  const value = { ...pending, until };
  let room: number =
    limits.pendingTogether - write(c, resources, { kind: 'pending', name, value, maxAge: pendingSeconds });
  for (const [index, other] of listPending(c, resources).entries()) {
    room -= other.size;
    if (index + 1 >= limits.pendingCount || room < 0) deleteCookie(c, other.name, attributes);
  }
}

/** What this browser began with that state; it is cleared whatever comes of it. */
export function takePending(c: Context, resources: Needs, state: string): Pending | undefined {
  const name = pendingName(state);
  const pending = read<Pending & { until: number }>(c, resources, 'pending', name);
  if (pending !== undefined) deleteCookie(c, name, attributes);
  return pending;
}

/** A state is chosen by us, but comes back from outside. */
function pendingName(state: string): string {
  return `${names.pending}-${createHash('sha256').update(state).digest('base64url').slice(0, 16)}`;
}

/** What was begun in this browser, the newest first; what cannot be read any more counts as the oldest. */
function listPending(c: Context, resources: Needs): { name: string; size: number }[] {
  const prefix = `__Host-${names.pending}-`;
  const found = Object.entries(getCookie(c)).filter(([name]) => name.startsWith(prefix));
  return found
    .map(([full, { length }]) => {
      const name = full.slice('__Host-'.length);
      const until = read<{ until: number }>(c, resources, 'pending', name)?.until ?? 0;
      return { name, size: full.length + length, until };
    })
    .toSorted((one, other) => other.until - one.until);
}

type Kind = keyof typeof names;

interface Written<T> {
  kind: Kind;
  name: string;
  value: T;
  maxAge: number;
}

/** Sets the cookie and gives its size. A larger one would be dropped by the browser without a word, and lead in circles. */
function write<T extends object>(c: Context, { keyring }: Needs, { kind, name, value, maxAge }: Written<T>): number {
  const { sealed } = seal(keyring, purposes.cookie(kind), JSON.stringify(value));
  const text = Buffer.from(sealed).toString('base64url');
  const size = `__Host-${name}`.length + text.length;
  if (size > limits.cookie) throw new Error(`The cookie ${name} would have ${size} bytes, and browsers keep fewer.`);
  setCookie(c, name, text, { ...attributes, maxAge });
  return size;
}

/** What was sealed here has its shape: only the age is looked at. */
function read<T extends { until: number }>(
  c: Context,
  { clock, keyring }: Needs,
  kind: Kind,
  name: string,
): T | undefined {
  const sealed = getCookie(c, name, 'host');
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
