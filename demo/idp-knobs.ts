import type { BrowserStore } from './idp-adapter.ts';
import type { ClientRow, DemoClient } from './idp-client.ts';
import type { Keys } from './idp-keys.ts';
import type { SendLogoutToken } from './idp-logout-token.ts';
import type { OfflineAccess } from './idp-offline.ts';
import type { OfflineSession } from './idp-offline-sessions.ts';
import type { Realm, RealmSettings, UserRow } from './idp-realm.ts';
import type { LoopbackServer } from './loopback-server.ts';

/**
 * What an administrator, a person or bad luck can do to the provider while it runs, each with what Keycloak makes of it.
 * People are named by user name; moments are seconds since the epoch by the provider's clock.
 */
export interface ProviderKnobs {
  /** Every refresh token issued so far, dead ones too, oldest first. */
  refreshTokens(): readonly string[];
  /** A moment after everything that was issued so far, for a not-before policy. */
  now(): number;

  settings(): RealmSettings;
  /** With `notBefore` older tokens are stale (0 lifts it); with `enabled: false` every endpoint answers 403. */
  setRealm(changes: Partial<RealmSettings>): void;
  /** A new key signs ID and access tokens; the old one stays published. */
  rollSigningKey(): Promise<void>;
  /** All keys are new, as after the realm was imported again: no older token counts. */
  replaceKeys(): Promise<void>;
  /** An administrator signs out all active sessions: everything issued so far is stale. Gives the logout tokens taken. */
  signOutAll(): Promise<number>;

  /** What the person has granted and not taken back, oldest first. */
  grantsOf(username: string): readonly GrantRow[];
  /** The person removes all access on their account page. Gives the number of consents that ended. */
  revokeGrants(username: string): number;
  /**
   * The person, or an administrator, takes a consent back: it is gone, and so are the offline sessions of that client.
   * A client that has a session in a browser gets a logout token. False where there was neither.
   */
  removeConsent(username: string, clientId: string): Promise<boolean>;
  setUser(username: string, changes: Partial<Pick<UserRow, 'enabled' | 'offlineRole' | 'notBefore'>>): void;
  /** Without the role a code exchange answers `not_allowed`, and a refresh `invalid_grant` that spends nothing. */
  setOfflineRole(username: string, has: boolean): void;
  /** The account is gone, its offline sessions with it. */
  deleteUser(username: string): void;
  /**
   * An administrator signs the person out: their sessions in browsers end, clients get logout tokens, and every offline
   * token issued so far is stale, though its session stays. Gives the number of logout tokens taken.
   */
  signOut(username: string): Promise<number>;

  /** Adds a client, or replaces the one with its id. */
  register(client: DemoClient): void;
  setClient(clientId: string, changes: Partial<Omit<ClientRow, 'id'>>): void;
  deleteClient(clientId: string): void;
  /** Without the client scope an authorization request for offline access answers `invalid_scope`. */
  setOfflineScope(clientId: string, offered: boolean): void;
  setClientSecret(clientId: string, secret: string): void;

  /** Offline sessions that live now; of one person or client where named. */
  offlineSessions(of?: { username?: string; clientId?: string }): OfflineSession[];
  /** An administrator ends an offline session; its client gets a logout token. False where there was none. */
  endOfflineSession(sid: string, clientId: string): Promise<boolean>;
  /** Sends a logout token out of turn, and gives the status of the answer; 0 where there was none. */
  sendLogoutToken(
    username: string,
    clientId: string,
    what?: { sid?: string; revokeOffline?: boolean },
  ): Promise<number>;

  /** Connections are refused until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** A consent. */
export interface GrantRow {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly since: Date;
  /** When an offline token of it was last issued, where a session lives. */
  readonly lastUsed: Date | undefined;
}

export function turnKnobs(world: {
  realm: Realm;
  keys: Keys;
  offline: OfflineAccess;
  store: BrowserStore;
  server: LoopbackServer;
  sendLogoutToken: SendLogoutToken;
}): ProviderKnobs {
  const { realm, keys, offline, store, server, sendLogoutToken } = world;
  const subjectOf = (username: string) => realm.userNamed(username).subject;
  const setUser: ProviderKnobs['setUser'] = (username, changes) => {
    const user = realm.userNamed(username);
    realm.users.put(user.subject, { ...user, ...changes });
  };
  const setClient: ProviderKnobs['setClient'] = (clientId, changes) =>
    realm.clients.put(clientId, { ...realm.client(clientId), ...changes });
  const sessionsOf = ({ subject, clientId }: { subject?: string; clientId?: string }) =>
    offline.sessions
      .list()
      .filter((session) => (subject ?? session.subject) === session.subject)
      .filter((session) => (clientId ?? session.clientId) === session.clientId);
  const takeBack = (subject: string, clientId: string) => {
    const sessions = sessionsOf({ subject, clientId });
    for (const { sid } of sessions) offline.sessions.end(sid, clientId);
    return store.forgetConsent(subject, clientId) || sessions.length > 0;
  };
  const tell = async (signIns: readonly { uid: string; subject: string; clientIds: readonly string[] }[]) => {
    const told = signIns.flatMap(({ uid, subject, clientIds }) =>
      clientIds.map((clientId) => sendLogoutToken({ clientId, subject, sid: uid })),
    );
    return (await Promise.all(told)).filter((status) => status >= 200 && status < 300).length;
  };
  const endSignIns = (of: (subject: string) => boolean) => {
    const ending = store.signIns().filter(({ subject }) => of(subject));
    for (const { uid } of ending) store.endSignIn(uid);
    return tell(ending);
  };

  return {
    refreshTokens: () => [...offline.issued()].map(({ token }) => token),
    now: realm.moment,
    settings: realm.settings,
    setRealm: realm.change,
    rollSigningKey: keys.roll,
    replaceKeys: keys.replace,
    signOutAll: () => {
      realm.change({ notBefore: realm.moment() });
      return endSignIns(() => true);
    },
    grantsOf: (username) =>
      store
        .consents()
        .filter(({ subject }) => subject === subjectOf(username))
        .map(({ subject, clientId, scopes, since }) => ({
          ...{ clientId, scopes, since: dateOf(since) },
          lastUsed: latest(sessionsOf({ subject, clientId })),
        })),
    revokeGrants: (username) => {
      const subject = subjectOf(username);
      const granted = store.consents().filter((consent) => consent.subject === subject);
      for (const { clientId } of granted) takeBack(subject, clientId);
      return granted.length;
    },
    removeConsent: async (username, clientId) => {
      const subject = subjectOf(username);
      const removed = takeBack(subject, clientId);
      const inBrowsers = store.signIns().filter((one) => one.subject === subject && one.clientIds.includes(clientId));
      await tell(inBrowsers.map((one) => ({ ...one, clientIds: [clientId] })));
      return removed;
    },
    setUser,
    setOfflineRole: (username, offlineRole) => setUser(username, { offlineRole }),
    deleteUser: (username) => realm.users.delete(subjectOf(username)),
    signOut: (username) => {
      setUser(username, { notBefore: realm.moment() });
      return endSignIns((subject) => subject === subjectOf(username));
    },
    register: realm.register,
    setClient,
    deleteClient: (clientId) => realm.clients.delete(clientId),
    setOfflineScope: (clientId, offlineScope) => setClient(clientId, { offlineScope }),
    setClientSecret: (clientId, secret) => setClient(clientId, { secret }),
    offlineSessions: ({ username, clientId } = {}) =>
      sessionsOf({
        ...(username !== undefined && { subject: subjectOf(username) }),
        ...(clientId !== undefined && { clientId }),
      }),
    endOfflineSession: async (sid, clientId) => {
      const session = sessionsOf({ clientId }).find((one) => one.sid === sid);
      if (!session || !offline.sessions.end(sid, clientId)) return false;
      await sendLogoutToken(session);
      return true;
    },
    sendLogoutToken: (username, clientId, what = {}) =>
      sendLogoutToken({ clientId, subject: subjectOf(username), ...what }),
    down: () => server.down(),
    up: () => server.up(),
  };
}

const dateOf = (seconds: number) => new Date(seconds * 1000);

function latest(sessions: OfflineSession[]): Date | undefined {
  return sessions.length === 0 ? undefined : dateOf(Math.max(...sessions.map(({ refreshedAt }) => refreshedAt)));
}
