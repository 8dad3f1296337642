import { AppError } from '../../errors.ts';
import type { Member, Reading } from '../source.ts';
import { type BodyStream, bodyStream } from './body-stream.ts';
import type { Ask } from './question.ts';
import type { Answer, Flow, Receiver } from './request.ts';
import { type Opening, resumingBody } from './resuming-body.ts';
import { dateOf, errorOfStatus, textOf } from './status.ts';
import { isAsListed, type Signs, sameEtag } from './validator.ts';

export interface Download {
  readonly reading: Reading;
  /** Set while the body is on its way and holds its connection: gives both up. */
  readonly abandon?: () => void;
}

/** A body that came whole, or one on its way. */
type Content = readonly Uint8Array[] | BodyStream;

/** Up to here a body is taken in one go, and its connection is free again before anybody reads it. */
const oneGo = 128 * 1024;

/**
 * Opens an entry. `onBytes` hears of all content that arrives, `onEnd` when a body on its way has ended, in whatever
 * way. The body never passes for whole unless it is as long as the server said.
 */
export async function download(
  ask: Ask,
  entry: Member,
  { onBytes, onEnd }: { onBytes: (count: number) => void; onEnd: () => void },
  signal: AbortSignal,
): Promise<Download> {
  const receive = (answer: Answer, flow: Flow, path: string): Receiver<Content> => {
    refuseWrongContent(entry, answer, path);
    const length = lengthOf(answer);
    return length !== undefined && length <= oneGo ? whole(onBytes) : bodyStream(flow, onBytes);
  };
  const { answer, value } = await ask({ method: 'GET', path: entry.location, headers: [], receive }, signal);
  if (value === undefined) throw errorOfStatus(answer.status);
  const signs = signsOf(answer);
  if ('read' in value) {
    const opening: Opening = {
      path: entry.location,
      signs,
      toldAt: dateOf(textOf(answer.headers.date)),
      size: signs.size ?? entry.size,
    };
    const body = resumingBody(ask, opening, value, { onBytes, onEnd }, signal);
    return { reading: readingOf(entry, signs, body), abandon: value.stop };
  }
  return { reading: readingOf(entry, signs, chunksOf(value)) };
}

function readingOf(entry: Member, signs: Signs, body: AsyncIterable<Uint8Array>): Reading {
  const { size, modified = entry.modified } = signs;
  const validator = isAsListed(entry, signs) ? entry.validator : undefined;
  return {
    body,
    ...(size === undefined ? {} : { size }),
    ...(modified === undefined ? {} : { modified }),
    ...(validator === undefined ? {} : { validator }),
  };
}

/** Collects a short body; HTTP has checked its length when `end` comes. */
function whole(onBytes: (count: number) => void): Receiver<Content> {
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
 * What a 200 may still be instead of the file: a part, a page that a redirect led to, a compressed form that nobody asked for
 * (but files stored compressed may be announced so), or a body whose end cannot be told from a broken connection.
 */
function refuseWrongContent(entry: Member, answer: Answer, path: string): void {
  const length = lengthOf(answer);
  const isListedLength = length !== undefined && length === entry.size;
  const { 'content-encoding': encoding = 'identity', 'transfer-encoding': transfer } = answer.headers;
  const refuse = (why: string) => {
    throw new AppError('source/malformed', why, { detail: { status: answer.status } });
  };
  if (answer.status !== 200) refuse(`The server answered with something else than the file. (HTTP ${answer.status})`);
  if (path !== entry.location && !isListedLength) refuse('The server led to something that is not the file.');
  if (encoding !== 'identity' && !isListedLength)
    refuse('The server sent the file in a compressed form that was not asked for.');
  if (length !== undefined && entry.size !== undefined && !isListedLength && isListedVersion(entry, answer)) {
    refuse('The server sent another length than it listed for the same version of the file.');
  }
  if (length === undefined && transfer === undefined && entry.size === undefined) {
    refuse('The server does not say how long the file is.');
  }
}

function isListedVersion({ validator }: Member, { headers }: Answer): boolean {
  const etag = textOf(headers.etag);
  return validator !== undefined && etag !== undefined && sameEtag(validator, etag);
}

function signsOf(answer: Answer): Signs {
  const { etag, 'last-modified': modified } = answer.headers;
  return { etag: textOf(etag), modified: dateOf(textOf(modified)), size: lengthOf(answer) };
}

function lengthOf({ headers }: Answer): number | undefined {
  const text = textOf(headers['content-length']);
  return text === undefined ? undefined : Number(text);
}
