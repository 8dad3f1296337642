import type { Clock } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Access, AccessToken } from '../source.ts';
import { CommandRefused, type ConnectionTimeouts, type ImapConnection, openConnection } from './connection.ts';
import { openConnectionPool } from './connection-pool.ts';
import { LoginRefused, login } from './login.ts';
import type { MailServer } from './mail-address.ts';
import { mayPass, outage, pauseOf, refusal } from './refusals.ts';

/** A token that expires while it is on its way would be refused for no good reason. */
const minimumSeconds = 30;
const mostAttempts = 4;
/** As long as nothing went well with the server: the run itself is tried again. */
const mostFirstAttempts = 2;
/** For a longer pause the run returns to the queue. */
const longestPauseMs = 5 * minuteMs;
/** After this many failures in a row the server counts as down: from then on nothing is retried. */
const outagesUntilNoRetry = 32;

/** The connections of one run to one mail server, few of them, logged in with the person's token. */
export interface Connections {
  /** How many there may be, as the server bears it. */
  readonly most: number;
  /**
   * Does the work on a connection, by preference on one that has the mailbox of this path open, and again on another one where it broke. Throws what the
   * work throws, `source/unavailable` where no try went well, `source/unauthorized` and the reason of the signal.
   */
  use<T>(work: (connection: ImapConnection) => Promise<T>, options: { path?: string; signal: AbortSignal }): Promise<T>;
  close(): void;
}

interface Needs {
  readonly server: MailServer;
  readonly access: Access;
  readonly timeouts: ConnectionTimeouts;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1; spreads retries. */
  readonly random: () => number;
  readonly onCommand: () => void;
}

/** Opens none before one is needed. */
export function openConnections({ server, access, timeouts, clock, log, random, onCommand }: Needs): Connections {
  const pool = openConnectionPool({ open, log });
  let outages = 0;
  let isKnown = false;
  let refused: AppError | undefined;

  /** One that is logged in, with another token where the server refuses the first. */
  async function open(signal: AbortSignal): Promise<ImapConnection> {
    if (refused !== undefined) throw refused;
    let shown = await access({ minimumSeconds, signal });
    for (let isFresh = false; ; isFresh = true) {
      const connection = await openConnection(server, { timeouts, clock, onCommand }, signal);
      try {
        await login(connection, server, { token: shown.token, signal });
        return connection;
      } catch (error) {
        connection.close();
        if (error instanceof CommandRefused && !mayPass(error)) throw refusal(error, 'source/forbidden');
        if (!(error instanceof LoginRefused)) throw error;
        if (isFresh) {
          refused = unauthorized(shown);
          throw refused;
        }
        shown = await access({ minimumSeconds, refused: shown.token, signal });
      }
    }
  }

  async function attempt<T>(
    work: (connection: ImapConnection) => Promise<T>,
    path: string | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    const connection = await pool.take(path, signal);
    try {
      return await work(connection);
    } finally {
      pool.giveBack(connection);
    }
  }

  return {
    get most() {
      return pool.most;
    },
    async use(work, { path, signal }) {
      for (let tries = 1; ; tries++) {
        try {
          const result = await attempt(work, path, signal);
          outages = 0;
          isKnown = true;
          return result;
        } catch (error) {
          signal.throwIfAborted();
          if (!mayPass(error)) throw error;
          const isLast = tries >= (isKnown ? mostAttempts : mostFirstAttempts) || outages >= outagesUntilNoRetry;
          const pauseMs = pauseOf(error);
          if (isLast || pauseMs > longestPauseMs) {
            outages++;
            throw outage(error);
          }
          log.debug('source.retry', { attempt: tries, why: error.name });
          await clock.sleep(Math.max(pauseMs, 500 * 2 ** (tries - 1) * (1 + random())), signal);
        }
      }
    },
    close: pool.close,
  };
}

function unauthorized({ prove }: AccessToken): AppError {
  const bound =
    ' The token is bound to a key (DPoP), and IMAP has no way to show the proof of it: the operator must set OIDC_DPOP=off, and people consent again.';
  return new AppError(
    'source/unauthorized',
    `The mail server refuses the access token even when it is fresh. It must accept tokens of this provider for this person, under the name in MAIL_URL.${prove ? bound : ''}`,
  );
}
