import { AppError, isAppError } from '../../errors.ts';
import type { Member } from '../source.ts';
import { type BodyStream, bodyStream } from './body-stream.ts';
import type { Download, DownloadOptions } from './download.ts';
import type { Flow, ResponseHead } from './request.ts';
import { type FirstResponse, isChangedSince, resumingBody } from './resuming-body.ts';
import { dateOf, textOf } from './status.ts';
import { isOfTime, isStrong, isVersion } from './validator.ts';

/**
 * Opens an entry from a byte on: see `Source.openRest`. Only a part counts (206) that begins there, of the version that is listed, in all
 * as long as that is listed; its length is held to that to its end.
 */
export async function downloadRest(
  entry: Member,
  from: number,
  { send, onBytes, onEnd, signal }: DownloadOptions,
): Promise<Download | { readonly reading: undefined }> {
  const { size, modified, validator, location: path } = entry;
  const condition = conditionFor(entry);
  if (condition === undefined || size === undefined || from >= size) return { reading: undefined };
  const receive = (head: ResponseHead, flow: Flow) => {
    if (!isPart(head, entry, from)) throw notJustThat();
    return bodyStream(flow, onBytes);
  };
  const headers = ['range', `bytes=${from}-`, 'if-range', condition];
  const value = await send({ method: 'GET', path, headers, receive }, signal).then(
    (response) => response.value,
    (error: unknown) => {
      if (isAppError(error, 'source/changed')) return undefined;
      throw error;
    },
  );
  if (value === undefined) return { reading: undefined };
  const etag = isStrong(validator) ? validator : undefined;
  const first = { path, answer: { etag, modified, size, date: undefined }, listedSize: size, isEncoded: false };
  const body = restOf({ first, stream: value, from }, { send, onBytes, onEnd, signal });
  const reading = { size: size - from, body, ...(modified && { modified }), ...(validator && { validator }) };
  return { reading, abandon: value.stop };
}

/** What names the version by itself (RFC 9110, section 13.1.5). A time stands in a validator only once it is certain. */
function conditionFor({ validator, modified }: Member): string | undefined {
  if (isStrong(validator)) return validator;
  return validator !== undefined && isOfTime(validator) ? modified?.toUTCString() : undefined;
}

function isPart({ status, headers }: ResponseHead, entry: Member, from: number): boolean {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(textOf(headers['content-range']) ?? '') ?? [];
  const version = { etag: textOf(headers.etag), modified: dateOf(textOf(headers['last-modified'])) };
  const isWhole = status === 206 && Number(start) === from && Number(total) === entry.size;
  return isWhole && headers['content-encoding'] === undefined && isVersion(entry, version);
}

async function* restOf(
  { first, stream, from }: { first: FirstResponse; stream: BodyStream; from: number },
  { send, onBytes, onEnd, signal }: Pick<DownloadOptions, 'send' | 'onBytes' | 'onEnd' | 'signal'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* resumingBody(first, stream, { send, onBytes, signal, from });
  } finally {
    onEnd();
  }
  if (await isChangedSince(send, first, signal)) throw changed();
}

function notJustThat(): AppError {
  return new AppError('source/changed', 'The server does not send that part of this version.');
}

function changed(): AppError {
  return new AppError('source/changed', 'It changed while it was being read.', { retry: { afterMs: 0 } });
}
