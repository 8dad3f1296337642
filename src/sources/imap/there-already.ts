import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { AppError, isAppError } from '../../errors.ts';
import { memoryOfMember, unlimitedMemory } from '../../memory-budget.ts';
import { piecesOf } from '../../pieces.ts';
import type { ProcessorShare } from '../http/processor-shares.ts';
import type { ImapConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import { type MailListingLimits, watchListing } from './listing-watch.ts';
import { longestTogether, type MessageFetches, type MessagePlace } from './message-fetches.ts';
import { parseInternalDate } from './message-name.ts';
import { digestOf, messageIdIn } from './new-message.ts';
import { select } from './opened-mailbox.ts';
import type { ImapResponse } from './response-reader.ts';
import { numberOf, readValues, textOf } from './values.ts';

/** What a message is known again by. */
export interface KnownBy {
  readonly size: number;
  readonly receivedAt: Date | undefined;
  readonly isAloneInSecond: boolean;
  readonly messageId: string | undefined;
  /** Of its bytes. */
  readonly digest: string;
}

/** A message that is in the mailbox. */
interface Found {
  readonly uid: number;
  readonly size: number;
  readonly second: number | undefined;
  readonly messageId: string | undefined;
  /** Those with the same bytes, once they were fetched. */
  alike?: Alike;
  /** It is one that was asked about. */
  isTaken: boolean;
}

interface Alike {
  readonly found: Found[];
  /** How many of them are not taken. */
  left: number;
}

/** The messages of a mailbox that nobody else writes to, and which of those that are to be written are among them. */
export interface ThereAlready {
  /** There may be more than were listed. */
  forgetListing(): void;
  /** These will be asked about: what tells is fetched together, as far as it can be. */
  expect(messages: readonly KnownBy[], signal: AbortSignal): Promise<void>;
  /** One was written. */
  written(message: Pick<KnownBy, 'digest'>): void;
  /**
   * Whether the message is there. It is if the same bytes are, more often than they were written and found before; and if one with its Message-ID was received in
   * the second in which it alone was: there are servers that change what they are given. Throws what listings and fetches do.
   */
  has(message: KnownBy, signal: AbortSignal): Promise<boolean>;
}

interface Needs {
  readonly path: string;
  readonly connections: Connections;
  readonly fetches: MessageFetches;
  readonly limits: MailListingLimits;
  readonly clock: Clock;
  readonly processor: ProcessorShare;
}

const items = '(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])';

/** Lists the mailbox as soon as somebody asks. */
export function openThereAlready({ path, connections, fetches, ...watched }: Needs): ThereAlready {
  /** Those whose bytes were not fetched yet. */
  const bySize = new Map<number, Found[]>();
  const byReceipt = new Map<string, Found[]>();
  const byDigest = new Map<string, Alike>();
  const writtenOf = new Map<string, number>();
  let isListed = false;
  let uidValidity: string | undefined;
  let last = 0;

  async function list(signal: AbortSignal): Promise<void> {
    const found = await connections.use((connection) => listAfter(connection, signal), { path, signal });
    for (const one of found) {
      last = Math.max(last, one.uid);
      push(bySize, one.size, one);
      const receipt = receiptOf(one);
      if (receipt !== undefined) push(byReceipt, receipt, one);
    }
    isListed = true;
  }

  async function listAfter(connection: ImapConnection, signal: AbortSignal): Promise<Found[]> {
    const opened = await select(connection, path, signal);
    if (last > 0 && opened.uidValidity !== uidValidity)
      throw new AppError('source/changed', 'The mail server has numbered the messages of the mailbox anew.');
    uidValidity = opened.uidValidity;
    if (opened.messages === 0) return [];
    using watch = watchListing({ ...watched, memory: unlimitedMemory }, signal);
    const found = new Map<number, Found>();
    const onResponse = (response: ImapResponse) => {
      const one = readFound(response);
      if (one === undefined || one.uid <= last || found.has(one.uid)) return;
      watch.member(memoryOfMember(one.messageId ?? ''));
      found.set(one.uid, one);
    };
    await connection.run(`UID FETCH ${last + 1}:* ${items}`, { signal, onResponse, onBytes: watch.onBytes });
    return [...found.values()];
  }

  /** Fetches those of this size, some at a time: there may be as many as a listing has. */
  async function fetchThose(size: number, signal: AbortSignal): Promise<void> {
    const unknown = (bySize.get(size) ?? []).filter(({ isTaken }) => !isTaken);
    for await (const piece of piecesOf(unknown)) await Promise.all(piece.map((one) => fetchOne(one, signal)));
    bySize.delete(size);
  }

  async function fetchOne(found: Found, signal: AbortSignal): Promise<void> {
    if (found.alike !== undefined) return;
    const digest = await fetchDigest(found, signal);
    const alike = byDigest.get(digest) ?? { found: [], left: 0 };
    byDigest.set(digest, alike);
    alike.found.push(found);
    if (!found.isTaken) alike.left++;
    found.alike = alike;
  }

  async function fetchDigest({ uid, size }: Found, signal: AbortSignal): Promise<string> {
    const place = { path, uid, uidValidity };
    try {
      const whole = size <= longestTogether ? await fetches.whole(place, size, signal) : undefined;
      return whole === undefined ? await digestInParts(fetches, place, size, signal) : digestOf(whole);
    } catch (error) {
      if (isAppError(error, 'source/not-found')) return gone;
      throw error;
    }
  }

  /** One of its second and Message-ID, where these tell. */
  function receivedAs({ isAloneInSecond, messageId, receivedAt }: KnownBy): Found | undefined {
    const receipt = receiptOf({ second: secondOf(receivedAt), messageId });
    return isAloneInSecond && receipt !== undefined ? lastLeft(byReceipt.get(receipt)) : undefined;
  }

  return {
    forgetListing: () => {
      isListed = false;
    },
    written: ({ digest }) => void writtenOf.set(digest, (writtenOf.get(digest) ?? 0) + 1),
    async expect(messages, signal) {
      if (!isListed) await list(signal);
      const sizes = new Set(messages.flatMap((one) => (receivedAs(one) === undefined ? one.size : [])));
      await Promise.allSettled([...sizes].map((size) => fetchThose(size, signal)));
    },
    async has(message, signal) {
      if (!isListed) await list(signal);
      const same = receivedAs(message);
      if (same !== undefined) {
        take(same);
        return true;
      }
      const { digest, size } = message;
      await fetchThose(size, signal);
      const alike = byDigest.get(digest);
      const one = lastLeft(alike?.found);
      if (alike === undefined || one === undefined || alike.left <= (writtenOf.get(digest) ?? 0)) return false;
      take(one);
      return true;
    },
  };
}

/** No message has this digest. */
const gone = '';

async function digestInParts(
  fetches: MessageFetches,
  place: MessagePlace,
  size: number,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (let from = 0; from < size; ) {
    const { bytes } = await fetches.part(place, from, signal);
    if (bytes.length === 0) break;
    hash.update(bytes);
    from += bytes.length;
  }
  return hash.digest('base64url');
}

function take(found: Found): void {
  found.isTaken = true;
  if (found.alike !== undefined) found.alike.left--;
}

/** The last that is not taken; what is taken behind it is dropped, so that it is passed over once. */
function lastLeft(found: Found[] | undefined): Found | undefined {
  while (found?.at(-1)?.isTaken) found.pop();
  return found?.at(-1);
}

function receiptOf({ second, messageId }: Pick<Found, 'second' | 'messageId'>): string | undefined {
  return second === undefined || messageId === undefined ? undefined : `${second} ${messageId}`;
}

function push<K>(map: Map<K, Found[]>, key: K, found: Found): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [found]);
  else known.push(found);
}

function secondOf(at: Date | undefined): number | undefined {
  return at === undefined ? undefined : Math.floor(at.getTime() / 1000);
}

function readFound(response: ImapResponse): Found | undefined {
  const from = /^\* \d+ FETCH /i.exec(response.text)?.[0].length;
  if (from === undefined) return undefined;
  const values = readValues(response, from);
  let [uid, size]: (number | undefined)[] = [];
  let receivedAt: Date | undefined;
  let messageId: string | undefined;
  values.enter();
  for (let item = values.item(); item !== undefined; item = values.item()) {
    const value = values.next();
    if (item === 'UID') uid = numberOf(value);
    else if (item === 'RFC822.SIZE') size = numberOf(value);
    else if (item === 'INTERNALDATE') receivedAt = parseInternalDate(textOf(value) ?? '');
    else if (item === 'BODY') messageId = messageIdIn(Buffer.from(textOf(value) ?? '', 'latin1'));
  }
  if (uid === undefined || size === undefined) return undefined;
  return { uid, size, second: secondOf(receivedAt), messageId, isTaken: false };
}
