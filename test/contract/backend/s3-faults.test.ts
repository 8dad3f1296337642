import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { retrying } from '../../../src/store/backend/retrying.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';
import { type MemoryS3, startMemoryS3 } from '../../support/servers/memory-s3.ts';
import { type Fate, openS3Relay, type RelayedRequest, type S3Relay } from '../../support/servers/s3-relay.ts';

/** Pauses pass at once. */
const clock = { ...systemClock(), sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() };
const bytes = randomBytes(50_000);
const name = createHash('sha256').update(bytes).digest('hex');

let opened: AsyncDisposableStack;
let server: MemoryS3;
let relay: S3Relay;
let backend: Backend;
let once: Backend;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await startMemoryS3());
  relay = opened.use(await openS3Relay(server.origin));
});
afterAll(() => opened.disposeAsync());
beforeEach(() => {
  relay.decide(() => 'pass');
  once = opened.use(openTestBucket(relay.origin, { answerTimeoutMs: 200, silenceTimeoutMs: 200 })).open(randomUUID());
  backend = retrying(once, { clock });
});

/** Lets this happen to the first so many requests of the method; those after them pass. */
function befall(method: string, fate: Fate, times: number): void {
  let left = times;
  relay.decide((request) => (request.method === method && left-- > 0 ? fate : 'pass'));
}

describe('between us and an S3 server', () => {
  const fates: [string, Fate][] = [
    ['an error that passes', { refuse: 503, code: 'SlowDown' }],
    ['an error without words', { refuse: 500 }],
    ['an answer that is lost', 'lose'],
    ['an answer that is cut off', 'cut'],
    ['no answer', 'stall'],
  ];

  test.each(fates)('%s, twice, keeps no file from being saved, read, listed and removed whole', async (_what, fate) => {
    for (const method of ['HEAD', 'PUT']) {
      befall(method, fate, 2);
      const own = Buffer.from(`${method} ${_what}`);
      const ownName = createHash('sha256').update(own).digest('hex');
      await backend.save('index', ownName, own);
      expect(await backend.load('index', ownName)).toEqual(own);
    }
    await backend.save('data', name, bytes);
    befall('GET', fate, 2);
    expect((await backend.load('data', name)).equals(bytes)).toBe(true);
    befall('GET', fate, 2);
    expect((await backend.load('data', name, { offset: 10, length: 40_000 })).length).toBe(40_000);
    befall('GET', fate, 2);
    expect(await Array.fromAsync(backend.list('index'))).toHaveLength(2);
    befall('DELETE', fate, 2);
    await backend.remove('data', name);
    expect(await Array.fromAsync(backend.list('data'))).toEqual([]);
  });

  test('what stays wrong ends after a bounded number of attempts, with its reason', async () => {
    relay.decide(() => ({ refuse: 503 }));
    const before = relay.requests.length;
    await expect(backend.load('data', name)).rejects.toMatchObject({
      code: 'store/unavailable',
      message: expect.stringMatching(/^The store at s3:http:.*\/backups answered with error 503\.$/),
    });
    expect(relay.requests.length - before).toBe(5);
  });

  test('a file that is not shown yet after it was saved is waited for', async () => {
    await backend.save('data', name, bytes);
    befall('GET', { refuse: 404, code: 'NoSuchKey' }, 2);
    expect((await backend.load('data', name)).equals(bytes)).toBe(true);
  });

  test('a listing that fails is never taken for an empty one', async () => {
    await backend.save('data', name, bytes);
    befall('GET', { refuse: 500, code: 'InternalError' }, 99);
    await expect(Array.fromAsync(backend.list('data'))).rejects.toMatchObject({ code: 'store/unavailable' });
  });

  test.each<[string, number, string, string, RegExp]>([
    ['NoSuchBucket', 404, 'load', 'store/unavailable', /has no such bucket\. Make it, or correct STORE_URL/],
    ['RequestTimeTooSkewed', 403, 'load', 'store/unavailable', /another time than this machine/],
    ['AccessDenied', 403, 'load', 'store/unavailable', /s3:GetObject/],
    ['AccessDenied', 403, 'list', 'store/unavailable', /s3:ListBucket/],
    ['AccessDenied', 403, 'save', 'store/unavailable', /s3:PutObject|s3:GetObject/],
    ['AccessDenied', 403, 'remove', 'store/may-not-delete', /does not let the key delete/],
    ['', 507, 'save', 'store/full', /is full\. Make room/],
    ['', 301, 'load', 'store/unavailable', /points to another address/],
    ['', 418, 'load', 'store/unavailable', /refused a request with error 418/],
  ])('%s (%i) on %s is %s, with the cure, and not tried again', async (code, refuse, act, expected, words) => {
    await backend.save('key', name, bytes);
    const methods: Record<string, string> = { load: 'GET', list: 'GET', save: 'PUT', remove: 'DELETE' };
    relay.decide(({ method }) => (method === methods[act] ? { refuse, code } : 'pass'));
    const acts: Record<string, () => Promise<unknown>> = {
      load: () => backend.load('key', name),
      list: () => Array.fromAsync(backend.list('key')),
      save: () => backend.save('data', name, bytes),
      remove: () => backend.remove('key', name),
    };
    const doing = acts[act]?.() ?? Promise.resolve();
    await expect(doing).rejects.toMatchObject({ code: expected, retry: undefined });
    await expect(doing).rejects.toThrow(words);
  });

  test('nobody there is said as such', async () => {
    const away = await openS3Relay(server.origin);
    await away[Symbol.asyncDispose]();
    await using store = openTestBucket(away.origin);
    await expect(store.open('x').load('data', name)).rejects.toMatchObject({
      code: 'store/unavailable',
      message: expect.stringContaining('does not answer'),
      retry: { afterMs: 500 },
    });
  });

  test('whether the server refuses a name that is taken is found out once, and changes nothing', async () => {
    const puts = () => relay.requests.filter(({ method }) => method === 'PUT').length;
    const heads = () => relay.requests.filter(({ method }) => method === 'HEAD').length;
    const small = Array.from({ length: 3 }, (_, size) => randomBytes(size + 1));
    const before = { puts: puts(), heads: heads() };
    for (const one of small) {
      const own = createHash('sha256').update(one).digest('hex');
      await backend.save('lock', own, one);
      expect(await backend.load('lock', own)).toEqual(one);
    }
    expect({ puts: puts() - before.puts, heads: heads() - before.heads }).toEqual({ puts: 4, heads: 1 });
  });

  test('of ten who save one name at once, on a server that refuses what is taken, one does', async () => {
    await backend.save('lock', name, Buffer.of(1));
    const racers = Array.from({ length: 10 }, (_, number) => once.save('config', 'config', Buffer.of(number)));
    const results = await Promise.allSettled(racers);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('nights through a server on which every fourth request goes wrong', () => {
  /** Reads on the test's own way, and everything else on the one where things go wrong. */
  const wayward = (): ((request: RelayedRequest) => Fate) => {
    const fates: Fate[] = [{ refuse: 503, code: 'SlowDown' }, 'lose', 'cut', { refuse: 500 }];
    let count = 0;
    return () => {
      count += 1;
      return count % 4 === 0 ? (fates[(count / 4) % fates.length] ?? 'pass') : 'pass';
    };
  };

  test('leave a repository that is whole', async () => {
    const owner = openLockOwner('nightkeep-test');
    relay.decide(wayward());
    await newRepository(backend);
    const contents: Record<string, ReturnType<typeof file>> = {};
    for (let night = 0; night < 4; night++) {
      for (let number = 0; number < 30; number++) contents[`${night}-${number}`] = file(randomBytes(2_000));
      const repository = await openRepository(backend, 'pw');
      await using _lock = await lockRepository(repository, { clock, ...owner });
      await repository.loadIndex();
      const { problems } = await archiveNight(repository, [memorySource(folder(contents))], { clock });
      expect(problems).toEqual([]);
    }
    relay.decide(() => 'pass');
    const repository = await openRepository(once, 'pw');
    const report = await checkRepository(repository, { readData: 'all' });
    expect(report).toMatchObject({ findings: [], snapshots: 4 });
    const last = await repository.findSnapshot('latest');
    expect((await contentOf(repository, last.snapshot.tree)).size).toBeGreaterThan(120);
    expect(await Array.fromAsync(once.list('lock'))).toEqual([]);
  });
});
