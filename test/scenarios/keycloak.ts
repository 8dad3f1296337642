import type { Browser } from 'playwright-core';
import type { ProvidedKeycloak } from '../support/keycloak-server.ts';
import { openChromiumVisitor } from './chromium-visitor.ts';
import { openFormsVisitor } from './forms-visitor.ts';
import { keycloakMishaps, uuidOfClient } from './keycloak-mishaps.ts';
import { importRealm, type KeycloakRealm, settingsOf } from './keycloak-realm.ts';
import type { Mishap, Provider, Realm } from './realm.ts';

export interface KeycloakOptions {
  readonly server: ProvidedKeycloak;
  readonly browser: () => Promise<Browser>;
  /** Whether people sit before Chromium; else they fill in the same forms without scripts, which is quicker. */
  readonly chromium: boolean;
}

/** Scenarios on a real Keycloak. */
export function keycloak(options: KeycloakOptions): Provider {
  const { restartUrl } = options.server;
  return {
    openRealm: async (wanted) => openRealm(await importRealm(options.server, wanted), options),
    mishaps: Object.keys(keycloakMishaps) as Mishap[],
    restart: restartUrl === undefined ? undefined : async () => void (await fetch(restartUrl, { method: 'POST' })),
  };
}

function openRealm(realm: KeycloakRealm, { browser, chromium }: KeycloakOptions): Realm {
  const { admin, name, issuer, client } = realm;
  return {
    issuer,
    client,
    configure: (rules) => admin.realms.update({ realm: name }, settingsOf(rules)),
    offlineSessions: async ({ subject }) => {
      const about = { realm: name, id: subject, clientId: await uuidOfClient(realm) };
      return (await admin.users.listOfflineSessions(about)).length;
    },
    inflict: async (mishap, person) => keycloakMishaps[mishap]({ realm, person, browser }),
    visitor: async (person) =>
      chromium
        ? openChromiumVisitor(await browser(), person, issuer)
        : openFormsVisitor(person, `${issuer}/protocol/openid-connect/logout`),
    [Symbol.asyncDispose]: () => admin.realms.del({ realm: name }),
  };
}
