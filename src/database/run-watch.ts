import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Database } from './client.ts';
import { type ClaimedRun, listLostRuns } from './runs.ts';

type Held = Pick<ClaimedRun, 'id' | 'fence'>;

/** Often enough to end work within a second. */
const checkEveryMs = 500;

/** The runs that this process works on, watched together. */
export interface RunWatch {
  /** Aborts `lost` soon after the run was cancelled or given to another worker, until it is disposed of. */
  add(run: Held, lost: AbortController): Disposable;
  isEmpty(): boolean;
  /** Calls whoever waits longest as soon as one of the runs has ended, once, unless it is disposed of before. */
  onceOneEnds(call: () => void): Disposable;
  /** Aborts the work on these runs. */
  end(runIds: readonly string[], reason: AppError): void;
}

/**
 * Asks about all runs in hand in one statement. An unavailable database changes nothing, since the lease of a run expires by
 * itself.
 */
export function openRunWatch(resources: { clock: Clock; database: Database; log: Log }): RunWatch {
  const inHand = new Map<Held, AbortController>();
  const waiting = new Set<() => void>();
  let timer: Disposable | undefined;
  return {
    add: (run, lost) => {
      inHand.set(run, lost);
      timer ??= resources.clock.every(checkEveryMs, () => check(resources, inHand));
      const remove = () => {
        inHand.delete(run);
        const [first] = waiting;
        if (first !== undefined) waiting.delete(first);
        first?.();
        if (inHand.size > 0) return;
        timer?.[Symbol.dispose]();
        timer = undefined;
      };
      return { [Symbol.dispose]: remove };
    },
    isEmpty: () => inHand.size === 0,
    onceOneEnds: (call) => {
      waiting.add(call);
      return { [Symbol.dispose]: () => void waiting.delete(call) };
    },
    end: (runIds, reason) => {
      for (const [{ id }, lost] of inHand) if (runIds.includes(id)) lost.abort(reason);
    },
  };
}

/** Only those are judged that were asked about: a run may be in hand again, under another fence, when the answer comes. */
async function check(
  { database, log }: { database: Database; log: Log },
  inHand: ReadonlyMap<Held, AbortController>,
): Promise<void> {
  try {
    const asked = [...inHand];
    const gone = new Set(
      await listLostRuns(
        database,
        asked.map(([run]) => run),
      ),
    );
    for (const [{ id }, lost] of asked)
      if (gone.has(id))
        lost.abort(new AppError('run/lost-lease', 'The run was cancelled, or given to another worker.'));
  } catch (error) {
    log.warn('run.watch-failed', { error });
  }
}
