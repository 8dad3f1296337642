import { type SavedCheckpoint, saveCheckpoint } from '../../database/nights/checkpoints.ts';
import { saveUnreliable } from '../../database/nights/run-trust.ts';
import { saveDoubted } from '../../database/repositories/verifications.ts';
import type { Trust } from '../../domain/trust.ts';
import type { Resources } from '../../resources.ts';
import { type Archived, type ArchiveOptions, archive } from '../../store/archiver/archiver.ts';
import type { Checkpoint } from '../../store/archiver/checkpoints.ts';
import { type DataId, parseId } from '../../store/format/ids.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'log'>;

/**
 * Archives everything that is not trusted to be unchanged, continuing an interrupted backup. If a root's validators prove unreliable, this
 * is recorded, and the whole root is read before anything of it is written.
 */
export async function archiveInTrust(
  needs: Needs,
  options: ArchiveOptions,
  { listAll, readAll }: Trust,
  { checkpoint, ...about }: { runId: string; userId: string; checkpoint: SavedCheckpoint | null },
): Promise<Archived> {
  const { database, log } = needs;
  const from = usable(checkpoint, { readAll, ...about });
  const onCheckpoint = keepCheckpoints(needs, { readAll, ...about });
  const archived = await archive({ ...options, listAll, readAll: new Set(readAll), from, onCheckpoint });
  await tellDamage(needs, archived, about.userId);
  const { unreliable: roots } = archived;
  if (roots.length === 0) return archived;
  log.warn('run.validators-unreliable', { roots });
  await saveUnreliable(database, { runId: about.runId, roots });
  const all = new Set([...readAll, ...roots]);
  if (all.size === readAll.length) return archived;
  const anew = keepCheckpoints(needs, { readAll: [...all], ...about });
  return archive({ ...options, listAll, readAll: all, onCheckpoint: anew });
}

/** Makes the next verification due now, for the packs of files that could not be restored: it names and repairs what is damaged. */
async function tellDamage({ clock, database, log }: Needs, { damagedPacks }: Archived, userId: string): Promise<void> {
  if (damagedPacks.length === 0) return;
  log.warn('run.damage-found', { packs: damagedPacks.length });
  await saveDoubted(database, { userId, packs: damagedPacks, at: clock.now() });
}

interface Reading {
  readonly runId: string;
  readonly userId: string;
  readonly readAll: readonly string[];
}

/** The checkpoint to continue from. In a root that has to be read whole, only what this same run has read counts as read. */
function usable(saved: SavedCheckpoint | null, { runId, readAll }: Reading): Checkpoint | undefined {
  if (saved === null) return undefined;
  const isRead = (root: string) => saved.runId === runId && saved.readAll.includes(root);
  if (!readAll.every(isRead)) return undefined;
  return { journals: saved.journals.map((blobs) => blobs.map((id) => parseId<DataId>(id))) };
}

/** Saves checkpoints; the archiver continues if that fails. */
function keepCheckpoints({ database, log }: Needs, { runId, userId, readAll }: Reading) {
  return async ({ journals }: Checkpoint): Promise<void> => {
    try {
      await saveCheckpoint(database, { userId, checkpoint: { runId, readAll, journals } });
    } catch (error) {
      log.warn('run.checkpoint-failed', { error });
      throw error;
    }
  };
}
