import { notifyClients, type SendLogoutToken } from '../tokens/logout-token.ts';
import type { OfflineAccess } from '../tokens/offline-access.ts';
import type { BrowserStore } from './browser-store.ts';
import type { OfflineSession } from './offline-sessions.ts';
import type { Realm } from './realm.ts';

/** What can be done to the consents of people. */
export interface ConsentAdministration {
  /** What the person has granted and not taken back, oldest first. */
  consentsOf(username: string): readonly ConsentRow[];
  /** The person removes all access on their account page. Gives the number of consents that ended. */
  revokeConsents(username: string): number;
  /**
   * The person, or an administrator, takes a consent back: it is gone, and so are the offline sessions of that client.
   * A client that has a session in a browser gets a logout token. False where there was neither.
   */
  removeConsent(username: string, clientId: string): Promise<boolean>;
  /** The consent no longer covers one scope: a refresh answers `invalid_scope`, until the person consents again. */
  narrowConsent(username: string, clientId: string, scope: string): void;
}

export interface ConsentRow {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly since: Date;
  /** When one of its offline tokens was last issued, where a session is alive. */
  readonly lastUsed: Date | undefined;
}

export function administerConsents(parts: {
  realm: Realm;
  offline: OfflineAccess;
  store: BrowserStore;
  sendLogoutToken: SendLogoutToken;
}): ConsentAdministration {
  const { realm, offline, store, sendLogoutToken } = parts;
  const consentsOf = (username: string) => {
    const { subject } = realm.userNamed(username);
    return store.consents().filter((consent) => consent.subject === subject);
  };
  const takeBack = (subject: string, clientId: string) => {
    const sessions = offline.sessions.list({ subject, clientId });
    for (const { sid } of sessions) offline.sessions.end(sid, clientId);
    return store.forgetConsent(subject, clientId) || sessions.length > 0;
  };
  return {
    consentsOf: (username) =>
      consentsOf(username).map(({ subject, clientId, scopes, since }) => ({
        clientId,
        scopes,
        since: dateOf(since),
        lastUsed: latest(offline.sessions.list({ subject, clientId })),
      })),
    revokeConsents: (username) => {
      const granted = consentsOf(username);
      for (const { subject, clientId } of granted) takeBack(subject, clientId);
      return granted.length;
    },
    removeConsent: async (username, clientId) => {
      const { subject } = realm.userNamed(username);
      const removed = takeBack(subject, clientId);
      const signIns = store.signIns().filter((one) => one.subject === subject && one.clientIds.includes(clientId));
      await notifyClients(
        sendLogoutToken,
        signIns.map((one) => ({ ...one, clientIds: [clientId] })),
      );
      return removed;
    },
    narrowConsent: (username, clientId, scope) =>
      store.narrowConsent(realm.userNamed(username).subject, clientId, scope),
  };
}

const dateOf = (seconds: number) => new Date(seconds * 1000);

function latest(sessions: OfflineSession[]): Date | undefined {
  return sessions.length === 0 ? undefined : dateOf(Math.max(...sessions.map(({ refreshedAt }) => refreshedAt)));
}
