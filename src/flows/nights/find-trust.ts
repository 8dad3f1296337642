import { type Trust, type TrustedRun, trustOf } from '../../domain/trust.ts';
import type { Resources } from '../../resources.ts';

/**
 * What this run may believe of validators, by the runs `before`, where its own attempts before found `unreliable` roots. Folders are passed over only on the word of a snapshot
 * that is on record: its id is the hash of its bytes, so that it is the one that a run wrote, tree and all.
 */
export function findTrust(
  { config }: Pick<Resources, 'config'>,
  run: { night: string; unreliable: readonly string[]; before: readonly TrustedRun[]; isOnRecord: boolean },
): Trust {
  const { fullWalkNights: nights } = config;
  const { night, unreliable, before } = run;
  const own = unreliable.length > 0 ? [{ night, foldersPassedOver: undefined, unreliable }] : [];
  const trust = trustOf([...own, ...before], { night, nights });
  return { ...trust, listAll: trust.listAll || !run.isOnRecord };
}
