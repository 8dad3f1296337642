import type { RequestListener } from 'node:http';
import Provider from 'oidc-provider';
import type { Clock } from '../../src/clock.ts';
import { configurationFor } from './configuration.ts';
import type { ChooseFault } from './faults/faults.ts';
import type { RequestLog } from './log/request-log.ts';
import { devicePolling, dropAborted, keycloakErrors, realmGate, sessionCookies, signingKeys } from './middleware.ts';
import { accountPages } from './pages/account.ts';
import { adminPages } from './pages/admin.ts';
import { interactionPages } from './pages/interaction.ts';
import { logoutPages } from './pages/logout.ts';
import type { RealmAdministration } from './realm/administration.ts';
import type { BrowserStore } from './realm/browser-store.ts';
import type { Keys } from './realm/keys.ts';
import type { Realm } from './realm/realm.ts';
import { openClientAuthentication } from './tokens/client-authentication.ts';
import { openProofCheck } from './tokens/dpop.ts';
import { openGrants } from './tokens/grants.ts';
import type { SendLogoutToken } from './tokens/logout-token.ts';
import type { OfflineAccess } from './tokens/offline-access.ts';
import { revocationEndpoints } from './tokens/revocation.ts';
import { tokenEndpoint } from './tokens/token-endpoint.ts';
import { userinfoEndpoint } from './tokens/userinfo.ts';

interface Opened {
  realm: Realm;
  keys: Keys;
  store: BrowserStore;
  offline: OfflineAccess;
  requestLog: RequestLog;
  admin: RealmAdministration;
  sendLogoutToken: SendLogoutToken;
  chooseFault: ChooseFault;
  clock: Clock;
}

/** All endpoints: those for clients are the demo's own, the rest is oidc-provider's. */
export function openEndpoints(opened: Opened): RequestListener {
  const { realm, keys, clock } = opened;
  const provider = new Provider(realm.issuer, configurationFor(opened));
  provider.silent = true;
  const parts = {
    ...opened,
    provider,
    authenticate: openClientAuthentication(realm),
    checkProof: openProofCheck(realm),
    grants: openGrants({ ...opened, provider }),
  };
  for (const middleware of [
    dropAborted,
    sessionCookies,
    tokenEndpoint(parts),
    realmGate(realm),
    revocationEndpoints(parts),
    signingKeys(keys),
    userinfoEndpoint(parts),
    interactionPages(parts),
    logoutPages(parts),
    accountPages(parts),
    adminPages(parts),
    devicePolling(realm),
    keycloakErrors(realm),
  ])
    provider.use(middleware);
  const answer = provider.callback();
  return (request, response) => {
    response.setHeader('date', clock.now().toUTCString());
    answer(request, response);
  };
}
