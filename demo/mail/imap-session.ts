import type { Socket } from 'node:net';
import type { CommandReader } from './command-reader.ts';
import type { HeldMailbox, HeldMailboxes } from './mailboxes.ts';

/** One command as a connection sent it, without its tag. */
export interface HeardCommand {
  readonly name: string;
  readonly arguments: string;
  /** Which mailbox that connection has open. */
  readonly opened: string | undefined;
}

/** A message as APPEND brings it. */
export interface AppendedMessage {
  readonly path: string;
  readonly content: Buffer;
  readonly flags: string[];
}

/** How a server behaves; what is optional is only bent by tests. */
export interface ImapManner {
  /** What the person has who logs in with this OAUTHBEARER or XOAUTH2 message, decoded; undefined where it is refused. */
  login(shown: string): Promise<HeldMailboxes | undefined>;
  readonly greeting: string;
  readonly capabilities: readonly string[];
  /** Empty where names have no levels. */
  readonly delimiter: string;
  /** In front of the names of the person's mailboxes. */
  readonly prefix: string;
  now(): Date;
  /** Answers in the server's stead: true where it did. What it sends goes to the socket; `tag` is the command's. */
  hear?(command: HeardCommand, tag: string, socket: Socket): boolean | undefined;
  /** The response code with which a message is refused; undefined where it is taken. */
  refuse?(message: AppendedMessage): string | undefined;
  /** What is stored of a message. */
  store?(content: Buffer): Buffer;
}

/** One connection, and how far it is. */
export interface ImapSession {
  readonly manner: ImapManner;
  readonly socket: Socket;
  readonly reader: CommandReader;
  /** Whose mail it is; nobody's before the login. */
  mailboxes: HeldMailboxes;
  /** The mailbox that is open. */
  opened: string | undefined;
  /** What takes the next line, where it belongs to a command. */
  next: ((line: string) => void) | undefined;
  /** Sends a line. */
  say(line: string): void;
}

/** Does one command. Answers how it ends, or that it says so itself later. */
export type ImapCommand = (session: ImapSession, rest: string, tag: string) => string;

export const done = 'OK done';
export const none = 'NO [NONEXISTENT] There is none.';
export const later = 'later';

/** The mailbox of this path, unless it is one that only holds others. */
export function openable({ mailboxes }: ImapSession, path: string): HeldMailbox | undefined {
  const mailbox = mailboxes.get(path);
  return mailbox?.attributes.some((one) => /^\\(Noselect|NonExistent)$/i.test(one)) ? undefined : mailbox;
}

export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

export function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

/** The first argument, as it was sent. */
export function firstOf(rest: string): string {
  return /^("(?:[^"\\]|\\.)*"|\S+)/.exec(rest)?.[1] ?? '';
}
