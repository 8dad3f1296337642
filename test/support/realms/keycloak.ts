import type { Browser } from 'playwright-core';
import { tokenForTheCloud } from '../../../demo/cloud/access.ts';
import type { ProvidedKeycloak } from '../servers/keycloak-server.ts';
import { openChromiumVisitor } from './chromium-visitor.ts';
import { openFormsVisitor } from './forms-visitor.ts';
import { keycloakFaults, uuidOfClient } from './keycloak-faults.ts';
import { importRealm, settingsOf } from './keycloak-realm.ts';
import type { Provider, Realm, WantedRealm } from './realm.ts';
import { openWire } from './wire.ts';

export interface KeycloakOptions {
  readonly server: ProvidedKeycloak;
  readonly browser: () => Promise<Browser>;
  /** Whether people sit before Chromium; else they fill in the same forms without scripts, which is quicker. */
  readonly chromium: boolean;
}

/** Scenarios on a real Keycloak. */
export function keycloak(options: KeycloakOptions): Provider {
  const { restartUrl, version } = options.server;
  return {
    openRealm: (wanted) => openRealm(wanted, options),
    behavesAs: behaviourOf(version),
    restart: restartUrl === undefined ? undefined : () => post(restartUrl),
    crash: restartUrl === undefined ? undefined : () => post(`${restartUrl}/kill`),
  };
}

async function post(url: string): Promise<void> {
  const { ok, status } = await fetch(url, { method: 'POST' });
  if (!ok) throw new Error(`The server was not started again: ${status}.`);
}

async function openRealm(wanted: WantedRealm, { server, browser, chromium }: KeycloakOptions): Promise<Realm> {
  await using opened = new AsyncDisposableStack();
  const wire = wanted.wired ? opened.use(await openWire(() => new URL(server.url))) : undefined;
  const realm = await importRealm(server, wanted, wire?.origin);
  const { admin, name, issuer, client } = realm;
  opened.defer(() => admin.realms.del({ realm: name }));
  const movedIssuer = `${server.url}realms/${name}`;
  const closing = opened.move();
  return {
    issuer,
    client,
    ...(wire && { movedIssuer, accessToken: { ...tokenForTheCloud, issuers: [movedIssuer] } }),
    configure: (rules) => admin.realms.update({ realm: name }, settingsOf(rules)),
    offlineSessions: async (person) => {
      const about = { realm: name, id: realm.idOf(person), clientId: await uuidOfClient(realm) };
      return (await admin.users.listOfflineSessions(about)).length;
    },
    accessesShownTo: async (person) => {
      await using visitor = await openChromiumVisitor(await browser(), person, issuer);
      return await visitor.accessesOf(client.id);
    },
    inject: async (fault, person) => keycloakFaults[fault]({ realm, person, browser }),
    holdNextAnswer: () => {
      if (wire === undefined) throw new Error('This realm has no wire.');
      return wire.holdNextAnswer();
    },
    visitor: async (person) =>
      chromium
        ? openChromiumVisitor(await browser(), person, issuer)
        : openFormsVisitor(person, `${issuer}/protocol/openid-connect/logout`),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What was changed in 26.4.4 and 26.2.11 is in every later version. */
function behaviourOf(version: string): Provider['behavesAs'] {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const changed = minor === 2 ? patch >= 11 : minor === 4 ? patch >= 4 : minor >= 5;
  return major > 26 || (major === 26 && changed) ? '26.7' : '26.4';
}
