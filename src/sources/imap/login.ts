import { AppError } from '../../errors.ts';
import { CommandRefused, type ImapConnection } from './connection.ts';
import type { MailServer } from './mail-address.ts';
import { mayPass } from './refusals.ts';

/** The server does not take the token: of an expired one, a wrong user and rubbish it says the same. */
export class LoginRefused extends Error {}

/** Refusals of somebody whose token is right (RFC 5530). */
const ofPerson = /^(AUTHORIZATIONFAILED|NOPERM|PRIVACYREQUIRED)$/;

/**
 * Shows the token by OAUTHBEARER (RFC 7628), or by XOAUTH2 where the server knows that alone. Throws LoginRefused, CommandRefused for what may
 * pass, `source/unauthorized` where it knows neither, `source/forbidden` where the person may not use it, and what commands throw.
 */
export async function login(
  connection: ImapConnection,
  { host, port, user }: MailServer,
  { token, signal }: { token: string; signal: AbortSignal },
): Promise<void> {
  if (connection.capabilities.size === 0) await connection.run('CAPABILITY', { signal });
  const known = connection.capabilities;
  const way = ways.find(({ name }) => waysIn(connection).includes(name));
  if (way === undefined)
    throw new AppError(
      'source/unauthorized',
      'The mail server offers neither OAUTHBEARER nor XOAUTH2, so it takes no access tokens. Its operator must switch one of them on.',
    );
  const first = Buffer.from(way.message({ host, port, user, token })).toString('base64');
  const inOne = known.has('SASL-IR');
  let answers = inOne ? 1 : 0;
  const answer = () => (answers++ === 0 ? first : way.afterRefusal);
  try {
    await connection.run(`AUTHENTICATE ${way.name}${inOne ? ` ${first}` : ''}`, { signal, answer });
  } catch (error) {
    if (!(error instanceof CommandRefused) || mayPass(error)) throw error;
    const { code, status } = error;
    if (ofPerson.test(code))
      throw new AppError(
        'source/forbidden',
        `The mail server takes the access token, and does not let this person in (${code}). Its operator can tell why.`,
        { cause: error },
      );
    if (status === 'BAD')
      throw new AppError(
        'source/malformed',
        'The mail server does not understand how the access token is shown to it.',
        {
          cause: error,
        },
      );
    throw new LoginRefused(code);
  }
  // What it can may be more for whom it knows (RFC 9051, section 6.1.1).
  if (connection.capabilities === known) await connection.run('CAPABILITY', { signal });
}

/** By which ways the server takes a token, the best first. */
export function waysIn({ capabilities }: Pick<ImapConnection, 'capabilities'>): string[] {
  return ways.map(({ name }) => name).filter((name) => capabilities.has(`AUTH=${name}`));
}

interface Shown extends Pick<MailServer, 'host' | 'port' | 'user'> {
  readonly token: string;
}

/** How a token is shown, and what is said to a refusal so that the server ends it. */
const ways = [
  {
    name: 'OAUTHBEARER',
    message: ({ host, port, user, token }: Shown) =>
      `n,a=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},\x01host=${host}\x01port=${port}\x01auth=Bearer ${token}\x01\x01`,
    afterRefusal: Buffer.from('\x01').toString('base64'),
  },
  {
    name: 'XOAUTH2',
    message: ({ user, token }: Shown) => `user=${user}\x01auth=Bearer ${token}\x01\x01`,
    afterRefusal: '',
  },
] as const;
