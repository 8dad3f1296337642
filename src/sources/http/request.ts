import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { whenAborted } from '../../abort.ts';
import { AppError } from '../../errors.ts';
import type { Pace } from './pace.ts';

/** Status and headers of a response. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpRequest {
  /** For a dispatcher that is not one origin's. */
  readonly origin?: string;
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body?: string | Buffer | Readable;
}

/** Controls the flow of a body, for a receiver that cannot take it all at once. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Ends the request; the receiver's `fail` gets this error. */
  stop(error: Error): void;
}

/** Takes the body. An error thrown by `data` or `end` ends the request with that error. */
export interface Receiver<T> {
  data(chunk: Buffer): void;
  /** The body is complete, as far as HTTP can tell. */
  end(): T;
  /** It is not. */
  fail?(error: Error): void;
  /** The value to resolve with as soon as the head is there; the body then flows on by itself. */
  readonly early?: T;
}

export interface HttpResponse<T> {
  readonly head: ResponseHead;
  /** What the receiver made of the body; undefined where there was none. */
  readonly value: T | undefined;
}

/** Told how one request fares. */
export interface Watch {
  /** It was sent: there was a connection. */
  sent(): void;
  answered(head: ResponseHead): void;
  /** There was no answer, and nobody had ended the request. */
  failed(): void;
}

/** The request failed on the way: no connection, a reset, a time limit, a body shorter than announced. */
export class TransportError extends Error {
  /** The head of the response, where it had arrived. */
  readonly head: ResponseHead | undefined;

  constructor(cause: Error, head: ResponseHead | undefined) {
    super(cause.message, { cause });
    this.name = 'TransportError';
    this.head = head;
  }
}

/** Throws `source/too-large` where the request failed for the length of the headers that were answered: it would again. */
export function refuseLargeHead(error: TransportError): void {
  if (error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'UND_ERR_HEADERS_OVERFLOW')
    throw new AppError('source/too-large', 'The server sends more headers than are taken (HEADER_BYTES).', {
      cause: error,
    });
}

/**
 * One request and its response, without retries. `receive` names the receiver of the body once the head is known; without one,
 * the body is read and dropped so that the connection can be used again; `pace` watches how fast any body comes. Rejects with a
 * TransportError, with what a receiver or the pace threw, or with the signal's reason.
 */
export function sendRequest<T>(
  dispatcher: Pick<Dispatcher, 'dispatch'>,
  request: HttpRequest,
  receive: (head: ResponseHead, flow: Flow) => Receiver<T> | undefined,
  signal: AbortSignal,
  pace: Pace,
  watch?: Watch,
): Promise<HttpResponse<T>> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(
      { ...request, body: request.body ?? null },
      handler(receive, { signal, pace, watch }, resolve, reject),
    );
  });
}

const longestDroppedBody = 256 * 1024;
/** Responses before the one that counts (RFC 9110, section 15.2): each keeps the request waiting as long as for a first one. */
const mostInterim = 20;

function handler<T>(
  receive: (head: ResponseHead, flow: Flow) => Receiver<T> | undefined,
  { signal, pace, watch }: { signal: AbortSignal; pace: Pace; watch: Watch | undefined },
  resolve: (response: HttpResponse<T>) => void,
  reject: (error: unknown) => void,
): Dispatcher.DispatchHandler {
  let head: ResponseHead | undefined;
  let receiver: Receiver<T> | undefined;
  let dropped = 0;
  let interim = 0;
  let stopReason: Error | undefined;
  let ignoreAbort = () => {};

  const stop = (controller: Dispatcher.DispatchController, error: Error) => {
    stopReason ??= error;
    controller.abort(error);
  };
  const guarded = (controller: Dispatcher.DispatchController, step: () => void) => {
    try {
      step();
    } catch (error) {
      stop(controller, error instanceof Error ? error : new Error(String(error)));
    }
  };

  return {
    onRequestStart(controller) {
      if (signal.aborted) return stop(controller, asError(signal.reason));
      ignoreAbort = whenAborted(signal, (reason) => stop(controller, asError(reason)));
      watch?.sent();
    },
    onResponseStart(controller, status, headers) {
      guarded(controller, () => {
        if (status < 200) {
          if (++interim > mostInterim) throw withoutAnswer();
          return;
        }
        head = { status, headers };
        watch?.answered(head);
        receiver = receive(head, flowOf(controller, pace, stop));
        if (receiver?.early !== undefined) resolve({ head, value: receiver.early });
      });
    },
    onResponseData(controller, chunk) {
      guarded(controller, () => {
        pace.passed(chunk.length);
        if (receiver) return receiver.data(chunk);
        dropped += chunk.length;
        if (dropped > longestDroppedBody) throw new Error('The body of a failed response is too long.');
      });
    },
    onResponseEnd(controller) {
      ignoreAbort();
      guarded(controller, () => {
        if (head) resolve({ head, value: receiver?.end() });
      });
      if (stopReason) reject(stopReason);
    },
    onResponseError(_controller, error) {
      ignoreAbort();
      if (head === undefined && stopReason === undefined) watch?.failed();
      const failure = stopReason ?? new TransportError(error, head);
      receiver?.fail?.(failure);
      // A long body without a receiver was cut off on purpose: only its head counts.
      if (head && !receiver && dropped > longestDroppedBody) resolve({ head, value: undefined });
      else reject(signal.aborted ? signal.reason : failure);
    },
  };
}

function withoutAnswer(): AppError {
  const message = `The server sent ${mostInterim} responses that say no more than that one will come (1xx), and none that counts.`;
  return new AppError('source/malformed', message);
}

function flowOf(
  controller: Dispatcher.DispatchController,
  pace: Pace,
  stop: (controller: Dispatcher.DispatchController, error: Error) => void,
): Flow {
  return {
    pause: () => {
      pace.paused();
      controller.pause();
    },
    resume: () => {
      pace.resumed();
      controller.resume();
    },
    stop: (error) => stop(controller, error),
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
