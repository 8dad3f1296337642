import { AppError, isAppError } from '../../errors.ts';
import { type BodyStream, bodyStream } from './body-stream.ts';
import type { Ask } from './question.ts';
import { type Answer, type Flow, type Receiver, TransportError } from './request.ts';
import { dateOf, textOf } from './status.ts';
import { hasChanged, isRacy, isStrong, type Signs } from './validator.ts';

/** What the first answer said of the entry; each later one is held against it. */
export interface Opening {
  readonly path: string;
  readonly signs: Signs;
  readonly toldAt: Date | undefined;
  /** Bytes in all, by the answer or else by the listing. */
  readonly size: number | undefined;
}

interface Hooks {
  onBytes: (count: number) => void;
  onEnd: () => void;
}

/** Broken so often without this many bytes in between, a transfer is given up. */
const mostBreaks = 5;
const progressBytes = 1024 * 1024;

/**
 * The content of an entry, resumed where the connection broke and held against what the first answer promised: its length, and
 * at the end whether the entry is still the same, for a long body is read while people work. Throws `source/changed`,
 * `source/not-found`, `source/unavailable`.
 */
export async function* resumingBody(
  ask: Ask,
  opening: Opening,
  first: BodyStream,
  hooks: Hooks,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let stream = first;
  let received = 0;
  let breaks = 0;
  let mark = 0;
  try {
    for (;;) {
      try {
        for await (const chunk of stream.read()) {
          received += chunk.length;
          yield chunk;
        }
        break;
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        if (received === opening.size) break;
        breaks = received - mark >= progressBytes ? 1 : breaks + 1;
        mark = received;
        if (breaks > mostBreaks) throw givenUp(error);
        stream = await resume(ask, opening, received, error, hooks.onBytes, signal);
      }
    }
    if (opening.size !== undefined && received !== opening.size) throw changed('It is not as long as the server said.');
    await refuseIfChanged(ask, opening, signal);
  } finally {
    hooks.onEnd();
  }
}

async function resume(
  ask: Ask,
  opening: Opening,
  received: number,
  broken: TransportError,
  onBytes: Hooks['onBytes'],
  signal: AbortSignal,
): Promise<BodyStream> {
  const condition = sameEntry(opening);
  if (condition === undefined) throw givenUp(broken);
  const headers = ['range', `bytes=${received}-`, ...condition];
  const receive = (answer: Answer, flow: Flow): Receiver<BodyStream> => {
    const start = startOf(answer, opening, received);
    return start === received ? bodyStream(flow, onBytes) : skipping(received, bodyStream(flow, onBytes));
  };
  const { value } = await ask({ method: 'GET', path: opening.path, headers, receive }, signal);
  if (value === undefined) throw givenUp(broken);
  return value;
}

/** The condition under which the rest belongs to what is already here (RFC 9110, sections 13.1.1 and 13.1.4). */
function sameEntry({ signs, toldAt }: Opening): string[] | undefined {
  if (isStrong(signs.etag)) return ['if-match', signs.etag];
  if (signs.modified === undefined || isRacy(signs.modified, toldAt)) return undefined;
  return ['if-unmodified-since', signs.modified.toUTCString()];
}

/** Where the answer's bytes begin: where we asked for, or at zero from a server that knows no ranges. */
function startOf(answer: Answer, opening: Opening, received: number): number {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(textOf(answer.headers['content-range']) ?? '');
  const isPart = answer.status === 206;
  const total = isPart ? range?.[2] : textOf(answer.headers['content-length']);
  const signs: Signs = {
    etag: textOf(answer.headers.etag),
    modified: dateOf(textOf(answer.headers['last-modified'])),
    size: total === undefined || total === '*' ? undefined : Number(total),
  };
  if (hasChanged(opening.signs, signs)) throw changed('It changed while it was being read.');
  if (isPart && Number(range?.[1]) !== received) {
    throw new AppError('source/malformed', 'The server sent another part of the file than was asked for.');
  }
  if (!isPart && signs.etag === undefined && signs.modified === undefined) {
    throw changed('The server sent it anew and does not say whether it is the same.');
  }
  return isPart ? received : 0;
}

/** The same body without its first bytes. */
function skipping(count: number, receiver: Receiver<BodyStream>): Receiver<BodyStream> {
  let left = count;
  return {
    ...receiver,
    data(chunk) {
      const rest = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - rest.length;
      if (rest.length > 0) receiver.data(rest);
    },
  };
}

/** A change that left the length as it was shows only afterwards. What went away meanwhile was read whole. */
async function refuseIfChanged(ask: Ask, { path, signs }: Opening, signal: AbortSignal): Promise<void> {
  const after = await headOf(ask, path, signal);
  if (after !== undefined && hasChanged(signs, after)) throw changed('It changed while it was being read.');
}

async function headOf(ask: Ask, path: string, signal: AbortSignal): Promise<Signs | undefined> {
  try {
    const { answer } = await ask({ method: 'HEAD', path, headers: [], receive: () => undefined }, signal);
    const { etag, 'last-modified': modified, 'content-length': length } = answer.headers;
    const size = textOf(length);
    return {
      etag: textOf(etag),
      modified: dateOf(textOf(modified)),
      size: size === undefined ? undefined : Number(size),
    };
  } catch (error) {
    if (isAppError(error) && error.code.startsWith('source/')) return undefined;
    throw error;
  }
}

function changed(message: string): AppError {
  return new AppError('source/changed', message, { retry: { afterMs: 0 } });
}

function givenUp(cause: TransportError): AppError {
  return new AppError('source/unavailable', 'The transfer broke off again and again.', {
    cause,
    retry: { afterMs: 0 },
  });
}
