import { getCACertificates, setDefaultCACertificates, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeCertificate, openssl } from '../../support/fixtures/certificate.ts';
import { openMail } from '../../support/fixtures/open-mail.ts';
import { contentOf, find, never } from '../../support/fixtures/open-source.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type ImapServer, startImapServer } from '../../support/servers/imap-server.ts';

let opened: AsyncDisposableStack;
let cert: string;
let server: ImapServer;
const trusted = getCACertificates('default');
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder('certificate'));
  const made = await makeCertificate(path, 'localhost');
  cert = made.cert;
  server = opened.use(await startImapServer({ tls: made }));
  server.put('INBOX', 'Subject: Hello\r\n\r\n');
});
afterEach(async () => {
  setDefaultCACertificates(trusted);
  await opened.disposeAsync();
});

describe.skipIf(openssl === undefined)('a mail server that speaks TLS', () => {
  test('is asked where an authority that is trusted vouches for its name', async () => {
    setDefaultCACertificates([...trusted, cert]);
    await using source = openMail(server.url.replace('127.0.0.1', 'localhost'));
    const entry = await find(source, 'INBOX/2020-02-03 Hello [1].eml');
    expect((await contentOf(await source.open(entry, never))).toString()).toBe('Subject: Hello\r\n\r\n');
    expect([...server.sockets].map((socket) => socket instanceof TLSSocket && socket.servername)).toContain(
      'localhost',
    );
  });

  test.each([
    [
      'nobody trusted vouches for it',
      'localhost',
      false,
      'that is not trusted. Give it a valid one, or put its authority into NODE_EXTRA_CA_CERTS.',
    ],
    ['the certificate is of another name', '127.0.0.1', true, 'for another name. Write a name in MAIL_URL that'],
  ])('gets no token where %s', async (_, host, isTrusted, told) => {
    if (isTrusted) setDefaultCACertificates([...trusted, cert]);
    await using source = openMail(server.url.replace('127.0.0.1', host));
    await expect(source.roots(never)).rejects.toMatchObject({
      code: 'source/unavailable',
      message: expect.stringContaining(`The mail server shows a certificate ${told}`),
    });
    expect(server.heard).toEqual([]);
  });

  test('is not asked without TLS, nor one without TLS by TLS', async () => {
    await using source = openMail(server.url.replace('imaps:', 'imap:'), { timeouts: { silenceMs: 100 } });
    await expect(source.roots(never)).rejects.toMatchObject({ code: 'source/unavailable' });
    expect(server.heard).toEqual([]);
  });
});
