import type { TrustedRun } from '../domain/trust.ts';
import { formerSlot } from './adoptions.ts';
import type { Database } from './client.ts';
import type { Prisma } from './generated/client.ts';

/**
 * The runs of a person that tell what to believe of validators, newest first: the last `nights` that wrote a snapshot, and the last one
 * that listed every folder.
 */
export async function listTrustedRuns(
  database: Database,
  { userId, nights }: { userId: string; nights: number },
): Promise<TrustedRun[]> {
  const written = {
    plan: { userId },
    snapshotId: { not: null },
    slot: { not: formerSlot },
  } satisfies Prisma.RunWhereInput;
  const orderBy = { finishedAt: 'desc' } as const;
  const select = { night: true, counts: true, unreliableRoots: true } as const;
  const found = await Promise.all([
    database.run.findMany({ where: written, orderBy, take: nights, select }),
    database.run.findMany({
      where: { ...written, counts: { path: ['foldersPassedOver'], equals: 0 } },
      orderBy: { night: 'desc' },
      take: 1,
      select,
    }),
  ]);
  return found.flat().map(({ night, counts, unreliableRoots: unreliable }) => {
    return { night, foldersPassedOver: countIn(counts, 'foldersPassedOver'), unreliable };
  });
}

function countIn(counts: Prisma.JsonValue, name: string): number | undefined {
  if (typeof counts !== 'object' || counts === null || Array.isArray(counts)) return undefined;
  const count = counts[name];
  return typeof count === 'number' ? count : undefined;
}

/** Puts on record that something of these roots had changed behind an unchanged validator; at once, since the run may yet fail. */
export async function saveUnreliable(
  database: Database,
  { runId, roots }: { runId: string; roots: readonly string[] },
): Promise<void> {
  await database.run.update({ where: { id: runId }, data: { unreliableRoots: [...roots] } });
}
