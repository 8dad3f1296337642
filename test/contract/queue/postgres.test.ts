import pg from 'pg';
import { describe } from 'vitest';
import { openCuttableProxy } from '../../support/servers/cuttable-proxy.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';
import { type QueuePlace, queueContract } from './queue-contract.ts';

describe('the queue in PostgreSQL', () => {
  queueContract(openPlace);
});

async function openPlace(): Promise<QueuePlace> {
  const database = await openTestDatabase({ empty: true });
  const url = new URL(database.url);
  const proxy = await openCuttableProxy(url.hostname, Number(url.port || 5432));
  url.host = `127.0.0.1:${proxy.port}`;
  return {
    settings: { postgresUrl: url.href, prefix: 'nightkeep_queue' },
    proxy,
    dump: () => dump(database.url),
    [Symbol.asyncDispose]: async () => {
      await proxy.cut();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function dump(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT * FROM nightkeep_queue.job');
    return JSON.stringify(rows);
  } finally {
    await client.end();
  }
}
