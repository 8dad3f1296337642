import { untilAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { busyMsOfThread, heldUpMsOfThread } from '../../thread-time.ts';

/**
 * Shares the processor time of this thread among the runs that fetch from servers. Otherwise a server that answers at once, with folders of
 * any size and number, would keep the thread from all other runs. A run that has used its share continues when it has some again; one that
 * mostly waits for its server never waits here. However much a server sent at once, its run does one piece of work at a time, and what
 * others have to do comes in between.
 */
export interface ProcessorShares {
  open(): ProcessorShare;
}

/** What one run may take. */
export interface ProcessorShare extends Disposable {
  /** Records pieces of work that were begun, each about as much as one request; the time of the thread is divided among its runs by these. */
  did(pieces: number): void;
  /**
   * Says for how long other threads had a processor for it. It counts as far as this thread had to wait for one meanwhile: where there are
   * enough for all, nobody is held up by it.
   */
  had(ms: number): void;
  /** Whether it has the thread to itself: it need not work in pieces then. */
  readonly isAlone: boolean;
  /** Whether it has some of its part left. */
  readonly hasCredit: boolean;
  /**
   * Resolves when it may do the next piece of work, one at a time: between two of one run the thread does what else has come, pieces of others among it. At once
   * for a run alone. Rejects with the signal's reason.
   */
  turn(signal: AbortSignal): Promise<void>;
}

const everyMs = 20;
/** So much of its part is kept for a run that takes less, so that those who do little at a time never wait. */
const mostCreditMs = 250;
/** Up to this part of the thread's time a run may have what nobody uses besides, as it was over about the last half second. */
const sparePart = 0.5;
const newest = 0.04;
/** What was begun is answered for some time later: pieces count less with each look. */
const fading = 0.8;
/** What else the thread does, such as opening the repositories of others, is nobody's here: a piece of work is put down for as much at most. */
const mostMsOfPiece = 3;
/** More than this nobody is behind, so that all who wait go on soon once the thread has nothing to do. */
const mostDebtMs = 250;

interface Account {
  creditMs: number;
  pieces: number;
  /** What its other threads have had since the last look. */
  elsewhereMs: number;
  /** The last turn that was asked for. */
  last: Promise<void>;
}

/**
 * As many equal parts as there are runs. `busyMs` says for how long the thread has been busy so far, `heldUpMs` for how long it got no processor.
 * With one run alone nothing is counted.
 */
export function openProcessorShares(
  clock: Pick<Clock, 'elapsed' | 'every'>,
  busyMs: () => number = busyMsOfThread,
  heldUpMs: () => number = heldUpMsOfThread,
): ProcessorShares {
  const accounts = new Set<Account>();
  let looking: Disposable | undefined;
  let before = { at: 0, taken: 0, heldUp: 0 };
  /** The part of the thread that was in use lately. */
  let usage = 0;
  let next = Promise.withResolvers<void>();

  const standing = () => ({ at: clock.elapsed(), taken: busyMs(), heldUp: heldUpMs() });

  function look(): void {
    const now = standing();
    const passed = now.at - before.at;
    const taken = Math.min(passed, Math.max(0, now.taken - before.taken));
    const heldUp = passed > 0 ? Math.max(0, Math.min(1, (now.heldUp - before.heldUp) / passed)) : 0;
    before = now;
    if (passed > 0) usage += newest * (taken / passed - usage);
    settle([...accounts], { passed, taken, heldUp, spare: passed * Math.max(0, sparePart - usage) });
    wake();
  }

  function wake(): void {
    next.resolve();
    next = Promise.withResolvers();
  }

  /** Nobody is counted, or waits, who has nobody beside. */
  function watch(): void {
    const isShared = accounts.size > 1;
    if (isShared && looking === undefined) {
      before = standing();
      looking = clock.every(everyMs, look);
    }
    if (isShared || looking === undefined) return;
    looking[Symbol.dispose]();
    looking = undefined;
    for (const account of accounts) forgive(account);
    wake();
  }

  async function turnAfter(before: Promise<void>, account: Account, signal: AbortSignal): Promise<void> {
    await before;
    signal.throwIfAborted();
    while (account.creditMs <= 0) await untilAborted(next.promise, signal);
    if (accounts.size > 1) await new Promise(setImmediate);
  }

  return {
    open() {
      const account = newAccount();
      accounts.add(account);
      watch();
      return {
        did(pieces) {
          account.pieces += pieces;
        },
        had(ms) {
          account.elsewhereMs += ms;
        },
        get isAlone() {
          return accounts.size < 2;
        },
        get hasCredit() {
          return account.creditMs > 0;
        },
        async turn(signal) {
          if (accounts.size < 2) return;
          const turn = turnAfter(account.last, account, signal);
          account.last = turn.catch(() => undefined);
          await turn;
        },
        [Symbol.dispose]() {
          accounts.delete(account);
          forgive(account);
          watch();
        },
      };
    },
  };
}

function newAccount(): Account {
  return { creditMs: mostCreditMs, pieces: 0, elsewhereMs: 0, last: Promise.resolve() };
}

function forgive(account: Account): void {
  account.creditMs = mostCreditMs;
  account.pieces = 0;
  account.elsewhereMs = 0;
}

/** Gives each run its part of the time that has passed, and what nobody used; takes off what the thread took, in parts as the runs worked, and what other threads of theirs had as far as it was held up (from 0 to 1). */
function settle(
  accounts: readonly Account[],
  { passed, taken, heldUp, spare }: { passed: number; taken: number; heldUp: number; spare: number },
): void {
  const pieces = accounts.reduce((sum, account) => sum + account.pieces, 0);
  for (const account of accounts) {
    const credit = Math.min(mostCreditMs, account.creditMs + passed / accounts.length + spare);
    const part = pieces > 0 ? (taken * account.pieces) / pieces : 0;
    const most = account.pieces * (1 - fading) * mostMsOfPiece;
    account.creditMs = Math.max(-mostDebtMs, credit - Math.min(part, most) - heldUp * account.elsewhereMs);
    account.pieces *= fading;
    account.elsewhereMs = 0;
  }
}
