import { waitInLine } from '../../abort.ts';
import type { Log } from '../../log.ts';
import { CommandRefused, ConnectionLost, type ImapConnection } from './connection.ts';
import { isCrowded } from './refusals.ts';

/** What a server counts for one person: most take ten, and people's own programs need some. */
const mostConnections = 3;

/** The connections of one run to one mail server, few of them; each is used by one at a time. */
export interface ConnectionPool {
  /** How many there may be, as the server bears it. */
  readonly most: number;
  /**
   * One that nobody uses, by preference one that has the mailbox of this path open. Opens another where there may be more, and else waits for one.
   * Rejects with what opening throws, and with the reason of the signal.
   */
  take(path: string | undefined, signal: AbortSignal): Promise<ImapConnection>;
  /** Of one that was taken; it is kept if a command may still be sent on it. */
  giveBack(connection: ImapConnection): void;
  /** Those in use are closed, too. */
  close(): void;
}

interface Needs {
  readonly open: (signal: AbortSignal) => Promise<ImapConnection>;
  readonly log: Log;
}

/** Opens none before one is taken. */
export function openConnectionPool({ open, log }: Needs): ConnectionPool {
  const idle: ImapConnection[] = [];
  const inUse = new Set<ImapConnection>();
  const waiting = new Set<() => void>();
  let opening = 0;
  let most = mostConnections;
  let isClosed = false;
  let lastOpened: Promise<unknown> = Promise.resolve();

  async function take(path: string | undefined, signal: AbortSignal): Promise<ImapConnection> {
    for (;;) {
      signal.throwIfAborted();
      if (isClosed) throw new Error('The source is closed.');
      const mayOpen = inUse.size + opening < most;
      const connection = takeIdle(path) ?? (mayOpen ? await openAnother(signal) : undefined);
      if (connection !== undefined) return connection;
      // While another one was refused, one of those that there are may have become free.
      if (!mayOpen) await waitInLine(waiting, signal);
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
      const opened = lastOpened.then(() => open(signal));
      lastOpened = opened.catch(() => undefined);
      const connection = await opened;
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

  function wake(): void {
    const [next] = waiting;
    next?.();
  }

  return {
    get most() {
      return most;
    },
    take,
    giveBack(connection) {
      inUse.delete(connection);
      if (isClosed) connection.close();
      else if (connection.isOpen) idle.push(connection);
      wake();
    },
    close() {
      isClosed = true;
      for (const connection of [...idle, ...inUse]) connection.close();
    },
  };
}

/** Whether the server says that there are too many connections. */
function isOfCrowd(error: unknown): boolean {
  if (error instanceof CommandRefused) return isCrowded(error.code, error.said);
  return error instanceof ConnectionLost && isCrowded('', error.farewell);
}
