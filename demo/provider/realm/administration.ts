import type { LoopbackServer } from '../../loopback-server.ts';
import type { SendLogoutToken } from '../tokens/logout-token.ts';
import type { OfflineAccess } from '../tokens/offline.ts';
import type { BrowserStore, SignIn } from './adapter.ts';
import type { Keys } from './keys.ts';
import type { OfflineSession } from './offline-sessions.ts';
import type { Realm } from './realm.ts';
import type { GrantRow, ProviderKnobs } from './settings.ts';

interface World {
  realm: Realm;
  keys: Keys;
  offline: OfflineAccess;
  store: BrowserStore;
  server: LoopbackServer;
  sendLogoutToken: SendLogoutToken;
}

export function turnKnobs(world: World): ProviderKnobs {
  const { realm, offline, server } = world;
  return {
    refreshTokens: () => [...offline.issued()].map(({ token }) => token),
    now: realm.moment,
    ...ofRealm(world),
    ...ofConsents(world),
    ...ofUsers(world),
    ...ofClients(world),
    ...ofSessions(world),
    down: () => server.down(),
    up: () => server.up(),
  };
}

type Knobs<Name extends keyof ProviderKnobs> = Pick<ProviderKnobs, Name>;

function ofRealm(world: World): Knobs<'settings' | 'setRealm' | 'rollSigningKey' | 'replaceKeys' | 'signOutAll'> {
  const { realm, keys, store } = world;
  return {
    settings: realm.settings,
    setRealm: realm.change,
    rollSigningKey: keys.roll,
    replaceKeys: keys.replace,
    signOutAll: () => {
      realm.change({ notBefore: realm.moment() });
      return endSignIns(world, store.signIns());
    },
  };
}

function ofConsents(world: World): Knobs<'grantsOf' | 'revokeGrants' | 'removeConsent' | 'narrowConsent'> {
  const { realm, offline, store } = world;
  const consentsOf = (username: string) => {
    const { subject } = realm.userNamed(username);
    return store.consents().filter((consent) => consent.subject === subject);
  };
  const takeBack = (subject: string, clientId: string) => {
    const sessions = sessionsOf(world, { subject, clientId });
    for (const { sid } of sessions) offline.sessions.end(sid, clientId);
    return store.forgetConsent(subject, clientId) || sessions.length > 0;
  };
  return {
    grantsOf: (username) =>
      consentsOf(username).map(({ subject, clientId, scopes, since }): GrantRow => {
        const lastUsed = latest(sessionsOf(world, { subject, clientId }));
        return { clientId, scopes, since: dateOf(since), lastUsed };
      }),
    revokeGrants: (username) => {
      const granted = consentsOf(username);
      for (const { subject, clientId } of granted) takeBack(subject, clientId);
      return granted.length;
    },
    removeConsent: async (username, clientId) => {
      const { subject } = realm.userNamed(username);
      const removed = takeBack(subject, clientId);
      const inBrowsers = store.signIns().filter((one) => one.subject === subject && one.clientIds.includes(clientId));
      await tell(
        world,
        inBrowsers.map((one) => ({ ...one, clientIds: [clientId] })),
      );
      return removed;
    },
    narrowConsent: (username, clientId, scope) =>
      store.narrowConsent(realm.userNamed(username).subject, clientId, scope),
  };
}

function ofUsers(world: World): Knobs<'setUser' | 'setOfflineRole' | 'deleteUser' | 'signOut'> {
  const { realm, store } = world;
  const setUser: ProviderKnobs['setUser'] = (username, changes) => {
    const user = realm.userNamed(username);
    realm.users.put(user.subject, { ...user, ...changes });
  };
  return {
    setUser,
    setOfflineRole: (username, offlineRole) => setUser(username, { offlineRole }),
    deleteUser: (username) => realm.users.delete(realm.userNamed(username).subject),
    signOut: (username) => {
      setUser(username, { notBefore: realm.moment() });
      const { subject } = realm.userNamed(username);
      return endSignIns(
        world,
        store.signIns().filter((one) => one.subject === subject),
      );
    },
  };
}

function ofClients(
  world: World,
): Knobs<'register' | 'setClient' | 'deleteClient' | 'setOfflineScope' | 'setClientSecret'> {
  const { realm, offline } = world;
  const setClient: ProviderKnobs['setClient'] = (clientId, changes) =>
    realm.register({ ...realm.client(clientId), ...changes });
  return {
    register: realm.register,
    setClient,
    deleteClient: (clientId) => {
      for (const { sid } of sessionsOf(world, { clientId })) offline.sessions.end(sid, clientId);
      realm.clients.delete(clientId);
    },
    setOfflineScope: (clientId, offlineScope) => setClient(clientId, { offlineScope }),
    setClientSecret: (clientId, secret) => setClient(clientId, { secret }),
  };
}

function ofSessions(world: World): Knobs<'offlineSessions' | 'endOfflineSession' | 'sendLogoutToken'> {
  const { realm, offline, sendLogoutToken } = world;
  return {
    offlineSessions: ({ username, clientId } = {}) =>
      sessionsOf(world, {
        ...(username !== undefined && { subject: realm.userNamed(username).subject }),
        ...(clientId !== undefined && { clientId }),
      }),
    endOfflineSession: async (sid, clientId) => {
      const session = sessionsOf(world, { clientId }).find((one) => one.sid === sid);
      if (!session || !offline.sessions.end(sid, clientId)) return false;
      await sendLogoutToken(session);
      return true;
    },
    sendLogoutToken: (username, clientId, what = {}) =>
      sendLogoutToken({ clientId, subject: realm.userNamed(username).subject, ...what }),
  };
}

function sessionsOf({ offline }: World, of: { subject?: string; clientId?: string }): OfflineSession[] {
  return offline.sessions
    .list()
    .filter(({ subject, clientId }) => (of.subject ?? subject) === subject && (of.clientId ?? clientId) === clientId);
}

/** Ends sessions in browsers. Gives the number of logout tokens that were taken. */
function endSignIns(world: World, signIns: readonly SignIn[]): Promise<number> {
  for (const { uid } of signIns) world.store.endSignIn(uid);
  return tell(world, signIns);
}

async function tell({ sendLogoutToken }: World, signIns: readonly SignIn[]): Promise<number> {
  const told = signIns.flatMap(({ uid, subject, clientIds }) =>
    clientIds.map((clientId) => sendLogoutToken({ clientId, subject, sid: uid })),
  );
  return (await Promise.all(told)).filter((status) => status >= 200 && status < 300).length;
}

const dateOf = (seconds: number) => new Date(seconds * 1000);

function latest(sessions: OfflineSession[]): Date | undefined {
  return sessions.length === 0 ? undefined : dateOf(Math.max(...sessions.map(({ refreshedAt }) => refreshedAt)));
}
