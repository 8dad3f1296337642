import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  from: string;
  to: string;
  /** Headers and body, decoded where they are plain. */
  text: string;
}

/** How the server answers a recipient or a password: a reply code, or nothing where it agrees. */
export interface SmtpManners {
  recipient?: (address: string) => number | undefined;
  password?: string;
}

/** A mail server on loopback that keeps what it gets. */
export async function startSmtp({ recipient, password }: SmtpManners = {}) {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: password === undefined,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: (auth, _session, done) =>
      auth.password === password ? done(null, { user: 'nightkeep' }) : done(reply(535, 'no such user')),
    onRcptTo: ({ address }, _session, done) => {
      const code = recipient?.(address);
      done(code === undefined ? null : reply(code, 'not here'));
    },
    onData: async (stream, { envelope }, done) => {
      const chunks = await Array.fromAsync(stream as AsyncIterable<Buffer>);
      const [to] = envelope.rcptTo.map(({ address }) => address);
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
      mails.push({ from, to: to ?? '', text: Buffer.concat(chunks).toString().replaceAll('\r\n', '\n') });
      done(null);
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { mails, port, url: `smtp://127.0.0.1:${port}`, stop, [Symbol.asyncDispose]: stop };
}

/** The words of a mail that is encoded as quoted-printable (RFC 2045, section 6.7). */
export function decoded(text = ''): string {
  const bytes = text
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
