import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
/**
 * PostgreSQL's messages ReadyForQuery, the beginning of BackendKeyData, and the last one before it goes down (its protocol, Message
 * Formats).
 */
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const backendKeyData = Buffer.from([0x4b, 0, 0, 0, 12]);
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
  ending.alter((chunk) => {
    const isReady = chunk.subarray(-ready.length).equals(ready);
    return { chunk: isReady ? Buffer.concat([chunk, shutdown]) : chunk, isLast: isReady };
  });
  expect(await errorOf(other.$transaction(async (each) => each.circuit.count()))).toMatchObject(away);
  expect(await errorOf(other.circuit.count())).toMatchObject(away);
  held.resolve();
  await holding;
  await other.$disconnect();
});

describe('a connection that the network has lost without saying so', () => {
  const patienceMs = 300;

  async function openOverWire(change?: Parameters<CuttableProxy['alter']>[0]) {
    await using stack = new AsyncDisposableStack();
    const through = new URL(url);
    const relay = stack.use(await openCuttableProxy(through.hostname, Number(through.port || 5432)));
    if (change) relay.alter(change);
    through.host = `127.0.0.1:${relay.port}`;
    const patient = stack.adopt(await openDatabase(through.href, 2, patienceMs), (one) => one.$disconnect());
    const closing = stack.move();
    return { relay, patient, [Symbol.asyncDispose]: () => closing.disposeAsync() };
  }

  /** Holds what others then wait for. */
  async function holdLock(which: number) {
    const { promise: holding, resolve: release } = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const ended = database.$transaction(async (each) => {
      await each.$queryRaw`SELECT pg_advisory_xact_lock(${which}) IS NULL AS got`;
      held.resolve();
      await holding;
    });
    await held.promise;
    return { release, ended };
  }

  async function isWaiting(): Promise<boolean> {
    const found = await database.$queryRaw<unknown[]>`
      SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return found.length > 0;
  }

  test('is ended where a question went into it, and the next one is answered', async () => {
    await using opened = await openOverWire();
    const { patient, relay } = opened;
    relay.swallow();
    expect(await errorOf(patient.circuit.count())).toMatchObject(away);
    expect(await patient.circuit.count()).toEqual(expect.any(Number));
  });

  test('is ended where the answer went into it', async () => {
    await using opened = await openOverWire();
    const { patient, relay } = opened;
    const { release, ended } = await holdLock(3);
    const torn = errorOf(patient.$queryRaw`SELECT pg_advisory_lock(3) IS NULL`);
    await expect.poll(isWaiting).toBe(true);
    relay.swallow();
    release();
    await ended;
    expect(await torn).toMatchObject(away);
    expect(await patient.circuit.count()).toEqual(expect.any(Number));
  });

  test('is ended where the server cannot be reached either', async () => {
    await using opened = await openOverWire();
    const { patient, relay } = opened;
    relay.swallow();
    const lost = errorOf(patient.circuit.count());
    relay.refuse();
    expect(await lost).toMatchObject(away);
    await relay.restore();
    expect(await patient.circuit.count()).toEqual(expect.any(Number));
  });

  test('is not one through a pooler, which gives numbers of its own for those of the server', async () => {
    await using opened = await openOverWire((chunk) => {
      const at = chunk.indexOf(backendKeyData);
      if (at >= 0) chunk.writeInt32BE(2 ** 31 - 1, at + backendKeyData.length);
      return { chunk };
    });
    const asked = opened.patient.$queryRaw`SELECT 1 AS one FROM pg_sleep(${(4 * patienceMs) / 1000})`;
    expect(await asked).toEqual([{ one: 1 }]);
  });

  test('is not one whose server works on a question for long, or waits for a row of another', async () => {
    await using opened = await openOverWire();
    const { patient } = opened;
    const asked = patient.$queryRaw`SELECT 1 AS one FROM pg_sleep(${(4 * patienceMs) / 1000})`;
    expect(await asked).toEqual([{ one: 1 }]);
    const { release, ended } = await holdLock(2);
    const waiting = patient.$transaction((each) => each.$queryRaw`SELECT pg_advisory_xact_lock(2) IS NULL AS got`);
    await patient.$queryRaw`SELECT 1 FROM pg_sleep(${(3 * patienceMs) / 1000})`;
    release();
    await ended;
    expect(await waiting).toEqual([{ got: false }]);
  });
});

test('any other error stays as it is', async () => {
  await database.circuit.create({ data: circuit });
  expect(await errorOf(database.circuit.create({ data: circuit }))).toMatchObject({ code: 'P2002' });
});

describe('what PostgreSQL refuses is said with the cure, not as an error of Nightkeep', () => {
  const opening = async (href: string) => opened.adopt(await openDatabase(href), (one) => one.$disconnect());

  test('of a role without rights on a table', async () => {
    const role = `nightkeep_${randomBytes(6).toString('hex')}`;
    await database.$executeRawUnsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    opened.defer(async () => {
      await database.$executeRawUnsafe(`DROP ROLE ${role}`);
    });
    const its = new URL(url);
    [its.username, its.password] = [role, 'x'];
    const poor = await opening(its.href);
    for (const refused of [poor.circuit.count(), poor.$queryRaw`SELECT FROM circuits`])
      expect(await errorOf(refused)).toMatchObject({
        code: 'database/unavailable',
        message: expect.stringMatching(
          /refuses the user of DATABASE_URL \(permission denied for table circuits\)\. Grant/,
        ),
      });
  });

  test('of a database that is read-only', async () => {
    const standby = await opening(`${url}?options=-c%20default_transaction_read_only%3Don`);
    expect(await errorOf(standby.$executeRaw`DELETE FROM circuits`)).toMatchObject({
      message: expect.stringMatching(/^PostgreSQL accepts no writes: .* Let DATABASE_URL name the primary\.$/),
    });
  });

  test('of a server that has no connection left', () => {
    const error = Object.assign(new Error('no'), { meta: { kind: 'TooManyConnections' } });
    expect(asOutage(error)).toMatchObject({ message: expect.stringMatching(/no connection left\. Raise max_conn/) });
  });
});
