import type { Clock } from '../../clock.ts';
import { countWords } from '../../count-words.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import { type MemoryBudget, partOf } from '../../memory-budget.ts';
import type { Resources } from '../../resources.ts';

/** What one try of a run may take. */
export interface RunLimits extends Disposable {
  /** Aborted with `run/out-of-time` when its time is over; the run may go on later. */
  readonly timeIsOver: AbortSignal;
  readonly memory: MemoryBudget;
  readonly mostMembers: number;
}

const lookEveryMs = 10_000;

/** A light run has no more of the memory than this part. */
const partOfLight = 1 / 8;

/**
 * Starts the time limit of a try, by the clock: whatever the run waits for, it occupies a place of a worker. The runs of a process share its
 * memory: a heavy one has an equal part of it, as if all were heavy, and a light one less if there may be many.
 */
export function limitRun(
  {
    clock,
    config,
    runMemory,
  }: Pick<Resources, 'runMemory'> & {
    clock: Clock;
    config: Pick<Resources['config'], 'runLimits' | 'concurrency' | 'heavyRuns'>;
  },
  { heavy }: { heavy: boolean },
): RunLimits {
  const { heavyRuns, concurrency } = config;
  const { ms, members, memory: total } = config.runLimits;
  const part = 1 / heavyRuns;
  const memory = partOf(runMemory, total * (heavy || concurrency === heavyRuns ? part : Math.min(part, partOfLight)));
  const began = clock.elapsed();
  const time = new AbortController();
  const watch = clock.every(lookEveryMs, () => {
    if (clock.elapsed() - began >= ms) time.abort(outOfTime(ms));
  });
  return {
    timeIsOver: time.signal,
    memory,
    mostMembers: members,
    [Symbol.dispose]: () => {
      watch[Symbol.dispose]();
      memory[Symbol.dispose]();
    },
  };
}

function outOfTime(ms: number): AppError {
  return new AppError(
    'run/out-of-time',
    `The backup ran for longer than ${countWords(Math.round(ms / minuteMs), 'minute')} without a break (RUN_TIME). What it has read is kept, and the next one continues from there.`,
    { retry: { afterMs: 0 } },
  );
}
