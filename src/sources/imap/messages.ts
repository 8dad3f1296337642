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
import { numberOf, readValues, textOf, wordsOf } from './values.ts';

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
  /** The server named fewer than it says there are. */
  readonly isIncomplete: boolean;
}

const items = '(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])';

/** Opens a mailbox and lists its messages, in one command. Throws `source/too-large`, `source/too-slow` and what commands throw. */
export async function listMessages(
  connection: ImapConnection,
  path: string,
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
    watch.member(memoryOfMember(message.member.location));
    found.set(message.uid, message);
  };
  if (opened.messages > 0) await fetchAll(connection, { signal, onResponse, onBytes: watch.onBytes });
  return {
    opened,
    messages: await sortedInPieces(found.values(), (one, other) => one.uid - other.uid),
    isIncomplete: found.size < opened.messages - expunged,
  };
}

async function fetchAll(connection: ImapConnection, options: Parameters<ImapConnection['run']>[1]): Promise<void> {
  try {
    await connection.run(`UID FETCH 1:* ${items}`, options);
  } catch (error) {
    throw error instanceof CommandRefused && !mayPass(error) ? refusal(error, 'source/forbidden') : error;
  }
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
    else if (item === 'FLAGS') flags = wordsOf(value);
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
