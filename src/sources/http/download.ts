import { countWords } from '../../count-words.ts';
import { AppError, isAppError } from '../../errors.ts';
import { openGatheredBytes } from '../../gathered-bytes.ts';
import type { Member, Reading } from '../source.ts';
import { type BodyStream, bodyStream } from './body-stream.ts';
import type { Send } from './dav-request.ts';
import { type Coding, decoded } from './decoding.ts';
import type { Answer } from './judgement.ts';
import { type BodyJudging, type Doubted, openJudging, type Relist } from './judging.ts';
import type { Questions } from './questions.ts';
import type { Flow, Receiver, ResponseHead } from './request.ts';
import { isChangedSince, resumingBody } from './resuming-body.ts';
import { dateOf, errorOfStatus, textOf, typeOf } from './status.ts';

export interface Download {
  readonly reading: Reading;
  /** Set while the body is on its way and holds its connection: ends both. */
  readonly abandon?: () => void;
}

export interface DownloadOptions {
  readonly send: Send;
  readonly relist: Relist;
  readonly questions: Questions;
  readonly doubted: Doubted;
  /** The entries are objects of calendars or address books. */
  readonly ofObjects: boolean;
  /** Of one entry, decoded. */
  readonly mostBytes: number;
  /** Called for all content that arrives. */
  readonly onBytes: (count: number) => void;
  /** Called when a body on its way has ended, in whatever way. */
  readonly onEnd: () => void;
  readonly signal: AbortSignal;
}

/** What came: a short body whole, or one on its way. */
type Content = readonly Uint8Array[] | BodyStream;

/** Up to here a body is buffered whole, so that its connection is free again before anybody reads it. */
const longestBuffered = 128 * 1024;

/**
 * Opens an entry: see `Source.open` for what is taken for its content. The first doubt throws `source/changed` with leave to
 * open it again; what is doubted then is refused.
 */
export async function download(entry: Member, options: DownloadOptions): Promise<Download> {
  const { send, mostBytes, onBytes, signal } = options;
  const judging = await openJudging(entry, options);
  const heard: { answer?: Answer } = {};
  const receive = (head: ResponseHead, flow: Flow, path: string): Receiver<Content> => {
    const answer = new AnswerOfHead(head, { redirected: path !== entry.location });
    heard.answer = answer;
    judging.refuseOther(head, answer);
    if ((answer.size ?? 0) > mostBytes) throw tooLarge(mostBytes);
    const isShort = answer.size !== undefined && answer.size <= longestBuffered;
    return isShort && judging.codingOf(head, answer) === undefined ? bufferedBody(onBytes) : bodyStream(flow, onBytes);
  };
  const { head, value } = await send({ method: 'GET', path: entry.location, headers: [], receive }, signal);
  const { answer } = heard;
  if (value === undefined || answer === undefined) throw errorOfStatus(head.status);
  const coding = judging.codingOf(head, answer);
  const facts = factsOf(entry, answer, coding);
  const body = judging.begin(answer, { isEncoded: coding !== undefined });
  if ('read' in value) {
    const streamed = streamedReading({ entry, answer, coding, stream: value, judging: body }, options);
    return { reading: Object.assign(streamed, facts), abandon: value.stop };
  }
  for (const chunk of value) body.passed(chunk);
  return { reading: { ...facts, validator: await body.end({ changed: false }), body: value } };
}

function factsOf({ modified: listed }: Member, { size, modified = listed }: Answer, coding: Coding | undefined) {
  return {
    ...(coding === undefined && size !== undefined && { size }),
    ...(modified !== undefined && { modified }),
  };
}

interface OnItsWay {
  readonly entry: Member;
  readonly answer: Answer;
  readonly coding: Coding | undefined;
  readonly stream: BodyStream;
  readonly judging: BodyJudging;
}

/** A reading whose validator is known once its body has ended. */
function streamedReading(
  { entry, answer, coding, stream, judging }: OnItsWay,
  { send, mostBytes, onBytes, onEnd, signal }: DownloadOptions,
): Pick<Reading, 'body' | 'validator'> {
  const first = { path: entry.location, answer, listedSize: entry.size, isEncoded: coding !== undefined };
  let validator: string | undefined;
  let bytes = 0;
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      const raw = resumingBody(first, stream, { send, onBytes, signal });
      for await (const chunk of coding === undefined ? raw : decoded(raw, coding, entry.size)) {
        bytes += chunk.length;
        if (bytes > mostBytes) throw tooLarge(mostBytes);
        judging.passed(chunk);
        yield chunk;
      }
    } catch (error) {
      const isDoubtful = isAppError(error, 'source/changed') || isAppError(error, 'source/malformed');
      throw isDoubtful ? judging.broken(error) : error;
    } finally {
      onEnd();
    }
    validator = await judging.end({ changed: await isChangedSince(send, first, signal) });
  }
  return {
    body: body(),
    get validator() {
      return validator;
    },
  };
}

function tooLarge(mostBytes: number): AppError {
  return new AppError('source/too-large', `It has more than ${countWords(mostBytes, 'byte')} (FILE_BYTES).`);
}

/** Collects a short body; HTTP has checked its length when `end` is called. */
function bufferedBody(onBytes: (count: number) => void): Receiver<Content> {
  const gathered = openGatheredBytes();
  const data = (chunk: Buffer) => {
    onBytes(chunk.length);
    gathered.add(chunk);
  };
  return { data, end: gathered.take };
}

/** What few entries need is read when it is asked for. */
class AnswerOfHead implements Answer {
  readonly etag: string | undefined;
  readonly modified: Date | undefined;
  readonly size: number | undefined;
  readonly redirected: boolean;
  readonly delimited: boolean;
  readonly #headers: ResponseHead['headers'];

  constructor({ headers }: ResponseHead, { redirected }: { redirected: boolean }) {
    const length = textOf(headers['content-length']);
    this.etag = textOf(headers.etag);
    this.modified = dateOf(textOf(headers['last-modified']));
    this.size = length === undefined ? undefined : Number(length);
    this.redirected = redirected;
    this.delimited = length !== undefined || headers['transfer-encoding'] !== undefined;
    this.#headers = headers;
  }

  get date(): Date | undefined {
    return dateOf(textOf(this.#headers.date));
  }

  get type(): string | undefined {
    return typeOf({ headers: this.#headers });
  }
}
