import { type Browser, chromium } from 'playwright-core';
import { afterAll, describe, inject } from 'vitest';
import { keycloak } from '../support/realms/keycloak.ts';
import type { Provider } from '../support/realms/realm.ts';
import { requireProgram } from '../support/servers/programs.ts';

const executablePath = requireProgram('chromium', 'apt-get install chromium');

/** A fresh profile that asks nobody outside this machine. */
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'];

/** Plays scenarios on the Keycloak of this run; `people` sit before Chromium, or before a browser without scripts. */
export function onKeycloak(people: 'in Chromium' | 'without scripts', describeScenarios: (provider: Provider) => void) {
  const server = inject('keycloak');
  if (server === undefined || executablePath === undefined) {
    describe.skip('on Keycloak', () => describeScenarios(nowhere));
    return;
  }
  let launched: Promise<Browser> | undefined;
  const browser = () => {
    launched ??= chromium.launch({ executablePath, args: quiet });
    return launched;
  };
  describe('on Keycloak', () => {
    afterAll(async () => (await launched)?.close());
    describeScenarios(keycloak({ server, browser, chromium: people === 'in Chromium' }));
  });
}

/** What stands in where there is no Keycloak, so that the report names the scenarios that were left out. */
const nowhere: Provider = {
  openRealm: () => Promise.reject(new Error('There is no Keycloak.')),
  behavesAs: '26.7',
  restart: undefined,
};
