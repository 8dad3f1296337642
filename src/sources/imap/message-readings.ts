import { createHash } from 'node:crypto';
import { AppError, isAppError } from '../../errors.ts';
import type { Member, Reading } from '../source.ts';
import { subjectIn } from './encoded-words.ts';
import {
  bytesOfPart,
  type FetchedPart,
  longestTogether,
  type MessageFetches,
  type MessagePlace,
} from './message-fetches.ts';
import { messageName } from './message-name.ts';

interface Needs {
  readonly fetches: MessageFetches;
  /** Most bytes of one message. */
  readonly mostBytes: number;
  /** Told of the content as it comes. */
  readonly onBytes: (count: number) => void;
}

/** Reads messages, as `open` and `openRest` of a source promise. */
export interface MessageReadings {
  open(entry: Member, signal: AbortSignal): Promise<Reading>;
  openRest(entry: Member, from: number, signal: AbortSignal): Promise<Reading | undefined>;
}

/**
 * What has a number never changes, and an answer that broke off is told from a whole one. There are servers that only estimate sizes, though: where one
 * lists another than it sends, two readings of the same bytes are the message, unless they are empty or of another subject than is listed: what some
 * servers send in place of a message that they cannot give is the same each time as well.
 */
export function openMessageReadings({ fetches, mostBytes, onBytes }: Needs): MessageReadings {
  const doubted = new WeakMap<Member, string>();

  /** Throws `source/changed` with `retry` at the first of such readings, and `source/malformed` where they differ or stand in for it. */
  function requireListedSize(entry: Member, length: number, { head, digest }: Read): void {
    if (entry.size === undefined || entry.size === length) return;
    const before = doubted.get(entry);
    const now = digest();
    const isOther = standsIn(entry, head);
    if (before === now && !isOther) return;
    doubted.set(entry, now);
    const detail = { listed: entry.size, received: length };
    if (before === undefined)
      throw new AppError('source/changed', 'The mail server sent a message of another size than it lists.', {
        detail,
        retry: { afterMs: 0 },
      });
    const what = isOther ? 'something other than the message' : 'something else each time, and never what it lists';
    throw new AppError('source/malformed', `The mail server sends ${what}.`, { detail });
  }

  /** From a byte on, of which the first part is there already. */
  function readInParts(entry: Member, from: number, first: FetchedPart, signal: AbortSignal): Reading {
    const place = placeOf(entry);
    const { validator, size } = entry;
    const isDoubted = size === undefined || doubted.has(entry);
    const hash = createHash('sha256');
    async function* body() {
      let length = from;
      const start = first.bytes;
      for (let { bytes } = first; ; { bytes } = await fetches.part(place, length, signal)) {
        length += bytes.length;
        onBytes(bytes.length);
        if (length > mostBytes) throw tooLong();
        hash.update(bytes);
        yield bytes;
        // Less than was requested is the end only where no more is listed: a server may give less at a time.
        if (bytes.length === 0 || (bytes.length < bytesOfPart && length >= (size ?? length + 1))) break;
      }
      requireListedSize(entry, length, { head: from === 0 ? start : undefined, digest: () => hash.digest('hex') });
    }
    return { validator, ...(!isDoubted && { size: size - from }), body: body() };
  }

  return {
    async open(entry, signal) {
      const { size, validator } = entry;
      if (size !== undefined && size > mostBytes) throw tooLong();
      const place = placeOf(entry);
      const isShort = size !== undefined && size <= longestTogether;
      const bytes = isShort ? await fetches.whole(place, size, signal) : undefined;
      if (bytes === undefined) return readInParts(entry, 0, await fetches.part(place, 0, signal), signal);
      onBytes(bytes.length);
      const digest = () => createHash('sha256').update(bytes).digest('hex');
      requireListedSize(entry, bytes.length, { head: bytes, digest });
      return { size: bytes.length, validator, body: [bytes] };
    },
    async openRest(entry, from, signal) {
      const first = await fetches.part(placeOf(entry), from, signal).catch(passOverGone);
      return first !== undefined && first.size === entry.size ? readInParts(entry, from, first, signal) : undefined;
    },
  };
}

/** A message that was read to its end. */
interface Read {
  /** Its beginning; absent where it was read before. */
  readonly head: Buffer | undefined;
  readonly digest: () => string;
}

/** Whether it is not the message: there is nothing, or it has another subject than is listed. */
function standsIn(entry: Member, head: Buffer | undefined): boolean {
  if (head === undefined) return false;
  if (head.length === 0) return true;
  const named = (subject: string) => messageName({ uid: placeOf(entry).uid, receivedAt: entry.modified, subject });
  return entry.name !== named('') && entry.name !== named(subjectIn(head));
}

/** As `listMessages` has written it. */
function placeOf({ location, validator }: Member): MessagePlace {
  const [, uid, path = ''] = /^(\d+) (.*)$/s.exec(location) ?? [];
  return { uid: Number(uid), path, uidValidity: validator?.split(' ')[0] };
}

/** What is not there to go on with is found out again by reading all of it. */
function passOverGone(error: unknown): undefined {
  if (!isAppError(error, 'source/not-found') && !isAppError(error, 'source/changed')) throw error;
}

function tooLong(): AppError {
  return new AppError('source/too-large', 'The message is longer than FILE_BYTES allows.');
}
