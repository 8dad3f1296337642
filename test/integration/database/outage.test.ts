import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOutage, type Database, openDatabase } from '../../../src/database/client.ts';
import { type CuttableProxy, openCuttableProxy } from '../../support/servers/cuttable-proxy.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

let opened: AsyncDisposableStack;
let wire: CuttableProxy;
let database: Database;
let url: string;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const test = opened.use(await openTestDatabase());
  url = test.url;
  const through = new URL(url);
  wire = opened.use(await openCuttableProxy(through.hostname, Number(through.port || 5432)));
  through.host = `127.0.0.1:${wire.port}`;
  database = opened.adopt(await openDatabase(through.href), (one) => one.$disconnect());
});
afterAll(() => opened.disposeAsync());

const at = new Date('2026-05-01T00:00:00Z');
const circuit = { issuer: 'a', clientId: 'b', open: false, reason: 'c', openedAt: at, nextProbeAt: at };
const errorOf = (work: Promise<unknown>) => work.then(() => 'went well', asOutage);
/** PostgreSQL's messages ReadyForQuery, and the last one before it goes down (its protocol, Message Formats). */
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const shutdown = errorResponse('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0');

function errorResponse(fields: string): Buffer {
  const message = Buffer.from(`E0000${fields}`, 'latin1');
  message.writeUInt32BE(message.length - 1, 1);
  return message;
}
const away = { code: 'database/unavailable', retry: { afterMs: 5_000 } };

test('whatever is asked of a database that is away fails with the word for it', async () => {
  await wire.cut();
  expect(await errorOf(database.circuit.count())).toMatchObject(away);
  expect(await errorOf(database.$queryRaw`SELECT 1`)).toMatchObject(away);
  expect(await errorOf(database.$transaction(async (each) => each.circuit.count()))).toMatchObject(away);
  expect(await errorOf(database.circuit.create({ data: circuit }))).toMatchObject(away);
  await wire.restore();
});

test('so does what a server that goes down ends in the middle', async () => {
  expect(await errorOf(database.$executeRaw`SELECT pg_terminate_backend(pg_backend_pid())`)).toMatchObject(away);
  const torn = database.$transaction(async (each) => {
    await each.circuit.count();
    wire.drop();
    return each.circuit.count();
  });
  expect(await errorOf(torn)).toMatchObject(away);
});

test('so does what is asked in a transaction whose connection is known to be gone', async () => {
  const torn = database.$transaction(async (each) => {
    await each.circuit.count();
    wire.drop();
    // By the time that another connection answers, the loss of this one was heard of.
    await database.circuit.count().catch(() => database.circuit.count());
    return each.circuit.count();
  });
  expect(await errorOf(torn)).toMatchObject(away);
});

test('so does what a server that is too slow keeps waiting', async () => {
  const narrow = await openDatabase(url, 1);
  const holding = Promise.withResolvers<void>();
  const held = narrow.$transaction(() => holding.promise);
  expect(await errorOf(narrow.$transaction(async (each) => each.circuit.count(), { maxWait: 5 }))).toMatchObject(away);
  holding.resolve();
  await held;
  const slow = narrow.$transaction(
    async (each) => {
      await each.$queryRaw`SELECT 1 FROM pg_sleep(0.05)`;
      return each.circuit.count();
    },
    { timeout: 5 },
  );
  expect(await errorOf(slow)).toMatchObject(away);
  await narrow.$disconnect();
});

test('so does what waits for a connection that a server ends as it goes down, in the packet that says "ready"', async () => {
  const through = new URL(url);
  await using ending = await openCuttableProxy(through.hostname, Number(through.port || 5432));
  through.host = `127.0.0.1:${ending.port}`;
  const other = await openDatabase(through.href, 2);
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const holding = other.$transaction(async (each) => {
    await each.circuit.count();
    asked.resolve();
    await held.promise;
  });
  await asked.promise;
  ending.endWith(shutdown, ready);
  expect(await errorOf(other.$transaction(async (each) => each.circuit.count()))).toMatchObject(away);
  expect(await errorOf(other.circuit.count())).toMatchObject(away);
  held.resolve();
  await holding;
  await other.$disconnect();
});

test('any other error stays as it is', async () => {
  await database.circuit.create({ data: circuit });
  expect(await errorOf(database.circuit.create({ data: circuit }))).toMatchObject({ code: 'P2002' });
});
