import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';
import { cloudAudience } from './cloud-access.ts';
import { claimsOf } from './idp-configuration.ts';
import type { Middleware } from './idp-forms.ts';
import type { Person } from './people.ts';

/**
 * The UserInfo endpoint (OpenID Connect Core, section 5.3). oidc-provider's own refuses access tokens that are for a
 * resource server, and ours all are; Keycloak takes them.
 */
export function userinfoEndpoint(options: { issuer: string; publicKey: JWK; people: readonly Person[] }): Middleware {
  const keys = createLocalJWKSet({ keys: [options.publicKey] });
  return async (context, next) => {
    if (context.path !== '/me') return next();
    const token = /^Bearer (\S+)$/i.exec(context.get('authorization'))?.[1] ?? '';
    const claims = await jwtVerify(token, keys, { issuer: options.issuer, audience: cloudAudience }).then(
      ({ payload }) => payload,
      () => undefined,
    );
    const person = options.people.find((candidate) => candidate.subject === claims?.sub);
    context.status = person ? 200 : 401;
    if (!person) context.set('WWW-Authenticate', 'Bearer error="invalid_token"');
    context.body = person ? claimsOf(person) : { error: 'invalid_token' };
  };
}
