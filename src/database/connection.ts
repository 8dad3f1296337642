import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { addressesOfServers } from '../domain/database-address.ts';

/** How long a server of several has to say whether it takes writes; what does not answer by then is passed over. */
const answerMs = 5_000;

/**
 * How a connection to that address is opened. Of several servers it is the one that takes writes when the connection is opened, so that
 * after a failover connections find the promoted one. The driver knows one host only, so each connection costs a question to all of them.
 */
export function connectionTo(url: string): {
  connectionString: string;
  stream?: () => Duplex;
  Client: new () => pg.Client;
} {
  const addresses = addressesOfServers(url);
  const [connectionString = url] = addresses;
  if (addresses.length === 1) return { connectionString, Client: PoolClient };
  return { connectionString, stream: () => new SocketToWriter(addresses), Client: PoolClient };
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
