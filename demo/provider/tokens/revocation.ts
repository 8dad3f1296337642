import { type Middleware, readForm } from '../http.ts';
import type { ClientRow } from '../realm/client.ts';
import type { Realm } from '../realm/realm.ts';
import type { AuthenticateClient } from './client-authentication.ts';
import type { OfflineAccess } from './offline-access.ts';
import { Refusal } from './refusal.ts';

interface Parts {
  realm: Realm;
  offline: OfflineAccess;
  authenticate: AuthenticateClient;
}

type Answer = (parts: Parts, client: ClientRow, token: string) => object | string;

const answers: Record<string, Answer> = { '/token/revocation': revoke, '/token/introspection': introspect };

/** Revocation (RFC 7009) and introspection (RFC 7662) of offline tokens, for the client that they were issued to. */
export function revocationEndpoints(parts: Parts): Middleware {
  return async (context, next) => {
    const answer = context.method === 'POST' ? answers[context.path] : undefined;
    if (!answer) return next();
    try {
      const form = await readForm(context.req);
      const client = await parts.authenticate(context.get('authorization'), form);
      const body = answer(parts, client, form.get('token') ?? '');
      context.status = 200;
      context.body = body;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      context.status = error.status;
      context.body = { error: error.error, error_description: error.message };
    }
  };
}

/** Ends the token's session and keeps the consent. For an unknown or ended token the answer is 200 with an error in it. */
function revoke({ offline }: Parts, client: ClientRow, text: string): object | string {
  if (text === '') throw new Refusal(400, 'invalid_request', 'Token not provided');
  const token = offline.find(text);
  if (!token) return { error: 'invalid_token', error_description: 'Invalid token' };
  if (token.clientId !== client.id) throw new Refusal(400, 'invalid_request', 'Unmatching clients');
  const ended = offline.sessions.end(token.sid, token.clientId);
  return ended ? '' : { error: 'invalid_token', error_description: 'Invalid token' };
}

/** A token is active if a refresh would accept it. (Keycloak 26.7.1 says `false` of live offline tokens to their own clients.) */
function introspect({ realm, offline }: Parts, client: ClientRow, text: string): object {
  const token = offline.find(text);
  const user = realm.users.get(token?.subject ?? '');
  if (!token || !user || !isAccepted(offline, client, text) || !offline.isUsable(token)) return { active: false };
  const { jti, sid, scope, subject, issuedAt, expiresAt } = token;
  return {
    active: true,
    typ: 'Offline',
    token_type: 'Offline',
    jti,
    sid,
    scope,
    sub: subject,
    username: user.username,
    iss: realm.issuer,
    aud: realm.issuer,
    client_id: client.id,
    azp: client.id,
    iat: Math.floor(issuedAt),
    ...(expiresAt !== undefined && { exp: expiresAt }),
  };
}

function isAccepted(offline: OfflineAccess, client: ClientRow, text: string): boolean {
  try {
    const token = offline.find(text);
    return offline.check(text, client, token?.jkt).clientId === client.id;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
