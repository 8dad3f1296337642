import type { TrustedRun } from '../../domain/trust.ts';
import { AppError } from '../../errors.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';
import { columnsOf, rowIn } from '../joined.ts';
import { formerSlot } from '../repositories/adoptions.ts';
import type { CardRow } from '../repositories/cards.ts';
import { isBeingErased } from '../repositories/erasures.ts';
import type { PersonRepositoryRow } from '../repositories/repositories.ts';
import { readCheckpoint, type SavedCheckpoint } from './checkpoints.ts';
import type { PlanWithPerson } from './plan-rows.ts';
import { readTrustedRun } from './run-trust.ts';

/** What a run needs to know before it asks anybody, as the database has it at one moment. */
export interface NightFacts {
  readonly night: string;
  readonly unreliableRoots: readonly string[];
  /** Whether it will bring much, see src/domain/places.ts. */
  readonly heavy: boolean;
  readonly plan: PlanWithPerson;
  /** Null where there is none yet. */
  readonly repository: PersonRepositoryRow | null;
  /** Whether the repository is being erased: nothing else may use it. */
  readonly isBeingErased: boolean;
  /** What the card of the repository says; null where only a question of its own tells. */
  readonly card: CardRow | null;
  /** Packs of the repository that are known to be damaged. */
  readonly damagedPacks: readonly string[];
}

/** The run with its plan, its person and their repository, all in one statement. Throws `request/not-found`. */
export async function getNightFacts(database: Database, runId: string): Promise<NightFacts> {
  const [row] = await database.$queryRaw<Record<string, unknown>[]>`
    SELECT run.night, run.heavy, run.unreliable_roots AS "unreliableRoots", verifications.damaged_packs AS "damagedPacks",
      NOT EXISTS (SELECT FROM plans later WHERE later.user_id = users.id AND later.created_at > plans.created_at) AS "isNewest",
      ${columnsOf('plans', Prisma.PlanScalarFieldEnum)}, ${columnsOf('users', Prisma.UserScalarFieldEnum)},
      ${columnsOf('repositories', Prisma.RepositoryScalarFieldEnum)}, ${columnsOf('alarms', Prisma.RunScalarFieldEnum)}
    FROM runs run JOIN plans ON plans.id = run.plan_id JOIN users ON users.id = plans.user_id
    LEFT JOIN repositories ON repositories.user_id = users.id LEFT JOIN verifications ON verifications.user_id = users.id
    LEFT JOIN LATERAL (SELECT * FROM runs WHERE plan_id = plans.id AND alarm IS NOT NULL AND alarm_seen_at IS NULL
      AND snapshot_id IS NOT NULL ORDER BY finished_at DESC LIMIT 1) alarms ON true
    WHERE run.id = ${runId}::uuid`;
  if (row === undefined) throw new AppError('request/not-found', 'There is no such run.');
  const user = rowIn<PlanWithPerson['user']>(row, 'users');
  const plan = rowIn<PlanWithPerson>(row, 'plans');
  if (user === null || plan === null) throw new AppError('request/not-found', 'There is no such run.');
  const repository = rowIn<PersonRepositoryRow>(row, 'repositories');
  const alarm = rowIn<CardRow['user']['plans'][number]['runs'][number]>(row, 'alarms');
  const runs = alarm === null ? [] : [alarm];
  return {
    night: String(row.night),
    unreliableRoots: row.unreliableRoots as string[],
    heavy: row.heavy === true,
    plan: { ...plan, user },
    repository: repository && { ...repository, user },
    isBeingErased: repository !== null && isBeingErased(repository),
    card: repository && row.isNewest === true ? { ...repository, user: { ...user, plans: [{ ...plan, runs }] } } : null,
    damagedPacks: (row.damagedPacks ?? []) as string[],
  };
}

/** What is known of the nights before of a person. */
export interface NightsBefore {
  /** The last run that wrote one of these snapshots, with the problems that it kept by name, and how many there were. */
  readonly last: {
    readonly snapshotId: string | null;
    readonly problems: readonly { readonly path: string; readonly since?: string }[];
    readonly problemCount: number;
  } | null;
  /**
   * The runs that tell what to believe of validators, newest first: the last `nights` that wrote a snapshot, and the last one that listed
   * every folder.
   */
  readonly trusted: readonly TrustedRun[];
  /** The newest snapshot on record that is not known to be forgotten. */
  readonly newest: string | null;
  /** That of the person's last backup, where it was not completed. */
  readonly checkpoint: SavedCheckpoint | null;
}

/** All in one statement. */
export async function findNightsBefore(
  database: Database,
  { userId, snapshotIds, nights }: { userId: string; snapshotIds: readonly string[]; nights: number },
): Promise<NightsBefore> {
  const [row] = await database.$queryRaw<Before[]>`
    WITH written AS MATERIALIZED (
      SELECT night, finished_at, snapshot_id, snapshot_forgotten_at, problems, problem_count, counts, unreliable_roots FROM runs JOIN plans ON plans.id = plan_id
      WHERE user_id = ${userId}::uuid AND snapshot_id IS NOT NULL AND slot <> ${formerSlot}
    ), trusted AS (
      (SELECT 1 AS part, row_number() OVER (ORDER BY finished_at DESC) AS place, written.* FROM written ORDER BY place LIMIT ${nights})
      UNION ALL
      (SELECT 2, 1, written.* FROM written WHERE counts -> 'foldersPassedOver' = '0' ORDER BY night DESC LIMIT 1)
    )
    SELECT (SELECT checkpoint FROM repositories WHERE user_id = ${userId}::uuid) AS checkpoint,
      (SELECT jsonb_build_object('snapshotId', snapshot_id, 'problems', problems, 'problemCount', problem_count)
        FROM written WHERE snapshot_id = ANY(${[...snapshotIds]}) ORDER BY finished_at DESC LIMIT 1) AS last,
      (SELECT snapshot_id FROM written WHERE snapshot_forgotten_at IS NULL ORDER BY finished_at DESC LIMIT 1) AS newest,
      (SELECT jsonb_agg(jsonb_build_object('night', night, 'counts', counts, 'unreliableRoots', unreliable_roots) ORDER BY part, place)
        FROM trusted) AS trusted`;
  const { checkpoint = null, last = null, newest = null, trusted = null } = row ?? {};
  return {
    last: last && { ...last, problems: readProblems(last.problems) },
    trusted: (trusted ?? []).map(readTrustedRun),
    newest,
    checkpoint: readCheckpoint(checkpoint),
  };
}

interface Before {
  readonly newest: string | null;
  readonly checkpoint: Prisma.JsonValue;
  readonly last: { snapshotId: string | null; problems: Prisma.JsonValue; problemCount: number } | null;
  readonly trusted: Parameters<typeof readTrustedRun>[0][] | null;
}

/** Where the problems of a run are, and since when, from the column that keeps them. */
function readProblems(value: Prisma.JsonValue): { path: string; since?: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    const { path, since } = item;
    return typeof path === 'string' ? [{ path, ...(typeof since === 'string' && { since }) }] : [];
  });
}
