import { whenAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Access, AccessToken } from '../source.ts';
import {
  CommandRefused,
  ConnectionLost,
  type ConnectionTimeouts,
  type ImapConnection,
  openConnection,
} from './connection.ts';
import { LoginRefused, login } from './login.ts';
import type { MailServer } from './mail-address.ts';
import { isCrowded, mayPass, outage, pauseOf, refusal } from './refusals.ts';

/** What a server counts for one person: most take ten, and people's own programs need some. */
const mostConnections = 3;
/** A token that expires while it is on its way would be refused for no good reason. */
const minimumSeconds = 30;
const mostAttempts = 4;
/** As long as nothing went well with the server: the run itself is tried again. */
const mostFirstAttempts = 2;
/** For a longer pause the run returns to the queue. */
const longestPauseMs = 5 * 60_000;
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
  const idle: ImapConnection[] = [];
  const inUse = new Set<ImapConnection>();
  const waiting = new Set<() => void>();
  let opening = 0;
  let most = mostConnections;
  let outages = 0;
  let isKnown = false;
  let isClosed = false;
  let refused: AppError | undefined;
  let lastLogin: Promise<unknown> = Promise.resolve();

  async function take(path: string | undefined, signal: AbortSignal): Promise<ImapConnection> {
    for (;;) {
      signal.throwIfAborted();
      if (isClosed) throw new Error('The source is closed.');
      const mayOpen = inUse.size + opening < most;
      const connection = takeIdle(path) ?? (mayOpen ? await openAnother(signal) : undefined);
      if (connection !== undefined) return connection;
      // While another one was refused, one of those that there are may have become free.
      if (!mayOpen) await turn(signal);
    }
  }

  function takeIdle(path: string | undefined): ImapConnection | undefined {
    for (let at = idle.length - 1; at >= 0; at--) if (idle[at]?.isOpen === false) idle.splice(at, 1);
    const at = idle.findIndex(({ opened }) => path !== undefined && opened?.path === path);
    const [taken] = idle.splice(Math.max(at, 0), 1);
    if (taken !== undefined) inUse.add(taken);
    return taken;
  }

  /** Undefined where the server takes no more, and there are others to wait for. */
  async function openAnother(signal: AbortSignal): Promise<ImapConnection | undefined> {
    opening++;
    try {
      // One after the other: a server that refuses a token slows down all logins from here.
      const before = lastLogin;
      const logging = before.then(() => open(signal));
      lastLogin = logging.catch(() => undefined);
      const connection = await logging;
      inUse.add(connection);
      return connection;
    } catch (error) {
      const others = inUse.size + idle.length;
      if (!isOfCrowd(error) || others === 0) throw error;
      most = Math.min(most, others);
      log.info('source.fewer-connections', { most });
      return undefined;
    } finally {
      opening--;
      wake();
    }
  }

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

  function give(connection: ImapConnection): void {
    inUse.delete(connection);
    if (isClosed) connection.close();
    else if (connection.isOpen) idle.push(connection);
    wake();
  }

  function wake(): void {
    const [next] = waiting;
    next?.();
  }

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const called = () => {
        waiting.delete(called);
        ignoreAbort();
        resolve();
      };
      waiting.add(called);
      const ignoreAbort = whenAborted(signal, (reason) => {
        waiting.delete(called);
        reject(reason);
      });
    });
  }

  async function attempt<T>(
    work: (connection: ImapConnection) => Promise<T>,
    path: string | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    const connection = await take(path, signal);
    try {
      return await work(connection);
    } finally {
      give(connection);
    }
  }

  return {
    get most() {
      return most;
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
    close() {
      isClosed = true;
      for (const connection of [...idle, ...inUse]) connection.close();
    },
  };
}

function isOfCrowd(error: unknown): boolean {
  if (error instanceof CommandRefused) return isCrowded(error.code, error.said);
  return error instanceof ConnectionLost && isCrowded('', error.farewell);
}

function unauthorized({ prove }: AccessToken): AppError {
  const bound =
    ' The token is bound to a key (DPoP), and IMAP has no way to show the proof of it: the operator must set OIDC_DPOP=off, and people consent again.';
  return new AppError(
    'source/unauthorized',
    `The mail server refuses the access token even when it is fresh. It must accept tokens of this provider for this person, under the name in MAIL_URL.${prove ? bound : ''}`,
  );
}
