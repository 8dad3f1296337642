import { AppError } from '../../errors.ts';
import type { Member, Reading } from '../source.ts';
import { type BodyStream, bodyStream } from './body-stream.ts';
import type { Send } from './dav-request.ts';
import type { Flow, Receiver, ResponseHead } from './request.ts';
import { type FirstResponse, resumingBody } from './resuming-body.ts';
import { dateOf, errorOfStatus, textOf } from './status.ts';
import { isAsListed, sameEtag, type VersionMetadata } from './validator.ts';

export interface Download {
  readonly reading: Reading;
  /** Set while the body is on its way and holds its connection: ends both. */
  readonly abandon?: () => void;
}

/** A complete body, or one on its way. */
type Content = readonly Uint8Array[] | BodyStream;

/** Up to here a body is buffered whole, so that its connection is free again before anybody reads it. */
const longestBuffered = 128 * 1024;

/**
 * Opens an entry. `onBytes` is called for all content that arrives, `onEnd` when a body on its way has ended, in whatever
 * way. The body never passes for complete unless it is as long as the server said.
 */
export async function download(
  send: Send,
  entry: Member,
  { onBytes, onEnd }: { onBytes: (count: number) => void; onEnd: () => void },
  signal: AbortSignal,
): Promise<Download> {
  const receive = (head: ResponseHead, flow: Flow, path: string): Receiver<Content> => {
    refuseWrongContent(entry, head, path);
    const length = lengthOf(head);
    return length !== undefined && length <= longestBuffered ? bufferedBody(onBytes) : bodyStream(flow, onBytes);
  };
  const { head, value } = await send({ method: 'GET', path: entry.location, headers: [], receive }, signal);
  if (value === undefined) throw errorOfStatus(head.status);
  const metadata = metadataOf(head);
  if ('read' in value) {
    const first: FirstResponse = {
      path: entry.location,
      metadata,
      serverTime: dateOf(textOf(head.headers.date)),
      size: metadata.size ?? entry.size,
    };
    const body = resumingBody(send, first, value, { onBytes, onEnd }, signal);
    return { reading: readingOf(entry, metadata, body), abandon: value.stop };
  }
  return { reading: readingOf(entry, metadata, chunksOf(value)) };
}

function readingOf(entry: Member, metadata: VersionMetadata, body: AsyncIterable<Uint8Array>): Reading {
  const { size, modified = entry.modified } = metadata;
  const validator = isAsListed(entry, metadata) ? entry.validator : undefined;
  return {
    body,
    ...(size === undefined ? {} : { size }),
    ...(modified === undefined ? {} : { modified }),
    ...(validator === undefined ? {} : { validator }),
  };
}

/** Collects a short body; HTTP has checked its length when `end` is called. */
function bufferedBody(onBytes: (count: number) => void): Receiver<Content> {
  const chunks: Uint8Array[] = [];
  const data = (chunk: Buffer) => {
    onBytes(chunk.length);
    chunks.push(chunk);
  };
  return { data, end: () => chunks };
}

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

/**
 * What may come instead of the file: a part, a page that a redirect led to, a compressed form that was not requested (but
 * files that are stored compressed may be announced so), or a body whose end cannot be told from a broken connection.
 */
function refuseWrongContent(entry: Member, head: ResponseHead, path: string): void {
  const length = lengthOf(head);
  const isListedLength = length !== undefined && length === entry.size;
  const { 'content-encoding': encoding = 'identity', 'transfer-encoding': transfer } = head.headers;
  const refuse = (why: string) => {
    throw new AppError('source/malformed', why, { detail: { status: head.status } });
  };
  if (head.status !== 200) refuse(`The server sent something other than the file. (HTTP ${head.status})`);
  if (path !== entry.location && !isListedLength) refuse('The server redirected to something other than the file.');
  if (encoding !== 'identity' && !isListedLength)
    refuse('The server sent the file in a compressed form that was not requested.');
  if (length !== undefined && entry.size !== undefined && !isListedLength && isListedVersion(entry, head)) {
    refuse('The server sent a different length than it listed for the same version of the file.');
  }
  if (length === undefined && transfer === undefined && entry.size === undefined) {
    refuse('The server does not say how long the file is.');
  }
}

function isListedVersion({ validator }: Member, { headers }: ResponseHead): boolean {
  const etag = textOf(headers.etag);
  return validator !== undefined && etag !== undefined && sameEtag(validator, etag);
}

function metadataOf(head: ResponseHead): VersionMetadata {
  const { etag, 'last-modified': modified } = head.headers;
  return { etag: textOf(etag), modified: dateOf(textOf(modified)), size: lengthOf(head) };
}

function lengthOf({ headers }: ResponseHead): number | undefined {
  const text = textOf(headers['content-length']);
  return text === undefined ? undefined : Number(text);
}
