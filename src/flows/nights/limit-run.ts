import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { type MemoryBudget, openMemoryBudget } from '../../memory-budget.ts';
import type { Resources } from '../../resources.ts';

/** What one try of a run may take. */
export interface RunLimits extends Disposable {
  /** Aborted with `run/out-of-time` when its time is over; the run may go on later. */
  readonly timeIsOver: AbortSignal;
  readonly memory: MemoryBudget;
  readonly mostMembers: number;
}

const lookEveryMs = 10_000;

/** Begins to count the time of a try. Runs of one process share its memory in equal parts. */
export function limitRun({
  clock,
  config,
}: {
  clock: Clock;
  config: Pick<Resources['config'], 'runLimits' | 'concurrency'>;
}): RunLimits {
  const { ms, members, memory } = config.runLimits;
  const began = clock.elapsed();
  const time = new AbortController();
  const watch = clock.every(lookEveryMs, () => {
    if (clock.elapsed() - began >= ms) time.abort(outOfTime(ms));
  });
  return {
    timeIsOver: time.signal,
    memory: openMemoryBudget(memory / config.concurrency),
    mostMembers: members,
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

function outOfTime(ms: number): AppError {
  return new AppError(
    'run/out-of-time',
    `The backup took longer than ${Math.round(ms / 60_000)} minutes (RUN_TIME). What it has read is kept, and the next one goes on from there.`,
    { retry: { afterMs: 0 } },
  );
}
