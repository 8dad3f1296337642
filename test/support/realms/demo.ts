import { join } from 'node:path';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { tokenForTheCloud } from '../../../demo/cloud/access.ts';
import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/provider/provider.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { freePort } from '../../../src/database/server/free-port.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { demoFaults } from './demo-faults.ts';
import { openFormsVisitor } from './forms-visitor.ts';
import type { ClientKind, Provider, Realm, Rules, WantedRealm } from './realm.ts';

const client = { id: 'nightkeep', secret: 'a secret & more' };

/** Scenarios on the demo's provider: what it does otherwise than Keycloak shows here. */
export function demo(behavesAs: Provider['behavesAs']): Provider {
  return {
    openRealm: async (wanted) => {
      const shift = { ms: 0 };
      const clock = systemClock(() => shift.ms);
      const advance = (ms: number) => {
        shift.ms += ms;
      };
      if (!wanted.wired) return { ...openRealm(await start(wanted, behavesAs, clock)), advance };
      const folder = await temporaryFolder('provider');
      const journal = join(folder.path, 'journal');
      const first = await start(wanted, behavesAs, clock, { journal });
      const movedIssuer = `http://127.0.0.1:${await freePort()}`;
      let provider = first;
      return {
        ...openRealm(first),
        advance,
        movedIssuer,
        accessToken: { ...tokenForTheCloud, issuers: [movedIssuer] },
        move: async (manner) => {
          const { issuer } = provider;
          await provider.stop();
          const to = issuer === movedIssuer ? first.issuer : movedIssuer;
          provider = await start(wanted, behavesAs, clock, { journal, port: Number(new URL(to).port) });
          provider.admin.setRealm({ manner: manner ?? {} });
        },
        [Symbol.asyncDispose]: async () => {
          await provider.stop();
          await folder[Symbol.asyncDispose]();
        },
      };
    },
    behavesAs,
    restart: undefined,
  };
}

function start(
  wanted: WantedRealm,
  behavesAs: Provider['behavesAs'],
  clock: Clock,
  place: Pick<ProviderOptions, 'journal' | 'port'> = {},
): Promise<DemoProvider> {
  const { nightkeep, people, rules, client: kind, logoutEndsConsent = false } = wanted;
  const ours = {
    ...client,
    ...authenticationOf(kind, nightkeep),
    name: 'Nightkeep',
    redirectUris: [new URL('callback', nightkeep).href],
    postLogoutRedirectUris: [nightkeep.href],
    backchannelLogoutUri: new URL('backchannel-logout', nightkeep).href,
    backchannelLogoutRevokesOffline: logoutEndsConsent,
  };
  return startProvider({
    ...place,
    clients: [ours],
    people,
    clock,
    options: { ...settingsOf(rules), behavesAs, devicePollingSeconds: 1 },
  });
}

function authenticationOf(kind: ClientKind | undefined, nightkeep: URL) {
  switch (kind) {
    case 'confidential, with a secret':
    case undefined:
      return { authentication: 'client_secret_basic' as const };
    case 'confidential, its requests must be pushed':
      return { authentication: 'client_secret_basic' as const, pushedRequestsRequired: true };
    case 'confidential, with a private key':
      return { authentication: 'private_key_jwt' as const, publicKeys: { url: new URL('jwks', nightkeep).href } };
    case 'public, its tokens bound to a key':
      return { authentication: 'none' as const, dpopRequired: true };
    case 'confidential, for other devices':
      return { authentication: 'client_secret_basic' as const };
    case 'confidential, with passwords of people':
      return { authentication: 'client_secret_basic' as const, directAccess: true, consentRequired: false };
    case 'confidential, for itself':
      return { authentication: 'client_secret_basic' as const, serviceAccount: true, consentRequired: false };
  }
}

function openRealm(provider: DemoProvider): Realm {
  const { issuer, admin } = provider;
  return {
    issuer,
    client,
    configure: async (rules) => admin.setRealm(settingsOf(rules)),
    offlineSessions: async ({ username }) => admin.offlineSessions({ username, clientId: client.id }).length,
    accessesShownTo: async (person) => {
      await using browser = openBrowser();
      const { forms } = await signIn(browser, await browser.open(`${issuer}/account`), person);
      return forms.filter(({ action }) => action === '/account/remove').length;
    },
    inject: (fault, person) => demoFaults[fault]({ provider, client, person }),
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
