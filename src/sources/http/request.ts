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
    throw new AppError('source/too-large', 'The server sends more headers than are allowed (HEADER_BYTES).', {
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
  { receive, signal, pace, watch }: ResponseOptions<T>,
): Promise<HttpResponse<T>> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(
      { ...request, body: request.body ?? null },
      new Handler({ receive, signal, pace, watch, resolve, reject }),
    );
  });
}

interface ResponseOptions<T> {
  readonly receive: (head: ResponseHead, flow: Flow) => Receiver<T> | undefined;
  readonly signal: AbortSignal;
  readonly pace: Pace;
  readonly watch?: Watch | undefined;
}

const longestDroppedBody = 256 * 1024;
/** Responses before the one that counts (RFC 9110, section 15.2): each keeps the request waiting as long as for a first one. */
const mostInterim = 20;

interface Receiving<T> extends ResponseOptions<T> {
  readonly resolve: (response: HttpResponse<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** A class, since there is one for each request: a night makes tens of thousands. */
class Handler<T> implements Dispatcher.DispatchHandler {
  readonly #to: Receiving<T>;
  #head: ResponseHead | undefined;
  #receiver: Receiver<T> | undefined;
  #dropped = 0;
  #interim = 0;
  #stopReason: Error | undefined;
  #ignoreAbort = nothing;

  constructor(to: Receiving<T>) {
    this.#to = to;
  }

  #stop(controller: Dispatcher.DispatchController, error: unknown): void {
    this.#stopReason ??= asError(error);
    controller.abort(this.#stopReason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { signal, watch } = this.#to;
    if (signal.aborted) {
      this.#stop(controller, signal.reason);
      return;
    }
    this.#ignoreAbort = whenAborted(signal, (reason) => this.#stop(controller, reason));
    watch?.sent();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    try {
      if (status < 200) {
        if (++this.#interim > mostInterim) throw withoutAnswer();
        return;
      }
      const { receive, pace, watch, resolve } = this.#to;
      const head = { status, headers };
      this.#head = head;
      watch?.answered(head);
      this.#receiver = receive(
        head,
        flowOf(controller, pace, (error) => this.#stop(controller, error)),
      );
      if (this.#receiver?.early !== undefined) resolve({ head, value: this.#receiver.early });
    } catch (error) {
      this.#stop(controller, error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    try {
      this.#to.pace.passed(chunk.length);
      if (this.#receiver === undefined) this.#dropped += chunk.length;
      else this.#receiver.data(chunk);
      if (this.#dropped > longestDroppedBody) throw new Error('The body of a failed response is too long.');
    } catch (error) {
      this.#stop(controller, error);
    }
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#ignoreAbort();
    try {
      if (this.#head !== undefined) this.#to.resolve({ head: this.#head, value: this.#receiver?.end() });
    } catch (error) {
      this.#stop(controller, error);
    }
    if (this.#stopReason) this.#to.reject(this.#stopReason);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const { signal, watch, resolve, reject } = this.#to;
    const [head, receiver] = [this.#head, this.#receiver];
    this.#ignoreAbort();
    if (head === undefined && this.#stopReason === undefined) watch?.failed();
    const failure = this.#stopReason ?? new TransportError(error, head);
    receiver?.fail?.(failure);
    // A long body without a receiver was cut off on purpose: only its head counts.
    if (head && !receiver && this.#dropped > longestDroppedBody) resolve({ head, value: undefined });
    else reject(signal.aborted ? signal.reason : failure);
  }
}

const nothing = () => {};

function withoutAnswer(): AppError {
  const message = `The server sent ${mostInterim} interim responses (1xx), and no final one.`;
  return new AppError('source/malformed', message);
}

function flowOf(controller: Dispatcher.DispatchController, pace: Pace, stop: (error: Error) => void): Flow {
  return {
    pause: () => {
      pace.paused();
      controller.pause();
    },
    resume: () => {
      pace.resumed();
      controller.resume();
    },
    stop,
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
