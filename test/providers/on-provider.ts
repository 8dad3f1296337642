import { afterAll, describe } from 'vitest';
import type { Provider } from '../support/realms/realm.ts';

/** Plays scenarios on a provider; where its program is missing, the report names what was left out. */
export function onProvider(
  name: string,
  provider: (Provider & Partial<AsyncDisposable>) | undefined,
  describeScenarios: (provider: Provider) => void,
): void {
  describe.skipIf(provider === undefined)(`on ${name}`, () => {
    afterAll(() => provider?.[Symbol.asyncDispose]?.());
    describeScenarios(provider ?? nowhere);
  });
}

const nowhere: Provider = {
  openRealm: () => Promise.reject(new Error('There is no such provider.')),
  behavesAs: '26.7',
  restart: undefined,
};
