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
    ['AccessDenied', 403, 'load', 'store/unavailable', /s3:GetObject.* It was asked for .*\/keys\/[0-9a-f]{64}\.$/],
    ['InvalidObjectState', 403, 'load', 'store/unavailable', /has archived a file.* It was asked for .*\/keys\//],
    ['AuthorizationHeaderMalformed', 400, 'list', 'store/unavailable', /another region\. Correct the region/],
    ['ExpiredToken', 400, 'save', 'store/unavailable', /has expired\. Put a new one into STORE_KEYS/],
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

  test.each([
    ['RequestTimeTooSkewed', 403, /another time than this machine/],
    ['InvalidAccessKeyId', 403, /does not know the access key/],
    ['SignatureDoesNotMatch', 403, /does not accept the secret key/],
    ['AuthorizationHeaderMalformed', 400, /another region/],
  ])('%s is said too where the answer has no words, since only its head was asked for', async (code, refuse, words) => {
    const { relay, backend } = way();
    relay.decide(() => ({ refuse, code }));
    const acts = [
      () => backend.stat('data', name),
      () => backend.save('data', name, bytes),
      () => backend.remove('data', name),
    ];
    for (const act of acts) await expect(act()).rejects.toThrow(words);
  });

  test('what a server lists and does not have goes from its listing', async () => {
    const { relay, backend } = way();
    await backend.save('data', name, bytes);
    relay.decide(({ method }) => (method === 'HEAD' ? { refuse: 404, code: 'NoSuchKey' } : 'pass'));
    await expect(backend.remove('data', name)).rejects.toMatchObject({ code: 'store/not-found' });
    expect(await Array.fromAsync(backend.list('data'))).toEqual([]);
  });

  test('of ten who save one name at once, on a server that refuses what is taken, one does', async () => {
    const { once, backend } = way();
    await backend.save('lock', name, Buffer.of(1));
    const racers = Array.from({ length: 10 }, (_, number) => once.save('config', 'config', Buffer.of(number)));
    const results = await Promise.allSettled(racers);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
