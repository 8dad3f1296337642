import { isSourceName, type SourceName } from '../../domain/source-names.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/**
 * Of a row of `runs` with its `plans`: the names of what its server gave nothing of, although it answered, of several things that the plan names
 * still. Of one alone there is nothing that could do without it.
 */
export const refusedOfRun = Prisma.sql`CASE WHEN problem_count > 0 AND jsonb_array_length(plans.sources) > 1 THEN ARRAY(
  SELECT source ->> 'name' FROM jsonb_array_elements(plans.sources) source
  WHERE EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(problems) WHEN 'array' THEN problems ELSE '[]' END) problem
    WHERE problem ->> 'path' = (source ->> 'name') || '/'
      AND problem ->> 'code' IN ('source/unauthorized', 'source/forbidden', 'source/not-found')))
  ELSE '{}' END`;

/** What the server of a run gave nothing of: an account there may be missing. */
export async function findRefusedSources(database: Database, runId: string): Promise<SourceName[]> {
  return (await listRefusedSources(database, [runId])).get(runId) ?? [];
}

/** The same of these runs, by their ids; of a run without it nothing. */
export async function listRefusedSources(
  database: Database,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, SourceName[]>> {
  if (runIds.length === 0) return new Map();
  const rows = await database.$queryRaw<{ id: string; refused: string[] }[]>`
    SELECT runs.id, ${refusedOfRun} AS refused FROM runs JOIN plans ON plans.id = plan_id WHERE runs.id = ANY(${[...runIds]}::uuid[])`;
  return new Map(rows.map(({ id, refused }) => [id, refused.filter(isSourceName)]));
}
