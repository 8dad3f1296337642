import type { ConsentRows } from '../../database/consent/consents.ts';
import { closeCircuit } from '../../database/custody/circuits.ts';
import { saveUser } from '../../database/people/users.ts';
import type { ProviderProfile } from '../../domain/providers/profile.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, messageForPeople } from '../../errors.ts';
import type { AuthorizationRequest, AuthorizationTransaction, Authorized } from '../../oidc/authorization.ts';
import type { Resources } from '../../resources.ts';
import { personSealing } from '../../vault/row-seals.ts';
import { endUnkeptToken, type UnkeptNeeds, type UnkeptTokens } from './end-unkept-token.ts';
import { type KeepNeeds, keepConsent } from './keep-consent.ts';
import { personOf, rolesOf, withKnownClaims } from './person.ts';

/** A transaction that also carries what the page said, word for word. Plain JSON. */
export interface ConsentTransaction extends AuthorizationTransaction {
  terms: Record<string, unknown>;
  /** ISO 8601. */
  agreedAt: string;
}

/** What the two requests ask for; how offline access is asked for is known of the make of provider. */
export function scopesOf(
  { extraScopes }: Pick<Resources['config']['provider'], 'extraScopes'>,
  { offlineAccess }: Pick<ProviderProfile, 'offlineAccess'>,
) {
  const asked = ['openid', 'profile', 'email', ...extraScopes];
  const consent = 'scope' in offlineAccess ? [...asked, offlineAccess.scope] : asked;
  return { signIn: asked.join(' '), consent: consent.join(' ') };
}

/** Further parameters of the request for offline access. */
function offlineParameters({ offlineAccess }: Pick<ProviderProfile, 'offlineAccess'>) {
  return 'parameters' in offlineAccess ? offlineAccess.parameters : {};
}

/** How recently a person must have shown the provider who they are, for what somebody at a borrowed browser must not do. */
export const freshMs = 5 * minuteMs;

/**
 * Sends the person to the provider to say who they are. With `fresh`, the provider asks them for it though they are signed in there
 * (`prompt=login` and `max_age`, OpenID Connect Core 1.0, section 3.1.2.1).
 */
export async function beginSignIn(
  { issuer, config }: Pick<Resources, 'issuer' | 'config'>,
  { returnTo, fresh = false }: { returnTo: string; fresh?: boolean },
): Promise<{ url: URL; transaction: AuthorizationTransaction }> {
  return issuer.beginAuthorization({
    purpose: fresh ? 'fresh sign-in' : 'sign-in',
    scope: scopesOf(config.provider, await issuer.profile()).signIn,
    ...(fresh && { prompt: 'login', parameters: { max_age: String(freshMs / 1000) } }),
    returnTo,
  });
}

/**
 * Recognises the person, or creates them. `sid` is the provider's session, if it says so; `authenticatedAt` is when they last showed the provider
 * who they are, null if it does not say. A refresh token that the provider issues although nobody asked for one is revoked there.
 */
export async function finishSignIn(
  resources: Pick<Resources, 'issuer' | 'config' | 'database' | 'clock' | 'keyring' | 'log'>,
  { callback, transaction }: { callback: URL; transaction: AuthorizationTransaction },
) {
  const { issuer, config, database, clock, keyring } = resources;
  requirePurpose(transaction, 'sign-in', 'fresh sign-in');
  const told = await issuer.finishAuthorization(callback, transaction, unkept(resources));
  await endUnkeptToken(resources, told);
  const authorized = await withKnownClaims(resources, told);
  const at = clock.now();
  const user = await saveUser(database, personOf(authorized, at), personSealing(keyring));
  await closeCircuit(database, { issuer: user.issuer, clientId: issuer.clientId, at, by: `user:${user.id}` });
  const authenticatedAt = authenticationOf(authorized.claims, transaction, at);
  return { user, roles: rolesOf(authorized.claims, config.rolesClaim), sid: authorized.tokens.sid, authenticatedAt };
}

/** A provider that omits `auth_time` although `max_age` asks for it, or sends 0 as Glewlwyd does, is assumed to have obeyed `prompt=login`. */
function authenticationOf(
  { auth_time: said }: Authorized['claims'],
  { purpose }: AuthorizationTransaction,
  at: Date,
): Date | null {
  if (typeof said === 'number' && said > 0) return new Date(Math.min(said * 1000, at.getTime()));
  return purpose === 'fresh sign-in' ? at : null;
}

/** Sends the person to the provider to grant offline access; `terms` is what the page said before. */
export async function beginConsent(
  { issuer, config, clock }: Pick<Resources, 'issuer' | 'config' | 'clock'>,
  { returnTo, terms, loginHint }: { returnTo: string; terms: Record<string, unknown>; loginHint?: string },
): Promise<{ url: URL; transaction: ConsentTransaction }> {
  const { url, transaction } = await issuer.beginAuthorization({
    ...(await consentRequest({ issuer, config }, returnTo)),
    ...(loginHint !== undefined && { loginHint }),
  });
  return { url, transaction: { ...transaction, terms, agreedAt: clock.now().toISOString() } };
}

/** Why the provider would at once send back somebody who agrees now, in words for people; undefined if nothing indicates it. */
export async function findConsentObstacle(
  resources: Pick<Resources, 'issuer' | 'config'>,
): Promise<string | undefined> {
  const refusal = await resources.issuer.findRefusal(await consentRequest(resources, '/'));
  return refusal && messageForPeople(refusal);
}

async function consentRequest(
  { issuer, config }: Pick<Resources, 'issuer' | 'config'>,
  returnTo: string,
): Promise<AuthorizationRequest> {
  const profile = await issuer.profile();
  return {
    purpose: 'consent',
    scope: scopesOf(config.provider, profile).consent,
    prompt: 'consent',
    parameters: offlineParameters(profile),
    returnTo,
  };
}

export interface ConsentAnswer {
  callback: URL;
  transaction: ConsentTransaction;
  /** The subject that is signed in; somebody else's consent is then refused. */
  subject?: string | undefined;
}

/**
 * Takes the consent of the callback into custody. Throws what `keepConsent` throws, `consent/denied` or
 * `consent/invalid-callback`.
 */
export async function finishConsent(
  resources: KeepNeeds,
  { callback, transaction, subject }: ConsentAnswer,
): Promise<ConsentRows & { roles: string[]; sid: string | undefined }> {
  const { issuer, config } = resources;
  requirePurpose(transaction, 'consent');
  const authorized = await issuer.finishAuthorization(callback, transaction, unkept(resources));
  const { terms, agreedAt } = transaction;
  const agreed = { method: 'browser', terms, agreedAt: new Date(agreedAt) } as const;
  const rows = await keepConsent(resources, { authorized, subject, ...agreed });
  return { ...rows, roles: rolesOf(authorized.claims, config.rolesClaim), sid: authorized.tokens.sid };
}

const unkept = (resources: UnkeptNeeds) => (tokens: UnkeptTokens) => endUnkeptToken(resources, tokens);

function requirePurpose(transaction: AuthorizationTransaction, ...purposes: readonly string[]): void {
  if (purposes.includes(transaction.purpose)) return;
  throw new AppError('consent/invalid-callback', 'This answer belongs to something else you began. Start again.');
}
