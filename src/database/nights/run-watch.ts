import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Database } from '../client.ts';
import { type ClaimedRun, listLostRuns } from './run-leases.ts';

type Held = Pick<ClaimedRun, 'id' | 'fence'>;

/** Often enough to end work within a second. */
const checkEveryMs = 500;

interface InHand {
  readonly lost: AbortController;
  readonly heldUpBefore: number;
}

/** The runs that this process works on, watched together. */
export interface RunWatch {
  /** Aborts `lost` soon after the run was cancelled or given to another worker, until it is disposed of. */
  add(run: Held, lost: AbortController): Watched;
  /** Of each of them, how long the machine had no processor for this process since it was added, in milliseconds. */
  heldUp(): { id: string; ms: number }[];
  isEmpty(): boolean;
  /** Calls whoever waits longest as soon as one of the runs has ended, once, unless it is disposed of before. */
  onceOneEnds(call: () => void): Disposable;
  /** Aborts the work on these runs. */
  end(runIds: readonly string[], reason: AppError): void;
}

export interface Watched extends Disposable {
  /** For how long the machine had no processor for this process since. */
  readonly heldUpMs: number;
}

/**
 * Asks about all runs in hand in one statement. An unavailable database changes nothing, since the lease of a run expires by
 * itself. `heldUpMs` says for how long the machine has had no processor for this process so far.
 */
export function openRunWatch(
  resources: { clock: Clock; database: Database; log: Log },
  heldUpMs: () => number = () => 0,
): RunWatch {
  const inHand = new Map<Held, InHand>();
  const waiting = new Set<() => void>();
  let timer: Disposable | undefined;
  const heldUpOf = ({ heldUpBefore }: InHand) => Math.max(0, Math.round(heldUpMs() - heldUpBefore));
  return {
    add: (run, lost) => {
      const watched: InHand = { lost, heldUpBefore: heldUpMs() };
      inHand.set(run, watched);
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
      return {
        get heldUpMs() {
          return heldUpOf(watched);
        },
        [Symbol.dispose]: remove,
      };
    },
    heldUp: () => Array.from(inHand, ([{ id }, watched]) => ({ id, ms: heldUpOf(watched) })),
    isEmpty: () => inHand.size === 0,
    onceOneEnds: (call) => {
      waiting.add(call);
      return { [Symbol.dispose]: () => void waiting.delete(call) };
    },
    end: (runIds, reason) => {
      for (const [{ id }, { lost }] of inHand) if (runIds.includes(id)) lost.abort(reason);
    },
  };
}

/** Only those are judged that were asked about: a run may be in hand again, under another fence, when the answer comes. */
async function check(
  { database, log }: { database: Database; log: Log },
  inHand: ReadonlyMap<Held, InHand>,
): Promise<void> {
  try {
    const asked = [...inHand];
    const gone = new Set(
      await listLostRuns(
        database,
        asked.map(([run]) => run),
      ),
    );
    for (const [{ id }, { lost }] of asked)
      if (gone.has(id))
        lost.abort(new AppError('run/lost-lease', 'The run was cancelled, or given to another worker.'));
  } catch (error) {
    log.warn('run.watch-failed', { error });
  }
}
