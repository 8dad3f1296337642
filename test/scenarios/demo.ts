import { type DemoProvider, startProvider } from '../../demo/idp.ts';
import type { Person } from '../../demo/people.ts';
import { openFormsVisitor } from './forms-visitor.ts';
import type { Mishap, Provider, Realm, Rules } from './realm.ts';

type Knobs = DemoProvider['knobs'];

const client = { id: 'nightkeep', secret: 'a secret & more' };

/** How the demo's provider plays what befalls a consent, and what mends it again. */
const mishaps = {
  'an administrator deletes the consent': async (knobs: Knobs, { username }: Person) => {
    knobs.revokeGrants(username);
    return undefined;
  },
  'the role offline_access is taken from the person': async (knobs: Knobs, { username }: Person) => {
    knobs.setOfflineRole(username, false);
    return async () => knobs.setOfflineRole(username, true);
  },
  'the secret of the client is changed': async (knobs: Knobs) => {
    knobs.setClientSecret(client.id, 'another');
    return async () => knobs.setClientSecret(client.id, client.secret);
  },
} satisfies Partial<Record<Mishap, (knobs: Knobs, person: Person) => Promise<(() => Promise<void>) | undefined>>>;

/** Scenarios on the demo's provider: what it does otherwise than Keycloak shows here. */
export const demo: Provider = {
  openRealm: async ({ nightkeep, people, rules }) => {
    const provider = await startProvider({
      clients: [
        {
          ...client,
          name: 'Nightkeep',
          authentication: 'client_secret_basic',
          redirectUris: [new URL('callback', nightkeep).href],
        },
      ],
      people,
      options: optionsOf(rules),
    });
    return openRealm(provider);
  },
  mishaps: Object.keys(mishaps) as Mishap[],
  restart: undefined,
};

function openRealm({ issuer, knobs, stop }: DemoProvider): Realm {
  return {
    issuer,
    client,
    configure: () => Promise.reject(new Error("The rules of the demo's provider stand once it runs.")),
    offlineSessions: async ({ username }) =>
      knobs.grantsOf(username).filter(({ lastUsed }) => lastUsed !== undefined).length,
    inflict: async (mishap, person) => {
      const play = Object.entries(mishaps).find(([name]) => name === mishap)?.[1];
      if (play === undefined) throw new Error(`The demo's provider cannot play that ${mishap}.`);
      return play(knobs, person);
    },
    visitor: async (person) => openFormsVisitor(person, `${issuer}/session/end`),
    [Symbol.asyncDispose]: stop,
  };
}

function optionsOf({ offlineIdleSeconds, rotation }: Rules) {
  return {
    ...(offlineIdleSeconds !== undefined && { offlineIdleSeconds }),
    ...(rotation !== undefined && { rotate: rotation !== 'off' }),
  };
}
