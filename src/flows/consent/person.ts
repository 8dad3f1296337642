import { findKnownClaims, type SignedIn } from '../../database/people/users.ts';
import { isValidZone } from '../../domain/nights.ts';
import { isUrlClaim } from '../../domain/url-template.ts';
import type { Authorized } from '../../oidc/authorization.ts';
import type { Resources } from '../../resources.ts';

/** Claims of the protocol itself, which say nothing of the person. */
const ofTheProtocol = new Set(
  'iss sub aud exp iat nbf jti nonce azp at_hash c_hash s_hash auth_time acr sid session_state typ scope client_id'.split(
    ' ',
  ),
);

/** The person as the provider describes them, with only those claims that source URLs may name. */
export function personOf({ issuer, subject, claims }: Authorized, at: Date): SignedIn {
  const said = Object.entries(claims).filter(([name]) => !ofTheProtocol.has(name));
  const kept = Object.fromEntries(
    said.flatMap(([name, value]) => (isUrlClaim(value) && isStorable(name) ? [[name, value]] : [])),
  );
  const text = (name: string) => (kept[name] === undefined ? undefined : String(kept[name]));
  const [named, name, told] = ['preferred_username', 'name', 'email'].map(text);
  const username = Buffer.byteLength(named ?? '') <= mostOfName ? named : undefined;
  // Somebody else's address, as far as the provider knows, or several: nothing is mailed there.
  const email = text('email_verified') === 'false' || !isOneAddress(told) ? undefined : told;
  return { issuer, subject, username, name, email, claims: kept, at };
}

/**
 * The same with what is known of the person from earlier, where the provider could not be asked for all of it: an outage of its userinfo endpoint takes nobody's name,
 * mail address or address of files away.
 */
export async function withKnownClaims(
  { database }: Pick<Resources, 'database'>,
  authorized: Authorized,
): Promise<Authorized> {
  if (authorized.claimsMissing !== true) return authorized;
  return { ...authorized, claims: { ...(await findKnownClaims(database, authorized)), ...authorized.claims } };
}

/** In bytes. People are sorted by it, and no index of PostgreSQL takes a longer one; somebody with a longer name is known by their subject. */
const mostOfName = 1_000;
const mostOfAddress = 320;

/** Whether mail to it goes to a single address: people who may choose their own must not have Nightkeep write to others. */
export function isOneAddress(text = ''): boolean {
  const [name = '', host = '', ...more] = text.split('@');
  const isPlain = (part: string) => part !== '' && !/[\s\p{C}",:;<>()[\]\\]/u.test(part);
  return more.length === 0 && text.length <= mostOfAddress && isPlain(name) && isPlain(host);
}

/** The time zone that the provider names for somebody (`zoneinfo`, OpenID Connect Core 1.0, section 5.1), if it is one. */
export function zoneIn({ zoneinfo }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof zoneinfo === 'string' && isValidZone(zoneinfo) ? zoneinfo : undefined;
}

/** PostgreSQL keeps no NUL and no half of a character. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The person's roles under a claim whose path may have dots, as `realm_access.roles` on Keycloak. */
export function rolesOf(claims: Record<string, unknown>, path: string): string[] {
  const found = Object.hasOwn(claims, path) ? claims[path] : path.split('.').reduce<unknown>(memberOf, claims);
  const list = typeof found === 'string' ? found.split(' ') : found;
  return Array.isArray(list) ? list.filter((role) => typeof role === 'string') : [];
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
