import type { SendLogoutToken } from '../tokens/logout-token.ts';
import type { OfflineAccess } from '../tokens/offline-access.ts';
import type { BrowserStore } from './browser-store.ts';
import type { ClientRow, DemoClient } from './client.ts';
import { administerConsents, type ConsentAdministration } from './consent-administration.ts';
import type { Keys } from './keys.ts';
import type { Realm, UserRow } from './realm.ts';
import { administerSessions, type SessionAdministration } from './session-administration.ts';
import type { RealmSettings } from './settings.ts';

/**
 * What an administrator or a person can do to the realm while it runs, each with the effect that it has on Keycloak.
 * People are named by user name; moments are seconds since the epoch by the provider's clock.
 */
export interface RealmAdministration extends ConsentAdministration, SessionAdministration {
  /** A moment after everything that was issued so far, for a not-before policy. */
  now(): number;

  settings(): RealmSettings;
  /** With `notBefore`, older tokens are stale (0 lifts it); with `enabled: false` every endpoint answers 403. */
  setRealm(changes: Partial<RealmSettings>): void;
  /** A new key signs ID and access tokens; the old one stays published. */
  rollSigningKey(): Promise<void>;
  /** Replaces all keys, as a new import of the realm does: older tokens are invalid. */
  replaceKeys(): Promise<void>;

  setUser(username: string, changes: Partial<Pick<UserRow, 'enabled' | 'offlineRole' | 'notBefore'>>): void;
  /** Without the role a code exchange answers `not_allowed`, and a refresh `invalid_grant` that spends nothing. */
  setOfflineRole(username: string, has: boolean): void;
  /** Deletes the account with its offline sessions. */
  deleteUser(username: string): void;

  /** Adds a client, or replaces the one with its id. */
  register(client: DemoClient): void;
  setClient(clientId: string, changes: Partial<Omit<ClientRow, 'id'>>): void;
  deleteClient(clientId: string): void;
  /** Without the client scope an authorization request for offline access answers `invalid_scope`. */
  setOfflineScope(clientId: string, offered: boolean): void;
  setClientSecret(clientId: string, secret: string): void;
}

export function openAdministration(parts: {
  realm: Realm;
  keys: Keys;
  offline: OfflineAccess;
  store: BrowserStore;
  sendLogoutToken: SendLogoutToken;
}): RealmAdministration {
  const { realm, keys, offline } = parts;
  const setUser: RealmAdministration['setUser'] = (username, changes) => {
    const user = realm.userNamed(username);
    realm.users.put(user.subject, { ...user, ...changes });
  };
  const setClient: RealmAdministration['setClient'] = (clientId, changes) =>
    realm.register({ ...realm.client(clientId), ...changes });
  return {
    ...administerConsents(parts),
    ...administerSessions(parts),
    now: realm.moment,
    settings: realm.settings,
    setRealm: realm.change,
    rollSigningKey: keys.roll,
    replaceKeys: keys.replace,
    setUser,
    setOfflineRole: (username, offlineRole) => setUser(username, { offlineRole }),
    deleteUser: (username) => realm.users.delete(realm.userNamed(username).subject),
    register: realm.register,
    setClient,
    deleteClient: (clientId) => {
      for (const { sid } of offline.sessions.list({ clientId })) offline.sessions.end(sid, clientId);
      realm.clients.delete(clientId);
    },
    setOfflineScope: (clientId, offlineScope) => setClient(clientId, { offlineScope }),
    setClientSecret: (clientId, secret) => setClient(clientId, { secret }),
  };
}
