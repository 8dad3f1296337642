import { expect, test } from 'vitest';
import { asOutage, openDatabase } from '../../../src/database/client.ts';
import { silentLog } from '../../../src/log.ts';
import { openQueues } from '../../../src/queues/queues.ts';
import { openCuttableProxy } from '../../support/servers/cuttable-proxy.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';
import { administer } from '../../support/servers/postgres-server.ts';

/** A database behind two ways, as if they were two servers. */
async function openTwoWays() {
  const opened = new AsyncDisposableStack();
  const { url } = opened.use(await openTestDatabase({ empty: true }));
  const { hostname, port, username, password, pathname } = new URL(url);
  const open = async () => opened.use(await openCuttableProxy(hostname, Number(port || 5432)));
  const [one, two] = [await open(), await open()];
  const both = `postgres://${username}:${password}@127.0.0.1:${one.port},127.0.0.1:${two.port}${pathname}?target_session_attrs=read-write`;
  return { url, both, one, two, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test('of several servers the one that answers is used, for database and queue, now and after another failover', async () => {
  await using ways = await openTwoWays();
  await ways.one.cut();
  const database = await openDatabase(ways.both);
  await using queues = await openQueues({ postgresUrl: ways.both, prefix: 'several', log: silentLog });
  await queues.backUps.enqueue([{ runId: 'a', attempt: 1 }]);
  await ways.one.restore();
  await ways.two.cut();
  // What was idle is told of its end before the next question.
  await expect.poll(() => database.$queryRaw`SELECT 1 AS one`.catch(() => 'away')).toEqual([{ one: 1 }]);
  await expect.poll(() => queues.backUps.counts().catch(() => 'away')).toMatchObject({ waiting: 1 });
  await database.$disconnect();
});

test('where none of several servers takes writes, the database counts as away', async () => {
  await using ways = await openTwoWays();
  const database = new URL(ways.url).pathname.slice(1);
  await administer(ways.url, `ALTER DATABASE ${database} SET default_transaction_read_only = on`);
  await expect(openDatabase(ways.both)).rejects.toMatchObject({
    code: 'database/unavailable',
    message: expect.stringMatching(/^PostgreSQL accepts no writes: /),
  });
  await ways.one.cut();
  await ways.two.cut();
  const error = await openDatabase(ways.both).catch(asOutage);
  expect(error).toMatchObject({ code: 'database/unavailable', message: expect.stringContaining('Nothing answers') });
});
