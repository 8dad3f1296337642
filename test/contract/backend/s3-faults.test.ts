import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';
import { startMemoryS3 } from '../../support/servers/memory-s3.ts';
import { describeFaults, type FaultyKind } from './faults-contract.ts';

const bytes = randomBytes(1_000);
const name = createHash('sha256').update(bytes).digest('hex');
const kind: FaultyKind = {
  start: startMemoryS3,
  open: openTestBucket,
  saves: 'PUT',
  location: /s3:http:.*\/backups/,
  refusals: [
    ['NoSuchBucket', 404, 'load', 'store/unavailable', /has no such bucket\. Make it, or correct STORE_URL/],
    ['RequestTimeTooSkewed', 403, 'load', 'store/unavailable', /another time than this machine/],
    ['AccessDenied', 403, 'load', 'store/unavailable', /s3:GetObject/],
    ['AccessDenied', 403, 'list', 'store/unavailable', /s3:ListBucket/],
    ['AccessDenied', 403, 'save', 'store/unavailable', /s3:PutObject|s3:GetObject/],
    ['AccessDenied', 403, 'remove', 'store/may-not-delete', /does not let the key delete/],
    ['', 507, 'save', 'store/full', /is full\. Make room/],
    ['', 301, 'load', 'store/unavailable', /points to another address/],
    ['', 418, 'load', 'store/unavailable', /refused a request with error 418/],
  ],
};

describeFaults(kind, 'an S3 server', (way) => {
  test('whether the server refuses a name that is taken is found out once, and changes nothing', async () => {
    const { relay, backend } = way();
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
    const { once, backend } = way();
    await backend.save('lock', name, Buffer.of(1));
    const racers = Array.from({ length: 10 }, (_, number) => once.save('config', 'config', Buffer.of(number)));
    const results = await Promise.allSettled(racers);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
