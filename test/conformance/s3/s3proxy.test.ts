import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RemoteStore } from '../../../src/store/backend/remote-store.ts';
import { describeBackend } from '../../contract/backend/contract.ts';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';
import { type S3Proxy, s3ProxyJars, startS3Proxy } from '../../support/servers/s3proxy.ts';
import { describeBesideRestic } from '../restic/beside-restic.ts';

const jars = await s3ProxyJars();

describe.skipIf(jars === undefined)('S3Proxy', () => {
  let server: S3Proxy;
  let bucket: RemoteStore;
  beforeAll(async () => {
    server = await startS3Proxy(jars ?? '');
    bucket = openTestBucket(server.url, server);
  });
  afterAll(async () => {
    await bucket[Symbol.asyncDispose]();
    await server.stop();
  });

  describeBackend('S3, at S3Proxy', async () => bucket.open(`contract/${randomUUID()}`));

  describeBesideRestic({
    store: () => bucket,
    stockAt: (repository) => ({ repository, key: server }),
  });
});

describe.skipIf(jars === undefined)('what S3Proxy refuses', () => {
  let server: S3Proxy;
  beforeAll(async () => {
    server = await startS3Proxy(jars ?? '');
  });
  afterAll(() => server.stop());

  test.each([
    ['a wrong secret', { secretAccessKey: 'wrong' }, /does not accept the secret key/],
    ['an unknown key', { accessKeyId: 'nobody' }, /does not know the access key/],
  ])('%s is named with the cure', async (_what, wrong, words) => {
    await using store = openTestBucket(server.url, { ...server, ...wrong });
    const save = store.open('x').save('config', 'config', Buffer.of(1));
    await expect(save).rejects.toMatchObject({ code: 'store/unavailable', retry: undefined });
    await expect(store.open('x').load('config', 'config')).rejects.toThrow(words);
  });
});
