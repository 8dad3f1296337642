import { type SourceName, sourceNames } from '../../domain/source-names.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';
import { refusedOfRun } from './refused-sources.ts';
import { type RunLine, runLineColumns } from './views.ts';

/** What a night came to: the best of its runs. */
export interface NightView {
  readonly night: string;
  readonly state: string;
  /** Bytes new to the repository, and bytes in the snapshot, where the run has ended with one. */
  readonly added: number | null;
  readonly total: number | null;
  /** Whether that snapshot is still there. */
  readonly kept: boolean;
}

/** The nights of a person since a date ("YYYY-MM-DD"), oldest first; those without a run are left out. */
export async function listNights(
  database: Database,
  { userId, since }: { userId: string; since: string },
): Promise<NightView[]> {
  return database.$queryRaw<NightView[]>`
    SELECT DISTINCT ON (night) night, state::text,
      (counts ->> 'dataAdded')::float8 AS added, (counts ->> 'totalBytes')::float8 AS total,
      snapshot_id IS NOT NULL AND snapshot_forgotten_at IS NULL AS kept
    FROM runs JOIN plans ON plans.id = plan_id WHERE user_id = ${userId}::uuid AND night >= ${since}
    ORDER BY night, array_position(ARRAY['succeeded', 'partial', 'running', 'queued', 'failed'], state::text), queued_at DESC`;
}

/** The newest snapshot of a person, as the run that wrote it tells of it. */
export interface Holding {
  readonly id: string;
  readonly finishedAt: Date;
  readonly state: string;
  readonly counts: unknown;
  readonly problemCount: number;
  /** What is gone as a whole since the snapshot before; see `readGoneFolders`. */
  readonly goneFolders: unknown;
  /** Names of roots that the server did not offer any more; the first of them. */
  readonly missingRoots: readonly string[];
  /** Names of roots of which nothing was read, though they are offered as far as is known; the first of them. */
  readonly unreadRoots: readonly string[];
  /** How many folders below the roots could not be read, with all below them, as far as that is known. */
  readonly unreadFolders: number;
  /** What a server gave nothing of, although it answered. */
  readonly refused: readonly SourceName[];
  /** Of what something could not be read that the plan does not name any more; the other members leave that out. */
  readonly leftOut: readonly SourceName[];
}

/** What the newest snapshot of a person holds, and what it does not; null where there is none. */
export async function findHolding(database: Database, { userId }: { userId: string }): Promise<Holding | null> {
  const isPlanned = Prisma.sql`(split_part(problem ->> 'path', '/', 1) <> ALL(${[...sourceNames]}) OR EXISTS (
    SELECT FROM jsonb_array_elements(CASE jsonb_typeof(plans.sources) WHEN 'array' THEN plans.sources ELSE '[]' END) source
    WHERE source ->> 'name' = split_part(problem ->> 'path', '/', 1)))`;
  const rows = await database.$queryRaw<Holding[]>`
    SELECT runs.id, finished_at AS "finishedAt", state::text, counts, problem_count AS "problemCount", gone_folders AS "goneFolders",
      ARRAY(SELECT rtrim(problem ->> 'path', '/')
        FROM jsonb_array_elements(CASE jsonb_typeof(problems) WHEN 'array' THEN problems ELSE '[]' END) problem
        WHERE problem ->> 'code' = 'source/root-gone' LIMIT 20) AS "missingRoots",
      ARRAY(SELECT rtrim(problem ->> 'path', '/')
        FROM jsonb_array_elements(CASE jsonb_typeof(problems) WHEN 'array' THEN problems ELSE '[]' END) problem
        WHERE problem ->> 'code' <> 'source/root-gone' AND problem ->> 'path' ~ '^[^/]+/$' LIMIT 20) AS "unreadRoots",
      (SELECT count(*)
        FROM jsonb_array_elements(CASE jsonb_typeof(problems) WHEN 'array' THEN problems ELSE '[]' END) problem
        WHERE (problem ->> 'folder')::boolean AND problem ->> 'path' !~ '^[^/]+/$' AND ${isPlanned})::int AS "unreadFolders",
      ${refusedOfRun} AS refused,
      ARRAY(SELECT split_part(problem ->> 'path', '/', 1)
        FROM jsonb_array_elements(CASE jsonb_typeof(problems) WHEN 'array' THEN problems ELSE '[]' END) problem
        WHERE NOT ${isPlanned}) AS "leftOut"
    FROM runs JOIN plans ON plans.id = plan_id
    WHERE user_id = ${userId}::uuid AND state IN ('succeeded', 'partial') AND snapshot_id IS NOT NULL AND snapshot_forgotten_at IS NULL
    ORDER BY finished_at DESC LIMIT 1`;
  return rows[0] === undefined ? null : withoutLeftOut(rows[0]);
}

/** From one name for each problem of what is left out. */
function withoutLeftOut(holding: Holding): Holding {
  const leftOut = [...new Set(holding.leftOut)];
  const isThere = (root: string) => leftOut.every((name) => name !== root);
  return {
    ...holding,
    problemCount: holding.problemCount - holding.leftOut.length,
    missingRoots: holding.missingRoots.filter(isThere),
    unreadRoots: holding.unreadRoots.filter(isThere),
    leftOut: sourceNames.filter((name) => !isThere(name)),
  };
}

/** The runs of a person, newest first: those of one night, or a page of all of them that begins after `skip`. */
export async function listRuns(
  database: Database,
  { userId, night, skip = 0, limit }: { userId: string; night?: string; skip?: number; limit: number },
): Promise<RunLine[]> {
  return database.run.findMany({
    where: { plan: { userId }, ...(night !== undefined && { night }) },
    orderBy: [{ queuedAt: 'desc' }, { id: 'desc' }],
    skip,
    take: limit,
    select: runLineColumns,
  });
}
