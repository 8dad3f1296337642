import type { Realm } from './realm.ts';
import type { Tables } from './tables.ts';

/** An offline session: what one client may do for one person who is away. Times are seconds since the epoch. */
export interface OfflineSession {
  readonly sid: string;
  readonly clientId: string;
  readonly subject: string;
  readonly scope: string;
  readonly startedAt: number;
  readonly refreshedAt: number;
}

/** Why a session is no more. `reuse`: a token came back that had been used up. */
export type SessionEnd = 'reuse' | 'revoked' | 'idle' | 'max';

/** How often the token used last was used, and when. */
export interface Chain {
  used: string;
  count: number;
  refreshedAt: number;
}

/** The part of one client in a session. */
export interface ClientSession {
  scope: string;
  startedAt: number;
  refreshedAt: number;
  /** By `reuse_id`. */
  chains: Record<string, Chain>;
}

/** As on Keycloak: the session of a user, and in it one session a client. It can outlive the last of those. */
export interface UserSession {
  sid: string;
  subject: string;
  startedAt: number;
  refreshedAt: number;
  clients: Record<string, ClientSession>;
}

/** Who is in which offline session, and since when nobody used it. */
export interface SessionTable {
  /** Nothing where it was not used for Offline Session Idle, or is older than Offline Session Max. */
  find(sid: string): UserSession | undefined;
  findClient(session: UserSession, clientId: string): ClientSession | 'timed out' | undefined;
  /** Lets a client into the session of that `sid`: into the one that lives, else a new one. */
  enter(grounds: { sid: string; subject: string; clientId: string; scope: string }): UserSession;
  /**
   * When a token that is issued at this moment ends, where Offline Session Max is limited: when the session would end
   * unused, at the latest when it ends anyway. Nothing where it is not limited.
   */
  tokenEnd(session: UserSession, clientId: string, issuedAt: number): number | undefined;
  keep(session: UserSession): void;
  /** The session of the client ends; that of the user stays. */
  detach(session: UserSession, clientId: string): void;
  /** The session of the client ends, and that of the user with the last of them. False where there was none. */
  end(sid: string, clientId: string): boolean;
  /** What is alive; of one person or client where named. */
  list(of?: { subject?: string; clientId?: string }): OfflineSession[];
  /** Also of a session that timed out. */
  clientSession(sid: string, clientId: string): ClientSession | undefined;
  /** Nothing while the session lives. */
  endOf(sid: string, clientId: string): SessionEnd | undefined;
}

export function openSessionTable(realm: Realm, tables: Tables): SessionTable {
  const sessions = tables.open<UserSession>('sessions');
  const ends = tables.open<SessionEnd>('ends');

  const timedOut = (
    { startedAt, refreshedAt }: ClientSession | UserSession,
    clientId?: string,
  ): SessionEnd | undefined => {
    const { idle, max } = limitsOf(realm, clientId);
    if (max !== undefined && realm.now() >= startedAt + max) return 'max';
    return realm.now() >= refreshedAt + idle ? 'idle' : undefined;
  };
  const find = (sid: string) => {
    const session = sessions.get(sid);
    return session && realm.users.get(session.subject) && !timedOut(session) ? session : undefined;
  };
  const leave = (session: UserSession, clientId: string, why: SessionEnd) => {
    delete session.clients[clientId];
    sessions.put(session.sid, session);
    ends.put(`${session.sid} ${clientId}`, why);
  };
  const clientSession = (sid: string, clientId: string) => sessions.get(sid)?.clients[clientId];

  return {
    find,
    findClient: (session, clientId) => {
      const own = session.clients[clientId];
      return own && timedOut(own, clientId) ? 'timed out' : own;
    },
    enter: ({ sid, subject, clientId, scope }) => {
      const at = realm.moment();
      const session = find(sid) ?? { sid, subject, startedAt: at, refreshedAt: at, clients: {} };
      const own = session.clients[clientId];
      session.clients[clientId] =
        own && !timedOut(own, clientId) ? { ...own, scope } : { scope, startedAt: at, refreshedAt: at, chains: {} };
      sessions.put(sid, session);
      ends.delete(`${sid} ${clientId}`);
      return session;
    },
    tokenEnd: (session, clientId, issuedAt) => {
      const { idle, max } = limitsOf(realm, clientId);
      if (max === undefined) return undefined;
      const ofRealm = session.startedAt + realm.settings().offlineMaxSeconds;
      const ofClient = (session.clients[clientId]?.startedAt ?? issuedAt) + max;
      return Math.min(Math.floor(issuedAt) + idle, Math.floor(ofRealm), Math.floor(ofClient));
    },
    keep: (session) => sessions.put(session.sid, session),
    detach: (session, clientId) => leave(session, clientId, 'reuse'),
    end: (sid, clientId) => {
      const session = sessions.get(sid);
      if (!session?.clients[clientId]) return false;
      leave(session, clientId, 'revoked');
      if (Object.keys(session.clients).length === 0) sessions.delete(sid);
      return true;
    },
    list: (of = {}) =>
      [...sessions.rows()]
        .filter(({ sid, subject }) => (of.subject ?? subject) === subject && find(sid))
        .flatMap(({ sid, subject, clients }) =>
          Object.entries(clients)
            .filter(([clientId, own]) => (of.clientId ?? clientId) === clientId && !timedOut(own, clientId))
            .map(([clientId, { chains: _chains, ...own }]) => ({ sid, subject, clientId, ...own })),
        ),
    clientSession,
    endOf: (sid, clientId) => {
      const session = sessions.get(sid);
      const own = session?.clients[clientId];
      if (!session || !own) return ends.get(`${sid} ${clientId}`) ?? 'revoked';
      if (!realm.users.get(session.subject)) return 'revoked';
      return timedOut(session) ?? timedOut(own, clientId);
    },
  };
}

/** Seconds; no maximum where the realm does not limit it. */
function limitsOf(realm: Realm, clientId?: string): { idle: number; max: number | undefined } {
  const { offlineIdleSeconds, offlineMaxLimited, offlineMaxSeconds } = realm.settings();
  const client = clientId === undefined ? undefined : realm.clients.get(clientId);
  const idle = client?.offlineIdleSeconds ?? offlineIdleSeconds;
  return { idle, max: offlineMaxLimited ? (client?.offlineMaxSeconds ?? offlineMaxSeconds) : undefined };
}
