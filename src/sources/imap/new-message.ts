import { hash } from 'node:crypto';
import type { SentLiteral } from './sent-command.ts';

/** A message to be written. */
export interface NewMessage {
  readonly size: number;
  readonly receivedAt: Date | undefined;
  /** Whether no other message of its mailbox was received in the same second. */
  readonly isAloneInSecond: boolean;
  readonly flags: readonly string[];
  /** Of exactly `size` bytes; called again for each try of a long one. */
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** Up to this many bytes a message is held in memory, and may go with others. */
export const longestHeld = 256 * 1024;

/** What its mailbox keeps of the flags of a message. */
export interface SentFlags {
  readonly sent: readonly string[];
  readonly leftOut: readonly string[];
}

const systemFlags = /^\\(answered|deleted|draft|flagged|seen)$/i;
/** What a keyword may be (RFC 9051, section 9: atom). */
const keyword = /^[^\0-\x20\x7f-\uffff(){%*"\\\]]+$/;

/** Which flags are sent to a mailbox that keeps those of `permanent`; all where it does not say which. What is no flag is never sent. */
export function flagsFor(flags: readonly string[], permanent: ReadonlySet<string> | undefined): SentFlags {
  const isKept = (flag: string) => {
    const isSystem = systemFlags.test(flag);
    if (!isSystem && !keyword.test(flag)) return false;
    if (permanent === undefined || permanent.has(flag.toLowerCase())) return true;
    return !isSystem && permanent.has('\\*');
  };
  return { sent: flags.filter(isKept), leftOut: flags.filter((flag) => !isKept(flag)) };
}

/** The same without what servers may refuse: keywords. */
export function withoutKeywords({ sent, leftOut }: SentFlags): SentFlags {
  const isSystem = (flag: string) => systemFlags.test(flag);
  return { sent: sent.filter(isSystem), leftOut: [...leftOut, ...sent.filter((flag) => !isSystem(flag))] };
}

/** Whether the server is asked before a message of this size is sent to it (RFC 7888). */
export function isAskedFor(size: number, capabilities: ReadonlySet<string>): SentLiteral['isAsked'] {
  if (capabilities.has('LITERAL+')) return size > longestHeld;
  return size > 4_096 || !(capabilities.has('LITERAL-') || capabilities.has('IMAP4REV2'));
}

/** Of the same bytes. */
export function digestOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url');
}

/** A header that is longer than this has none for us. */
export const longestHeader = 256 * 1024;

/** The Message-ID (RFC 5322, section 3.6.4) in a header, or in what begins with one; undefined where there is none. */
export function messageIdIn(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, longestHeader)).toString('latin1');
  const [header = ''] = text.split(/\r?\n\r?\n/, 1);
  return /^message-id:\s*(<[^<>\r\n]{1,998}>)/im.exec(header)?.[1];
}
