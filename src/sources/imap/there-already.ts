import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { AppError, isAppError } from '../../errors.ts';
import { memoryOfMember, unlimitedMemory } from '../../memory-budget.ts';
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
  /** Of its bytes, once they were fetched. */
  digest?: string;
  /** It is one that was asked about. */
  isTaken: boolean;
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
  const bySize = new Map<number, Found[]>();
  const bySecond = new Map<number, Found[]>();
  const writtenOf = new Map<string, number>();
  let isListed = false;
  let uidValidity: string | undefined;
  let last = 0;

  async function list(signal: AbortSignal): Promise<void> {
    const found = await connections.use((connection) => listAfter(connection, signal), { path, signal });
    for (const one of found) {
      last = Math.max(last, one.uid);
      push(bySize, one.size, one);
      if (one.second !== undefined) push(bySecond, one.second, one);
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

  async function digestAt(found: Found, signal: AbortSignal): Promise<string> {
    found.digest ??= await fetchDigest(found, signal);
    return found.digest;
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

  /** The one of its second and Message-ID, where these tell. */
  function receivedAs({ isAloneInSecond, messageId, receivedAt }: KnownBy): Found | undefined {
    const second = secondOf(receivedAt);
    if (!isAloneInSecond || messageId === undefined || second === undefined) return undefined;
    return bySecond.get(second)?.find((one) => !one.isTaken && one.messageId === messageId);
  }

  function ofSizeOf({ size }: KnownBy): Found[] {
    return (bySize.get(size) ?? []).filter(({ isTaken }) => !isTaken);
  }

  return {
    forgetListing: () => {
      isListed = false;
    },
    written: ({ digest }) => void writtenOf.set(digest, (writtenOf.get(digest) ?? 0) + 1),
    async expect(messages, signal) {
      if (!isListed) await list(signal);
      const asked = new Set(messages.flatMap((one) => (receivedAs(one) === undefined ? ofSizeOf(one) : [])));
      await Promise.allSettled([...asked].map((one) => digestAt(one, signal)));
    },
    async has(message, signal) {
      if (!isListed) await list(signal);
      const same = receivedAs(message);
      if (same !== undefined) {
        same.isTaken = true;
        return true;
      }
      const { digest } = message;
      const ofSize = ofSizeOf(message);
      const digests = await Promise.all(ofSize.map((one) => digestAt(one, signal)));
      const alike = ofSize.filter((one, at) => digests[at] === digest && !one.isTaken);
      const [first] = alike;
      if (first === undefined || alike.length <= (writtenOf.get(digest) ?? 0)) return false;
      first.isTaken = true;
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
