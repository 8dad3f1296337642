import { listTrustedRuns } from '../../database/run-trust.ts';
import { type Trust, trustOf } from '../../domain/trust.ts';
import type { Resources } from '../../resources.ts';

/**
 * What this run may believe of validators, where its own attempts before found `unreliable` roots. Folders are passed over only on the word of a snapshot that is on record: its id is
 * the hash of its bytes, so that it is the one that a run wrote, tree and all.
 */
export async function findTrust(
  { config, database }: Pick<Resources, 'config' | 'database'>,
  run: { userId: string; night: string; unreliable: readonly string[]; isOnRecord: boolean },
): Promise<Trust> {
  const { fullWalkNights: nights } = config;
  const { night, unreliable } = run;
  const own = unreliable.length > 0 ? [{ night, foldersPassedOver: undefined, unreliable }] : [];
  const before = await listTrustedRuns(database, { ...run, nights });
  const trust = trustOf([...own, ...before], { night, nights });
  return { ...trust, listAll: trust.listAll || !run.isOnRecord };
}
