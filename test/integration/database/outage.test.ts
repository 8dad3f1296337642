import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOutage, type Database, openDatabase } from '../../../src/database/client.ts';
import { type CuttableProxy, openCuttableProxy } from '../../support/servers/cuttable-proxy.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

let opened: AsyncDisposableStack;
let wire: CuttableProxy;
let database: Database;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const test = opened.use(await openTestDatabase());
  const url = new URL(test.url);
  wire = opened.use(await openCuttableProxy(url.hostname, Number(url.port || 5432)));
  url.host = `127.0.0.1:${wire.port}`;
  database = opened.adopt(await openDatabase(url.href), (one) => one.$disconnect());
});
afterAll(() => opened.disposeAsync());

const at = new Date('2026-05-01T00:00:00Z');
const circuit = { issuer: 'a', clientId: 'b', open: false, reason: 'c', openedAt: at, nextProbeAt: at };
const errorOf = (work: Promise<unknown>) => work.then(() => 'went well', asOutage);
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

test('any other error stays as it is', async () => {
  await database.circuit.create({ data: circuit });
  expect(await errorOf(database.circuit.create({ data: circuit }))).toMatchObject({ code: 'P2002' });
});
