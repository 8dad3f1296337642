import type { BrowserStore } from '../realm/browser-store.ts';
import type { ClientRow } from '../realm/client.ts';
import type { Keys } from '../realm/keys.ts';
import {
  type Chain,
  type ClientSession,
  openSessionTable,
  type SessionTable,
  type UserSession,
} from '../realm/offline-sessions.ts';
import type { Realm, UserRow } from '../realm/realm.ts';
import type { Tables } from '../realm/tables.ts';
import { newOfflineToken, type OfflineToken, type TokenGrounds } from './offline-token.ts';
import { invalidGrant, notAllowed, Refusal } from './refusal.ts';

interface Parts {
  realm: Realm;
  keys: Keys;
  tables: Tables;
  store: BrowserStore;
}

/** Offline tokens: issued, exchanged and refused as Keycloak does. */
export interface OfflineAccess {
  readonly sessions: SessionTable;
  /** A first token, in the session with this `sid` where there is one. Throws the refusal `not_allowed`. */
  begin(user: UserRow, client: ClientRow, grounds: Omit<TokenGrounds, 'clientId' | 'subject'>): OfflineToken;
  /**
   * Uses a token up and gives the next one. Throws the refusal that Keycloak answers; of those only a reuse changes
   * anything: it ends the session, the newest token included. `proof` is the thumbprint of a key that was proved.
   */
  exchange(token: string, client: ClientRow, proof?: string): OfflineToken;
  /** The token, where `exchange` would accept it, uses left or not. Throws like `exchange`, and changes nothing. */
  check(token: string, client: ClientRow, proof?: string): OfflineToken;
  find(token: string): OfflineToken | undefined;
  /** Every token ever issued, in this order. */
  issued(): IteratorObject<OfflineToken>;
  /** Whether this token has a use left, whatever else would be checked. */
  isUsable(token: OfflineToken): boolean;
}

export function openOfflineAccess(
  parts: Parts,
  /** Called before a session ends because this used token was sent again. */
  onReuse: (token: OfflineToken) => void,
): OfflineAccess {
  const { realm, keys, tables } = parts;
  const tokens = tables.open<OfflineToken>('tokens');
  const sessions = openSessionTable(realm, tables);
  const issue = (grounds: TokenGrounds, session: UserSession, parent?: OfflineToken) => {
    const issuedAt = realm.moment();
    const expiresAt = sessions.tokenEnd(session, grounds.clientId, issuedAt);
    const issued = newOfflineToken(parts, grounds, { issuedAt, expiresAt, parent });
    tokens.put(issued.token, issued);
    return issued;
  };
  const check = checking(parts, tokens.get, sessions);

  return {
    sessions,
    begin: (user, client, rest) => {
      if (!mayHaveOffline(user, client)) throw notAllowed();
      const grounds = { ...rest, clientId: client.id, subject: user.subject };
      if (realm.settings().manner.oneGrantPerClient) {
        const others = sessions.list({ subject: user.subject, clientId: client.id });
        for (const { sid } of others) sessions.end(sid, client.id);
      }
      return issue(grounds, sessions.enter(grounds));
    },
    exchange: (text, client, proof) => {
      const { token, session, own, user } = check(text, client, proof);
      if (realm.settings().manner.refreshTokens !== undefined) {
        const used = useOtherwise(realm, token, own);
        if (used === 'ended') {
          onReuse(token);
          sessions.detach(session, client.id);
          throw invalidGrant('The token was used before');
        }
        own.refreshedAt = session.refreshedAt = realm.moment();
        const next = used === 'kept' ? token : (tokens.get(used.again ?? '') ?? issue(token, session, token));
        if (used !== 'kept') used.issued(next.token);
        sessions.keep(session);
        return next;
      }
      const key = token.reuseId ?? '';
      const chain = own.chains[key];
      const fault = reuseFault(realm, token, chain);
      if (fault !== undefined) {
        onReuse(token);
        sessions.detach(session, client.id);
        throw invalidGrant(fault);
      }
      const refreshedAt = realm.moment();
      const count = chain?.used === token.jti ? chain.count + 1 : 1;
      if (realm.settings().revokeRefreshToken) own.chains[key] = { used: token.jti, count, refreshedAt };
      own.refreshedAt = refreshedAt;
      session.refreshedAt = refreshedAt;
      sessions.keep(session);
      // Keycloak 26.4.0 checks the role only now, when the token is used up; newer versions checked it before.
      if (!user.offlineRole) throw notAllowed();
      return issue(token, session, token);
    },
    check: (text, client, proof) => check(text, client, proof).token,
    find: (text) => tokens.get(text),
    issued: () => tokens.rows(),
    isUsable: (token) => {
      const own = sessions.clientSession(token.sid, token.clientId);
      if (!own || token.issuedAt < own.startedAt || token.keyId !== keys.offlineKeyId()) return false;
      if (realm.settings().manner.refreshTokens !== undefined) return useOtherwise(realm, token, own) !== 'ended';
      return reuseFault(realm, token, own.chains[token.reuseId ?? '']) === undefined;
    },
  };
}

const mayHaveOffline = (user: UserRow, client: ClientRow) => user.offlineRole && client.offlineScope;

/** All checks that Keycloak makes before it counts the use, in its order. None of them uses the token up. */
function checking(
  { realm, keys, store }: Parts,
  find: (text: string) => OfflineToken | undefined,
  sessions: SessionTable,
) {
  const checkToken = (text: string, client: ClientRow, proof: string | undefined) => {
    const token = find(text);
    if (!token || token.keyId !== keys.offlineKeyId()) throw invalidGrant('Invalid refresh token');
    const { takesFormerName } = realm.settings().manner;
    if (token.issuer !== realm.issuer && !takesFormerName)
      throw invalidGrant(`Invalid token issuer. Expected '${realm.issuer}'`);
    if (token.expiresAt !== undefined && Math.floor(realm.now()) > token.expiresAt)
      throw invalidGrant('Token is not active');
    if (token.issuedAt < realm.settings().notBefore) throw invalidGrant('Stale token');
    if (token.clientId !== client.id)
      throw invalidGrant("Invalid refresh token. Token client and authorized client don't match");
    if (token.jkt !== undefined && proof === undefined) throw invalidGrant('DPoP proof is missing');
    if (token.jkt !== undefined && proof !== token.jkt)
      throw invalidGrant('DPoP proof and token binding verification failed');
    return token;
  };
  return (text: string, client: ClientRow, proof: string | undefined) => {
    const token = checkToken(text, client, proof);
    const session = sessions.find(token.sid);
    const user = realm.users.get(token.subject);
    if (!session || !user) throw invalidGrant('Offline user session not found');
    if (!user.enabled) throw invalidGrant('User disabled');
    const own = sessions.findClient(session, client.id);
    if (!own) throw invalidGrant("Session doesn't have required client");
    if (own === 'timed out') throw invalidGrant('Client session not active');
    if (token.issuedAt < own.startedAt) throw invalidGrant('refresh token issued before the client session started');
    if (token.issuedAt < Math.max(client.notBefore, user.notBefore)) throw invalidGrant('Stale token');
    if (realm.settings().behavesAs !== '26.4' && !mayHaveOffline(user, client))
      throw invalidGrant('Offline session invalid because offline access not granted anymore');
    const agreed = store.findConsent(user.subject, client.id)?.scopes ?? [];
    if (client.consentRequired !== false && !token.scope.split(' ').every((scope) => agreed.includes(scope)))
      throw new Refusal(400, 'invalid_scope', 'Client no longer has requested consent from user');
    return { token, session, own, user };
  };
}

/** How a token is used that has not Keycloak's rules: `again` is the answer that it had before, `issued` notes the new one. */
function useOtherwise(
  realm: Realm,
  token: OfflineToken,
  own: ClientSession,
): 'kept' | 'ended' | { again?: string | undefined; issued: (text: string) => void } {
  const { refreshTokens } = realm.settings().manner;
  if (refreshTokens === 'kept') return 'kept';
  if (typeof refreshTokens !== 'object') return { issued: () => undefined };
  const before = own.chains[token.jti];
  const issued = (successor: string) => {
    own.chains[token.jti] ??= { used: token.jti, count: 1, refreshedAt: realm.moment(), successor };
  };
  if (before === undefined) return { issued };
  if (realm.now() - before.refreshedAt > refreshTokens.graceSeconds || refreshTokens.graceSeconds === 0) return 'ended';
  return { issued, ...(refreshTokens.returns === 'same' && { again: before.successor }) };
}

/** Keycloak's validateTokenReuse: the token that was used last may be sent again, as often as allowed; an older one may not. */
function reuseFault(realm: Realm, token: OfflineToken, chain: Chain | undefined): string | undefined {
  const { revokeRefreshToken, refreshTokenMaxReuse } = realm.settings();
  if (!revokeRefreshToken || !chain) return undefined;
  if (chain.used !== token.jti) return token.issuedAt < chain.refreshedAt ? 'Stale token' : undefined;
  return chain.count > refreshTokenMaxReuse ? 'Maximum allowed refresh token reuse exceeded' : undefined;
}
