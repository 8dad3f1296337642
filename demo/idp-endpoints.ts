import type { RequestListener } from 'node:http';
import Provider from 'oidc-provider';
import type { Clock } from '../src/clock.ts';
import { accountPages } from './idp-account.ts';
import type { BrowserStore } from './idp-adapter.ts';
import { adminPages } from './idp-admin.ts';
import { openClientAuthentication } from './idp-authenticate.ts';
import type { Clerk } from './idp-clerk.ts';
import { configurationFor } from './idp-configuration.ts';
import { openProofCheck } from './idp-dpop.ts';
import type { ChooseFault } from './idp-faults.ts';
import { firstGrants } from './idp-grants.ts';
import { interactionPages } from './idp-interaction.ts';
import type { Keys } from './idp-keys.ts';
import type { ProviderKnobs } from './idp-knobs.ts';
import type { SendLogoutToken } from './idp-logout-token.ts';
import type { OfflineAccess } from './idp-offline.ts';
import type { Realm } from './idp-realm.ts';
import { answerOrLetGo, realmGate, signingKeys, wordsOfKeycloak } from './idp-realm-endpoints.ts';
import { revocationEndpoints } from './idp-revocation.ts';
import { sessionEnd } from './idp-session-end.ts';
import { tokenEndpoint } from './idp-token.ts';
import { userinfoEndpoint } from './idp-userinfo.ts';

interface World {
  realm: Realm;
  keys: Keys;
  store: BrowserStore;
  offline: OfflineAccess;
  clerk: Clerk;
  knobs: ProviderKnobs;
  sendLogoutToken: SendLogoutToken;
  chooseFault: ChooseFault;
  clock: Clock;
}

/** Everything that the provider answers: what clients ask by ourselves, the rest through oidc-provider. */
export function openEndpoints(world: World): RequestListener {
  const { realm, keys, clock } = world;
  const provider = new Provider(realm.issuer, configurationFor(world));
  provider.silent = true;
  const authenticate = openClientAuthentication(realm);
  const checkProof = openProofCheck(realm);
  const desk = { ...world, provider, authenticate, checkProof, grants: firstGrants({ ...world, provider }) };
  for (const middleware of [
    answerOrLetGo,
    tokenEndpoint(desk),
    realmGate(realm),
    revocationEndpoints(desk),
    signingKeys(keys),
    userinfoEndpoint(desk),
    interactionPages(desk),
    sessionEnd(desk),
    accountPages(desk),
    adminPages(world),
    wordsOfKeycloak(realm),
  ])
    provider.use(middleware);
  const answer = provider.callback();
  return (request, response) => {
    response.setHeader('date', clock.now().toUTCString());
    answer(request, response);
  };
}
