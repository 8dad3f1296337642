import { type HealedGrants, healGrants } from './custody/heal-grants.ts';
import { type HealedRuns, healRuns } from './nights/heal-runs.ts';
import { noteOutsideSwitch } from './nights/switch-night.ts';

/** Mends what a crash, an outage or a lost queue left behind, of grants and of runs, and puts on record whether another program paused the queue. */
export async function heal(
  resources: Parameters<typeof healGrants>[0] & Parameters<typeof healRuns>[0],
): Promise<HealedGrants & HealedRuns> {
  const healed = { ...(await healGrants(resources)), ...(await healRuns(resources)) };
  await noteOutsideSwitch(resources);
  return healed;
}
