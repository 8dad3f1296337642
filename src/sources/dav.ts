import type { Clock } from '../clock.ts';
import { HouseError, isHouseError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Answer, type Exchange, exchange, type Flow, type Receiver, TransportError } from './http-exchange.ts';
import type { Server } from './http-server.ts';
import { errorOfStatus, mayPass, retryAfterMs, textOf } from './http-status.ts';
import type { Access } from './source.ts';

/** One question to a DAV server. */
export interface Question<T> {
  readonly method: 'PROPFIND' | 'REPORT' | 'GET' | 'HEAD';
  /** Percent-encoded. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: string;
  /** Takes the body of a 2xx answer; `path` is where redirects led. */
  receive(answer: Answer, flow: Flow, path: string): Receiver<T> | undefined;
}

export interface DavOptions {
  readonly origin: string;
  /** The collection that the person's access is judged by. */
  readonly rootPath: string;
  readonly server: Server;
  readonly access: Access;
  readonly clock: Clock;
  readonly log: Log;
  /** Called for each request that is sent. */
  readonly onRequest: () => void;
  /** From 0 to 1; spreads retries. */
  readonly random: () => number;
}

/**
 * Asks with the person's access token until there is an answer: follows redirects of the same origin, asks for a fresh token
 * once on a 401, waits and retries what may pass. Throws the errors of `Source.list`. The caller holds a turn of the server.
 */
export type Ask = <T>(question: Question<T>, signal: AbortSignal) => Promise<Exchange<T>>;

type Send = <T>(question: Question<T>, path: string, signal: AbortSignal) => Promise<Exchange<T>>;
type SendWithToken = <T>(q: Question<T>, path: string, token: string, signal: AbortSignal) => Promise<Exchange<T>>;

export function davClient(options: DavOptions): Ask {
  return followingRedirects(options, withToken(options, withPatience(options)));
}

const mostRedirects = 5;

/** RFC 9110, section 15.4; only 301, 302, 307 and 308 keep the question as it is. */
function followingRedirects({ origin }: DavOptions, send: Send): Ask {
  return async (question, signal) => {
    let path = question.path;
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const got = await send(question, path, signal);
      const { status } = got.answer;
      if (status >= 200 && status < 300) return got;
      if (![301, 302, 307, 308].includes(status)) throw errorOfStatus(status);
      path = redirectTarget(got.answer, origin, path);
    }
    throw new HouseError('source/malformed', 'The server sends us from one address to the next without end.');
  };
}

function redirectTarget({ headers, status }: Answer, origin: string, path: string): string {
  const target = URL.parse(textOf(headers.location) ?? '', origin + path);
  if (target === null || headers.location === undefined) throw errorOfStatus(status);
  if (target.origin !== origin) {
    throw new HouseError(
      'source/refused-redirect',
      `The server points to ${target.origin}; the access token is not sent there. ` +
        'If the files have moved, set the new address as the source URL.',
      { detail: { from: origin, to: target.origin } },
    );
  }
  return target.pathname + target.search;
}

/** A token that ends while a request is on its way would be refused for no good reason. */
const minimumSeconds = 30;

/**
 * Servers answer 401 for what is somebody else's, too. So a refused token is replaced once; if the new one is refused as well,
 * the root decides: it takes the token, then only this thing is forbidden; or it does not, then the run is over.
 * A token that came of a refusal is not replaced again for the next forbidden thing while the root takes it.
 */
function withToken(options: DavOptions, send: SendWithToken): Send {
  const { access, rootPath } = options;
  let replacement: string | undefined;
  const rootTakes = async (token: string, signal: AbortSignal) => {
    const ask = followingRedirects(options, (question, path) => send(question, path, token, signal));
    try {
      await ask({ ...rootProbe, path: rootPath }, signal);
      return true;
    } catch (error) {
      if (isHouseError(error, 'source/forbidden') || isHouseError(error, 'source/not-found')) return true;
      if (isHouseError(error, 'source/unauthorized')) return false;
      throw error;
    }
  };
  return async (question, path, signal) => {
    let token = await access({ minimumSeconds, signal });
    for (let replaced = false; ; replaced = true) {
      const got = await send(question, path, token, signal);
      if (got.answer.status !== 401) return got;
      const isFresh = replaced || token === replacement;
      if (isFresh && question.path !== rootPath && (await rootTakes(token, signal)))
        throw errorOfStatus(403, { answered: 401 });
      if (replaced) throw unauthorized();
      token = replacement = await access({ minimumSeconds, refused: token, signal });
    }
  };
}

const rootProbe = { method: 'PROPFIND', headers: ['depth', '0'], receive: () => undefined } as const;

function unauthorized(): HouseError {
  return new HouseError(
    'source/unauthorized',
    'The server refuses the access token even when it is fresh. It must accept tokens of this provider for this person.',
  );
}

const mostAttempts = 4;
/** A longer wait than this is for the next night to sit out. */
const longestRetryAfterMs = 5 * 60_000;
/** When so many questions in a row got no answer at all, the server is away: from then on each is asked once only. */
const outagesUntilImpatient = 32;

/** Repeats what may pass; a Retry-After holds back everybody who talks to this server. */
function withPatience(options: DavOptions): SendWithToken {
  const { server, clock, log } = options;
  return async (question, path, token, signal) => {
    for (let attempt = 1; ; attempt++) {
      await server.ready(signal);
      const got = await sendOnce(options, question, path, token, signal);
      const isLast = attempt >= mostAttempts || server.outages >= outagesUntilImpatient;
      if (got instanceof TransportError) {
        if (isLast) throw outage(got, server);
      } else {
        server.outages = 0;
        if (!mayPass(got.answer.status)) return got;
        if (isLast) throw errorOfStatus(got.answer.status);
        if (obeyRetryAfter(got.answer, options)) continue;
      }
      log.debug('source asked again', { method: question.method, attempt, why: whyAgain(got) });
      await clock.sleep(backoffMs(attempt, options.random), signal);
    }
  };
}

async function sendOnce<T>(
  { server, onRequest }: DavOptions,
  { method, headers, body, receive }: Question<T>,
  path: string,
  token: string,
  signal: AbortSignal,
): Promise<Exchange<T> | TransportError> {
  onRequest();
  const all = [
    'authorization',
    `Bearer ${token}`,
    'accept-encoding',
    'identity',
    'user-agent',
    'Nightkeep',
    ...headers,
  ];
  const accepted = (answer: Answer, flow: Flow) =>
    answer.status >= 200 && answer.status < 300 ? receive(answer, flow, path) : undefined;
  const request = body === undefined ? { method, path, headers: all } : { method, path, headers: all, body };
  try {
    return await exchange(server.pool, request, accepted, signal);
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
}

function obeyRetryAfter(answer: Answer, { server, log }: DavOptions): boolean {
  const ms = retryAfterMs(answer);
  if (ms === undefined) return false;
  if (ms > longestRetryAfterMs) {
    throw new HouseError('source/unavailable', 'The server asks for more time than one night has.', {
      detail: { status: answer.status, retryAfterMs: ms },
      retry: { afterMs: ms },
    });
  }
  server.pause(ms);
  log.info('source asks to wait', { status: answer.status, ms });
  return true;
}

/** Half a second, doubled each time, and up to as much again by chance. */
function backoffMs(attempt: number, random: () => number): number {
  return 500 * 2 ** (attempt - 1) * (1 + random());
}

function whyAgain(got: Exchange<unknown> | TransportError): string {
  return got instanceof TransportError ? got.message : `status ${got.answer.status}`;
}

/** What to say when the connection failed to the end: a listing that always breaks off is the server's fault. */
function outage(error: TransportError, server: Server): HouseError {
  if (error.answer?.status === 207) {
    return new HouseError('source/malformed', 'The listing was cut off.', { cause: error });
  }
  if (error.answer === undefined) server.outages++;
  return new HouseError('source/unavailable', sentenceFor(error), { cause: error, retry: { afterMs: 0 } });
}

function sentenceFor(error: TransportError): string {
  const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : '';
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS/.test(code)) {
    return 'The certificate of the server is not trusted. Give it a valid one, or name its authority in NODE_EXTRA_CA_CERTS.';
  }
  return error.answer === undefined ? 'The server does not answer.' : 'The server breaks off its answers.';
}
