import { jwtVerify } from 'jose';
import { cloudAudience } from '../../cloud/access.ts';
import type { Middleware } from '../http.ts';
import type { Keys } from '../realm/keys.ts';
import type { Realm } from '../realm/realm.ts';
import type { ProvenRequest } from './dpop.ts';
import type { OfflineAccess } from './offline-access.ts';
import { claimsFor } from './token-response.ts';

interface Claims {
  scope?: string;
  sid?: string;
  azp?: string;
  cnf?: { jkt?: string };
}

/** The UserInfo endpoint (OpenID Connect Core, section 5.3), for access tokens with and without a bound key. */
export function userinfoEndpoint(parts: {
  realm: Realm;
  keys: Keys;
  offline: OfflineAccess;
  checkProof: (request: ProvenRequest) => Promise<string>;
}): Middleware {
  const { realm, keys, offline, checkProof } = parts;
  const verify = async (token: string) => {
    const currentDate = new Date(realm.now() * 1000);
    const expected = { issuer: realm.issuer, audience: cloudAudience, currentDate };
    const { payload } = await jwtVerify<Claims>(token, keys.lookup, expected);
    const newest = offline.sessions.clientSession(payload.sid ?? '', payload.azp ?? '')?.accessToken;
    return newest === undefined || newest === payload.jti ? payload : undefined;
  };
  return async (context, next) => {
    if (context.path !== '/me') return next();
    const { method } = context;
    const [, scheme = '', token = ''] = /^(Bearer|DPoP) (\S+)$/i.exec(context.get('authorization')) ?? [];
    const claims = await verify(token).catch(() => undefined);
    const proof = { proof: context.get('dpop'), method, url: `${realm.issuer}/me`, accessToken: token };
    const proved = scheme.toLowerCase() === 'dpop' ? await checkProof(proof).catch(() => 'nothing') : undefined;
    const user = claims?.cnf?.jkt === proved ? realm.users.get(claims?.sub ?? '') : undefined;
    context.status = user?.enabled ? 200 : 401;
    if (user?.enabled) context.body = claimsFor(user, claims?.scope ?? '');
    else {
      context.set('WWW-Authenticate', 'Bearer error="invalid_token"');
      context.body = { error: 'invalid_token', error_description: 'Token verification failed' };
    }
  };
}
