import type { SignedIn } from '../../database/users.ts';
import type { Authorized } from '../../oidc/authorization.ts';

/** Claims of the protocol itself, which say nothing of the person. */
const ofTheProtocol = new Set(
  'iss sub aud exp iat nbf jti nonce azp at_hash c_hash s_hash auth_time acr sid session_state typ scope client_id'.split(
    ' ',
  ),
);

/** The person as the provider tells of them. Of the claims those are kept that are words, for source URLs. */
export function personOf({ issuer, subject, claims }: Authorized, at: Date): SignedIn {
  const words = Object.entries(claims).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && !ofTheProtocol.has(entry[0]),
  );
  const kept = Object.fromEntries(words);
  return { issuer, subject, username: kept.preferred_username, name: kept.name, email: kept.email, claims: kept, at };
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
