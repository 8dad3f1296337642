import { type Database, inTransaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** Where the next attempt continues a backup that was interrupted. */
export interface SavedCheckpoint {
  /** The run that made it, */
  readonly runId: string;
  /** and the roots in which that run took nothing as unchanged. */
  readonly readAll: readonly string[];
  /** Ids of data in the person's repository. */
  readonly journals: readonly (readonly string[])[];
}

/**
 * Replaces the person's earlier checkpoint. The run that made it has progressed, so the workers that died during it are no longer
 * counted.
 */
export async function saveCheckpoint(
  database: Database,
  { userId, checkpoint: { runId, readAll, journals } }: { userId: string; checkpoint: SavedCheckpoint },
): Promise<void> {
  const checkpoint = { runId, readAll: [...readAll], journals: journals.map((blobs) => [...blobs]) };
  await inTransaction(database, async (transaction) => {
    // In the order in which the end of a run locks them.
    await transaction.run.updateMany({ where: { id: runId, state: 'running' }, data: { lostWorkers: 0 } });
    await transaction.repository.updateMany({ where: { userId }, data: { checkpoint } });
  });
}

/** What `data` of an update drops a checkpoint with. */
export const noCheckpoint = { checkpoint: Prisma.DbNull };

/** A checkpoint as it is kept; null where there is none. */
export function readCheckpoint(value: Prisma.JsonValue): SavedCheckpoint | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { runId, readAll, journals } = value;
  if (typeof runId !== 'string' || !Array.isArray(readAll) || !Array.isArray(journals)) return null;
  return { runId, readAll: textsOf(readAll), journals: journals.map(textsOf) };
}

function textsOf(value: Prisma.JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
