import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { isAppError } from '../errors.ts';
import type { CarriedAgreement } from '../flows/consent/agreement.ts';
import type { ConsentTransaction } from '../flows/consent/give-consent.ts';
import type { AuthorizationTransaction } from '../oidc/authorization.ts';
import type { Resources } from '../resources.ts';
import { purposes } from '../vault/purposes.ts';
import { seal, unseal } from '../vault/seal.ts';

/** A consent that was begun; what was agreed to is too long for a cookie. */
export type CarriedConsent = Omit<ConsentTransaction, 'terms'> & { readonly terms: CarriedAgreement };

/** What a browser on its way to the provider carries, sealed; answered once. */
export type Pending =
  | { readonly leg: 'sign-in'; readonly transaction: AuthorizationTransaction }
  | { readonly leg: 'consent'; readonly userId: string; readonly transaction: CarriedConsent }
  | {
      readonly leg: 'restore';
      readonly userId: string;
      readonly restoreId: string;
      readonly transaction: AuthorizationTransaction;
    };

type Needs = Pick<Resources, 'clock' | 'keyring'>;

const pendingSeconds = 10 * 60;
const prefix = 'nightkeep-begun';
const binding = purposes.cookie('pending');
/** Attributes of every cookie: for this host and its pages only, and not for scripts. */
export const cookieAttributes = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;
/** Browsers keep 4,096 bytes per cookie, and proxies often accept 8 KB for all of them. */
const limits = { cookie: 4_000, pendingTogether: 6_000, pendingCount: 5 } as const;

/** Each tab has a cookie of its own, by its state. The newest stay that fit; what is older is forgotten. */
export function rememberPending(c: Context, resources: Needs, pending: Pending): void {
  const until = resources.clock.now().getTime() + pendingSeconds * 1000;
  const name = pendingName(pending.transaction.state);
  const value = { ...pending, until };
  let room: number = limits.pendingTogether - write(c, resources, name, value);
  for (const [index, other] of listPending(c, resources).entries()) {
    room -= other.size;
    if (index + 1 >= limits.pendingCount || room < 0) deleteCookie(c, other.name, cookieAttributes);
  }
}

/** What this browser began with that state, until it is forgotten or ten minutes are over. */
export function findPending(c: Context, resources: Needs, state: string): Pending | undefined {
  return read<Pending & { until: number }>(c, resources, pendingName(state));
}

/** Forgets what was begun with that state: it was answered. */
export function forgetPending(c: Context, state: string): void {
  deleteCookie(c, pendingName(state), cookieAttributes);
}

/** Nightkeep chooses a state, but it comes back from outside. */
function pendingName(state: string): string {
  return `${prefix}-${createHash('sha256').update(state).digest('base64url').slice(0, 16)}`;
}

/** What was begun in this browser, the newest first; what cannot be read any more counts as the oldest. */
function listPending(c: Context, resources: Needs): { name: string; size: number }[] {
  const found = Object.entries(getCookie(c)).filter(([name]) => name.startsWith(`__Host-${prefix}-`));
  return found
    .map(([full, { length }]) => {
      const name = full.slice('__Host-'.length);
      const until = read<{ until: number }>(c, resources, name)?.until ?? 0;
      return { name, size: full.length + length, until };
    })
    .toSorted((one, other) => other.until - one.until);
}

/** Sets the cookie and gives its size. A larger one would be dropped by the browser without a word, and lead in circles. */
function write<T extends object>(c: Context, { keyring }: Needs, name: string, value: T): number {
  const { sealed } = seal(keyring, binding, JSON.stringify(value));
  const text = Buffer.from(sealed).toString('base64url');
  const size = `__Host-${name}`.length + text.length;
  if (size > limits.cookie)
    throw new Error(`The cookie ${name} would have ${size} bytes, which is more than browsers keep.`);
  setCookie(c, name, text, { ...cookieAttributes, maxAge: pendingSeconds });
  return size;
}

/** What was sealed here has its shape: only the age is looked at. */
function read<T extends { until: number }>(c: Context, { clock, keyring }: Needs, name: string): T | undefined {
  const sealed = getCookie(c, name, 'host');
  const text = sealed === undefined ? undefined : open(keyring, sealed);
  if (text === undefined) return undefined;
  const value: T = JSON.parse(text);
  return value.until > clock.now().getTime() ? value : undefined;
}

/** Undefined where the cookie was altered. */
function open(keyring: Needs['keyring'], sealed: string): string | undefined {
  try {
    return Buffer.from(unseal(keyring, binding, Buffer.from(sealed, 'base64url'))).toString();
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}
