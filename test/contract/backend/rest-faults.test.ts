import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { newRepository } from '../../support/fixtures/repository.ts';
import { openTestRest } from '../../support/fixtures/rest-store.ts';
import { startMemoryRest } from '../../support/servers/memory-rest.ts';
import { describeFaults, type FaultyKind } from './faults-contract.ts';

const kind: FaultyKind = {
  start: startMemoryRest,
  open: openTestRest,
  saves: 'POST',
  location: /rest:http:/,
  refusals: [
    ['', 401, 'load', 'store/unavailable', /does not accept the user or the password/],
    ['', 403, 'load', 'store/unavailable', /does not let the user read there/],
    ['', 403, 'list', 'store/unavailable', /does not let the user list there/],
    ['', 403, 'save', 'store/unavailable', /does not let the user write there/],
    ['', 403, 'remove', 'store/may-not-delete', /lets nobody delete there/],
    ['', 404, 'save', 'store/unavailable', /keeps no repository at such a path/],
    ['', 413, 'save', 'store/full', /is full\. Make room/],
    ['', 507, 'save', 'store/full', /is full\. Make room/],
    ['', 301, 'load', 'store/unavailable', /points to another address/],
    ['', 418, 'load', 'store/unavailable', /refused a request with error 418/],
  ],
};

describeFaults(kind, 'a REST server', (way) => {
  test('of ten who save one name at once, on a server that refuses what is taken, one does', async () => {
    const { once } = way();
    const racers = Array.from({ length: 10 }, (_, number) => once.save('config', 'config', Buffer.of(number)));
    const results = await Promise.allSettled(racers);
    const lost = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(lost.map(({ code }) => code)).toEqual(Array.from({ length: 9 }, () => 'store/exists'));
  });

  test('a folder of a repository that is gone is no empty one, and is named', async () => {
    const { relay, backend } = way();
    await newRepository(backend);
    expect(await Array.fromAsync(backend.list('snapshot'))).toEqual([]);
    relay.decide(({ path }) => (/\/(snapshots|index|data)\/$/.test(path) ? { refuse: 404 } : 'pass'));
    for (const type of ['snapshot', 'index', 'data'] as const)
      await expect(Array.fromAsync(backend.list(type))).rejects.toMatchObject({
        code: 'store/unavailable',
        message: expect.stringMatching(/has no folder \S+\/(snapshots|index|data)\/, though the repository/),
      });
  });

  test('a listing that was cut off is not believed', async () => {
    const { relay, backend, once } = way();
    const bytes = Buffer.from('a key');
    await backend.save('key', createHash('sha256').update(bytes).digest('hex'), bytes);
    relay.decide(({ path }) => (path.includes('/keys/') ? 'cut' : 'pass'));
    await expect(Array.fromAsync(once.list('key'))).rejects.toMatchObject({ retry: { afterMs: 500 } });
  });
});
