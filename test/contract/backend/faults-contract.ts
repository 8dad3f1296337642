import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { isAppError } from '../../../src/errors.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import type { HttpClientOptions } from '../../../src/store/backend/http/http-client.ts';
import type { RemoteStore } from '../../../src/store/backend/remote-store.ts';
import { retrying } from '../../../src/store/backend/retrying.ts';
import type { Tree } from '../../../src/store/format/tree.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import type { SavedSnapshot } from '../../../src/store/repository/snapshots.ts';
import { readFiles } from '../../../src/store/restorer/read-files.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { file, folder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository, writeSnapshot } from '../../support/fixtures/repository.ts';
import { type Fate, type HttpRelay, openHttpRelay, type RelayedRequest } from '../../support/servers/http-relay.ts';

/** A kind of server, as the tests start it and reach it. */
export interface FaultyKind {
  readonly start: () => Promise<{ readonly origin: string } & AsyncDisposable>;
  readonly open: (origin: string, options?: Partial<HttpClientOptions>) => RemoteStore;
  /** The method by which files are saved. */
  readonly saves: 'PUT' | 'POST';
  /** What errors call the store. */
  readonly location: RegExp;
  /** What is made of refusals: code in the answer, status, what was tried, code of the error, and words of it. */
  readonly refusals: readonly [string, number, 'load' | 'list' | 'save' | 'remove', string, RegExp][];
}

/** What stands between a backend and its server in one test. */
export interface FaultyWay {
  readonly relay: HttpRelay;
  /** Without retries, and with them. */
  readonly once: Backend;
  readonly backend: Backend;
  /** Lets this happen to the first so many requests of the method; those after them pass. */
  befall(method: string, fate: Fate, times: number): void;
}

function asDamage(error: unknown): string[] {
  if (isAppError(error, 'repository/damaged')) return [error.message];
  throw error;
}

const filesOf = ({ nodes }: Tree) => nodes.filter((node) => node.type === 'file');

/** Pauses pass at once. */
const clock = { ...systemClock(), sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() };
const bytes = randomBytes(50_000);
const name = createHash('sha256').update(bytes).digest('hex');

/** The clock by which the HTTP client tells that no answer comes; it moves in steps of half a second. */
const timers = createRequire(import.meta.url)('undici/lib/util/timers.js') as { tick(ms: number): void };
const patience = { answerTimeoutMs: 200, silenceTimeoutMs: 200 };

/**
 * Holds a backend on a server to what it promises on a way on which things go wrong. `more` adds the tests of the kind.
 */
export function describeFaults(kind: FaultyKind, title: string, more: (way: () => FaultyWay) => void): void {
  let opened: AsyncDisposableStack;
  let server: { readonly origin: string };
  let relay: HttpRelay;
  let once: Backend;
  let backend: Backend;
  beforeAll(async () => {
    opened = new AsyncDisposableStack();
    server = opened.use(await kind.start());
    relay = opened.use(await openHttpRelay(server.origin));
  });
  afterAll(() => opened.disposeAsync());
  beforeEach(() => {
    relay.decide(() => 'pass');
    once = opened.use(kind.open(relay.origin, patience)).open(randomUUID());
    backend = retrying(once, { clock });
  });
  const befall: FaultyWay['befall'] = (method, fate, times) => {
    let left = times;
    relay.decide((request) => {
      if (request.method !== method || left-- <= 0) return 'pass';
      // Time passes at once where nobody answers.
      if (fate === 'stall') setTimeout(() => timers.tick(1000), 1);
      return fate;
    });
  };

  describe(`between us and ${title}`, () => {
    const fates: [string, Fate][] = [
      ['an error that passes', { refuse: 503, code: 'SlowDown' }],
      ['an error without words', { refuse: 500 }],
      ['an answer that is lost', 'lose'],
      ['an answer that is cut off', 'cut'],
      ['no answer', 'stall'],
    ];

    test.each(fates)(
      '%s, twice, keeps no file from being saved, read, listed and removed whole',
      async (_what, fate) => {
        for (const method of ['HEAD', kind.saves]) {
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
      },
    );

    test('what stays wrong ends after a bounded number of attempts, with its reason', async () => {
      relay.decide(() => ({ refuse: 503 }));
      const before = relay.requests.length;
      await expect(backend.load('data', name)).rejects.toMatchObject({
        code: 'store/unavailable',
        message: expect.stringMatching(/^The store at \S+ answered with error 503\.$/),
      });
      await expect(backend.load('data', name)).rejects.toThrow(kind.location);
      expect(relay.requests.length - before).toBe(10);
    });

    test('one pack that the server does not give is named, and keeps nothing else from being read', async () => {
      await newRepository(backend);
      const repository = await openRepository(backend, 'pw');
      await repository.loadIndex();
      await writeSnapshot(repository, { lost: randomBytes(500) });
      await writeSnapshot(repository, { kept: randomBytes(500) }, '2026-01-03T03:04:05+01:00');
      const [lost, kept] = await Array.fromAsync(repository.listSnapshots());
      const [pack] = Array.from(repository.index.packs()).filter(({ blobs }) => blobs[0]?.type === 'data');
      relay.decide(({ method, path }) =>
        method === 'GET' && path.includes(pack?.id ?? '') ? { refuse: 503 } : 'pass',
      );
      const read = async (one: SavedSnapshot | undefined) => {
        const told: string[] = [];
        const files = filesOf(await repository.loadTree(one?.snapshot.tree as never));
        for await (const { content } of readFiles(repository, files)) {
          const lengths = await Array.fromAsync(content, (piece) => String(piece.length)).catch(asDamage);
          told.push(...lengths);
        }
        return told;
      };
      expect(await read(lost)).toEqual([expect.stringContaining(`The pack ${pack?.id} cannot be read from the store`)]);
      expect(await read(kept)).toEqual(['500']);
      const { findings } = await checkRepository(await openRepository(backend, 'pw'), { readData: 'all' });
      expect(findings).toMatchObject([{ kind: 'pack-damaged', packId: pack?.id, files: [{ path: '/lost' }] }]);
      relay.decide(() => ({ refuse: 503 }));
      await expect(read(kept)).rejects.toMatchObject({ code: 'store/unavailable' });
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

    test('nobody there is said as such', async () => {
      const away = await openHttpRelay(server.origin);
      await away[Symbol.asyncDispose]();
      await using store = kind.open(away.origin);
      await expect(store.open('x').load('data', name)).rejects.toMatchObject({
        code: 'store/unavailable',
        message: expect.stringContaining('does not answer'),
        retry: { afterMs: 500 },
      });
    });

    test.each(kind.refusals)(
      '%s (%i) on %s is %s, with the cure, and not tried again',
      async (code, refuse, act, expected, words) => {
        await backend.save('key', name, bytes);
        const methods = { load: 'GET', list: 'GET', save: kind.saves, remove: 'DELETE' };
        relay.decide(({ method }) => (method === methods[act] ? { refuse, code } : 'pass'));
        const acts = {
          load: () => backend.load('key', name),
          list: () => Array.fromAsync(backend.list('key')),
          save: () => backend.save('data', name, bytes),
          remove: () => backend.remove('key', name),
        };
        const doing = acts[act]();
        await expect(doing).rejects.toMatchObject({ code: expected, retry: undefined });
        await expect(doing).rejects.toThrow(words);
      },
    );

    more(() => ({ relay, once, backend, befall }));
  });

  describe(`nights through ${title} on which every fourth request goes wrong`, () => {
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
      for (let night = 0; night < 3; night++) {
        for (let number = 0; number < 15; number++) contents[`${night}-${number}`] = file(randomBytes(2_000));
        const repository = await openRepository(backend, 'pw');
        await using _lock = await lockRepository(repository, { clock, ...owner });
        await repository.loadIndex();
        const { problems } = await archiveNight(repository, [memorySource(folder(contents))], { clock });
        expect(problems).toEqual([]);
      }
      relay.decide(() => 'pass');
      const repository = await openRepository(once, 'pw');
      const report = await checkRepository(repository, { readData: 'all' });
      expect(report).toMatchObject({ findings: [], snapshots: 3 });
      const last = await repository.findSnapshot('latest');
      expect((await contentOf(repository, last.snapshot.tree)).size).toBeGreaterThan(45);
      expect(await Array.fromAsync(once.list('lock'))).toEqual([]);
    });
  });
}
