import { untilAborted } from '../../abort.ts';
import { AppError, isAppError } from '../../errors.ts';
import { letOthers } from '../../pieces.ts';
import type { Pace } from '../http/pace.ts';
import type { ProcessorShare } from '../http/processor-shares.ts';
import { CommandRefused, type ImapConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import { reopen } from './opened-mailbox.ts';
import { mayPass, refusal } from './refusals.ts';
import type { ImapResponse } from './response-reader.ts';
import { type ImapValue, numberOf, readValues, textOf } from './values.ts';

/** Which message of which mailbox. */
export interface MessagePlace {
  readonly path: string;
  readonly uid: number;
  readonly uidValidity: string | undefined;
}

/** Up to this many bytes a message is fetched together with others. */
export const longestTogether = 256 * 1024;
const mostTogether = 100;
const mostBytesTogether = 4 * 1024 ** 2;
/** Of a longer one, as much at a time. */
export const bytesOfPart = 1024 ** 2;

/** A part of a message as it came. */
export interface FetchedPart {
  readonly bytes: Buffer;
  /** Of all of it, where that was requested. */
  readonly size: number | undefined;
}

interface Waiting extends MessagePlace {
  readonly size: number;
  readonly signal: AbortSignal;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

export interface MessageFetches {
  /**
   * A short message, of about this many bytes, fetched in one command with others that are wanted at the same time. Throws `source/not-found`,
   * `source/changed`, and what commands throw; undefined where that does not bring it, and it must be fetched in parts.
   */
  whole(place: MessagePlace, size: number, signal: AbortSignal): Promise<Buffer | undefined>;
  /** A part of a message, no longer than `bytesOfPart`. The same errors, and `source/forbidden`. */
  part(place: MessagePlace, from: number, signal: AbortSignal): Promise<FetchedPart>;
}

interface Needs {
  readonly connections: Connections;
  /** Of one answer. */
  readonly pace: () => Pace;
  /** What the run may take of the processor: a message takes about as much as a request for a file. */
  readonly processor: Pick<ProcessorShare, 'did' | 'turn'>;
}

/** Fetches messages (RFC 9051, section 6.4.5), without setting `\Seen`. A network with latency takes as long for a hundred short ones as for one. */
export function openMessageFetches(needs: Needs): MessageFetches {
  const { connections } = needs;
  const waiting: Waiting[] = [];
  let underWay = 0;
  let isWoken = false;

  function wake(): void {
    if (isWoken || waiting.length === 0 || underWay >= connections.most) return;
    isWoken = true;
    // Those that are asked for in the same moment belong together.
    void letOthers().then(() => {
      isWoken = false;
      const together = takeTogether(waiting);
      if (together.length === 0) return;
      underWay++;
      void fetchTogether(needs, together).finally(() => {
        underWay--;
        wake();
      });
      wake();
    });
  }

  return {
    async whole(place, size, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
      waiting.push({ ...place, size, signal, resolve, reject });
      wake();
      try {
        return await untilAborted(promise, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CommandRefused || isAppError(error, 'source/malformed')) return undefined;
        throw error;
      }
    },
    part: (place, from, signal) =>
      connections.use((connection) => fetchPart(needs, connection, place, { from, signal }), {
        path: place.path,
        signal,
      }),
  };
}

/** The first, and those of its mailbox behind it, as many as go together. */
function takeTogether(waiting: Waiting[]): Waiting[] {
  const [first] = waiting;
  const together: Waiting[] = [];
  let bytes = 0;
  for (let at = 0; at < waiting.length && together.length < mostTogether; ) {
    const one = waiting[at] as Waiting;
    const belongs = one.path === first?.path && one.uidValidity === first.uidValidity && one.signal === first.signal;
    if (!belongs || (together.length > 0 && bytes + one.size > mostBytesTogether)) at++;
    else {
      waiting.splice(at, 1);
      bytes += one.size;
      together.push(one);
    }
  }
  return together;
}

/** Settles each of them; never rejects. A message on which the server breaks off again and again does not keep the others. */
async function fetchTogether(needs: Needs, together: readonly Waiting[]): Promise<void> {
  const left = new Map(together.map((one) => [one.uid, one]));
  while (left.size > 0) {
    try {
      await fetchThose(needs, left);
      for (const one of left.values()) one.reject(gone());
      return;
    } catch (error) {
      const [first] = left.values();
      const refused = isAppError(error, 'source/unavailable') && first !== undefined ? [first] : [...left.values()];
      for (const one of refused) {
        left.delete(one.uid);
        one.reject(error);
      }
    }
  }
}

/** Takes out of `left` what comes. */
async function fetchThose({ connections, pace, processor }: Needs, left: Map<number, Waiting>): Promise<void> {
  const [first] = left.values();
  if (first === undefined) return;
  const { path, signal } = first;
  const onResponse = (response: ImapResponse) => {
    const { uid, body } = readBody(response);
    const one = uid === undefined ? undefined : left.get(uid);
    if (one === undefined || body === undefined) return;
    left.delete(one.uid);
    if (body !== null) one.resolve(bytesOf(body));
    else if (one.size === 0) one.resolve(Buffer.of());
    else one.reject(notGiven());
  };
  const work = async (connection: ImapConnection) => {
    if (left.size === 0) return;
    await processor.turn(signal);
    processor.did(left.size);
    await reopen(connection, first, signal);
    const expected = [...left.values()].reduce((sum, { size }) => sum + size, 0);
    const onBytes = watchBytes(2 * expected + (left.size + 16) * bytesAround, pace());
    await connection.run(`UID FETCH ${setOf([...left.keys()])} (UID BODY.PEEK[])`, { signal, onResponse, onBytes });
  };
  await connections.use(work, { path, signal });
}

/** What a response has besides the message; a server may also tell of what happens to others. */
const bytesAround = 16 * 1024;

/** Holds an answer to its length and pace: sizes may be estimates, but not without end. */
function watchBytes(most: number, pace: Pace): (count: number) => undefined {
  let bytes = 0;
  return (count) => {
    bytes += count;
    if (bytes > most) throw new AppError('source/malformed', 'The mail server sends more than was requested.');
    pace.passed(count);
    return undefined;
  };
}

async function fetchPart(
  { pace, processor }: Needs,
  connection: ImapConnection,
  place: MessagePlace,
  { from, signal }: { from: number; signal: AbortSignal },
): Promise<FetchedPart> {
  const { uid } = place;
  let fetched: FetchedPart | undefined;
  const onResponse = (response: ImapResponse) => {
    const { uid: of, body, size } = readBody(response);
    if (of !== uid || body === undefined) return;
    const bytes = bytesOf(body);
    if (body === null || bytes.length > bytesOfPart) throw notGiven();
    fetched = { bytes, size };
  };
  await processor.turn(signal);
  processor.did(1);
  await reopen(connection, place, signal);
  try {
    const wanted = `(UID RFC822.SIZE BODY.PEEK[]<${from}.${bytesOfPart}>)`;
    const onBytes = watchBytes(bytesOfPart + 16 * bytesAround, pace());
    await connection.run(`UID FETCH ${uid} ${wanted}`, { signal, onResponse, onBytes });
  } catch (error) {
    throw error instanceof CommandRefused && !mayPass(error) ? refusal(error, 'source/forbidden') : error;
  }
  if (fetched === undefined) throw gone();
  return fetched;
}

function readBody(response: ImapResponse): { uid?: number; size?: number; body?: ImapValue } {
  const from = /^\* \d+ FETCH /i.exec(response.text)?.[0].length;
  const found: { uid?: number; size?: number; body?: ImapValue } = {};
  if (from === undefined) return found;
  const values = readValues(response, from);
  values.enter();
  for (let item = values.item(); item !== undefined; item = values.item()) {
    const value = values.next();
    const number = numberOf(value);
    if (item === 'UID' && number !== undefined) found.uid = number;
    if (item === 'RFC822.SIZE' && number !== undefined) found.size = number;
    if (item === 'BODY' && value !== undefined) found.body = value;
  }
  return found;
}

/** A short content may come as a quoted string. */
function bytesOf(value: ImapValue): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(textOf(value) ?? '', 'latin1');
}

/** Numbers as commands have them, those that follow each other as ranges: `1:3,7`. */
export function setOf(uids: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const uid of uids.toSorted((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === uid - 1) last[1] = uid;
    else ranges.push([uid, uid]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}:${last}`)).join(',');
}

function gone(): AppError {
  return new AppError('source/not-found', 'The message is not in its mailbox any more.');
}

function notGiven(): AppError {
  return new AppError('source/malformed', 'The mail server lists the message, and does not give it.');
}
