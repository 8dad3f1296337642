import { AppError } from '../../errors.ts';
import type { AccessToken } from '../source.ts';
import type { DavOptions, Question, SendWithToken } from './question.ts';
import { type Answer, type Exchange, exchange, type Flow, TransportError } from './request.ts';
import type { Server } from './server.ts';
import { errorOfStatus, mayPass, retryAfterMs } from './status.ts';
import type { Shown } from './token-scheme.ts';

const mostAttempts = 4;
/** With a nonce, and then without a proof. */
const mostWaysToShow = 2;
/** A longer wait than this is for the next night to sit out. */
const longestRetryAfterMs = 5 * 60_000;
/** When so many questions in a row got no answer at all, the server is away: from then on each is asked once only. */
const outagesUntilImpatient = 32;

/** Sends, and repeats what may pass; a Retry-After holds back everybody who talks to this server. Throws `source/unavailable`. */
export function withPatience(options: DavOptions): SendWithToken {
  const { server, clock, log } = options;
  return async (question, path, token, signal) => {
    for (let attempt = 1; ; attempt++) {
      await server.ready(signal);
      const got = await sendShown(options, question, path, token, signal);
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

/** Once, and again only where the server wants the same token shown in another way. */
async function sendShown<T>(
  options: DavOptions,
  question: Question<T>,
  path: string,
  token: AccessToken,
  signal: AbortSignal,
): Promise<Exchange<T> | TransportError> {
  const { presentation } = options;
  for (let turn = 1; ; turn++) {
    const shown = await presentation.show(token, question.method, path);
    const got = await sendOnce(options, question, path, shown, signal);
    if (got instanceof TransportError || !presentation.learn(got.answer, shown) || turn > mostWaysToShow) return got;
  }
}

async function sendOnce<T>(
  { server, onRequest }: DavOptions,
  { method, headers, body, receive }: Question<T>,
  path: string,
  shown: Shown,
  signal: AbortSignal,
): Promise<Exchange<T> | TransportError> {
  onRequest();
  const all = [...shown.headers, 'accept-encoding', 'identity', 'user-agent', 'Nightkeep', ...headers];
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
    throw new AppError('source/unavailable', 'The server asks for more time than one night has.', {
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
function outage(error: TransportError, server: Server): AppError {
  if (error.answer?.status === 207) {
    return new AppError('source/malformed', 'The listing was cut off.', { cause: error });
  }
  if (error.answer === undefined) server.outages++;
  return new AppError('source/unavailable', sentenceFor(error), { cause: error, retry: { afterMs: 0 } });
}

function sentenceFor(error: TransportError): string {
  const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : '';
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS/.test(code)) {
    return 'The certificate of the server is not trusted. Give it a valid one, or name its authority in NODE_EXTRA_CA_CERTS.';
  }
  return error.answer === undefined ? 'The server does not answer.' : 'The server breaks off its answers.';
}
