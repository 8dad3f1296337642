import { notifyClients, type SendLogoutToken } from '../tokens/logout-token.ts';
import type { OfflineAccess } from '../tokens/offline-access.ts';
import type { BrowserStore, SignIn } from './browser-store.ts';
import type { OfflineSession } from './offline-sessions.ts';
import type { Realm } from './realm.ts';

/** What can be done to sessions, those in browsers and the offline ones. */
export interface SessionAdministration {
  /** Signs out all active sessions: everything issued so far is stale. Gives the number of logout tokens that were accepted. */
  signOutAll(): Promise<number>;
  /**
   * Signs the person out: their sessions in browsers end, clients get logout tokens, and every offline token issued so
   * far is stale, though its session stays. Gives the number of logout tokens that were accepted.
   */
  signOut(username: string): Promise<number>;
  /** Offline sessions that are alive; only those of a person or client where named. */
  offlineSessions(of?: { username?: string; clientId?: string }): OfflineSession[];
  /** Ends an offline session; its client gets a logout token. False where there was none. */
  endOfflineSession(sid: string, clientId: string): Promise<boolean>;
  /** Sends a logout token without ending anything. Gives the status of the answer; 0 where there was none. */
  sendLogoutToken(
    username: string,
    clientId: string,
    what?: { sid?: string; revokeOffline?: boolean },
  ): Promise<number>;
}

export function administerSessions(parts: {
  realm: Realm;
  offline: OfflineAccess;
  store: BrowserStore;
  sendLogoutToken: SendLogoutToken;
}): SessionAdministration {
  const { realm, offline, store, sendLogoutToken } = parts;
  const endSignIns = (signIns: readonly SignIn[]) => {
    for (const { uid } of signIns) store.endSignIn(uid);
    return notifyClients(sendLogoutToken, signIns);
  };
  return {
    signOutAll: () => {
      realm.change({ notBefore: realm.moment() });
      return endSignIns(store.signIns());
    },
    signOut: (username) => {
      const user = realm.userNamed(username);
      realm.users.put(user.subject, { ...user, notBefore: realm.moment() });
      return endSignIns(store.signIns().filter(({ subject }) => subject === user.subject));
    },
    offlineSessions: ({ username, clientId } = {}) =>
      offline.sessions.list({
        ...(username !== undefined && { subject: realm.userNamed(username).subject }),
        ...(clientId !== undefined && { clientId }),
      }),
    endOfflineSession: async (sid, clientId) => {
      const session = offline.sessions.list({ clientId }).find((one) => one.sid === sid);
      if (!session || !offline.sessions.end(sid, clientId)) return false;
      await sendLogoutToken(session);
      return true;
    },
    sendLogoutToken: (username, clientId, what = {}) =>
      sendLogoutToken({ clientId, subject: realm.userNamed(username).subject, ...what }),
  };
}
