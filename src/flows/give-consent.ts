import { type ConsentRows, saveConsent } from '../database/consents.ts';
import { saveUser } from '../database/users.ts';
import { HouseError } from '../errors.ts';
import type { AuthorizationTransaction, Authorized } from '../oidc/authorization.ts';
import type { Resources } from '../resources.ts';
import { boundKeyToKeep } from './bound-key.ts';
import { deadlinesOfConsent, readyToKeep } from './custody.ts';
import { personOf, rolesOf } from './person.ts';

/** A transaction that also carries what the page said, word for word. Plain JSON. */
export interface ConsentTransaction extends AuthorizationTransaction {
  terms: Record<string, unknown>;
  /** ISO 8601. */
  agreedAt: string;
}

/** What the two requests ask for. */
export function scopesOf({ extraScopes }: Pick<Resources['config']['provider'], 'extraScopes'>) {
  const asked = ['openid', 'profile', 'email', ...extraScopes];
  return { signIn: asked.join(' '), consent: [...asked, 'offline_access'].join(' ') };
}

/** Sends the person to the provider to say who they are. */
export async function beginSignIn(
  { issuer, config }: Pick<Resources, 'issuer' | 'config'>,
  { returnTo, loginHint, prompt }: { returnTo: string; loginHint?: string; prompt?: string },
): Promise<{ url: URL; transaction: AuthorizationTransaction }> {
  return issuer.beginAuthorization({
    purpose: 'sign-in',
    scope: scopesOf(config.provider).signIn,
    returnTo,
    ...(loginHint !== undefined && { loginHint }),
    ...(prompt !== undefined && { prompt }),
  });
}

/** Knows the person again, or for the first time. `sid` is the provider's session, where it tells. */
export async function finishSignIn(
  { issuer, config, database, clock }: Pick<Resources, 'issuer' | 'config' | 'database' | 'clock'>,
  { callback, transaction }: { callback: URL; transaction: AuthorizationTransaction },
) {
  requirePurpose(transaction, 'sign-in');
  const authorized = await issuer.finishAuthorization(callback, transaction);
  const user = await saveUser(database, personOf(authorized, clock.now()));
  return { user, roles: rolesOf(authorized.claims, config.rolesClaim), sid: authorized.sid };
}

/** Sends the person to the provider to grant offline access; `terms` is what the page said before. */
export async function beginConsent(
  { issuer, config, clock }: Pick<Resources, 'issuer' | 'config' | 'clock'>,
  { returnTo, terms, loginHint }: { returnTo: string; terms: Record<string, unknown>; loginHint?: string },
): Promise<{ url: URL; transaction: ConsentTransaction }> {
  const { url, transaction } = await issuer.beginAuthorization({
    purpose: 'consent',
    scope: scopesOf(config.provider).consent,
    prompt: 'consent',
    returnTo,
    ...(loginHint !== undefined && { loginHint }),
  });
  return { url, transaction: { ...transaction, terms, agreedAt: clock.now().toISOString() } };
}

export interface ConsentAnswer {
  callback: URL;
  transaction: ConsentTransaction;
  /** The subject that is signed in; somebody else's consent is then refused. */
  subject?: string | undefined;
  /** The night of a new plan's first run and its moment, for the zone the person lives in. */
  firstNight: (plan: { planId: string; zone: string; windowStart: string; windowEnd: string }) => {
    night: string;
    dueAt: Date;
  };
}

/**
 * Takes the offline token into custody: sealed and saved with all that belongs to it in one transaction.
 * Throws `consent/not-offline` with the likely cause and who can mend it, `consent/denied` or `consent/invalid-callback`.
 */
export async function finishConsent(
  resources: Pick<Resources, 'issuer' | 'config' | 'database' | 'clock' | 'keyring' | 'holder'>,
  { callback, transaction, subject, firstNight }: ConsentAnswer,
): Promise<ConsentRows & { roles: string[]; sid: string | undefined }> {
  const { issuer, config, database, clock, keyring, holder } = resources;
  requirePurpose(transaction, 'consent');
  const authorized = await issuer.finishAuthorization(callback, transaction);
  const refreshToken = requireOffline(authorized);
  requireSubject(authorized, subject);
  const at = clock.now();
  const rows = await saveConsent(database, {
    user: personOf(authorized, at),
    grant: {
      clientId: issuer.clientId,
      sid: authorized.sid,
      scope: authorized.scope,
      ...deadlinesOfConsent(config, authorized, at),
    },
    token: (owner) => readyToKeep(keyring, owner, { ...authorized, refreshToken }),
    boundKey: (owner) => boundKeyToKeep(keyring, owner, authorized.boundKey),
    terms: { text: transaction.terms, agreedAt: new Date(transaction.agreedAt) },
    method: 'browser',
    plan: ({ planId }) => planFrom(config, authorized, planId, firstNight),
    holder,
    at,
  });
  return { ...rows, roles: rolesOf(authorized.claims, config.rolesClaim), sid: authorized.sid };
}

function planFrom(
  { filesUrl, window, retention }: Resources['config'],
  { claims }: Authorized,
  planId: string,
  firstNight: ConsentAnswer['firstNight'],
) {
  const zone = isZone(claims.zoneinfo) ? claims.zoneinfo : window.zone;
  const hours = { windowStart: window.start, windowEnd: window.end };
  const { night, dueAt } = firstNight({ planId, zone, ...hours });
  const sources = [{ kind: 'webdav', name: 'files', url: filesUrl }];
  return { sources, zone, ...hours, retention, nextNight: night, nextDueAt: dueAt };
}

function isZone(zone: unknown): zone is string {
  if (typeof zone !== 'string') return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The scope echo says it where the token is opaque; Keycloak's own word for the token prevails where it can be read. */
function requireOffline({ refreshToken, scope, tokenType }: Authorized): string {
  const granted = tokenType === undefined ? scope.split(' ').includes('offline_access') : tokenType === 'Offline';
  if (refreshToken !== undefined && granted) return refreshToken;
  throw new HouseError(
    'consent/not-offline',
    'The provider let you in, but gave no offline token. Either your account lacks the role for offline access, or the client of Nightkeep lacks the scope offline_access. An administrator of the provider can add what is missing; then start again.',
    { detail: { scope, tokenType, refreshed: refreshToken !== undefined } },
  );
}

function requireSubject(authorized: Authorized, subject: string | undefined): void {
  if (subject === undefined || authorized.subject === subject) return;
  throw new HouseError(
    'consent/invalid-callback',
    'Somebody else consented at the provider than is signed in here. Sign out at the provider, then start again.',
  );
}

function requirePurpose(transaction: AuthorizationTransaction, purpose: string): void {
  if (transaction.purpose === purpose) return;
  throw new HouseError('consent/invalid-callback', 'This answer belongs to something else you began. Start again.');
}
