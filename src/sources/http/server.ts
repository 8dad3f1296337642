import Pool from 'undici/lib/dispatcher/pool.js';
import type { Clock } from '../../clock.ts';
import type { LevelBounds } from './level.ts';
import { openPace, type Pace } from './pace.ts';
import { openProcessorShares, type ProcessorShare, type ProcessorShares } from './processor-shares.ts';
import type { Watch } from './request.ts';
import { openSlots, type Share, type Slots } from './slots.ts';

/**
 * One server as a run sees it: all runs of this process share its keep-alive connections. A slot is the right to use one; how many there
 * are finds its own level (see level.ts). Whoever acquires a slot releases it. What one run meets there, such as a pause that the server
 * asks for, refusals or an outage, holds back that run alone: of another person's files the server may well say something else.
 */
export interface Server {
  readonly pool: Pool;
  /** Waits for a slot, which the run that has the fewest gets first; rejects with the signal's reason. */
  acquireSlot(signal: AbortSignal): Promise<void>;
  releaseSlot(): void;
  /** How much this run can have under way at once for now, with what rests. */
  readonly atOnce: number;
  /** Sleeps; others may have the slot of the caller meanwhile, who has one again when this ends, in whatever way. */
  rest(ms: number, signal: AbortSignal): Promise<void>;
  /** Holds back all requests of this run for this long. */
  pause(ms: number): void;
  /**
   * Resolves when no pause is on, rests until then, and when this run may have the processor: to be asked before each request. Nothing comes
   * back where there is nothing to wait for.
   */
  ready(signal: AbortSignal): Promise<void> | undefined;
  /** What this run may take of the processor. */
  readonly processor: Pick<ProcessorShare, 'did' | 'isAlone' | 'turn'>;
  /** How many requests in a row got no response in spite of all retries. */
  outages: number;
  /** For one answer. */
  pace(): Pace;
  /** For one request of this method: what becomes of it moves how many there may be. */
  watch(method: string): Watch;
}

export interface ServerLimits {
  connectTimeoutMs: number;
  headersTimeoutMs: number;
  /** Longest silence inside a body. */
  bodyTimeoutMs: number;
}

/** What every answer of every server is held to. */
export interface TransferLimits {
  /** Of all headers of an answer together. */
  readonly headerBytes: number;
  /** Over a minute. */
  readonly leastBytesPerSecond: number;
  /** At once to one server, of all runs together: where its answers come late, and where they do not. */
  readonly requests: LevelBounds;
}

/** As the settings are by default: 16 KiB of headers, 1 KiB/s over each minute, 16 to 128 requests at once. */
export const defaultTransferLimits: TransferLimits = {
  headerBytes: 16 * 1024,
  leastBytesPerSecond: 1024,
  requests: { least: 16, most: 128 },
};

/** The servers that the sources of one process fetch from. */
export interface Servers {
  readonly limits: TransferLimits;
  /** What the runs of this process may take of its thread: each opens its share when it begins, so that it counts before it comes to its files. */
  readonly processor: ProcessorShares;
  /**
   * The server of that origin. The first to open it sets its limits; its connections are closed when the last one closes it. What is done counts for the
   * share of the processor that is given; for one of its own where none is.
   */
  open(origin: string, limits: ServerLimits, share?: ProcessorShare): { server: Server; close: () => Promise<void> };
}

/**
 * `busyMs` says for how long the thread has been busy so far, `heldUpMs` for how long it got no processor; the thread itself does, unless
 * given.
 */
export function openServers(
  clock: Clock,
  transfer = defaultTransferLimits,
  busyMs?: () => number,
  heldUpMs?: () => number,
): Servers {
  const opened = new Map<string, { shared: Shared; users: number }>();
  const processorShares = openProcessorShares(clock, busyMs, heldUpMs);
  return {
    limits: transfer,
    processor: processorShares,
    open: (origin, limits, given) => {
      const entry = opened.get(origin) ?? { shared: connect(origin, { ...limits, ...transfer }), users: 0 };
      opened.set(origin, entry);
      entry.users++;
      const { pool, slots } = entry.shared;
      const share = slots.share();
      const processor = given ?? processorShares.open();
      let closed = false;
      const close = async () => {
        if (closed) return;
        closed = true;
        share.leave();
        if (given === undefined) processor[Symbol.dispose]();
        if (--entry.users > 0) return;
        opened.delete(origin);
        await pool.destroy();
      };
      return { server: serverOf(pool, { share, processor }, clock, transfer), close };
    },
  };
}

interface Shared {
  readonly pool: Pool;
  readonly slots: Slots;
}

function connect(origin: string, limits: ServerLimits & TransferLimits): Shared {
  const pool = new Pool(origin, {
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    connect: { timeout: limits.connectTimeoutMs },
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    maxHeaderSize: limits.headerBytes,
  });
  return { pool, slots: openSlots(limits.requests) };
}

function serverOf(
  pool: Pool,
  { share, processor }: { share: Share; processor: ProcessorShare },
  clock: Clock,
  { leastBytesPerSecond }: TransferLimits,
): Server {
  let pausedUntil = 0;
  let resting = 0;
  const rest = async (ms: number, signal: AbortSignal) => {
    share.releaseSlot();
    resting++;
    try {
      await clock.sleep(ms, signal);
      await share.acquireSlot(signal);
    } catch (error) {
      share.takeSlot();
      throw error;
    } finally {
      resting--;
    }
  };
  const readyLater = async (signal: AbortSignal) => {
    for (let left = pausedUntil - clock.elapsed(); left > 0; left = pausedUntil - clock.elapsed())
      await rest(left, signal);
    await processor.turn(signal);
    processor.did(1);
  };
  return {
    pool,
    acquireSlot: share.acquireSlot,
    // Undici uses a connection again from the next turn of the event loop on: whoever had the slot before would open another one.
    releaseSlot: () => void setImmediate(share.releaseSlot),
    get atOnce() {
      return share.most + Math.min(resting, share.most);
    },
    rest,
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.elapsed() + ms);
    },
    ready(signal) {
      if (pausedUntil > 0 || !processor.isAlone) return readyLater(signal);
      processor.did(1);
      return undefined;
    },
    processor,
    outages: 0,
    pace: () => openPace(clock, leastBytesPerSecond),
    watch(method) {
      const askedAt = clock.elapsed();
      let sentAt = askedAt;
      return {
        sent: () => {
          sentAt = clock.elapsed();
        },
        answered: ({ status }) => {
          const now = clock.elapsed();
          if (status === 429 || status === 503) share.refused(askedAt, now);
          else if (status < 400) share.answered(method, now - sentAt);
        },
        failed: () => share.refused(askedAt, clock.elapsed()),
      };
    },
  };
}
