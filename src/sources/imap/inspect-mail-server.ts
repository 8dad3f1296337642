import type { Clock } from '../../clock.ts';
import { isAppError } from '../../errors.ts';
import { openConnection } from './connection.ts';
import { waysIn } from './login.ts';
import { parseMailAddress } from './mail-address.ts';
import { mayPass, outage } from './refusals.ts';

/** What a mail server says to somebody whom it does not know. */
export interface MailServerFacts {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** Why it cannot be used, for people; absent where it answers. */
  readonly fault?: string;
  /** By which ways it takes access tokens. */
  readonly ways: readonly string[];
}

const timeouts = { connectMs: 10_000, silenceMs: 10_000 };

/** Asks a server for its capabilities; no token is shown. `url` is that of anybody there. */
export async function inspectMailServer(
  url: string,
  clock: Pick<Clock, 'elapsed' | 'every'>,
): Promise<MailServerFacts> {
  const { signal } = new AbortController();
  const server = parseMailAddress(url);
  const { host, port, isSecure } = server;
  try {
    const connection = await openConnection(server, { timeouts, clock, onCommand: () => {} }, signal);
    try {
      if (connection.capabilities.size === 0) await connection.run('CAPABILITY', { signal });
      return { host, port, isSecure, ways: waysIn(connection) };
    } finally {
      connection.close();
    }
  } catch (cause) {
    const error = mayPass(cause) ? outage(cause) : cause;
    if (!isAppError(error)) throw error;
    return { host, port, isSecure, fault: error.message, ways: [] };
  }
}
