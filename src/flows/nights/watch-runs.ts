import { type ClaimedRun, listLostRuns } from '../../database/runs.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'log'>;
type Held = Pick<ClaimedRun, 'id' | 'fence'>;

/** Often enough to end work within a second. */
const lookEveryMs = 500;

/** The runs in hand and who is told when one is lost, as long as the database they came from is open. */
const watches = new WeakMap<Resources['database'], Watch>();

interface Watch {
  inHand: Map<Held, AbortController>;
  timer: Disposable | undefined;
}

/**
 * Aborts `lost` soon after the run was cancelled, or given to another worker. All the runs that this process has in hand
 * are looked at together, in one statement; a database that is away changes nothing, since the lease runs out by itself.
 */
export function watchRun(resources: Needs, run: Held, lost: AbortController): Disposable {
  const watch = watchOf(resources.database);
  watch.inHand.set(run, lost);
  watch.timer ??= resources.clock.every(lookEveryMs, () => look(resources, watch));
  return {
    [Symbol.dispose]: () => {
      watch.inHand.delete(run);
      if (watch.inHand.size > 0) return;
      watch.timer?.[Symbol.dispose]();
      watch.timer = undefined;
    },
  };
}

function watchOf(database: Resources['database']): Watch {
  const watch = watches.get(database) ?? { inHand: new Map(), timer: undefined };
  watches.set(database, watch);
  return watch;
}

async function look({ database, log }: Needs, { inHand }: Watch): Promise<void> {
  try {
    const gone = new Set(await listLostRuns(database, [...inHand.keys()]));
    for (const [{ id }, lost] of inHand)
      if (gone.has(id))
        lost.abort(new AppError('run/lost-lease', 'The run was cancelled, or given to another worker.'));
  } catch (error) {
    log.warn('run.watch-failed', { error });
  }
}
