import { AppError, isAppError } from '../../errors.ts';
import { type BodyStream, bodyStream } from './body-stream.ts';
import type { Send } from './dav-request.ts';
import { type Flow, type Receiver, type ResponseHead, TransportError } from './request.ts';
import { dateOf, textOf } from './status.ts';
import { hasChanged, isRacy, isStrong, type VersionMetadata } from './validator.ts';

/** The first response to a reading; each later one is compared with it. */
export interface FirstResponse {
  readonly path: string;
  readonly answer: VersionMetadata & { readonly date: Date | undefined };
  /** Bytes in all by the listing, where the response does not say how long it is. */
  readonly listedSize: number | undefined;
  /** Whether the body was compressed on the way: its parts then need not fit together. */
  readonly isEncoded: boolean;
}

export interface ResumingOptions {
  readonly send: Send;
  /** Called with how many bytes came. */
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
  /** The byte that the body begins at; 0 unless given. */
  readonly from?: number;
}

/** A transfer that breaks this often, with fewer than these bytes in between, is given up. */
const mostBreaks = 5;
const progressBytes = 1024 * 1024;

/**
 * The body of an entry, or what it has from a byte on, resumed where the connection broke, and never another length than the first response promised.
 * Throws `source/changed`, `source/not-found`, `source/unavailable`.
 */
export async function* resumingBody(
  first: FirstResponse,
  body: BodyStream,
  options: ResumingOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { answer, listedSize } = first;
  const { from = 0 } = options;
  let stream = body;
  let received = from;
  let breaks = 0;
  let mark = from;
  for (;;) {
    try {
      for await (const chunk of stream.read()) {
        received += chunk.length;
        if (received > (answer.size ?? received)) throw changed('It is longer than the server said.');
        yield chunk;
      }
      break;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      if (received === (answer.size ?? listedSize)) break;
      breaks = received - mark >= progressBytes ? 1 : breaks + 1;
      mark = received;
      if (breaks > mostBreaks || first.isEncoded) throw givenUp(error);
      stream = await resume(first, received, error, options);
    }
  }
  if (answer.size !== undefined && received !== answer.size) throw changed('It is not as long as the server said.');
}

async function resume(
  first: FirstResponse,
  received: number,
  broken: TransportError,
  { send, onBytes, signal }: ResumingOptions,
): Promise<BodyStream> {
  const condition = sameEntry(first);
  if (condition === undefined) throw givenUp(broken);
  const headers = ['range', `bytes=${received}-`, ...condition];
  const receive = (head: ResponseHead, flow: Flow): Receiver<BodyStream> => {
    const start = startOf(head, first, received);
    return start === received ? bodyStream(flow, onBytes) : skipping(received, bodyStream(flow, onBytes));
  };
  const { value } = await send({ method: 'GET', path: first.path, headers, receive }, signal);
  if (value === undefined) throw givenUp(broken);
  return value;
}

/** The condition under which the rest belongs to what is already here (RFC 9110, sections 13.1.1 and 13.1.4). */
function sameEntry({ answer: { etag, modified, date } }: FirstResponse): string[] | undefined {
  if (isStrong(etag)) return ['if-match', etag];
  if (modified === undefined || isRacy(modified, date)) return undefined;
  return ['if-unmodified-since', modified.toUTCString()];
}

/** Where the bytes of the response begin: as requested, or at zero from a server that does not support ranges. */
function startOf(head: ResponseHead, first: FirstResponse, received: number): number {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(textOf(head.headers['content-range']) ?? '');
  const isPart = head.status === 206;
  const total = isPart ? range?.[2] : textOf(head.headers['content-length']);
  const metadata: VersionMetadata = {
    etag: textOf(head.headers.etag),
    modified: dateOf(textOf(head.headers['last-modified'])),
    size: total === undefined || total === '*' ? undefined : Number(total),
  };
  if (hasChanged(first.answer, metadata)) throw changed('It changed while it was being read.');
  const isOfParts = /^multipart\/byteranges\b/i.test(textOf(head.headers['content-type'])?.trim() ?? '');
  if (isOfParts || (isPart && Number(range?.[1]) !== received)) {
    throw new AppError('source/malformed', 'The server sent a different part than was requested.');
  }
  if (!isPart && metadata.etag === undefined && metadata.modified === undefined) {
    throw changed('The server sent it again from the start and does not say whether it is the same.');
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

/**
 * Whether the entry is another one by now: people work while a long body is read, and a change that keeps the length shows only
 * afterwards. What was deleted meanwhile was read completely.
 */
export async function isChangedSince(
  send: Send,
  { path, answer, isEncoded }: FirstResponse,
  signal: AbortSignal,
): Promise<boolean> {
  const after = await metadataNow(send, path, signal);
  return after !== undefined && hasChanged(isEncoded ? { ...answer, size: undefined } : answer, after);
}

async function metadataNow(send: Send, path: string, signal: AbortSignal): Promise<VersionMetadata | undefined> {
  try {
    const { head } = await send({ method: 'HEAD', path, headers: [], receive: () => undefined }, signal);
    const { etag, 'last-modified': modified, 'content-length': length } = head.headers;
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
  return new AppError('source/unavailable', 'The transfer broke off too often.', {
    cause,
    retry: { afterMs: 0 },
  });
}
