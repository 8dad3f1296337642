import { createHash } from 'node:crypto';
import { AppError, isAppError } from '../../errors.ts';
import type { Member, Reading } from '../source.ts';
import {
  bytesOfPart,
  type FetchedPart,
  longestTogether,
  type MessageFetches,
  type MessagePlace,
} from './message-fetches.ts';

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
 * lists another than it sends, two readings of the same bytes are the message.
 */
export function openMessageReadings({ fetches, mostBytes, onBytes }: Needs): MessageReadings {
  const doubted = new WeakMap<Member, string>();

  /** Throws `source/changed` with `retry` at the first of such readings, and `source/malformed` where they differ. */
  function requireListedSize(entry: Member, length: number, digest: () => string): void {
    if (entry.size === undefined || entry.size === length) return;
    const before = doubted.get(entry);
    const now = digest();
    if (before === now) return;
    doubted.set(entry, now);
    const detail = { listed: entry.size, received: length };
    if (before === undefined)
      throw new AppError('source/changed', 'The mail server sent a message of another size than it lists.', {
        detail,
        retry: { afterMs: 0 },
      });
    throw new AppError('source/malformed', 'The mail server sends something else each time, and never what it lists.', {
      detail,
    });
  }

  /** From a byte on, of which the first part is there already. */
  function readInParts(entry: Member, from: number, first: FetchedPart, signal: AbortSignal): Reading {
    const place = placeOf(entry);
    const { validator, size } = entry;
    const isDoubted = size === undefined || doubted.has(entry);
    const hash = createHash('sha256');
    async function* body() {
      let length = from;
      for (let { bytes } = first; ; { bytes } = await fetches.part(place, length, signal)) {
        length += bytes.length;
        onBytes(bytes.length);
        if (length > mostBytes) throw tooLong();
        hash.update(bytes);
        yield bytes;
        // Less than was requested is the end only where no more is listed: a server may give less at a time.
        if (bytes.length === 0 || (bytes.length < bytesOfPart && length >= (size ?? length + 1))) break;
      }
      requireListedSize(entry, length, () => hash.digest('hex'));
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
      requireListedSize(entry, bytes.length, () => createHash('sha256').update(bytes).digest('hex'));
      return { size: bytes.length, validator, body: [bytes] };
    },
    async openRest(entry, from, signal) {
      const first = await fetches.part(placeOf(entry), from, signal).catch(passOverGone);
      return first !== undefined && first.size === entry.size ? readInParts(entry, from, first, signal) : undefined;
    },
  };
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
  return new AppError('source/too-large', 'The message is longer than a file may be (FILE_BYTES).');
}
