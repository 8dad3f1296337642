import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { untilAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { countWords } from '../../count-words.ts';
import { AppError, isAppError } from '../../errors.ts';
import { CommandRefused, ConnectionLost, type ImapConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import { writeInternalDate } from './message-name.ts';
import {
  digestOf,
  flagsFor,
  isAskedFor,
  longestHeader,
  longestHeld,
  messageIdIn,
  type NewMessage,
  type SentFlags,
  withoutKeywords,
} from './new-message.ts';
import { quoted } from './opened-mailbox.ts';
import { mayPassWritten, outage, writeRefusal } from './refusals.ts';
import { type CommandPart, ContentFailed } from './sent-command.ts';
import type { KnownBy, ThereAlready } from './there-already.ts';

const mostTogether = 100;
const mostBytesTogether = 4 * 1024 ** 2;
const mostAttempts = 4;

/** Writes messages into one mailbox. */
export interface MailboxWriting {
  /**
   * Writes a message, unless it is there, together with others that are to be written at the same time; resolves to the flags of it that the server does
   * not keep. The content is read when it is its turn. Throws `source/full`, `source/too-large`, `source/forbidden`, `source/not-found`,
   * `source/malformed`, `source/unavailable` and `source/too-slow`, and what reading the content throws.
   */
  write(message: NewMessage, signal: AbortSignal): Promise<readonly string[]>;
}

interface Needs {
  readonly path: string;
  readonly connections: Connections;
  readonly there: ThereAlready;
  /** Whether there may be some of the messages already. */
  readonly isNew: boolean;
  /** Which flags stay there. */
  readonly permanentFlags: ReadonlySet<string> | undefined;
  /** Most bytes of a message, where the server says that. */
  readonly mostBytes: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
}

interface Waiting {
  readonly message: NewMessage;
  readonly signal: AbortSignal;
  /** Absent where it is too long to be held. */
  readonly bytes: Buffer | undefined;
  readonly resolve: (leftOut: readonly string[]) => void;
  readonly reject: (error: unknown) => void;
  flags: SentFlags;
  /** Once all of it was read. */
  known?: KnownBy;
  /** It may be there: from an earlier time, or it was sent and there was no answer. */
  mayBeThere: boolean;
  isSettled: boolean;
}

/** Sends what waits, one command at a time. A network with latency takes as long for a hundred messages as for one, where the server takes several at once (RFC 3502). */
export function openMailboxWriting(needs: Needs): MailboxWriting {
  const waiting: Waiting[] = [];
  const forRoom = new Set<() => void>();
  let held = 0;
  let isSending = false;

  async function sendAll(): Promise<void> {
    if (isSending) return;
    isSending = true;
    for (let together = takeTogether(waiting); together.length > 0; together = takeTogether(waiting)) {
      await send(needs, together);
      for (const { bytes } of together) held -= bytes?.length ?? 0;
      for (const called of forRoom) called();
      forRoom.clear();
    }
    isSending = false;
  }

  async function room(signal: AbortSignal): Promise<void> {
    while (waiting.length >= mostTogether || held >= mostBytesTogether)
      await untilAborted(new Promise<void>((resolve) => void forRoom.add(resolve)), signal);
  }

  return {
    async write(message, signal) {
      const { mostBytes, permanentFlags, isNew } = needs;
      const { size, flags, content } = message;
      if (mostBytes !== undefined && size > mostBytes)
        throw new AppError(
          'source/too-large',
          `The mail server takes no message of more than ${countWords(mostBytes, 'byte')}.`,
          { detail: { limit: mostBytes } },
        );
      await room(signal);
      const bytes = size <= longestHeld ? await buffer(Readable.from(content())) : undefined;
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      held += bytes?.length ?? 0;
      const sent = flagsFor(flags, permanentFlags);
      waiting.push({ message, signal, bytes, resolve, reject, flags: sent, mayBeThere: !isNew, isSettled: false });
      void sendAll();
      return promise;
    },
  };
}

/** The first, and those behind it that go with it. */
function takeTogether(waiting: Waiting[]): Waiting[] {
  let [count, bytes] = [0, 0];
  for (const one of waiting) {
    if (count > 0 && (one.bytes === undefined || bytes + one.bytes.length > mostBytesTogether)) break;
    bytes += one.bytes?.length ?? 0;
    count++;
    if (one.bytes === undefined || count === mostTogether) break;
  }
  return waiting.splice(0, count);
}

/** Settles each of them; never rejects. One that the server does not take does not keep the others. */
async function send(needs: Needs, together: readonly Waiting[]): Promise<void> {
  const isLeft = ({ isSettled }: Waiting) => !isSettled;
  try {
    const left = await passOverThere(needs, together);
    if (left.length > 1 && (await takesSeveral(needs, left))) await append(needs, left).catch(passOverOfOne);
  } catch (error) {
    for (const one of together.filter(isLeft)) settle(one, error);
  }
  for (const one of together.filter(isLeft)) await sendOne(needs, one).catch((error: unknown) => settle(one, error));
}

/** What may be about one of several messages. */
function passOverOfOne(error: unknown): void {
  if (!isAppError(error) || !/^source\/(?!unauthorized)/.test(error.code)) throw error;
}

/** Without an error it is there. */
function settle(one: Waiting, error?: unknown): void {
  one.isSettled = true;
  if (error === undefined) one.resolve(one.flags.leftOut);
  else one.reject(error);
}

async function takesSeveral({ connections, path }: Needs, [first]: readonly Waiting[]): Promise<boolean> {
  if (first === undefined) return false;
  const { signal } = first;
  return connections.use(async ({ capabilities }) => capabilities.has('MULTIAPPEND'), { path, signal });
}

/** Servers may refuse a message for its keywords alone. */
async function sendOne(needs: Needs, one: Waiting): Promise<void> {
  try {
    await append(needs, [one]);
  } catch (error) {
    const plain = withoutKeywords(one.flags);
    const isOfFlags =
      isAppError(error) && /^source\/(forbidden|malformed)$/.test(error.code) && 'answer' in error.detail;
    if (!isOfFlags || plain.sent.length === one.flags.sent.length) throw error;
    const before = one.flags;
    one.flags = plain;
    await append(needs, [one]).catch(() => {
      one.flags = before;
      throw error;
    });
  }
}

/** Those that are not in the mailbox yet. */
async function passOverThere({ there }: Needs, together: readonly Waiting[]): Promise<Waiting[]> {
  const left: Waiting[] = [];
  const [first] = together;
  const asked = together.filter(({ mayBeThere }) => mayBeThere);
  if (first !== undefined && asked.length > 1) await there.expect(await Promise.all(asked.map(knownBy)), first.signal);
  for (const one of together) {
    const isThere = one.mayBeThere && (await there.has(await knownBy(one), one.signal));
    if (isThere) settle(one);
    else left.push(one);
  }
  return left;
}

/** Resolves those that were written. What was sent without an answer is looked for before it is sent again. */
async function append(needs: Needs, together: readonly Waiting[]): Promise<void> {
  const { clock, connections, path, random, there } = needs;
  let left = [...together];
  for (let tries = 1; ; tries++) {
    const [first] = left;
    if (first === undefined) return;
    const { signal } = first;
    const lost = await connections.use((connection) => appendOnce(path, connection, left, signal), { path, signal });
    if (lost === undefined) {
      for (const one of left) {
        there.written(await knownBy(one));
        settle(one);
      }
      return;
    }
    there.forgetListing();
    for (const one of left) one.mayBeThere = true;
    if (tries === mostAttempts) throw outage(lost);
    await clock.sleep(500 * 2 ** (tries - 1) * (1 + random()), signal);
    left = await passOverThere(needs, left);
  }
}

/** Undefined once the server has said that they are written; how the connection was lost where it did not say anything. */
async function appendOnce(
  path: string,
  connection: ImapConnection,
  together: readonly Waiting[],
  signal: AbortSignal,
): Promise<ConnectionLost | undefined> {
  const parts: CommandPart[] = [`APPEND ${quoted(path)}`];
  for (const one of together) parts.push(...partsOf(one, connection.capabilities));
  try {
    await connection.run(parts, { signal });
    return undefined;
  } catch (error) {
    if (error instanceof ConnectionLost) return error;
    if (error instanceof ContentFailed) throw error.cause ?? error;
    if (error instanceof CommandRefused && !mayPassWritten(error)) throw writeRefusal(error);
    throw error;
  }
}

function partsOf(one: Waiting, capabilities: ReadonlySet<string>): CommandPart[] {
  const { bytes, flags, message } = one;
  const date = message.receivedAt && writeInternalDate(message.receivedAt);
  const content = bytes === undefined ? readThrough(one) : [bytes];
  return [
    ` (${flags.sent.join(' ')}) ${date === undefined ? '' : `"${date}" `}`,
    { size: message.size, content, isAsked: isAskedFor(message.size, capabilities) },
  ];
}

async function knownBy(one: Waiting): Promise<KnownBy> {
  if (one.known === undefined && one.bytes !== undefined)
    one.known = { ...one.message, messageId: messageIdIn(one.bytes), digest: digestOf(one.bytes) };
  if (one.known === undefined) for await (const _ of readThrough(one));
  if (one.known === undefined) throw new Error('The content was not read to its end.');
  return one.known;
}

/** The content of a long one; what it is known by is known then. */
async function* readThrough(one: Waiting): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  for await (const bytes of one.message.content()) {
    hash.update(bytes);
    if (head.length < longestHeader) head = Buffer.concat([head, bytes.subarray(0, longestHeader - head.length)]);
    yield bytes;
  }
  one.known = { ...one.message, messageId: messageIdIn(head), digest: hash.digest('base64url') };
}
