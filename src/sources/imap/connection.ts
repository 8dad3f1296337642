import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { whenAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { MailServer } from './mail-address.ts';
import { type ImapResponse, openResponseReader } from './response-reader.ts';
import { type CommandPart, ContentFailed, sendCommand } from './sent-command.ts';

/** Milliseconds. */
export interface ConnectionTimeouts {
  /** Until the server is connected and, with TLS, has shown its certificate. */
  readonly connectMs: number;
  /** Longest silence while an answer is expected. Servers let those wait whose login failed, and whoever comes from the same address. */
  readonly silenceMs: number;
}

export const defaultTimeouts: ConnectionTimeouts = { connectMs: 10_000, silenceMs: minuteMs };

/** What servers say for people is shorter. Of longer ones it is looked for words in the beginning alone: a line may hold 256 KiB of them. */
const longestSaid = 1_000;

/** There is no connection, or none any more: what was asked may be asked again over another one. */
export class ConnectionLost extends Error {
  /** What the server said when it closed the connection. */
  readonly farewell: string;

  constructor(message: string, { cause, farewell = '' }: { cause?: unknown; farewell?: string } = {}) {
    super(message, { cause });
    this.name = 'ConnectionLost';
    this.farewell = farewell.slice(0, longestSaid);
  }
}

/** The server refused a command. */
export class CommandRefused extends Error {
  /** NO: it cannot be done; BAD: the server does not know such a command. */
  readonly status: 'NO' | 'BAD';
  /** The response code (RFC 5530), in upper case; empty where there is none. */
  readonly code: string;
  /** What the server said. The message, which is logged, has none of it: servers repeat what they were sent, a token too, and name mailboxes. */
  readonly said: string;

  constructor(status: 'NO' | 'BAD', said: string) {
    const code = codeIn(said);
    super(`The mail server says ${status}${code && ` [${code}]`}.`);
    this.name = 'CommandRefused';
    this.status = status;
    this.code = code;
    this.said = said.slice(0, longestSaid);
  }
}

export interface CommandOptions {
  readonly signal: AbortSignal;
  /** Told of what the server sends for it before the end. What it throws ends the connection. */
  readonly onResponse?: (response: ImapResponse) => void;
  /**
   * Told of bytes before they are read; what it resolves to is waited for, and what it throws ends the connection. Without it the answer is a short
   * one, and `source/malformed` or `source/too-slow` where it is not.
   */
  readonly onBytes?: (count: number) => Promise<void> | undefined;
  /** What to send when the server asks for more; without it that is a fault, unless it is for a literal. */
  readonly answer?: (asked: string) => string;
}

/** A connection on which one command is under way at a time. */
export interface ImapConnection {
  /** As the server told last, in upper case. */
  readonly capabilities: ReadonlySet<string>;
  /** What the server was told to open last, and how it stands. */
  opened: OpenedMailbox | undefined;
  /** Whether a command may still be sent. */
  readonly isOpen: boolean;
  /**
   * Sends a command, and resolves to the text of its end. Throws ConnectionLost, CommandRefused, `source/malformed`, ContentFailed and the reason of the
   * signal; only after CommandRefused it can be used again.
   */
  run(command: string | readonly CommandPart[], options: CommandOptions): Promise<string>;
  close(): void;
}

/** A mailbox as it was opened. */
export interface OpenedMailbox {
  readonly path: string;
  /** Absent where the server keeps no numbers of messages. */
  readonly uidValidity: string | undefined;
  readonly uidNext: string | undefined;
  readonly highestModSeq: string | undefined;
  readonly messages: number;
  /** In lower case, which flags stay; `\*` for any others, too. Absent where the server does not say so: it keeps all then. */
  readonly permanentFlags?: ReadonlySet<string> | undefined;
}

interface Needs {
  readonly timeouts: ConnectionTimeouts;
  readonly clock: Pick<Clock, 'elapsed' | 'every'>;
  readonly onCommand: () => void;
}

/** Connects, and waits for the greeting. Throws ConnectionLost, `source/malformed` and the reason of the signal. */
export async function openConnection(
  server: MailServer,
  { timeouts: { connectMs, silenceMs }, clock, onCommand }: Needs,
  signal: AbortSignal,
): Promise<ImapConnection> {
  signal.throwIfAborted();
  const socket = await connectTo(server, connectMs, signal);
  let capabilities: ReadonlySet<string> = new Set();
  let commands = 0;
  let opened: OpenedMailbox | undefined;
  const reader = openResponseReader();
  const bytes = socket.iterator();

  async function next(onBytes: NonNullable<CommandOptions['onBytes']>): Promise<ImapResponse> {
    for (;;) {
      const response = reader.take();
      if (response !== undefined) return response;
      const { value, done } = await bytes.next();
      if (done) throw new ConnectionLost('The mail server closed the connection.');
      const turn = onBytes(value.length);
      if (turn !== undefined) await turn;
      reader.push(value);
    }
  }

  /** Ends the connection with whatever went wrong on it, but for what the server refused. */
  async function watched<T>(stop: AbortSignal, work: () => Promise<T>): Promise<T> {
    stop.throwIfAborted();
    const ignoreAbort = whenAborted(stop, () => socket.destroy());
    socket.setTimeout(silenceMs);
    try {
      return await work();
    } catch (error) {
      if (error instanceof CommandRefused) throw error;
      socket.destroy();
      stop.throwIfAborted();
      if (error instanceof AppError || error instanceof ConnectionLost || error instanceof ContentFailed) throw error;
      throw new ConnectionLost('The connection to the mail server broke off.', { cause: error });
    } finally {
      ignoreAbort();
      socket.setTimeout(0);
    }
  }

  async function write(bytes: Uint8Array): Promise<void> {
    if (!socket.destroyed && socket.write(bytes)) return;
    using _waiting = clock.every(longestWriteMs, () => void socket.destroy(tooSlow()));
    await drained(socket);
    if (socket.errored instanceof AppError) throw socket.errored;
    if (socket.destroyed) throw new ConnectionLost('The mail server closed the connection.');
  }

  async function run(
    command: string | readonly CommandPart[],
    { onResponse = () => {}, onBytes = shortAnswer(clock), answer = refuseQuestion }: CommandOptions,
  ): Promise<string> {
    const tag = `n${++commands}`;
    onCommand();
    const parts = typeof command === 'string' ? [`${tag} ${command}`] : [`${tag} `, ...command];
    const sending = sendCommand(parts, write);
    let isSent = (await sending.next()).done === true;
    for (;;) {
      const response = await next(onBytes);
      const { text } = response;
      if (text.startsWith('* ')) {
        capabilities = capabilitiesIn(text) ?? capabilities;
        refuseFarewell(text);
        onResponse(response);
      } else if (text.startsWith('+')) {
        if (isSent) socket.write(`${answer(text.slice(1).trim())}\r\n`, 'latin1');
        else isSent = (await sending.next()).done === true;
      } else if (text.startsWith(`${tag} `)) {
        const [, status = '', rest = ''] = /^(\w+) ?(.*)$/s.exec(text.slice(tag.length + 1)) ?? [];
        capabilities = capabilitiesIn(`* OK ${rest}`) ?? capabilities;
        // Nothing can have been done with what was not sent.
        if (/^OK$/i.test(status) && isSent) return rest;
        if (/^(NO|BAD)$/i.test(status)) throw new CommandRefused(/^NO$/i.test(status) ? 'NO' : 'BAD', rest);
        throw malformed();
      } else throw malformed();
    }
  }

  await watched(signal, async () => {
    const { text } = await next(shortAnswer(clock));
    refuseFarewell(text);
    // Whoever is let in without a token is let in as nobody knows whom.
    if (!/^\* OK\b/i.test(text)) throw malformed();
    capabilities = capabilitiesIn(text) ?? capabilities;
  });

  return {
    get capabilities() {
      return capabilities;
    },
    get opened() {
      return opened;
    },
    set opened(mailbox) {
      opened = mailbox;
    },
    get isOpen() {
      return !socket.destroyed && !socket.readableEnded;
    },
    run: (command, options) => watched(options.signal, () => run(command, options)),
    close: () => void socket.destroy(),
  };
}

/** Resolves once all is taken, or nothing more will be. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
    if (socket.destroyed) done();
  });
}

/** For a piece of what is sent. */
const longestWriteMs = minuteMs;

function tooSlow(): AppError {
  return new AppError('source/too-slow', 'The mail server takes less than 16 KiB a minute of what is sent to it.');
}

const shortBytes = 1024 ** 2;
const shortMs = 5 * minuteMs;

/** Holds an answer to the length and time of those that are no listing and no message. */
function shortAnswer({ elapsed }: Pick<Clock, 'elapsed'>): (count: number) => undefined {
  const until = elapsed() + shortMs;
  let bytes = 0;
  return (count) => {
    bytes += count;
    if (bytes > shortBytes) throw new AppError('source/malformed', 'The mail server sends more than was requested.');
    if (elapsed() > until)
      throw new AppError('source/too-slow', 'The mail server does not come to the end of an answer.');
    return undefined;
  };
}

function connectTo({ host, port, isSecure }: MailServer, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = isSecure
      ? connectSecurely({ host, port, ...(isIP(host) === 0 && { servername: host }) })
      : connect({ host, port });
    const ignoreAbort = whenAborted(signal, (reason) => {
      reject(reason);
      socket.destroy();
    });
    const fail = (cause: unknown) => {
      ignoreAbort();
      reject(new ConnectionLost('The mail server cannot be reached.', { cause }));
    };
    socket.setNoDelay();
    socket.setTimeout(timeoutMs);
    socket.on('timeout', () => socket.destroy(new DOMException('The mail server does not answer.', 'TimeoutError')));
    // What happens while nothing is read is found out by whoever reads next.
    socket.on('error', fail);
    socket.once('close', fail);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      ignoreAbort();
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

/** What the server can, where the response says so. */
function capabilitiesIn(text: string): ReadonlySet<string> | undefined {
  const words = /^\* (?:OK \[)?CAPABILITY ([^\]]*)/i.exec(text)?.[1];
  return words === undefined ? undefined : new Set(words.toUpperCase().trim().split(/ +/));
}

function refuseFarewell(text: string): void {
  const farewell = /^\* BYE ?(.*)$/is.exec(text)?.[1];
  if (farewell !== undefined) throw new ConnectionLost('The mail server closed the connection.', { farewell });
}

function codeIn(text: string): string {
  return /^\[([A-Za-z0-9-]{1,32})(?![A-Za-z0-9-])/.exec(text)?.[1]?.toUpperCase() ?? '';
}

function refuseQuestion(): never {
  throw malformed();
}

function malformed(): AppError {
  return new AppError('source/malformed', 'The server does not speak IMAP at that port, or answers out of order.');
}
