import { connectionFault } from '../../connection-fault.ts';
import { countWords } from '../../count-words.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, codeIn } from '../../errors.ts';
import type { AccessToken } from '../source.ts';
import type { DavOptions, DavRequest, SendWithToken } from './dav-request.ts';
import {
  type Flow,
  type HttpResponse,
  type ResponseHead,
  refuseLargeHead,
  sendRequest,
  TransportError,
} from './request.ts';
import type { Server } from './server.ts';
import { errorOfStatus, isTransient, retryAfterMs } from './status.ts';
import type { TokenHeaders } from './token-scheme.ts';

const mostAttempts = 4;
/** Connections that may close under the first attempt before it counts as failed. */
const mostClosed = 2;
/** With a nonce, and then without a proof. */
const mostSchemeChanges = 2;
/** For a longer wait the run returns to the queue. */
const usualLongestPauseMs = 5 * minuteMs;
/** After this many requests in a row without any response the server counts as down: from then on nothing is retried. */
const outagesUntilNoRetry = 32;

/** Sends, and retries what may pass; a Retry-After holds back every request of this run. Throws `source/unavailable`. */
export function withRetries(options: DavOptions): SendWithToken {
  const { server, log } = options;
  return async (request, path, token, signal) => {
    for (let attempt = 1; ; attempt++) {
      const ready = server.ready(signal);
      if (ready !== undefined) await ready;
      const response = await sendUnlessClosed(options, request, path, { token, isRepeated: attempt > 1 }, signal);
      const isLast = attempt >= mostAttempts || server.outages >= outagesUntilNoRetry;
      if (response instanceof TransportError) {
        if (isLast) throw outage(response, server);
      } else {
        server.outages = 0;
        if (!isTransient(response.head.status)) return response;
        if (isLast) throw errorOfStatus(response.head.status);
        if (obeyRetryAfter(response.head, options)) continue;
      }
      log.debug('source.retry', { method: request.method, attempt, why: reasonOf(response) });
      await server.rest(backoffMs(attempt, options.random), signal);
    }
  };
}

/**
 * Once, and again at once over another connection where one was closed before any answer. A server that needs room, or reloads its settings, closes
 * many at the same time: those that are closed already are known to be so in the next turn of the event loop.
 */
async function sendUnlessClosed<T>(
  options: DavOptions,
  request: DavRequest<T>,
  path: string,
  { token, isRepeated }: { token: AccessToken; isRepeated: boolean },
  signal: AbortSignal,
): Promise<HttpResponse<T> | TransportError> {
  const { server, log } = options;
  for (let closed = 0; ; closed++) {
    const attempt = { token, isRepeated: isRepeated || closed > 0 };
    const response = await sendAuthorized(options, request, path, attempt, signal);
    const isLast = isRepeated || closed >= mostClosed || server.outages >= outagesUntilNoRetry;
    if (isLast || !isUnanswered(response)) return response;
    log.debug('source.retry', { method: request.method, why: reasonOf(response) });
    await new Promise(setImmediate);
    signal.throwIfAborted();
  }
}

/** Once, and again only where the server wants the same token in another scheme or with its nonce. */
async function sendAuthorized<T>(
  options: DavOptions,
  request: DavRequest<T>,
  path: string,
  { token, isRepeated }: { token: AccessToken; isRepeated: boolean },
  signal: AbortSignal,
): Promise<HttpResponse<T> | TransportError> {
  const { tokenScheme } = options;
  for (let changes = 0; ; changes++) {
    const headers = tokenScheme.headersFor(token, request.method, path);
    const authorization = headers instanceof Promise ? await headers : headers;
    const response = await sendOnce(options, request, path, { authorization, isRepeated }, signal);
    if (response instanceof TransportError) return response;
    if (!tokenScheme.learn(response.head, authorization) || changes >= mostSchemeChanges) return response;
  }
}

async function sendOnce<T>(
  { server, onRequest }: DavOptions,
  { method, headers, body, receive }: DavRequest<T>,
  path: string,
  { authorization, isRepeated }: { authorization: TokenHeaders; isRepeated: boolean },
  signal: AbortSignal,
): Promise<HttpResponse<T> | TransportError> {
  onRequest();
  const all = [...authorization.headers, 'accept-encoding', 'identity', 'user-agent', 'Nightkeep', ...headers];
  const accepted = (head: ResponseHead, flow: Flow) =>
    head.status >= 200 && head.status < 300 ? receive(head, flow, path) : undefined;
  const sent = typeof body === 'function' ? body() : body;
  const request = { method, path, headers: all, ...(sent !== undefined && { body: sent }) };
  try {
    // What is refused again was no more than refused: it may be the file's fault.
    const watch = isRepeated ? undefined : server.watch(method);
    return await sendRequest(server.pool, request, { receive: accepted, signal, pace: server.pace(), watch });
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    refuseLargeHead(error);
    return error;
  }
}

function obeyRetryAfter(
  head: ResponseHead,
  { server, log, longestPauseMs = usualLongestPauseMs }: DavOptions,
): boolean {
  const ms = retryAfterMs(head);
  if (ms === undefined) return false;
  if (ms > longestPauseMs) {
    const pause = countWords(Math.ceil(ms / minuteMs), 'minute');
    throw new AppError('source/unavailable', `The server asks for a pause of ${pause}.`, {
      detail: { status: head.status, retryAfterMs: ms },
      retry: { afterMs: ms },
    });
  }
  server.pause(ms);
  log.info('source.retry-after', { status: head.status, ms });
  return true;
}

/**
 * Whether the connection was closed before any answer: servers close those that they kept whenever they like, also while a request is on its
 * way (RFC 9112, section 9.3.1). That says nothing against asking again over another one at once.
 */
function isUnanswered(response: HttpResponse<unknown> | TransportError): boolean {
  if (!(response instanceof TransportError) || response.head !== undefined) return false;
  const { cause } = response;
  return cause instanceof Error && 'code' in cause && /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(String(cause.code));
}

/** Half a second, doubled each time, and up to as much again by chance. */
function backoffMs(attempt: number, random: () => number): number {
  return 500 * 2 ** (attempt - 1) * (1 + random());
}

function reasonOf(response: HttpResponse<unknown> | TransportError): string {
  return response instanceof TransportError ? response.message : `status ${response.head.status}`;
}

/** The error after the last attempt failed. */
function outage(error: TransportError, server: Server): AppError {
  if (error.head === undefined) server.outages++;
  return new AppError('source/unavailable', messageFor(error), { cause: error, retry: { afterMs: 0 } });
}

/** Whether something came that cannot be read as the head of an answer (RFC 9112): of another protocol, or at odds with itself. */
function isNoHttp(cause: unknown, code: string): boolean {
  return code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || (cause instanceof Error && cause.name === 'HTTPParserError');
}

function messageFor(error: TransportError): string {
  const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : '';
  const fault = connectionFault(codeIn(error), { at: 'the settings' });
  if (fault !== undefined) return `The server ${fault.what}. ${fault.cure}.`;
  if (error.head === undefined && isNoHttp(error.cause, code))
    return 'What the server answers is no HTTP. Correct the address: another program may listen at that port, or it needs https://.';
  if (error.head?.status === 207) return 'The listing was cut off.';
  return error.head === undefined ? 'The server does not answer.' : 'The server breaks off its responses.';
}
