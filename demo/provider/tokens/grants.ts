import { createHash, randomUUID } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { BrowserStore } from '../realm/browser-store.ts';
import { type ClientRow, deviceGrant, scopesOf } from '../realm/client.ts';
import type { Realm } from '../realm/realm.ts';
import type { OfflineAccess } from './offline-access.ts';
import { invalidGrant, Refusal } from './refusal.ts';
import type { TokenGrant } from './token-response.ts';

/** A token request of an authenticated client. `jkt`: thumbprint of the key whose possession it proved. */
export interface GrantRequest {
  readonly form: URLSearchParams;
  readonly client: ClientRow;
  readonly jkt?: string | undefined;
  /** A refresh then neither uses the token up nor gives a new one, as for a client that is set to use no refresh tokens. */
  readonly keepToken?: boolean;
}

/** Grants tokens, or throws the refusal that Keycloak answers. */
export type Grant = (request: GrantRequest) => Promise<TokenGrant>;

interface Parts {
  provider: Provider;
  realm: Realm;
  store: BrowserStore;
  offline: OfflineAccess;
}

/** The grants that the token endpoint knows, by `grant_type`. */
export function openGrants({ provider, realm, store, offline }: Parts): ReadonlyMap<string, Grant> {
  const begin = (login: Login): TokenGrant => {
    const { user, client, sid, scope, nonce, authTime, jkt } = login;
    if (!user.enabled) throw invalidGrant('User disabled');
    const wanted = scope.split(' ').includes('offline_access');
    const bound = client.authentication === 'none' ? jkt : undefined;
    const token = wanted ? offline.begin(user, client, { sid, scope, nonce, jkt: bound }) : undefined;
    return { user, client, sid, scope, nonce, authTime, jkt, offline: token };
  };

  const authorizationCode: Grant = async ({ form, client, jkt }) => {
    const code = await provider.AuthorizationCode.find(form.get('code') ?? '');
    if (!code || code.clientId !== client.id) throw invalidGrant('Code not valid');
    if (!code.isValid) {
      if (code.sessionUid) offline.sessions.end(code.sessionUid, client.id);
      throw invalidGrant('Code not valid');
    }
    await code.consume();
    if (code.redirectUri !== form.get('redirect_uri')) throw invalidGrant('Incorrect redirect_uri');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (code.codeChallenge !== challenge) throw invalidGrant('PKCE verification failed: Code mismatch');
    if (code.dpopJkt !== undefined && code.dpopJkt !== jkt)
      throw new Refusal(400, 'invalid_request', 'DPoP Proof public key thumbprint does not match dpop_jkt');
    return begin({ ...loginOf(realm, code), client, jkt });
  };

  const deviceCode: Grant = async ({ form, client, jkt }) => {
    const text = form.get('device_code') ?? '';
    if (store.isPastDeviceCode(text)) throw new Refusal(400, 'expired_token', 'Device code is expired');
    const code = await provider.DeviceCode.find(text);
    if (!code || code.clientId !== client.id || code.consumed) throw invalidGrant('Device code not valid');
    if (code.error) throw new Refusal(400, 'access_denied', 'The end user denied the authorization request');
    if (!code.accountId) throw new Refusal(400, 'authorization_pending', 'The authorization request is still pending');
    await code.consume();
    return begin({ ...loginOf(realm, code), client, jkt });
  };

  const password: Grant = async ({ form, client, jkt }) => {
    if (!client.directAccess)
      throw new Refusal(400, 'unauthorized_client', 'Client not allowed for direct access grants');
    if (client.consentRequired !== false) throw new Refusal(400, 'invalid_client', 'Client requires user consent');
    const scope = requestedScope(form, client);
    const user = realm.userWithPassword(form.get('username'), form.get('password'));
    if (!user) throw new Refusal(401, 'invalid_grant', 'Invalid user credentials');
    if (!user.enabled) throw invalidGrant('Account disabled');
    return begin({ user, client, sid: randomUUID(), scope, jkt });
  };

  const clientCredentials: Grant = async ({ form, client, jkt }) => {
    const fault = client.authentication === 'none' ? 'Public client not allowed' : 'Client not enabled';
    const user = client.serviceAccount && realm.users.get(`service-account-${client.id}`);
    if (!user) throw new Refusal(401, 'unauthorized_client', `${fault} to retrieve service account`);
    return begin({ user, client, sid: randomUUID(), scope: requestedScope(form, client), jkt });
  };

  // RFC 6749, section 6. A narrower scope is checked and, as observed on Keycloak, changes nothing.
  const refresh: Grant = async ({ form, client, jkt, keepToken = false }) => {
    const presented = form.get('refresh_token');
    if (!presented) throw new Refusal(400, 'invalid_request', 'No refresh token');
    requestedScope(form, client);
    const token = keepToken ? offline.check(presented, client, jkt) : offline.exchange(presented, client, jkt);
    const user = realm.users.get(token.subject);
    if (!user) throw invalidGrant('Unknown user');
    return { user, client, sid: token.sid, scope: token.scope, jkt, offline: keepToken ? undefined : token };
  };

  return new Map<string, Grant>([
    ['authorization_code', authorizationCode],
    [deviceGrant, deviceCode],
    ['password', password],
    ['client_credentials', clientCredentials],
    ['refresh_token', refresh],
  ]);
}

type Login = Omit<TokenGrant, 'offline' | 'idTokenClaims'>;

/** The login that the code stands for. */
function loginOf(
  realm: Realm,
  code: Pick<InstanceType<Provider['AuthorizationCode']>, 'accountId' | 'sessionUid' | 'scope' | 'nonce' | 'authTime'>,
) {
  const user = realm.users.get(code.accountId ?? '');
  if (!user) throw invalidGrant('User not found');
  const { sessionUid: sid = randomUUID(), scope = '', nonce, authTime } = code;
  return { user, sid, scope, nonce, authTime };
}

/** The scope of the form. Throws `invalid_scope` where the client may not ask for it; that uses no token up. */
function requestedScope(form: URLSearchParams, client: ClientRow): string {
  const scope = form.get('scope') ?? '';
  const offered = new Set(scopesOf(client));
  if (scope.split(' ').some((name) => name !== '' && !offered.has(name)))
    throw new Refusal(400, 'invalid_scope', `Invalid scopes: ${scope}`);
  return scope;
}
