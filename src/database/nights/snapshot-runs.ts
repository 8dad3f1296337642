import type { Database } from '../client.ts';

/** When the person's last run that brought everything began; null where there is none. */
export async function findLastCompleteStart(database: Database, userId: string): Promise<Date | null> {
  const run = await database.run.findFirst({
    where: { plan: { userId }, state: 'succeeded', snapshotId: { not: null }, startedAt: { not: null } },
    orderBy: { startedAt: 'desc' },
    select: { startedAt: true },
  });
  return run?.startedAt ?? null;
}

/** When the runs ended that made these snapshots, as far as they are on record. */
export async function listNightsOf(
  database: Database,
  { userId, snapshotIds }: { userId: string; snapshotIds: readonly string[] },
): Promise<ReadonlyMap<string, Date>> {
  const runs = await database.run.findMany({
    where: { plan: { userId }, snapshotId: { in: [...snapshotIds] } },
    select: { snapshotId: true, finishedAt: true },
  });
  return new Map(
    runs.flatMap(({ snapshotId, finishedAt }) => (snapshotId && finishedAt ? [[snapshotId, finishedAt]] : [])),
  );
}

/** When files were last restored to nothing in a backup and compared with the server, and how many; null where none were. */
export async function findCompared(
  database: Database,
  { userId }: { userId: string },
): Promise<{ at: Date; files: number } | null> {
  const [row] = await database.$queryRaw<{ at: Date; files: number }[]>`
    SELECT finished_at AS at, (counts ->> 'entriesRestored')::int AS files FROM runs JOIN plans ON plans.id = plan_id
    WHERE user_id = ${userId}::uuid AND finished_at IS NOT NULL AND counts ? 'entriesRestored'
    ORDER BY finished_at DESC LIMIT 1`;
  return row ?? null;
}
