import { describe, expect, test } from 'vitest';
import { bytesWords, durationWords } from '../../../src/count-words.ts';
import { asOutage } from '../../../src/database/client.ts';
import { kindOfFault } from '../../../src/database/fault.ts';
import type { ServerFacts } from '../../../src/database/server/inspect-server.ts';
import { checkClocks } from '../../../src/doctor/checks/clocks.ts';
import { checkFault, checkServer } from '../../../src/doctor/checks/database.ts';
import { checkMigrations } from '../../../src/doctor/checks/migrations.ts';
import { checkPublicAddress } from '../../../src/doctor/checks/public-address.ts';
import { checkRedis, checkRedisFault, readInfo } from '../../../src/doctor/checks/queue.ts';
import { checkRepositories } from '../../../src/doctor/checks/repositories.ts';
import { checkSettings } from '../../../src/doctor/checks/settings.ts';
import { checkFolder, checkPrivacy, checkRemote } from '../../../src/doctor/checks/store.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { someOf } from '../../../src/doctor/words.ts';
import { parseStoreAddress } from '../../../src/domain/store-address.ts';

const words = ({ state, finding, cure }: Finding) => `${state}: ${finding} → ${cure}`;

describe('settings', () => {
  test('that are wrong are told one by one, once each', () => {
    const found = checkSettings(['PORT is "x".', 'ZONE is "y".', 'PORT is "x".'], {});
    expect(found.map(words)).toEqual([expect.stringMatching(/^wrong: PORT/), expect.stringMatching(/^wrong: ZONE/)]);
  });

  test('that nobody reads are pointed out, files among them', () => {
    const names = ['OIDC_ISSUER', 'OIDC_CLIENT_SECRET_FILE', 'OFFLINE_IDEL', 'OIDC_SECRET_FILE', 'HOME', 'PATH'];
    const found = checkSettings([], Object.fromEntries(names.map((name) => [name, 'x'])));
    expect(found.map(({ finding }) => finding.split(' ')[0])).toEqual(['OFFLINE_IDEL', 'OIDC_SECRET_FILE']);
    expect(checkSettings([], { OIDC_ISSUER: 'x' })).toMatchObject([{ state: 'ok' }]);
  });

  test('in quotes are pointed out', () => {
    expect(checkSettings([], { OIDC_CLIENT_SECRET: '"secret"' }).map(words)).toEqual([
      'warn: OIDC_CLIENT_SECRET is in quotes, and they count as a part of it. → Leave them out.',
    ]);
  });
});

test.each([
  ['https://nightkeep.example/', /^ok: .*is https/],
  ['http://localhost:3000/', /^ok: .*on this machine/],
  ['http://[::1]:3000/', /^ok: .*on this machine/],
  ['http://nightkeep.example/', /^wrong: .*nobody can sign in/],
  ['http://localhost.example/', /^wrong: /],
  ['https://nightkeep.example/app/', /^warn: .*only https:\/\/nightkeep.example counts/],
  [
    'http://localhost:6000',
    /^wrong: .*browsers refuse to open http:\/\/localhost:6000, so nobody can sign in\. → Serve the pages/,
  ],
])('the public address %s', (address, pattern) => expect(words(checkPublicAddress(new URL(address)))).toMatch(pattern));

describe('clocks', () => {
  test.each([
    [{}, /^unknown: /],
    [{ provider: 2, database: -1 }, /^ok: This machine agrees with the provider and the database\. →/],
    [{ database: 0 }, /^ok: This machine agrees with the database\. The provider's time is not known before/],
    [{ tokens: 1 }, /^ok: This machine agrees with the provider/],
    [
      { provider: 0, tokens: 600 },
      /^warn: This machine is 600 s behind the clock by which the provider signed its tokens of the last days/,
    ],
    [{ provider: -30, tokens: -32, proves: false }, /^warn: This machine is 30 s ahead of the provider\. →/],
    [{ provider: 16, proves: true }, /^wrong: .*The provider may refuse Nightkeep's signatures as expired/],
    [{ provider: -59 }, /^warn: /],
    [
      { provider: 9 },
      /^warn: This machine is 9 s behind the provider\. → Set the clocks of this machine and of the provider/,
    ],
    [{ tokens: -61 }, /^wrong: This machine is 61 s ahead of the provider\. Tokens may be refused as expired/],
    [{ database: 3_600, provider: 1 }, /^warn: This machine is 3600 s behind the database/],
    [
      { provider: 61, database: 60 },
      /^wrong: .* 61 s behind the provider and 60 s behind the database.* → Set the clock of this machine by NTP/,
    ],
    [{ provider: 61, database: -60 }, /→ Set the clocks of this machine and of the provider and the database/],
  ])('%j', (facts, pattern) => expect(words(checkClocks(facts))).toMatch(pattern));
});

describe('the database', () => {
  const facts: ServerFacts = {
    version: '18.1',
    major: 18,
    now: new Date(0),
    readOnly: false,
    connections: 20,
    mostConnections: 100,
    bytes: 12_345_678,
  };
  test.each([
    [{}, 5, /^ok: PostgreSQL 18\.1 answers in 5 ms \(11\.8 MiB\)/],
    [{ major: 12, version: '12.9' }, 5, /^wrong: PostgreSQL 12\.9 is too old/],
    [{ readOnly: true }, 5, /^wrong: .*accepts no writes/],
    [{ connections: 90 }, 5, /^warn: 90 of 100 connections are taken/],
    [{}, 2_000, /^warn: .*took 2000 ms/],
  ])('%j', (change, ms, pattern) => expect(words(checkServer({ ...facts, ...change }, ms))).toMatch(pattern));

  test('that cannot be opened is told by the driver’s word for it, wherever that stands', () => {
    const error = Object.assign(new Error('x'), {
      meta: { driverAdapterError: { cause: { kind: 'DatabaseDoesNotExist' } } },
    });
    expect(kindOfFault(error)).toBe('DatabaseDoesNotExist');
    expect(kindOfFault(new Error('x', { cause: error }))).toBe('DatabaseDoesNotExist');
    expect(kindOfFault(new Error('x'))).toBeUndefined();
    expect(words(checkFault('DatabaseAccessDenied', { embedded: false }))).toMatch(
      /^wrong: .*does not let this user in/,
    );
    expect(words(checkFault(undefined, { embedded: true }))).toMatch(/^wrong: The embedded PostgreSQL does not start/);
  });

  test.each([
    ['the driver', Object.assign(new Error('could not write init file'), { code: '53100' })],
    ['Prisma', { meta: { driverAdapterError: { cause: { kind: 'postgres', code: '53100' } } } }],
    ['a raw query', new Error('Raw query failed. Code: `53100`. Message: `could not extend file "base/5/17533"`')],
  ])('whose disk is full, as %s says it, is said to be, and counts as an outage', (_, error) => {
    expect(kindOfFault(error)).toBe('DiskFull');
    for (const embedded of [true, false])
      expect(words(checkFault(kindOfFault(error), { embedded }))).toMatch(/^wrong: The disk of PostgreSQL is full\./);
    const told = asOutage(Object.assign(new Error('x'), error instanceof Error ? { cause: error } : error));
    expect(told).toMatchObject({
      code: 'database/unavailable',
      message: expect.stringMatching(/disk.* is full.*room/),
    });
  });

  test('that lacks migrations is mended by a command, or by the next start', () => {
    expect(words(checkMigrations({ missing: ['1_a'], unknown: [] }, { embedded: false }))).toMatch(
      /^wrong: .* 1 migration: 1_a\. → Run: nightkeep migrate/,
    );
    expect(checkMigrations({ missing: ['1_a'], unknown: [] }, { embedded: true }).state).toBe('warn');
    expect(checkMigrations({ missing: [], unknown: ['2_b'] }, { embedded: false }).state).toBe('warn');
    expect(checkMigrations({ missing: [], unknown: [] }, { embedded: false }).state).toBe('ok');
  });
});

describe('Redis', () => {
  const good = {
    redis_version: '7.0.15',
    role: 'master',
    loading: '0',
    maxmemory: '0',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
  };
  test.each([
    [{}, /^ok: Redis 7\.0\.15/],
    [{ redis_version: '6.2.0' }, /^ok: /],
    [{ redis_version: '6.0.16' }, /^wrong: Redis 6\.0\.16 is too old/],
    [{ role: 'slave' }, /^wrong: .*replica/],
    [{ loading: '1' }, /^warn: .*loading/],
    [{ maxmemory_policy: 'allkeys-lru' }, /^wrong: .*\(maxmemory-policy allkeys-lru\)/],
    [{ maxmemory: '1000', used_memory: '950' }, /^warn: Redis has used 950 bytes of 1000 bytes/],
    [{ aof_enabled: '0' }, /^warn: .*may forget the latest jobs.*heal/],
    [{ aof_enabled: '0', rdb_last_bgsave_status: 'err' }, /^warn: .*could not write/],
    [{ aof_last_write_status: 'err' }, /^warn: .*could not write/],
  ])('%j', (change, pattern) =>
    expect(words(checkRedis(new Map(Object.entries({ ...good, ...change }))))).toMatch(pattern),
  );

  test('is read by the names of its INFO', () => {
    expect(readInfo('# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n')).toEqual(
      new Map([
        ['redis_version', '7.0.15'],
        ['executable', '/a:b'],
      ]),
    );
  });

  test.each([
    ['WRONGPASS invalid username-password pair', /does not let Nightkeep in/],
    ["NOPERM User nk has no permissions to run the 'info' command", /the user of REDIS_URL .* nightkeep:\*/],
    ["READONLY You can't write against a read only replica.", /is a replica .* → Let REDIS_URL name the primary/],
    ['LOADING Redis is loading the dataset in memory', /still loading/],
    ['ERR DB index is out of range', /no database of that number/],
    ['connect ECONNREFUSED', /Nothing answers/],
  ])('that says %j is named with the cure', (said, told) =>
    expect(words(checkRedisFault(new Error(said)))).toMatch(told),
  );

  test('whose name or certificate is wrong is told from one that is away', () => {
    const failed = (code: string) => words(checkRedisFault(Object.assign(new Error('no'), { code })));
    expect(failed('ENOTFOUND')).toMatch(/host name that cannot be resolved\. → Correct the name in REDIS_URL/);
    expect(failed('CERT_HAS_EXPIRED')).toMatch(/has expired\. → Renew/);
  });
});

describe('the store', () => {
  const gib = 1024 ** 3;
  const folder = { folder: '/srv/store', exists: true, freeBytes: 50 * gib, totalBytes: 100 * gib, tripMs: 3 };
  test.each([
    [folder, 4, /^ok: \/srv\/store accepts files \(3 ms each\) and has 50\.0 GiB free/],
    [{ ...folder, freeBytes: gib }, 4, /^warn: Only 1\.0 GiB of 100\.0 GiB/],
    [{ ...folder, freeBytes: 30 * gib, totalBytes: 1_000 * gib }, 4, /^warn: Only 30/],
    [{ ...folder, tripMs: 1_500 }, 4, /^warn: A small file took 1500 ms/],
    [
      { folder: '/srv/store', exists: true, fault: 'is full. Make room' },
      4,
      /^wrong: The folder \/srv\/store is full\. → Make room\./,
    ],
    [
      { folder: '/srv/store', exists: true, fault: 'failed in an unexpected way' },
      4,
      /^wrong: .* way\. → Look at the disk/,
    ],
    [{ folder: '/srv/store', exists: false }, 0, /^unknown: .*the first run creates it/],
    [{ folder: '/srv/store', exists: false }, undefined, /^unknown: /],
    [{ folder: '/srv/store', exists: false }, 1, /^wrong: .*should hold 1 repository\. → Mount the disk/],
  ])('%j with %s repositories', (facts, expected, pattern) =>
    expect(words(checkFolder(facts, expected))).toMatch(pattern),
  );

  const bucket = { location: 's3:https://s3.example/backups/nightkeep-doctor', tripMs: 40, mayDelete: true };
  test.each([
    [bucket, /^ok: s3:https:\/\/s3\.example\/backups\S* accepts files \(a small one took 40 ms\)/],
    [{ ...bucket, tripMs: 1_500 }, /^warn: A small file took 1500 ms/],
    [{ ...bucket, mayDelete: false }, /^warn: .*may not even delete locks.* → Allow the key to delete below locks\//],
    [
      { location: bucket.location, fault: 'The store at s3:x does not know the access key. Correct STORE_KEYS.' },
      /^wrong: The store at s3:x does not know the access key\. → Correct STORE_KEYS\./,
    ],
  ])('in a bucket: %j', (facts, pattern) => expect(words(checkRemote(facts))).toMatch(pattern));

  test.each([
    [
      'rest:http://nightkeep@rest.example:8000/',
      /^warn: The password is sent to rest\.example without TLS.* → Let the server/,
    ],
    ['rest:http://rest.example:8000/', undefined],
    ['rest:https://nightkeep@rest.example:8000/', undefined],
    ['rest:http://nightkeep@127.0.0.1:8000/', undefined],
    ['rest:http://nightkeep@[::1]:8000/', undefined],
    ['s3://bucket?endpoint=http://s3.example', undefined],
  ])('at %s: whether the password can be overheard', (url, pattern) => {
    const address = parseStoreAddress(url);
    if (address.kind === 'folder') throw new Error('It is no server.');
    const finding = checkPrivacy(address);
    if (pattern === undefined) expect(finding).toBeUndefined();
    else expect(words(finding ?? { name: 'store', state: 'ok', finding: '' })).toMatch(pattern);
  });

  test('names some of the repositories that it lacks', () => {
    const missing = Array.from({ length: 9 }, (_, index) => `r${index}`);
    expect(checkRepositories({ known: 20, missing }).finding).toBe(
      '9 repositories of 20 have no config in the store: r0, r1, r2, r3, r4 and 4 more.',
    );
    expect(checkRepositories({ known: 2, missing: [] }).state).toBe('ok');
  });
});

test('words for numbers', () => {
  const day = 86_400_000;
  expect([30 * day, 1.5 * day, 90_000, 3_600_000, 45 * 60_000, 500, 9.97 * day].map(durationWords)).toEqual([
    '30d',
    '36h',
    '90s',
    '1h',
    '45m',
    '1s',
    '10d',
  ]);
  expect([0, 1, 1023, 1024, 5.5 * 1024 ** 2].map(bytesWords)).toEqual([
    '0 bytes',
    '1 byte',
    '1023 bytes',
    '1.0 KiB',
    '5.5 MiB',
  ]);
  expect([someOf(['a', 'b']), someOf(['a', 'b', 'c'], 2)]).toEqual(['a, b', 'a, b and 1 more']);
});
