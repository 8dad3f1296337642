import { waitInLine } from '../../abort.ts';
import { type LevelBounds, openLevel } from './level.ts';

/** The slots of one server, which its runs share: as many as its level allows. */
export interface Slots {
  /** The slots of one run. */
  share(): Share;
}

export interface Share {
  /** Waits for a slot, which the run that has the fewest gets first; rejects with the signal's reason. */
  acquireSlot(signal: AbortSignal): Promise<void>;
  /** Takes one without waiting, for who had one just now. */
  takeSlot(): void;
  releaseSlot(): void;
  /** How many it may have for now. */
  readonly most: number;
  /** Notes how long after a request of this kind was sent its answer began. */
  answered(kind: string, ms: number): void;
  /** The server refused a request that was begun then for there being too many, or did not answer. */
  refused(begunAt: number, now: number): void;
  /** It has no slots any more, and wants none. */
  leave(): void;
}

interface Held {
  slots: number;
  /** What refusals leave of the level to this run alone. */
  most: number;
  /** When it was last lowered. */
  loweredAt: number;
  readonly waiting: Set<() => void>;
}

/** How many requests each run may have in any case, up to a quarter of all, so that a run whose answers never end does not hold up the others. */
const inAnyCase = 4;

/** The requests that one server may be sent at a time, within these bounds. */
export function openSlots(bounds: LevelBounds): Slots {
  const level = openLevel(bounds);
  const runs = new Set<Held>();
  let taken = 0;

  /** Refusals leave one slot at least. */
  function mayHaveMore({ slots, most }: Held): boolean {
    if (slots >= Math.floor(most)) return false;
    return taken < level.limit || slots < Math.min(inAnyCase, Math.floor(level.limit / 4));
  }

  function take(run: Held): void {
    run.slots++;
    taken++;
  }

  function giveOut(): void {
    for (let next = nextRun(); next !== undefined; next = nextRun()) {
      const [call] = next.waiting;
      take(next);
      call?.();
    }
  }

  /** The run with the fewest slots, among those that wait for one and may have it. */
  function nextRun(): Held | undefined {
    let next: Held | undefined;
    for (const run of runs)
      if (run.waiting.size > 0 && (next === undefined || run.slots < next.slots) && mayHaveMore(run)) next = run;
    return next;
  }

  function share(): Share {
    const run: Held = { slots: 0, most: Number.POSITIVE_INFINITY, loweredAt: 0, waiting: new Set() };
    runs.add(run);
    return {
      async acquireSlot(signal) {
        signal.throwIfAborted();
        if (run.waiting.size === 0 && mayHaveMore(run)) take(run);
        else await waitInLine(run.waiting, signal);
      },
      takeSlot: () => take(run),
      releaseSlot() {
        run.slots--;
        taken--;
        giveOut();
      },
      get most() {
        return Math.min(level.limit, Math.floor(run.most));
      },
      answered(kind, ms) {
        level.answered(kind, ms, taken);
        if (run.most < bounds.most) run.most = Math.min(bounds.most, run.most + 1 / run.most);
        giveOut();
      },
      refused(begunAt, now) {
        if (begunAt < run.loweredAt) return;
        run.loweredAt = now;
        run.most = Math.max(1, Math.min(run.most, level.limit) / 2);
      },
      leave: () => void runs.delete(run),
    };
  }

  return { share };
}
