import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createPlainServer, type Server } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { connectionFault } from '../../src/connection-fault.ts';
import { codeIn } from '../../src/errors.ts';
import { openMailer } from '../../src/notify/mail.ts';
import { post } from '../../src/notify/post.ts';
import { makeCertificate, openssl } from '../support/fixtures/certificate.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';

let opened: AsyncDisposableStack;
const trusted = getCACertificates('default');
/** Ports of servers that show these certificates; `none` speaks no TLS. */
const ports: Record<'expired' | 'unknown' | 'otherName' | 'none', number> = {
  expired: 0,
  unknown: 0,
  otherName: 0,
  none: 0,
};

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder('connection'));
  const unknown = await makeCertificate(path, 'localhost');
  ports.unknown = await listening(createServer({ key: unknown.key, cert: unknown.cert }));
  const expired = await expiredCertificate(path);
  ports.expired = await listening(createServer(expired));
  const folder = opened.use(await temporaryFolder('other-name')).path;
  const other = await makeCertificate(folder, 'other.example');
  ports.otherName = await listening(createServer({ key: other.key, cert: other.cert }));
  ports.none = await listening(createPlainServer((socket) => socket.end('220 no TLS here\r\n')));
  setDefaultCACertificates([...trusted, expired.cert, other.cert]);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await opened.disposeAsync();
});

async function listening(server: Server): Promise<number> {
  server.on('connection', (socket) => socket.on('error', () => {}));
  server.listen(0, 'localhost');
  await once(server, 'listening');
  opened.defer(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** One that ended a day before it was made. */
async function expiredCertificate(folder: string) {
  const { key, keyFile } = await makeCertificate(folder, 'localhost');
  const asked = join(folder, 'asked.pem');
  const run = (...words: string[]) => promisify(execFile)(openssl ?? '', words);
  const subject = ['-subj', '/CN=nightkeep tests', '-addext', 'subjectAltName=DNS:localhost'];
  await run('req', '-new', '-key', keyFile, '-out', asked, ...subject);
  const signed = ['-signkey', keyFile, '-days', '-1', '-copy_extensions', 'copy'];
  return { key, cert: (await run('x509', '-req', '-in', asked, ...signed)).stdout };
}

describe.skipIf(openssl === undefined)('what is the matter with a connection is named with the cure', () => {
  const cases = [
    ['expired', /shows a certificate that has expired.*Renew the certificate; .* the clock of this machine is ahead/],
    ['unknown', /shows a certificate that is not trusted.*put its authority into NODE_EXTRA_CA_CERTS/],
    ['otherName', /shows a certificate for another name.*Write a name in \w+ that the certificate contains/],
    ['none', /speaks no TLS at that port.*Correct the port in \w+, or write the address without TLS/],
  ] as const;

  test.each(cases)('by what Node says: %s', async (kind, told) => {
    const socket = connect({ host: 'localhost', port: ports[kind], servername: 'localhost' });
    const [error] = await once(socket, 'error');
    const fault = connectionFault(codeIn(error), { at: 'SETTING' });
    expect(`${fault?.what}. ${fault?.cure}`).toMatch(told);
  });

  test.each(cases)('by the mail server: %s', async (kind, told) => {
    const mailer = openMailer(systemClock(), { url: `smtps://localhost:${ports[kind]}`, from: 'a@example.org' });
    await expect(mailer.verify()).rejects.toThrow(told);
  });

  test.each(cases)('by a channel: %s', async (kind, told) => {
    const url = new URL(`https://localhost:${ports[kind]}/hook?key=its-key`);
    const sent = post(systemClock(), { url, method: 'POST', headers: {} });
    await expect(sent).rejects.toThrow(told);
    await expect(sent).rejects.not.toThrow(/its-key/);
  });

  test('by a name that nobody knows', async () => {
    const mailer = openMailer(systemClock(), { url: 'smtp://nowhere.invalid', from: 'a@example.org' });
    await expect(mailer.verify()).rejects.toThrow(/cannot be resolved\. Correct the name in SMTP_URL/);
  });

  test('but not by a code that says nothing of it', () => {
    for (const code of ['ECONNRESET', 'ECONNREFUSED', 'timeout', undefined])
      expect(connectionFault(code, { at: 'SETTING' })).toBeUndefined();
  });
});
