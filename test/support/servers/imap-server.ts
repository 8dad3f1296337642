import { createServer, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { modern, serveImap } from '../../../demo/mail/imap.ts';
import type { AppendedMessage, HeardCommand } from '../../../demo/mail/imap-session.ts';
import {
  type HeldMailbox,
  type HeldMailboxes,
  type HeldMessage,
  mailboxIn,
  putInto,
} from '../../../demo/mail/mailboxes.ts';

/** Answers in the server's stead: true where it did. What it sends goes to the socket; `tag` is the command's. */
export type MailMischief = (command: HeardCommand, tag: string, socket: Socket) => boolean | undefined;

/** A small IMAP server of one person, honest by itself, that a test can bend. */
export interface ImapServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly mailboxes: HeldMailboxes;
  /** Tokens that are taken; any where it is undefined. */
  tokens: Set<string> | undefined;
  capabilities: string[];
  delimiter: string;
  /** In front of the names of the person's mailboxes. */
  prefix: string;
  /** The response code with which a message is refused; undefined where it is taken. */
  refuse: (message: AppendedMessage) => string | undefined;
  /** What is stored of a message. */
  store: (content: Buffer) => Buffer;
  greeting: string;
  mischief: MailMischief;
  readonly heard: HeardCommand[];
  /** What was shown as a login, decoded. */
  readonly shown: string[];
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** Puts a message into a mailbox, which is made where it is not there. */
  put(mailbox: string, content: string | Buffer, more?: { receivedAt?: Date; flags?: string[] }): HeldMessage;
  expunge(mailbox: string, uid: number): void;
  flag(mailbox: string, uid: number, flags: string[]): void;
}

/** As a server has them that knows little more than RFC 3501. */
export const plain = ['IMAP4rev1', 'AUTH=XOAUTH2'];

/** With `tls` it speaks TLS from the first byte. */
export async function startImapServer({ tls }: { tls?: { key: string; cert: string } } = {}): Promise<ImapServer> {
  const sockets = new Set<Socket>();
  const state: Omit<ImapServer, typeof Symbol.asyncDispose | 'port' | 'url' | 'put' | 'expunge' | 'flag'> = {
    mailboxes: new Map(),
    tokens: undefined,
    capabilities: modern,
    delimiter: '/',
    prefix: '',
    refuse: () => undefined,
    store: (content) => content,
    greeting: '* OK ready',
    mischief: () => undefined,
    heard: [],
    shown: [],
    sockets,
  };
  const meet = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serveImap(socket, mannerOf(server));
  };
  const listening =
    tls === undefined ? createServer({ noDelay: true }, meet) : createSecureServer({ ...tls, noDelay: true }, meet);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const server: ImapServer = Object.assign(state, {
    port,
    url: `${tls === undefined ? 'imap' : 'imaps'}://alice@127.0.0.1:${port}`,
    put(
      path: string,
      content: string | Buffer,
      { receivedAt = longAgo, flags }: Parameters<ImapServer['put']>[2] = {},
    ) {
      return putInto(mailboxAt(server, path), content, { receivedAt, flags });
    },
    expunge(path: string, uid: number) {
      const mailbox = mailboxAt(server, path);
      mailbox.messages.splice(
        mailbox.messages.findIndex((one) => one.uid === uid),
        1,
      );
      mailbox.modSeq++;
    },
    flag(path: string, uid: number, flags: string[]) {
      const mailbox = mailboxAt(server, path);
      for (const message of mailbox.messages) if (message.uid === uid) message.flags = flags;
      mailbox.modSeq++;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listening.close(resolve));
    },
  });
  return server;
}

const longAgo = new Date('2020-02-03T04:05:06Z');

/** The mailbox of that name, made where it is not there. */
export function mailboxAt({ mailboxes }: Pick<ImapServer, 'mailboxes'>, path: string): HeldMailbox {
  return mailboxIn(mailboxes, path);
}

/** As the test bends the server, at any time. */
function mannerOf(server: ImapServer): Parameters<typeof serveImap>[1] {
  return {
    async login(shown) {
      server.shown.push(shown);
      const token = /auth=Bearer ([^\x01]*)/.exec(shown)?.[1] ?? '';
      return server.tokens === undefined || server.tokens.has(token) ? server.mailboxes : undefined;
    },
    get greeting() {
      return server.greeting;
    },
    get capabilities() {
      return server.capabilities;
    },
    get delimiter() {
      return server.delimiter;
    },
    get prefix() {
      return server.prefix;
    },
    now: () => new Date(),
    hear(command, tag, socket) {
      server.heard.push(command);
      return server.mischief(command, tag, socket);
    },
    refuse: (message) => server.refuse(message),
    store: (content) => server.store(content),
  };
}
