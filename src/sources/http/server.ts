import { Pool } from 'undici';
import { whenAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { openPace, type Pace } from './pace.ts';

/**
 * One server, shared by all runs of this process: a limited number of keep-alive connections, and one pause for all requests
 * when the server asks for it. A slot is the right to use one connection; whoever acquires it releases it.
 */
export interface Server {
  readonly pool: Pool;
  /** Waits for a slot, first come first served; rejects with the signal's reason. */
  acquireSlot(signal: AbortSignal): Promise<void>;
  releaseSlot(): void;
  /** Holds back all requests for so long. */
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
  const opened = new Map<string, { server: Server; users: number }>();
  return {
    limits: transfer,
    open: (origin, limits) => {
      const entry = opened.get(origin) ?? { server: connect(origin, { ...limits, ...transfer }, clock), users: 0 };
      opened.set(origin, entry);
      entry.users++;
      let closed = false;
      const close = async () => {
        if (closed) return;
        closed = true;
        if (--entry.users > 0) return;
        opened.delete(origin);
        await entry.server.pool.destroy();
      };
      return { server: entry.server, close };
    },
  };
}

function connect(origin: string, limits: ServerLimits & TransferLimits, clock: Clock): Server {
  const pool = new Pool(origin, {
    connections: limits.connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    connect: { timeout: limits.connectTimeoutMs },
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    maxHeaderSize: limits.headerBytes,
  });
  const pace = () => openPace(clock, limits.leastBytesPerSecond);
  return { pool, outages: 0, pace, ...slots(limits.connections), ...pauses(clock) };
}

function slots(count: number): Pick<Server, 'acquireSlot' | 'releaseSlot'> {
  let free = count;
  const waiting = new Set<() => void>();
  const acquireSlot = async (signal: AbortSignal) => {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return;
    }
    await wait(waiting, signal);
  };
  const releaseSlot = () => {
    const [next] = waiting;
    if (next === undefined) free++;
    else next();
  };
  return { acquireSlot, releaseSlot };
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
