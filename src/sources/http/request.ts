import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher, Pool } from 'undici';
import { whenAborted } from '../../abort.ts';

/** The head of a response. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body?: string;
}

/** The flow of a body, for a receiver that cannot take it all at once. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Ends the exchange; the receiver's `fail` gets this error. */
  stop(error: Error): void;
}

/** What takes the body. An error thrown by `data` or `end` ends the exchange with that error. */
export interface Receiver<T> {
  data(chunk: Buffer): void;
  /** The body came whole, as far as HTTP can tell. */
  end(): T;
  /** It did not. */
  fail?(error: Error): void;
  /** The value to go on with as soon as the head is there; the body then flows on by itself. */
  readonly early?: T;
}

export interface Exchange<T> {
  readonly answer: Answer;
  /** Undefined when nobody wanted the body. */
  readonly value: T | undefined;
}

/** The exchange broke on the way: no connection, a reset, a time limit, a body shorter than announced. */
export class TransportError extends Error {
  /** The head had arrived, with this. */
  readonly answer: Answer | undefined;

  constructor(cause: Error, answer: Answer | undefined) {
    super(cause.message, { cause });
    this.name = 'TransportError';
    this.answer = answer;
  }
}

/**
 * One request and its answer, no retry. `receive` says who takes the body once the head is known; a body that nobody wants
 * is read and dropped so that the connection can be used again. Rejects with a TransportError, with what a receiver
 * threw, or with the signal's reason.
 */
export function exchange<T>(
  pool: Pool,
  request: HttpRequest,
  receive: (answer: Answer, flow: Flow) => Receiver<T> | undefined,
  signal: AbortSignal,
): Promise<Exchange<T>> {
  return new Promise((resolve, reject) => {
    pool.dispatch(
      { method: request.method, path: request.path, headers: request.headers, body: request.body ?? null },
      handler(receive, signal, resolve, reject),
    );
  });
}

const longestUnwantedBody = 256 * 1024;

function handler<T>(
  receive: (answer: Answer, flow: Flow) => Receiver<T> | undefined,
  signal: AbortSignal,
  resolve: (exchange: Exchange<T>) => void,
  reject: (error: unknown) => void,
): Dispatcher.DispatchHandler {
  let answer: Answer | undefined;
  let receiver: Receiver<T> | undefined;
  let unwanted = 0;
  let ourReason: Error | undefined;
  let forget = () => {};

  const stop = (controller: Dispatcher.DispatchController, error: Error) => {
    ourReason ??= error;
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
      forget = whenAborted(signal, (reason) => stop(controller, asError(reason)));
    },
    onResponseStart(controller, status, headers) {
      if (status < 200) return;
      guarded(controller, () => {
        answer = { status, headers };
        receiver = receive(answer, flowOf(controller, stop));
        if (receiver?.early !== undefined) resolve({ answer, value: receiver.early });
      });
    },
    onResponseData(controller, chunk) {
      if (receiver) return guarded(controller, () => receiver?.data(chunk));
      unwanted += chunk.length;
      if (unwanted > longestUnwantedBody) stop(controller, new Error('A body that nobody wants is too long.'));
    },
    onResponseEnd(controller) {
      forget();
      guarded(controller, () => {
        if (answer) resolve({ answer, value: receiver?.end() });
      });
      if (ourReason) reject(ourReason);
    },
    onResponseError(_controller, error) {
      forget();
      const told = ourReason ?? new TransportError(error, answer);
      receiver?.fail?.(told);
      // A long body that nobody wanted was cut off on purpose: its head is all that counts.
      if (answer && !receiver && unwanted > longestUnwantedBody) resolve({ answer, value: undefined });
      else reject(signal.aborted ? signal.reason : told);
    },
  };
}

function flowOf(
  controller: Dispatcher.DispatchController,
  stop: (controller: Dispatcher.DispatchController, error: Error) => void,
): Flow {
  return {
    pause: () => controller.pause(),
    resume: () => controller.resume(),
    stop: (error) => stop(controller, error),
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
