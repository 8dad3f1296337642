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

/** Why a session ended. `reuse`: a used token was sent again. */
export type SessionEnd = 'reuse' | 'revoked' | 'idle' | 'max';

/** The token that was used last, how often it was used, and when. */
export interface Chain {
  used: string;
  count: number;
  refreshedAt: number;
  /** The token that was issued for it, where it may be asked for again. */
  successor?: string;
}

/** One client's session within a user's session. */
export interface ClientSession {
  scope: string;
  startedAt: number;
  refreshedAt: number;
  /** The newest access token of the session, by its `jti`, where an exchange ends those before. */
  accessToken?: string;
  /** By `reuse_id`; by `jti` where each token is good for one use. */
  chains: Record<string, Chain>;
}

/** As on Keycloak: a user's session, which holds one session per client and may outlive the last of them. */
export interface UserSession {
  sid: string;
  subject: string;
  startedAt: number;
  refreshedAt: number;
  clients: Record<string, ClientSession>;
}

/** The offline sessions, with their idle and maximum limits. */
export interface SessionTable {
  /** Undefined where it was not used for Offline Session Idle, or is older than Offline Session Max. */
  find(sid: string): UserSession | undefined;
  findClient(session: UserSession, clientId: string): ClientSession | 'timed out' | undefined;
  /** Adds a client to the session with this `sid`, or to a new one where none is alive. */
  enter(grounds: { sid: string; subject: string; clientId: string; scope: string }): UserSession;
  /**
   * When a token issued at this moment expires, where Offline Session Max is limited: when the session would end
   * unused, at the latest at its maximum. Undefined where it is not limited.
   */
  tokenEnd(session: UserSession, clientId: string, issuedAt: number): number | undefined;
  keep(session: UserSession): void;
  /** Ends the client's session and keeps the user's. */
  detach(session: UserSession, clientId: string): void;
  /** Ends the client's session, and the user's with the last of them. False where there was none. */
  end(sid: string, clientId: string): boolean;
  /** The sessions that are alive; only those of a person or client where named. */
  list(of?: { subject?: string; clientId?: string }): OfflineSession[];
  /** The client's session, timed out or not. */
  clientSession(sid: string, clientId: string): ClientSession | undefined;
  /** Undefined while the session is alive. */
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

/** In seconds; `max` is undefined where the realm does not limit it. */
function limitsOf(realm: Realm, clientId?: string): { idle: number; max: number | undefined } {
  const { offlineIdleSeconds, offlineMaxLimited, offlineMaxSeconds } = realm.settings();
  const client = clientId === undefined ? undefined : realm.clients.get(clientId);
  const idle = client?.offlineIdleSeconds ?? offlineIdleSeconds;
  return { idle, max: offlineMaxLimited ? (client?.offlineMaxSeconds ?? offlineMaxSeconds) : undefined };
}
