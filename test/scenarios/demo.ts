import { type DemoProvider, type ProviderOptions, startProvider } from '../../demo/idp.ts';
import { demoMishaps } from './demo-mishaps.ts';
import { openFormsVisitor } from './forms-visitor.ts';
import type { Provider, Realm, Rules, WantedRealm } from './realm.ts';

const client = { id: 'nightkeep', secret: 'a secret & more' };

/** Scenarios on the demo's provider: what it does otherwise than Keycloak shows here. */
export const demo: Provider = {
  openRealm: async (wanted) => openRealm(await start(wanted)),
  behavesAs: '26.7',
  restart: undefined,
};

function start({ nightkeep, people, rules }: WantedRealm): Promise<DemoProvider> {
  const ours = {
    ...client,
    name: 'Nightkeep',
    authentication: 'client_secret_basic' as const,
    redirectUris: [new URL('callback', nightkeep).href],
    postLogoutRedirectUris: [nightkeep.href],
  };
  return startProvider({ clients: [ours], people, options: settingsOf(rules) });
}

function openRealm(provider: DemoProvider): Realm {
  const { issuer, knobs } = provider;
  return {
    issuer,
    client,
    configure: async (rules) => knobs.setRealm(settingsOf(rules)),
    offlineSessions: async ({ username }) => knobs.offlineSessions({ username, clientId: client.id }).length,
    inflict: (mishap, person) => demoMishaps[mishap]({ provider, client, person }),
    holdNextAnswer: () => {
      const given = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const until = () => {
        given.resolve();
        return released.promise;
      };
      provider.faults.next({ kind: 'held', when: 'after', until });
      return { given: given.promise, release: released.resolve };
    },
    visitor: async (person) => openFormsVisitor(person, `${issuer}/session/end`),
    [Symbol.asyncDispose]: () => provider.stop(),
  };
}

/** The names that the demo's provider has for the rules. */
function settingsOf(rules: Rules): NonNullable<ProviderOptions['options']> {
  const { offlineIdleSeconds, offlineMaxSeconds, ssoSeconds, rotation } = rules;
  return {
    ...(offlineIdleSeconds !== undefined && { offlineIdleSeconds }),
    ...(offlineMaxSeconds !== undefined && { offlineMaxLimited: true, offlineMaxSeconds }),
    ...(ssoSeconds !== undefined && { ssoSeconds }),
    ...(rotation === 'off' && { revokeRefreshToken: false }),
    ...(typeof rotation === 'object' && { revokeRefreshToken: true, refreshTokenMaxReuse: rotation.reuse }),
  };
}
