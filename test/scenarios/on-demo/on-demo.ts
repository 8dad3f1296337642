import { describe } from 'vitest';
import { demo } from '../../support/realms/demo.ts';
import type { Provider } from '../../support/realms/realm.ts';

/** Plays scenarios on the demo's provider, which behaves as a newer or an older Keycloak. */
export function onDemo(
  describeScenarios: (provider: Provider) => void,
  behavesAs: Provider['behavesAs'] = '26.7',
): void {
  const name = `on the demo's provider as Keycloak ${behavesAs}`;
  describe(name, { timeout: 180_000 }, () => describeScenarios(demo(behavesAs)));
}
