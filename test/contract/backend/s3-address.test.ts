import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openS3Store } from '../../../src/store/backend/s3/s3.ts';
import { makeCertificate, openssl } from '../../support/fixtures/certificate.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type MemoryS3, startMemoryS3 } from '../../support/servers/memory-s3.ts';

const host = 's3.nightkeep.test';
const name = 'ab'.repeat(32);

let opened: AsyncDisposableStack;
let server: MemoryS3;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await startMemoryS3());
  const lookup = dns.lookup;
  vi.spyOn(dns, 'lookup').mockImplementation(((asked: string, ...rest: [unknown]) =>
    Reflect.apply(lookup, dns, [asked.endsWith(host) ? '127.0.0.1' : asked, ...rest])) as typeof dns.lookup);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await opened.disposeAsync();
});

/** The same server behind a certificate of our own for both ways of naming the bucket; answers its port and the certificate. */
async function behindTls(): Promise<{ port: number; ca: string }> {
  const { path } = opened.use(await temporaryFolder('certificate'));
  const { key, cert } = await makeCertificate(path, host, `*.${host}`);
  const tls = createServer({ key, cert }, (near) => {
    const far = connect(Number(new URL(server.origin).port), '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
  });
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
  opened.defer(() => void tls.close());
  return { port: (tls.address() as AddressInfo).port, ca: cert };
}

const storeAt = (at: { port: number; ca?: string; style: 'path' | 'virtual' }) =>
  opened.use(
    openS3Store(
      {
        endpoint: `https://${host}:${at.port}`,
        region: 'eu-1',
        bucket: 'backups',
        style: at.style,
        accessKeyId: 'tester',
        secretAccessKey: 'a-secret-of-the-tests',
        ca: at.ca,
      },
      { clock: systemClock() },
    ),
  );

test.skipIf(openssl === undefined).each(['path', 'virtual'] as const)(
  'a bucket named in %s style is reached over TLS with an authority of its own, and stock restic is told the same',
  async (style) => {
    const { port, ca } = await behindTls();
    const backend = storeAt({ port, ca, style }).open('x');
    const bytes = randomBytes(1000);
    await backend.save('data', name, bytes);
    expect((await backend.load('data', name)).equals(bytes)).toBe(true);
    expect(await Array.fromAsync(backend.list('data'))).toEqual([{ name, size: 1000 }]);
    expect([...server.files.keys()]).toEqual([`backups/x/data/ab/${name}`]);
    expect(backend.location).toBe(`s3:https://${host}:${port}/backups/x`);
    const lookup = style === 'path' ? 'path' : 'dns';
    expect(backend.resticOptions?.join(' ')).toBe(
      `-o s3.region=eu-1 -o s3.bucket-lookup=${lookup} --cacert store-ca.pem`,
    );
  },
);

test.skipIf(openssl === undefined)('an authority that nobody named is not believed, and the cure is said', async () => {
  const { port } = await behindTls();
  await expect(storeAt({ port, style: 'path' }).open('x').load('data', name)).rejects.toMatchObject({
    code: 'store/unavailable',
    message: expect.stringContaining('put its authority into STORE_CA'),
    retry: undefined,
  });
});
