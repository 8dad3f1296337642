import { describe } from 'vitest';
import { demo } from '../../scenarios/demo.ts';
import type { Provider } from '../../scenarios/realm.ts';

/** Plays scenarios on the demo's provider. */
export function onDemo(describeScenarios: (provider: Provider) => void): void {
  describe("on the demo's provider", { timeout: 180_000 }, () => describeScenarios(demo));
}
