import type { Clock } from '../../clock.ts';
import { countWords } from '../../count-words.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, type AppErrorOptions } from '../../errors.ts';
import type { MemoryBudget } from '../../memory-budget.ts';
import type { ProcessorShare } from '../http/processor-shares.ts';

/** What one listing may take. */
export interface MailListingLimits {
  readonly members: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly ms: number;
}

export const defaultLimits: MailListingLimits = { members: 200_000, bytes: 256 * 1024 ** 2, ms: 15 * minuteMs };

/** Bytes of a listing that take about as long as a request. */
const bytesOfPiece = 4_096;

/** Holds one listing to its limits while it arrives; disposing gives back the memory, which is then its reader's to account for. */
export interface ListingWatch extends Disposable {
  /** Counts a member that takes so many bytes of memory. Throws `source/too-large`. */
  member(memory: number): void;
  /** Counts what comes, and waits for the run's turn where it has the thread not to itself. Throws `source/too-large` and `source/too-slow`. */
  onBytes(count: number): Promise<void> | undefined;
}

interface Watched {
  readonly limits: MailListingLimits;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly memory: MemoryBudget;
  readonly processor: Pick<ProcessorShare, 'did' | 'isAlone' | 'turn'>;
}

/** `what` is what is listed, for people: "The listing of the mailbox". */
export function watchListing({ limits, clock, memory, processor }: Watched, signal: AbortSignal): ListingWatch {
  let until = clock.elapsed() + limits.ms;
  let [members, bytes, held] = [0, 0, 0];
  return {
    member(taken) {
      if (++members > limits.members) throw tooLarge('too many members (LISTING_MEMBERS)');
      if (!memory.take(taken))
        throw tooLarge('no memory is left for it beside what else is listed (LISTINGS_MEMORY)', {
          retry: { afterMs: 0 },
        });
      held += taken;
    },
    onBytes(count) {
      bytes += count;
      if (bytes > limits.bytes) throw tooLarge('too many bytes (LISTING_BYTES)');
      if (clock.elapsed() > until) throw tooSlow(limits.ms);
      if (processor.isAlone) return undefined;
      const since = clock.elapsed();
      processor.did(Math.ceil(count / bytesOfPiece));
      // What it waits for its turn is not the server's time.
      return processor.turn(signal).then(() => {
        until += clock.elapsed() - since;
      });
    },
    [Symbol.dispose]() {
      memory.give(held);
      held = 0;
    },
  };
}

function tooSlow(ms: number): AppError {
  const seconds = countWords(Math.round(ms / 1000), 'second');
  return new AppError('source/too-slow', `The listing of the mailbox takes more than ${seconds} (LISTING_TIME).`);
}

function tooLarge(what: string, options: AppErrorOptions = {}): AppError {
  return new AppError('source/too-large', `The listing of the mailbox is too large: ${what}.`, options);
}
