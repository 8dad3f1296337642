import type { TrustedRun } from '../../domain/trust.ts';
import type { Database } from '../client.ts';
import type { Prisma } from '../generated/client.ts';

/** What a run says of how far to believe validators. */
export function readTrustedRun({
  night,
  counts,
  unreliableRoots: unreliable,
}: {
  night: string;
  counts: Prisma.JsonValue;
  unreliableRoots: string[];
}): TrustedRun {
  return { night, foldersPassedOver: countIn(counts, 'foldersPassedOver'), unreliable };
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
