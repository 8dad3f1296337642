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

/** Begins to use the server at that address. Throws what the driver throws if the server refuses the connection. */
export async function openUse(clock: Clock, url: string): Promise<ServerUse> {
  let isOver = false;
  let client = await hold(url, again);
  return {
    end: async (stop) => {
      isOver = true;
      try {
        if (await isLast(client)) await stop();
      } finally {
        await client.end();
      }
    },
  };

  /** A server that has lost one of its processes ends all connections and goes on. */
  async function again(): Promise<void> {
    while (!isOver) {
      try {
        client = await hold(url, again);
        return;
      } catch {
        await clock.sleep(againMs);
      }
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
