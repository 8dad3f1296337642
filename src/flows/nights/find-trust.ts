import { type Trust, type TrustedRun, trustOf } from '../../domain/trust.ts';
import type { Resources } from '../../resources.ts';

/**
 * How far this run may trust validators, by the runs `before` and by the `unreliable` roots that its own earlier attempts found. Folders are
 * skipped only by a snapshot that is on record: its id is the hash of its bytes, so it is the one that a run wrote, with its tree.
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
