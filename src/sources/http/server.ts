import { Pool } from 'undici';
import { whenAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { openPace, type Pace } from './pace.ts';

/**
 * One server as a run sees it: all runs of this process share a limited number of keep-alive connections. A slot is the right to use one;
 * whoever acquires it releases it. What one run meets there, such as a pause that the server asks for or an outage, holds back that run
 * alone: of another person's files the server may well say something else.
 */
export interface Server {
  readonly pool: Pool;
  /** Waits for a slot, which the run that has the fewest gets first; rejects with the signal's reason. */
  acquireSlot(signal: AbortSignal): Promise<void>;
  releaseSlot(): void;
  /** Holds back all requests of this run for so long. */
  pause(ms: number): void;
  /** Resolves when no pause is on. */
  ready(signal: AbortSignal): Promise<void>;
  /** How many requests in a row got no response in spite of all retries. */
  outages: number;
  /** For one answer. */
  pace(): Pace;
}

export interface ServerLimits {
  connections: number;
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
}

const defaultTransferLimits: TransferLimits = { headerBytes: 16 * 1024, leastBytesPerSecond: 1024 };

/** The servers that the sources of one process fetch from. */
export interface Servers {
  readonly limits: TransferLimits;
  /** The server of that origin. The first to open it sets its limits; its connections are closed when the last one closes it. */
  open(origin: string, limits: ServerLimits): { server: Server; close: () => Promise<void> };
}

export function openServers(clock: Clock, transfer = defaultTransferLimits): Servers {
  const opened = new Map<string, { shared: Shared; users: number }>();
  return {
    limits: transfer,
    open: (origin, limits) => {
      const entry = opened.get(origin) ?? { shared: connect(origin, { ...limits, ...transfer }, clock), users: 0 };
      opened.set(origin, entry);
      entry.users++;
      const { pool, pace, slots } = entry.shared;
      let closed = false;
      const { leave, ...share } = shareOf(slots);
      const close = async () => {
        if (closed) return;
        closed = true;
        leave();
        if (--entry.users > 0) return;
        opened.delete(origin);
        await pool.destroy();
      };
      return { server: { pool, pace, outages: 0, ...share, ...pauses(clock) }, close };
    },
  };
}

interface Shared extends Pick<Server, 'pool' | 'pace'> {
  readonly slots: Slots;
}

function connect(origin: string, limits: ServerLimits & TransferLimits, clock: Clock): Shared {
  const pool = new Pool(origin, {
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    connect: { timeout: limits.connectTimeoutMs },
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    maxHeaderSize: limits.headerBytes,
  });
  const pace = () => openPace(clock, limits.leastBytesPerSecond);
  return { pool, pace, slots: { count: limits.connections, taken: 0, shares: new Set() } };
}

interface Slots {
  readonly count: number;
  taken: number;
  readonly shares: Set<Share>;
}

/** What one run has of them. */
interface Share {
  held: number;
  readonly waiting: Set<() => void>;
}

/** A quarter of all slots each run may have in any case, so that one whose answers never end does not hold up the others. */
function mayHaveMore({ count, taken }: Slots, { held }: Share): boolean {
  return taken < count || held < Math.floor(count / 4);
}

function shareOf(slots: Slots): Pick<Server, 'acquireSlot' | 'releaseSlot'> & { leave: () => void } {
  const own: Share = { held: 0, waiting: new Set() };
  slots.shares.add(own);
  const take = (share: Share) => {
    share.held++;
    slots.taken++;
  };
  const acquireSlot = async (signal: AbortSignal) => {
    signal.throwIfAborted();
    if (mayHaveMore(slots, own)) take(own);
    else await wait(own.waiting, signal);
  };
  const releaseSlot = () => {
    own.held--;
    slots.taken--;
    const [next] = [...slots.shares]
      .filter((share) => share.waiting.size > 0 && mayHaveMore(slots, share))
      .sort((one, other) => one.held - other.held);
    const [call] = next?.waiting ?? [];
    if (next === undefined || call === undefined) return;
    take(next);
    call();
  };
  return { acquireSlot, releaseSlot, leave: () => void slots.shares.delete(own) };
}

/** A waiter leaves the queue when it is called, and then has the slot, or when its run is aborted. */
function wait(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const called = () => {
      waiting.delete(called);
      ignoreAbort();
      resolve();
    };
    waiting.add(called);
    const ignoreAbort = whenAborted(signal, (reason) => {
      waiting.delete(called);
      reject(reason);
    });
  });
}

function pauses(clock: Clock): Pick<Server, 'pause' | 'ready'> {
  let until = 0;
  const pause = (ms: number) => {
    until = Math.max(until, clock.elapsed() + ms);
  };
  const ready = async (signal: AbortSignal) => {
    for (let left = until - clock.elapsed(); left > 0; left = until - clock.elapsed()) await clock.sleep(left, signal);
  };
  return { pause, ready };
}
