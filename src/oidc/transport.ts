import { AsyncLocalStorage } from 'node:async_hooks';
import type { CustomFetch } from 'openid-client';
import { request } from 'undici';

/** A whole answer, kept before the library may refuse it. */
export interface RawAnswer {
  status: number;
  retryAfter: string | null;
  text: string;
}

/**
 * What became of a request: `sent` stays false while it is certain that the provider never saw it. Where it was made
 * again, because the provider refused the client or wanted a nonce, only the last time counts: what came before used nothing up.
 */
export interface Attempt {
  sent: boolean;
  status?: number | undefined;
  raw?: RawAnswer | undefined;
  failure?: string | undefined;
  /** Hears of each whole answer before the library does. */
  readonly keep: (raw: RawAnswer) => Promise<void>;
}

export function newAttempt(keep: Attempt['keep']): Attempt {
  return { sent: false, keep };
}

/** Codes of failures before the first byte of the request left: name, connection, handshake. */
const beforeSending =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|UNABLE_TO_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|HOSTNAME_.*)$/;

const running = new AsyncLocalStorage<Attempt>();

/** Does the work; what `keepingFetch` sends meanwhile belongs to this attempt. */
export function attempting<T>(attempt: Attempt, work: () => Promise<T>): Promise<T> {
  return running.run(attempt, work);
}

/**
 * A fetch that reads the whole body and keeps it in the attempt before it hands anything on: the library can throw
 * over an answer after the provider has rotated. It never repeats a request.
 */
export const keepingFetch: CustomFetch = async (url, options) => {
  const attempt = running.getStore();
  if (attempt === undefined) throw new Error('A token is only sent in an attempt.');
  Object.assign(attempt, {
    sent: true,
    status: undefined,
    raw: undefined,
    failure: undefined,
  } satisfies Partial<Attempt>);
  try {
    const { statusCode: status, headers, body } = await request(url, asRequest(options));
    attempt.status = status;
    const text = await body.text();
    attempt.raw = { status, retryAfter: single(headers['retry-after']) ?? null, text };
    await attempt.keep(attempt.raw);
    return new Response(text || null, { status, headers: oneEach(headers) });
  } catch (error) {
    attempt.failure = failureCode(error);
    attempt.sent = !beforeSending.test(attempt.failure);
    throw error;
  }
};

type Sent = Parameters<CustomFetch>[1];

/** Half the work of fetch: the body is read whole anyway. Redirects are not followed. */
function asRequest({ method, headers, body, signal }: Sent) {
  return {
    method: method as 'POST',
    headers,
    body: body == null ? null : String(body),
    ...(signal && { signal }),
  };
}

/** A header that came several times says what all of them say (RFC 9110, section 5.3). */
function oneEach(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value = '']) => [name, [value].flat().join(', ')]));
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** The code of a failure as the machine names it, such as ECONNREFUSED; never its message. */
export function failureCode(error: unknown): string {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('code' in link && typeof link.code === 'string') return link.code;
    if (link.name === 'TimeoutError') return 'timeout';
  }
  return error instanceof Error ? error.name : 'unknown';
}
