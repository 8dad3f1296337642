import { countWords } from '../../count-words.ts';
import { memoryOfMember } from '../../memory-budget.ts';
import { sortedInPieces } from '../../pieces.ts';
import type { Member } from '../source.ts';
import { CommandRefused, type ImapConnection, type OpenedMailbox } from './connection.ts';
import { decodeHeader } from './encoded-words.ts';
import type { ListingWatch } from './listing-watch.ts';
import { messageName, parseInternalDate } from './message-name.ts';
import { examine } from './opened-mailbox.ts';
import { mayPass, refusal } from './refusals.ts';
import type { ImapResponse } from './response-reader.ts';
import { type ImapValue, numberOf, readValues, textOf, wordsOf } from './values.ts';

/** A message as its mailbox lists it. */
export interface ListedMessage {
  readonly uid: number;
  readonly receivedAt: Date | undefined;
  readonly flags: readonly string[];
  readonly member: Member;
}

/** What a mailbox holds. */
export interface ListedMessages {
  readonly opened: OpenedMailbox;
  /** By their numbers. */
  readonly messages: readonly ListedMessage[];
  /** Where the server named fewer than it says there are: so, in words. */
  readonly lacking?: string;
}

const items = '(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])';

/**
 * Opens a mailbox and lists its messages, in one command; what the server refuses at its end does not count against those that came. `expected`: how many
 * there are, as the list of mailboxes says; where there seem to be fewer, or none at all, the server is asked once more. Throws `source/too-large`,
 * `source/too-slow` and what commands throw.
 */
export async function listMessages(
  connection: ImapConnection,
  { path, expected = 0 }: { path: string; expected?: number | undefined },
  watch: ListingWatch,
  signal: AbortSignal,
): Promise<ListedMessages> {
  const opened = await examine(connection, path, signal);
  const found = new Map<number, ListedMessage>();
  let expunged = 0;
  const onResponse = (response: ImapResponse) => {
    if (/^\* \d+ EXPUNGE$/i.test(response.text)) expunged++;
    const message = readMessage(response, opened);
    if (message === undefined || found.has(message.uid)) return;
    watch.member(memoryOfMember(message.member.location) + memoryOfFlags(message.flags));
    found.set(message.uid, message);
  };
  const there = () => opened.messages - expunged;
  const run = (command: string) => connection.run(command, { signal, onResponse, onBytes: watch.onBytes });
  const fetch = () =>
    run(`UID FETCH 1:* ${items}`).catch((error: unknown) => {
      // Gmail says NO where there were some that it could not give.
      const isAfterSome = error instanceof CommandRefused && error.status === 'NO' && found.size > 0;
      if (!isAfterSome || mayPass(error)) throw lastingRefusal(error);
    });
  if (opened.messages > 0) await fetch();
  // What others have deleted since it was opened may be told only when it is asked for.
  if (found.size < there()) await run('NOOP').catch(passOver);
  const before = expected - expunged;
  const isDoubtful = found.size === 0 || found.size < before;
  const counted = isDoubtful ? await countBySearch(connection, before, signal) : 0;
  if (counted > found.size) await fetch();
  const all = Math.max(there(), counted);
  const messages = await sortedInPieces(found.values(), (one, other) => one.uid - other.uid);
  return { opened, messages, ...(found.size < all && { lacking: lacking(all, found.size) }) };
}

/** Of more messages, their numbers are more than one line may have. */
const mostSearched = 20_000;

/** How many messages the server finds in the mailbox that is open: those expected where it does not search, and 0 where they are too many to name. */
async function countBySearch(connection: ImapConnection, expected: number, signal: AbortSignal): Promise<number> {
  const isExtended = connection.capabilities.has('ESEARCH');
  if (!isExtended && expected > mostSearched) return 0;
  let counted = 0;
  const onResponse = ({ text }: ImapResponse) => {
    const [, uids] = /^\* SEARCH((?: \d+)*)/i.exec(text) ?? [];
    const [, count] = /^\* ESEARCH .*\bCOUNT (\d{1,10})\b/i.exec(text) ?? [];
    if (uids !== undefined) counted += uids.split(' ').length - 1;
    if (count !== undefined) counted = Number(count);
  };
  try {
    await connection.run(`UID SEARCH ${isExtended ? 'RETURN (COUNT) ' : ''}ALL`, { signal, onResponse });
    return counted;
  } catch (error) {
    passOver(error);
    return expected;
  }
}

/** More and longer ones than programs for mail set; a server may name as many as a line takes, of each message. */
const most = { flags: 200, characters: 100 };

function flagsOf(value: ImapValue | undefined): string[] {
  return wordsOf(value)
    .filter(({ length }) => length <= most.characters)
    .slice(0, most.flags);
}

/** In bytes. */
function memoryOfFlags(flags: readonly string[]): number {
  return flags.reduce((bytes, flag) => bytes + 40 + flag.length, 0);
}

function lastingRefusal(error: unknown): unknown {
  return error instanceof CommandRefused && !mayPass(error) ? refusal(error, 'source/forbidden') : error;
}

function passOver(error: unknown): void {
  if (!(error instanceof CommandRefused)) throw error;
}

function lacking(all: number, listed: number): string {
  return `The mail server says that there are ${countWords(all, 'message')} in this mailbox, and lists ${listed}.`;
}

/** Undefined for a response of another kind, such as one of flags that somebody has just changed. */
function readMessage(response: ImapResponse, { path, uidValidity }: OpenedMailbox): ListedMessage | undefined {
  const from = /^\* \d+ FETCH /i.exec(response.text)?.[0].length;
  if (from === undefined) return undefined;
  const values = readValues(response, from);
  let [uid, size]: (number | undefined)[] = [];
  let receivedAt: Date | undefined;
  let flags: string[] = [];
  let subject = '';
  values.enter();
  for (let item = values.item(); item !== undefined; item = values.item()) {
    const value = values.next();
    if (item === 'UID') uid = numberOf(value);
    else if (item === 'RFC822.SIZE') size = numberOf(value);
    else if (item === 'INTERNALDATE') receivedAt = parseInternalDate(textOf(value) ?? '');
    else if (item === 'FLAGS') flags = flagsOf(value);
    else if (item === 'BODY') subject = decodeHeader(Buffer.from(textOf(value) ?? '', 'latin1'));
  }
  if (uid === undefined || size === undefined) return undefined;
  const member: Member = {
    kind: 'entry',
    name: messageName({ uid, receivedAt, subject }),
    location: `${uid} ${path}`,
    size,
    ...(receivedAt && { modified: receivedAt }),
    ...(uidValidity !== undefined && { validator: `${uidValidity} ${uid}` }),
  };
  return { uid, receivedAt, flags, member };
}
