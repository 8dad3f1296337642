import type { CustomFetch } from 'openid-client';

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

/**
 * A fetch that reads the whole body and keeps it in `attempt` before it hands anything on: the library can throw
 * over an answer after the provider has rotated. It never repeats a request.
 */
export function keepingFetch(attempt: Attempt): CustomFetch {
  return async (url, options) => {
    Object.assign(attempt, {
      sent: true,
      status: undefined,
      raw: undefined,
      failure: undefined,
    } satisfies Partial<Attempt>);
    try {
      const answer = await fetch(url, options as RequestInit);
      attempt.status = answer.status;
      const text = await answer.text();
      attempt.raw = { status: answer.status, retryAfter: answer.headers.get('retry-after'), text };
      await attempt.keep(attempt.raw);
      return new Response(text || null, { status: answer.status, headers: answer.headers });
    } catch (error) {
      attempt.failure = failureCode(error);
      attempt.sent = !beforeSending.test(attempt.failure);
      throw error;
    }
  };
}

/** The code of a failure as the machine names it, such as ECONNREFUSED; never its message. */
export function failureCode(error: unknown): string {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('code' in link && typeof link.code === 'string') return link.code;
    if (link.name === 'TimeoutError') return 'timeout';
  }
  return error instanceof Error ? error.name : 'unknown';
}
