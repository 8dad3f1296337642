import { type HealedGrants, healGrants } from './custody/heal-grants.ts';
import { type HealedRuns, healRuns } from './nights/heal-runs.ts';

/** Mends what a crash, an outage or a lost queue left behind, of grants and of runs. */
export async function heal(
  resources: Parameters<typeof healGrants>[0] & Parameters<typeof healRuns>[0],
): Promise<HealedGrants & HealedRuns> {
  return { ...(await healGrants(resources)), ...(await healRuns(resources)) };
}
