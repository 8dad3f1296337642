import { createTransport } from 'nodemailer';
import { type Clock, within } from '../clock.ts';
import { connectionFault } from '../connection-fault.ts';
import { isLoopback } from '../domain/addresses.ts';
import { minuteMs } from '../durations.ts';
import { AppError } from '../errors.ts';

export interface Mail {
  to: string;
  subject: string;
  /** Plain text. */
  text: string;
}

export interface Mailer {
  /** Hands a mail to the server. Throws `notice/refused` where it will never take it, `notice/unavailable` where it may later. */
  send(mail: Mail): Promise<void>;
  /** Connects and signs in, and sends nothing. Throws as `send`. */
  verify(): Promise<void>;
}

/** For one answer of the server, and for all that one mail takes. */
const timeoutMs = 20_000;
const longestMs = 25_000;

/** Opens a mail server: `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://` (TLS from the start). */
export function openMailer(clock: Clock, { url, from }: { url: string; from: string }): Mailer {
  const server = new URL(url);
  const { username, password } = server;
  const transport = createTransport({
    host: server.hostname,
    port: Number(server.port || (server.protocol === 'smtps:' ? 465 : 587)),
    secure: server.protocol === 'smtps:',
    // A password is never sent in the clear, but to this machine.
    requireTLS: server.protocol === 'smtp:' && username !== '' && !isLoopback(server),
    ...(username !== '' && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await within(clock, longestMs, work);
    } catch (error) {
      throw failure(error, server.host);
    }
  };
  return {
    send: ({ to, subject, text }) =>
      attempt(() => transport.sendMail({ from, to, subject, text, headers: { 'auto-submitted': 'auto-generated' } })),
    verify: () => attempt(() => transport.verify()),
  };
}

/** A reply that begins with 5 is for good (RFC 5321, section 4.2.1), but for one to the password: an operator can mend that. */
function failure(cause: unknown, host: string): AppError {
  const unknown = { code: undefined, originalCode: undefined, responseCode: undefined };
  const { code, originalCode, responseCode } = { ...unknown, ...(cause instanceof Error ? cause : {}) };
  const reply = typeof responseCode === 'number' ? ` It replied ${responseCode}.` : '';
  if (code === 'EAUTH')
    return new AppError(
      'notice/unavailable',
      `The mail server ${host} refuses the user name or password of SMTP_URL.`,
      {
        cause,
        retry: { afterMs: minuteMs },
      },
    );
  if (typeof responseCode === 'number' && responseCode >= 500)
    return new AppError('notice/refused', `The mail server ${host} does not accept the mail.${reply}`, { cause });
  // nodemailer has codes of its own, and keeps those of the system there.
  const fault = connectionFault(originalCode, { at: 'SMTP_URL' });
  const message = fault === undefined ? `does not answer as it should.${reply}` : `${fault.what}. ${fault.cure}.`;
  return new AppError('notice/unavailable', `The mail server ${host} ${message}`, {
    cause,
    retry: { afterMs: minuteMs },
  });
}
