import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { saveAudit } from '../../../src/database/audit.ts';
import { freePort } from '../../../src/database/server/free-port.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { silentLog } from '../../../src/log.ts';
import { backUpQueueName, queuePrefix } from '../../../src/queues/connection.ts';
import { openQueues } from '../../../src/queues/queues.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { findingLine } from '../../support/fixtures/finding-line.ts';
import { cheapScryptCosts } from '../../support/fixtures/repository.ts';
import { openDoctorFixture, openDoctorFixtureWithDatabase, statesOf } from '../../support/harness/doctor.ts';
import { startMemoryRest } from '../../support/servers/memory-rest.ts';
import { startMemoryS3 } from '../../support/servers/memory-s3.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';
import { redisServer, startRedis } from '../../support/servers/redis.ts';

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

const open = async () => opened.use(await openDoctorFixture());

describe('the database', () => {
  const rest = ['migrations', 'offline tokens', 'offline windows', 'grants', 'deadlines', 'runs', 'repositories'];
  const unknowns = Object.fromEntries(rest.map((name) => [name, 'unknown']));

  test('that is away is named, and all else is looked at', async () => {
    const { examine } = await open();
    const findings = await examine({ DATABASE_URL: `postgres://x:password-of-x@127.0.0.1:${await freePort()}/x` });
    expect(findingLine(findings.get('database'))).toMatch(
      /^wrong: Nothing answers where DATABASE_URL points\. → Start PostgreSQL/,
    );
    expect(statesOf(findings, ...rest)).toEqual(unknowns);
    expect(statesOf(findings, 'client', 'spool')).toEqual({ client: 'ok', spool: 'ok' });
    expect(JSON.stringify([...findings])).not.toContain('password-of-x');
  });

  test('that does not exist, or is another, is told apart', async () => {
    const { examine } = await open();
    const server = opened.use(await openTestDatabase({ empty: true }));
    const nowhere = new URL(server.url);
    nowhere.pathname = '/nightkeep_test_none';
    expect(findingLine((await examine({ DATABASE_URL: nowhere.href })).get('database'))).toMatch(
      /^wrong: .*no database of that name/,
    );
    const empty = await examine({ DATABASE_URL: server.url });
    expect(empty.get('database')).toMatchObject({ state: 'ok' });
    expect(findingLine(empty.get('migrations'))).toMatch(
      /^wrong: The database lacks \d+ migrations.* → Run: nightkeep migrate/,
    );
    expect(statesOf(empty, 'grants', 'runs')).toEqual({ grants: 'unknown', runs: 'unknown' });
  });

  test('that is newer than this version, or takes no writes, is named', async () => {
    const fixture = opened.use(await openDoctorFixtureWithDatabase());
    const name = '29990101000000_later';
    await fixture.database
      .$executeRaw`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', ${name}, now())`;
    expect(findingLine((await fixture.examine()).get('migrations'))).toMatch(
      /^warn: .*newer version.*29990101000000_later/,
    );
    const readOnly = `${fixture.environment.DATABASE_URL}?options=-c%20default_transaction_read_only%3Don`;
    expect(findingLine((await fixture.examine({ DATABASE_URL: readOnly })).get('database'))).toMatch(
      /^wrong: PostgreSQL accepts no writes/,
    );
  });

  test('with a wrong address is not taken for the embedded one', async () => {
    const { examine } = await open();
    const findings = await examine({ DATABASE_URL: 'mysql://x' });
    expect(findingLine(findings.get('settings'))).toMatch(/^wrong: DATABASE_URL is not a usable address/);
    expect(findingLine(findings.get('database'))).toMatch(/^unknown: Not looked at: the settings for it are wrong/);
  });
});

describe('the queue', () => {
  test('in PostgreSQL needs nothing more', async () => {
    const fixture = opened.use(await openDoctorFixtureWithDatabase());
    expect(findingLine((await fixture.examine()).get('queue'))).toMatch(
      /^ok: It is in PostgreSQL; the first start creates its tables/,
    );
  });

  test.skipIf(redisServer === undefined)('in Redis is held to what a queue needs', async () => {
    const redis = opened.use(await startRedis(redisServer ?? ''));
    const { examine } = await open();
    const findings = await examine({ REDIS_URL: redis.url });
    expect(findingLine(findings.get('queue'))).toMatch(
      /^ok: Redis \d+\.\d+\.\d+ answers, drops nothing and keeps its data/,
    );
    await inRedis(redis.url, (client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'));
    expect(findingLine((await examine({ REDIS_URL: redis.url })).get('queue'))).toMatch(
      /^wrong: .*allkeys-lru.* → Set maxmemory-policy to noeviction/,
    );
  });

  const pausedByAnother =
    /^wrong: It is paused, but not by Nightkeep: .*No worker starts a run\. → Resume it: nightkeep queue --resume/;

  test('in PostgreSQL is reported where somebody paused it there, and where an operator did, with the operator', async () => {
    const fixture = opened.use(await openDoctorFixtureWithDatabase());
    const { database } = fixture;
    const postgresUrl = fixture.environment.DATABASE_URL ?? '';
    const queues = opened.use(await openQueues({ postgresUrl, prefix: queuePrefix, log: silentLog }));
    const told = async () => findingLine((await fixture.examine()).get('queue'));
    expect(await told()).toMatch(/^ok: /);
    await database.$executeRawUnsafe(
      `INSERT INTO "${queuePrefix}".meta (queue, field, value) VALUES ($1, 'paused', '1')`,
      backUpQueueName,
    );
    expect(await queues.backUps.isPaused()).toBe(true);
    expect(await told()).toMatch(pausedByAnother);
    await saveAudit(database, { at: new Date(), by: 'command:root@host', act: 'night-paused', reason: 'disk' });
    expect(await told()).toMatch(/^warn: It is paused by .*root@host.* since .*disk/);
  });

  test.skipIf(redisServer === undefined)('in Redis that somebody paused there is told', async () => {
    const redis = opened.use(await startRedis(redisServer ?? ''));
    const fixture = opened.use(await openDoctorFixtureWithDatabase());
    const told = async () => findingLine((await fixture.examine({ REDIS_URL: redis.url })).get('queue'));
    expect(await told()).toMatch(/^ok: /);
    await inRedis(redis.url, (client) => client.hset(`${queuePrefix}:${backUpQueueName}:meta`, 'paused', '1'));
    expect(await told()).toMatch(pausedByAnother);
    const at = { redisUrl: redis.url, postgresUrl: fixture.environment.DATABASE_URL ?? '', prefix: queuePrefix };
    const queues = opened.use(await openQueues({ ...at, log: silentLog }));
    expect(await queues.backUps.isPaused()).toBe(true);
  });

  test.skipIf(redisServer === undefined)(
    'in Redis where another program put something of its own is told',
    async () => {
      const redis = opened.use(await startRedis(redisServer ?? ''));
      const fixture = opened.use(await openDoctorFixtureWithDatabase());
      const told = async () => findingLine((await fixture.examine({ REDIS_URL: redis.url })).get('queue'));
      const key = `${queuePrefix}:${backUpQueueName}:meta`;
      await inRedis(redis.url, (client) => client.set(key, 'x'));
      expect(await told()).toMatch(/^wrong: Redis holds .*:meta as a string where the queue keeps a hash.* → Let that/);
      await inRedis(redis.url, (client) => client.del(key).then(() => client.hset(key, 'concurrency', '0')));
      expect(await told()).toMatch(/^wrong: Another program limits .*concurrency 0.* → .*HDEL \S+:meta concurrency/);
    },
  );

  test.skipIf(redisServer === undefined)(
    'in a Redis that refuses is told, by the doctor and where it is opened',
    async () => {
      const redis = opened.use(await startRedis(redisServer ?? ''));
      const { examine } = await open();
      const expectTold = async (redisUrl: string, told: RegExp) => {
        expect(findingLine((await examine({ REDIS_URL: redisUrl })).get('queue'))).toMatch(told);
        const opening = openQueues({ redisUrl, postgresUrl: '', prefix: queuePrefix, log: silentLog });
        await expect(opening).rejects.toMatchObject({
          code: 'queue/unavailable',
          message: expect.stringMatching(new RegExp(told.source.slice('^wrong: '.length).replace(' → ', ' '))),
        });
      };
      await expectTold(`${redis.url}/99`, /^wrong: Redis has no database of that number\. → Correct the number/);
      await inRedis(redis.url, (client) => client.config('SET', 'requirepass', 'sesame'));
      await expectTold(redis.url, /^wrong: Redis does not let Nightkeep in\. → Correct user and password/);
      await expectTold(
        redis.url.replace('//', '//:guess@'),
        /^wrong: Redis does not let Nightkeep in\. → Correct user/,
      );
      await expectTold(
        'redis://nowhere.invalid:6379',
        /^wrong: The server in REDIS_URL has a host name .* → Correct the name/,
      );
    },
  );

  test('in a Redis that is away is named', async () => {
    const { examine } = await open();
    const findings = await examine({ REDIS_URL: `redis://:password-of-x@127.0.0.1:${await freePort()}` });
    expect(findingLine(findings.get('queue'))).toMatch(
      /^wrong: Nothing answers where REDIS_URL points\. → Start Redis/,
    );
    expect(JSON.stringify([...findings])).not.toContain('password-of-x');
  });
});

describe('the store', () => {
  test('takes a file and keeps nothing of it', async () => {
    const { examine, folder } = await open();
    await mkdir(join(folder, 'store'));
    expect((await examine()).get('store')).toMatchObject({ state: 'ok' });
    expect(await readdir(join(folder, 'store'))).toEqual([]);
    expect(await readdir(folder)).toEqual(['store']);
  });

  test('that may not be written is named with the cure', async () => {
    const { examine, folder } = await open();
    const closed = join(folder, 'closed');
    await mkdir(closed);
    await chmod(closed, 0o500);
    // The administrator may write in any folder but those of the kernel.
    const store = process.getuid?.() === 0 ? '/sys' : closed;
    expect(findingLine((await examine({ STORE_URL: pathToFileURL(store).href })).get('store'))).toMatch(
      /^wrong: The folder .* (may not be used by this user|is mounted read-only)\. → (Give|Remount)/,
    );
  });

  test('in a bucket takes a file and keeps nothing of it, and what is wrong is named without the key', async () => {
    const { examine } = await open();
    const server = opened.use(await startMemoryS3());
    const STORE_KEYS = 'tester secret-of-the-store';
    const at = (bucket: string) => ({ STORE_KEYS, STORE_URL: `s3://${bucket}/x?endpoint=${server.origin}` });
    const fine = await examine(at('backups'));
    expect(findingLine(fine.get('store'))).toMatch(
      /^(ok: s3:http:.* accepts files|warn: A small file took \d+ ms through s3:http:)/,
    );
    expect([...server.files.keys()]).toEqual([]);
    const wrong = await examine(at('elsewhere'));
    expect(findingLine(wrong.get('store'))).toMatch(
      /^wrong: The store at s3:.* has no such bucket\. → Make it, or correct STORE_URL/,
    );
    expect(JSON.stringify([...fine, ...wrong])).not.toContain('secret-of-the-store');
  });

  test('on a REST server takes a file and keeps nothing of it, and what is wrong is named without the password', async () => {
    const { examine } = await open();
    const credentials = { user: 'keeper', password: 'secret-of-the-store' };
    const server = opened.use(await startMemoryRest({ credentials, isAppendOnly: true }));
    const STORE_URL = `rest:${server.origin.replace('://', '://keeper@')}/people/`;
    const fine = await examine({ STORE_URL, STORE_KEYS: 'keeper secret-of-the-store' });
    expect(findingLine(fine.get('store'))).toMatch(/^ok: rest:http:.*\/people\/nightkeep-doctor\/ accepts files/);
    expect([...server.files.keys()]).toEqual([]);
    const wrong = await examine({ STORE_URL, STORE_KEYS: 'keeper another-secret' });
    expect(findingLine(wrong.get('store'))).toMatch(
      /^wrong: .* does not accept the user or the password\. → Correct STORE_URL/,
    );
    expect(JSON.stringify([...fine, ...wrong])).not.toMatch(/secret-of-the-store|another-secret/);
  });

  test('that is a file, or is missing with all that was in it, is named', async () => {
    const fixture = opened.use(await openDoctorFixtureWithDatabase());
    const file = join(fixture.folder, 'file');
    await writeFile(file, '');
    expect(findingLine((await fixture.examine({ STORE_URL: pathToFileURL(file).href })).get('store'))).toMatch(
      /^wrong: .* is a file/,
    );
    const store = (location: string) => openLocalBackend(join(fixture.folder, 'store', location));
    const { userId } = await fixture.consent();
    const { location } = await ensurePersonRepository(
      { ...fixture.resources, scrypt: cheapScryptCosts, store },
      userId,
    );
    expect(statesOf(await fixture.examine(), 'store', 'repositories')).toEqual({ store: 'ok', repositories: 'ok' });
    const elsewhere = (await fixture.examine({ STORE_URL: pathToFileURL(file).href })).get('repositories');
    expect(findingLine(elsewhere)).toMatch(
      /^wrong: It could not be checked: The store at .* lies where a file is\. → Give it/,
    );
    await rm(location, { recursive: true, force: true });
    expect(findingLine((await fixture.examine()).get('repositories'))).toMatch(
      /^wrong: 1 repository of 1 has no config in the store/,
    );
    await rm(join(fixture.folder, 'store'), { recursive: true });
    expect(findingLine((await fixture.examine()).get('store'))).toMatch(
      /^wrong: There is no folder .* should hold 1 repository.* → Mount the disk/,
    );
  });
});

test('what cannot be looked at for a reason that no other line tells is wrong, not passed over', async () => {
  const fixture = opened.use(await openDoctorFixtureWithDatabase());
  await fixture.database.$executeRaw`ALTER TABLE circuits RENAME TO elsewhere`;
  expect(findingLine((await fixture.examine()).get('grants'))).toMatch(/^wrong: It could not be checked: .*circuits/);
});

test('tokens that wait on this disk are counted', async () => {
  const fixture = opened.use(await openDoctorFixtureWithDatabase());
  await fixture.resources.spool.keep('an-exchange', Buffer.from('cut off'));
  expect(findingLine((await fixture.examine()).get('spool'))).toMatch(
    /^warn: 1 token is on this disk only.*nightkeep heal/,
  );
  expect((await fixture.examine()).get('keyring')).toMatchObject({ state: 'ok' });
});

test('reports every wrong setting at once, and every name that no setting has', async () => {
  const { examine } = await open();
  const findings = await examine({ ZONE: 'Mars/Olympus', OIDC_CLIENT_SECRT: 'x' });
  expect(findings.get('settings')).toMatchObject({
    state: 'warn',
    finding: expect.stringContaining('OIDC_CLIENT_SECRT'),
  });
  expect(statesOf(findings, 'client', 'discovery')).toEqual({ client: 'ok', discovery: 'ok' });
});

test('an address over which nobody could sign in is named', async () => {
  const { examine } = await open();
  expect(findingLine((await examine({ PUBLIC_URL: 'http://nightkeep.example' })).get('public address'))).toMatch(
    /^wrong: .*plain http/,
  );
  expect(findingLine((await examine({ PUBLIC_URL: 'https://nightkeep.example/a' })).get('public address'))).toMatch(
    /^warn: .*only https/,
  );
});

async function inRedis(url: string, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const { Redis } = await import('ioredis');
  const client = new Redis(url);
  await work(client);
  client.disconnect();
}
