import type { Clock } from '../../clock.ts';
import { numbersIn } from '../../domain/run-counts.ts';
import { type RunProgress, type RunStep, runSteps } from '../../domain/run-progress.ts';
import { escapedName } from '../../file-name.ts';
import type { Log } from '../../log.ts';
import type { Database } from '../client.ts';

/** A run that this process works on, under the fence of its claim. */
interface Held {
  readonly id: string;
  readonly fence: number;
}

/** Often enough for whoever looks on. */
const saveEveryMs = 2_000;

/** How far the runs are that this process works on. */
export interface RunProgressBoard {
  /** Saves every two seconds what `look` tells, until it is disposed of. */
  add(run: Held, look: () => RunProgress): Disposable;
}

/** Saves the progress of all runs in hand in one statement. What cannot be saved is saved the next time. */
export function openRunProgress(resources: { clock: Clock; database: Database; log: Log }): RunProgressBoard {
  const inHand = new Map<Held, () => RunProgress>();
  let timer: Disposable | undefined;
  const save = () =>
    saveRunProgress(
      resources.database,
      [...inHand].map(([run, look]) => ({ ...run, progress: look() })),
      resources.clock.now(),
    ).catch((error: unknown) => resources.log.warn('run.progress-failed', { error }));
  return {
    add: (run, look) => {
      const held = { id: run.id, fence: run.fence };
      inHand.set(held, look);
      timer ??= resources.clock.every(saveEveryMs, save);
      const remove = () => {
        inHand.delete(held);
        if (inHand.size > 0) return;
        timer?.[Symbol.dispose]();
        timer = undefined;
      };
      return { [Symbol.dispose]: remove };
    },
  };
}

/** Says how far runs are; those that ended meanwhile, or are another's, are left as they are. */
export async function saveRunProgress(
  database: Database,
  runs: readonly (Held & { progress: RunProgress })[],
  at: Date,
): Promise<void> {
  const ids = runs.map(({ id }) => id);
  const fences = runs.map(({ fence }) => fence);
  const steps = runs.map(({ progress }) => progress.step);
  const counts = runs.map(({ progress: { step, folder, ...numbers } }) => JSON.stringify(numbers));
  const folders = runs.map(({ progress: { folder } }) => folder && escapedName(folder));
  await database.$executeRaw`
    INSERT INTO run_progress (run_id, fence, at, step, counts, folder)
    SELECT runs.id, runs.fence, ${at}, step, told.counts::jsonb, folder
    FROM unnest(${ids}::uuid[], ${fences}::int[], ${steps}::text[], ${counts}::text[], ${folders}::text[])
      AS told (id, fence, step, counts, folder)
    JOIN runs ON runs.id = told.id AND runs.fence = told.fence AND state = 'running'
    ON CONFLICT (run_id) DO UPDATE
      SET fence = excluded.fence, at = excluded.at, step = excluded.step, counts = excluded.counts, folder = excluded.folder`;
}

/** How far runs are that are being worked on, by id. Without the folder: that is for the person alone. */
export async function listRunProgress(
  database: Database,
  ids: readonly string[],
): Promise<Map<string, Omit<RunProgress, 'folder'>>> {
  const rows = await database.$queryRaw<Row[]>`
    SELECT run_id AS id, step, run_progress.counts FROM run_progress
    JOIN runs ON runs.id = run_id AND runs.fence = run_progress.fence AND state = 'running'
    WHERE run_id = ANY(${[...ids]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, progressOf(row)]));
}

/** A run as whoever looks on sees it. */
export interface LiveRun {
  readonly id: string;
  readonly state: string;
  /** Not taken by a worker before. */
  readonly dueAt: Date;
  /** Until then others go first, see src/domain/turns.ts. */
  readonly turnAt: Date;
  /** Whether a worker has had it before. */
  readonly isBegun: boolean;
  /** That of the plan. */
  readonly zone: string;
  /** Null until the worker has reported any. */
  readonly progress: RunProgress | null;
}

/** A run of the person and how far it is; null where there is none. */
export async function findLiveRun(
  database: Database,
  { userId, runId }: { userId: string; runId: string },
): Promise<LiveRun | null> {
  const [row] = await database.$queryRaw<LiveRow[]>`
    SELECT runs.id, state::text, due_at AS "dueAt", turn_at AS "turnAt", worked_ms > 0 AS "isBegun", zone, step, told.counts, folder FROM runs JOIN plans ON plans.id = plan_id
    LEFT JOIN run_progress told ON run_id = runs.id AND told.fence = runs.fence AND state = 'running'
    WHERE runs.id = ${runId}::uuid AND user_id = ${userId}::uuid`;
  if (row === undefined) return null;
  const { step, counts, folder, ...run } = row;
  return { ...run, progress: step === null ? null : { ...progressOf({ step, counts }), folder } };
}

interface LiveRow extends Omit<LiveRun, 'progress'> {
  readonly step: string | null;
  readonly counts: unknown;
  readonly folder: string | null;
}

interface Row {
  readonly id: string;
  readonly step: string;
  readonly counts: unknown;
}

function progressOf({ step, counts }: Omit<Row, 'id'>): Omit<RunProgress, 'folder'> {
  const numbers = numbersIn<Exclude<keyof RunProgress, 'step' | 'folder'>>(counts);
  const { entries = 0, expected = null, problems = 0, bytesRead = 0, requests = 0, ms = 0 } = numbers;
  return { step: stepOf(step), entries, expected, problems, bytesRead, requests, ms };
}

function stepOf(text: string): RunStep {
  return runSteps.find((step) => step === text) ?? 'access';
}
