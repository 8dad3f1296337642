import pg from 'pg';
import type { Clock } from '../../clock.ts';

/** This process among those that use an embedded server. It is known by a lock, which goes with its connection however the process ends. */
export interface ServerUse {
  /** Ends it; where nobody else uses the server, `stop` is called before anybody else may begin to. */
  end(stop: () => Promise<void>): Promise<void>;
}

/** Two numbers that nothing else locks: what takes locks by names here uses one. */
const lock = '20843, 1';
const againMs = 1_000;
const reviveEveryMs = 15_000;

/**
 * Begins to use the server at that address. `revive` is called now and then while it does not answer, and starts it again where it has gone. Throws what
 * the driver throws if the server refuses the connection.
 */
export async function openUse(clock: Clock, url: string, revive: () => Promise<void>): Promise<ServerUse> {
  const ending = new AbortController();
  let back = Promise.resolve();
  const onEnd = () => {
    if (!ending.signal.aborted) back = again();
  };
  let client = await hold(url, onEnd);
  return {
    end: async (stop) => {
      ending.abort();
      await back;
      try {
        if (await isLast(client)) await stop();
      } finally {
        await client.end();
      }
    },
  };

  /** A server that has lost one of its processes ends all connections and goes on. One that was killed, or whose disk was full, is gone. */
  async function again(): Promise<void> {
    for (let revivedAt = Number.NEGATIVE_INFINITY; ; ) {
      try {
        client = await hold(url, onEnd);
        return;
      } catch {
        // Also where this ends meanwhile: what was started just now must be stopped.
        if (ending.signal.aborted) return;
      }
      if (clock.elapsed() >= revivedAt + reviveEveryMs) {
        revivedAt = clock.elapsed();
        await revive();
      }
      await clock.sleep(againMs, ending.signal).catch(() => undefined);
    }
  }
}

async function hold(url: string, onEnd: () => void): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {}); // It ends, too.
  await client.connect();
  try {
    await client.query(`SELECT pg_advisory_lock_shared(${lock})`);
  } catch (error) {
    await client.end();
    throw error;
  }
  client.on('end', onEnd);
  return client;
}

/** Whether nobody else held the lock, which is ours alone then. Where the connection is lost, the server is gone or somebody else may use it. */
async function isLast(client: pg.Client): Promise<boolean> {
  try {
    await client.query(`SELECT pg_advisory_unlock_shared(${lock})`);
    const { rows } = await client.query<{ got: boolean }>(`SELECT pg_try_advisory_lock(${lock}) AS got`);
    return rows[0]?.got === true;
  } catch {
    return false;
  }
}
