import { saveAudit } from '../../database/audit.ts';
import type { Resources } from '../../resources.ts';
import { confirmDamage } from '../../store/repairer/confirm-damage.ts';
import { type RepairOptions, type RepairReport, repairPacks } from '../../store/repairer/repair-packs.ts';
import { checkRepository, type ReadShare } from '../../store/repository/check.ts';
import type { Finding } from '../../store/repository/finding.ts';
import { lockRepository } from '../../store/repository/lock.ts';
import { openPersonRepository } from '../nights/open-person-repository.ts';
import { refuseIfMoved } from './refuse-if-moved.ts';

export interface Repair extends RepairReport {
  /** What is wrong with the repository afterwards; of a dry run, before. */
  readonly findings: readonly Finding[];
}

export interface RepairRequest extends Omit<RepairOptions, 'signal'> {
  readonly userId: string;
  /** Who repairs it, for the audit. */
  readonly by: string;
  /** Which packs are read whole to find damage; others are repaired where their size, their header or a folder in them shows it. */
  readonly readData?: ReadShare;
  readonly signal?: AbortSignal;
}

/**
 * Mends what can be mended of a person's repository while nobody else uses it: the next backup reads again what is lost, where the source
 * still has it. Throws as `repairPacks`, and `repository/locked`, `store/may-not-delete`.
 */
export async function repairRepository(
  resources: Pick<Resources, 'clock' | 'database' | 'keyring' | 'lockOwner' | 'store'>,
  { userId, by, readData = 'none', signal, ...options }: RepairRequest,
): Promise<Repair> {
  const { clock, database, lockOwner } = resources;
  const { repository, store } = await openPersonRepository(resources, userId);
  await using lock = await lockRepository(repository, { clock, ...lockOwner, exclusive: true, signal });
  await refuseIfMoved(resources, { userId, store });
  const { findings } = await checkRepository(repository, { readData, signal: lock.signal });
  const damaged = await confirmDamage(repository, findings, lock.signal);
  const anew = async () => (await openPersonRepository(resources, userId)).repository;
  const report = await repairPacks(await anew(), damaged, { ...options, signal: lock.signal });
  if (options.dryRun === true) return { ...report, findings };
  if (hasChanged(report)) await saveAudit(database, { at: clock.now(), by, act: 'repository-repaired', userId });
  return { ...report, findings: (await checkRepository(await anew(), { signal: lock.signal })).findings };
}

function hasChanged({ indexesDamaged, packsIndexed, packsMissing, packsReplaced }: RepairReport): boolean {
  return indexesDamaged + packsIndexed + packsMissing.length + packsReplaced.length > 0;
}
