import { type DemoClient, metadataOf } from './idp-client.ts';
import type { GrantRow, ProviderStore } from './idp-store.ts';
import type { LoopbackServer } from './loopback-server.ts';
import type { Person } from './people.ts';

/** What an administrator, a person or bad luck can do to the provider while it runs. Users are named by user name. */
export interface ProviderKnobs {
  /** Every refresh token issued so far, dead ones too, oldest first. */
  refreshTokens(): readonly string[];
  /** What the person has granted and not taken back. */
  grantsOf(username: string): readonly GrantRow[];
  /** The person removes all access on their account page. Gives the number of grants that ended. */
  revokeGrants(username: string): number;
  /** Without the role a code exchange answers `not_allowed`, and a refresh `invalid_grant` that spends nothing. */
  setOfflineRole(username: string, has: boolean): void;
  /** Without the client scope an authorization request for offline access answers `invalid_scope`. */
  setOfflineScope(clientId: string, offered: boolean): void;
  setClientSecret(clientId: string, secret: string): void;
  /** Adds a client, or replaces the one with its id. */
  register(client: DemoClient): void;
  /** Connections are refused until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export function turnKnobs(world: {
  store: ProviderStore;
  server: LoopbackServer;
  people: readonly Person[];
  withoutOfflineRole: Set<string>;
}): ProviderKnobs {
  const { store, server, people, withoutOfflineRole } = world;
  const subjectOf = (username: string) => {
    const person = people.find((candidate) => candidate.username === username);
    if (!person) throw new Error(`The demo has nobody called ${username}.`);
    return person.subject;
  };
  const change = (clientId: string, changes: { client_secret?: string; scope?: string }) => {
    const client = store.clients.get(clientId);
    if (!client) throw new Error(`The provider has no client ${clientId}.`);
    store.clients.set(clientId, { ...client, ...changes });
  };
  return {
    refreshTokens: () => store.refreshTokens,
    grantsOf: (username) => store.grantsOf(subjectOf(username)),
    revokeGrants: (username) => {
      const grants = store.grantsOf(subjectOf(username));
      for (const grant of grants) store.revoke(grant.id);
      return grants.length;
    },
    setOfflineRole: (username, has) => {
      if (has) withoutOfflineRole.delete(subjectOf(username));
      else withoutOfflineRole.add(subjectOf(username));
    },
    setOfflineScope: (clientId, offered) =>
      change(clientId, { scope: `openid profile email${offered ? ' offline_access' : ''}` }),
    setClientSecret: (clientId, secret) => change(clientId, { client_secret: secret }),
    register: (client) => {
      store.clients.set(client.id, metadataOf(client));
    },
    down: () => server.down(),
    up: () => server.up(),
  };
}
