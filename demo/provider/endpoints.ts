import type { RequestListener } from 'node:http';
import Provider from 'oidc-provider';
import type { Clock } from '../../src/clock.ts';
import type { ChooseFault } from './faults/faults.ts';
import type { Clerk } from './log/request-log.ts';
import { accountPages } from './pages/account.ts';
import { adminPages } from './pages/admin.ts';
import { interactionPages } from './pages/interaction.ts';
import { sessionEnd } from './pages/session-end.ts';
import type { BrowserStore } from './realm/adapter.ts';
import { configurationFor } from './realm/configuration.ts';
import type { Keys } from './realm/keys.ts';
import type { Realm } from './realm/realm.ts';
import { answerOrLetGo, realmGate, signingKeys, wordsOfKeycloak } from './realm/realm-endpoints.ts';
import type { ProviderKnobs } from './realm/settings.ts';
import { openClientAuthentication } from './tokens/authenticate.ts';
import { openProofCheck } from './tokens/dpop.ts';
import { firstGrants } from './tokens/grants.ts';
import type { SendLogoutToken } from './tokens/logout-token.ts';
import type { OfflineAccess } from './tokens/offline.ts';
import { revocationEndpoints } from './tokens/revocation.ts';
import { tokenEndpoint } from './tokens/token-endpoint.ts';
import { userinfoEndpoint } from './tokens/userinfo.ts';

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
