import type { Realm } from '../realm/realm.ts';
import { type Grant, requestedScope } from './grants.ts';
import type { OfflineAccess } from './offline.ts';
import { invalidGrant, Refusal } from './refusal.ts';

/**
 * The refresh grant (RFC 6749, section 6) for offline tokens. A narrower scope is checked and, as Keycloak was seen to do,
 * changes nothing. With `keeping` the token is not used up and no new one is
 * given, as by a client that is set to use no refresh tokens.
 */
export function refreshGrant({ realm, offline }: { realm: Realm; offline: OfflineAccess }, keeping = false): Grant {
  return async ({ form, client, jkt }) => {
    const presented = form.get('refresh_token');
    if (!presented) throw new Refusal(400, 'invalid_request', 'No refresh token');
    requestedScope(form, client);
    const token = keeping ? offline.check(presented, client, jkt) : offline.exchange(presented, client, jkt);
    const user = realm.users.get(token.subject);
    if (!user) throw invalidGrant('Unknown user');
    return { user, client, sid: token.sid, scope: token.scope, jkt, offline: keeping ? undefined : token };
  };
}
