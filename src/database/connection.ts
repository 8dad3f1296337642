import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { systemClock } from '../clock.ts';
import { addressesOfServers } from '../domain/database-address.ts';

/** How long a server of several has to say whether it takes writes; what does not answer by then is passed over. */
const answerMs = 5_000;
/** How long a statement may be without an answer before the server is asked, on another connection, whether it works on it. */
const silentMs = 15_000;

/**
 * How a connection to that address is opened. Of several servers, it goes to the one that takes writes at that moment, so that after a
 * failover connections find the promoted one; since the driver knows one host only, each connection first asks all of them.
 *
 * A statement is waited for however long it takes. But after `patienceMs` without an answer, the server is asked whether it still works on
 * it; where it does not, or cannot be reached, the connection is ended: the network has lost it without saying so.
 */
export function connectionTo(
  url: string,
  patienceMs = silentMs,
): {
  connectionString: string;
  stream?: () => Duplex;
  Client: new () => pg.Client;
} {
  const addresses = addressesOfServers(url);
  const [connectionString = url] = addresses;
  const stream = addresses.length > 1 ? { stream: () => new SocketToWriter(addresses) } : {};
  class Client extends PoolClient {
    constructor(options?: pg.ClientConfig) {
      super(options);
      endWhereLost(this, { connectionString, ...stream }, patienceMs);
    }
  }
  return { connectionString, ...stream, Client };
}

/**
 * A pool listens to none of those that it hands out by promise until whoever waits for one gets to run; what a server that goes down
 * says in the same packet as "ready" would then end the process. The query that is asked next rejects as well.
 */
class PoolClient extends pg.Client {
  constructor(options?: pg.ClientConfig) {
    super(options);
    this.on('error', () => {});
  }
}

/** What the driver's client has that its types do not say. */
interface Driver {
  readonly processID: number | null;
  readonly readyForQuery: boolean;
  readonly connection: { readonly stream: Socket };
}

/** Looks at a connection as long as it is open; ends it where it waits for an answer that cannot come any more. */
function endWhereLost(client: pg.Client, address: pg.ClientConfig, patienceMs: number): void {
  const driver = client as pg.Client & Driver;
  const clock = systemClock();
  let [heard, since] = [-1, clock.elapsed()];
  const watching = clock.every(patienceMs / 3, async () => {
    const { bytesRead } = driver.connection.stream;
    if (driver.readyForQuery || driver.processID === null || bytesRead !== heard) {
      [heard, since] = [bytesRead, clock.elapsed()];
      return;
    }
    if (clock.elapsed() - since < patienceMs) return;
    since = clock.elapsed();
    const works = await isWorkedOn(address, driver.processID, patienceMs);
    if (!works && !driver.readyForQuery && driver.connection.stream.bytesRead === heard) await client.end();
  });
  client.once('end', () => watching[Symbol.dispose]());
}

/**
 * Whether the server works on what that connection asked it last; false where it has been waiting for the next question for so long, or does
 * not answer. A pooler gives its clients numbers of its own, by which nothing can be asked: then it is believed to.
 */
async function isWorkedOn(address: pg.ClientConfig, pid: number, idleMs: number): Promise<boolean> {
  const client = new pg.Client({ ...address, connectionTimeoutMillis: answerMs, query_timeout: answerMs });
  client.on('error', () => {}); // The query that is cut off rejects as well.
  try {
    await client.connect();
    const { rows } = await client.query<{ self: number; works: boolean }>(
      `SELECT pg_backend_pid() AS self, EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1
        AND (state = 'active' OR state IS NULL OR state_change > clock_timestamp() - $2::float * interval '1 ms')) AS works`,
      [pid, idleMs],
    );
    const isPooled = rows[0]?.self !== (client as pg.Client & Driver).processID;
    return isPooled || rows[0]?.works === true;
  } catch (error) {
    // It answers, though it has no place for another connection.
    return error instanceof pg.DatabaseError;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Connects to none but the server that takes writes, whatever host it is told. */
class SocketToWriter extends Socket {
  readonly #addresses: readonly string[];

  constructor(addresses: readonly string[]) {
    super();
    this.#addresses = addresses;
  }

  override connect(): this {
    findWriter(this.#addresses).then(
      ({ host, port }) => this.destroyed || super.connect(port, host),
      (error: Error) => this.destroy(error),
    );
    return this;
  }
}

interface Server {
  readonly host: string;
  readonly port: number;
}

/** Throws what the first server said where none of them takes writes. */
async function findWriter(addresses: readonly string[]): Promise<Server> {
  try {
    return await Promise.any(addresses.map(askWhetherItWrites));
  } catch (error) {
    const reasons: unknown[] = error instanceof AggregateError ? error.errors : [error];
    throw reasons.find((reason) => !(reason instanceof TakesNoWrites)) ?? reasons[0];
  }
}

class TakesNoWrites extends Error {}

async function askWhetherItWrites(address: string): Promise<Server> {
  const client = new pg.Client({
    connectionString: address,
    connectionTimeoutMillis: answerMs,
    query_timeout: answerMs,
  });
  client.on('error', () => {}); // The query that is cut off rejects as well.
  try {
    await client.connect();
    const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only');
    if (rows[0]?.transaction_read_only !== 'off') throw new TakesNoWrites('The server takes no writes.');
    return { host: client.host, port: client.port };
  } finally {
    await client.end().catch(() => undefined);
  }
}
