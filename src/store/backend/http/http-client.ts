import { getCACertificates } from 'node:tls';
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { HttpAnswer } from './http-answer.ts';
import { networkError } from './http-error.ts';

export interface HttpServer {
  /** Protocol, host and port. */
  readonly origin: string;
  /** Certificates in PEM that are believed besides those of the system. */
  readonly ca?: string | undefined;
  /** For people: what errors name. */
  readonly location: string;
}

export interface HttpClientOptions {
  /** Requests under way at a time, whoever makes them; further ones wait. 8 by default. */
  readonly connections?: number;
  /** The longest wait for a connection, for an answer to begin, and for it to go on. 10, 60 and 60 seconds by default. */
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  readonly silenceTimeoutMs?: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
}

export interface HttpClient {
  /** What the server answers, whatever it is. Throws `store/unavailable` where no whole answer comes. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Requests to one server that keeps repositories, over connections of their own. Redirects are not followed. */
export function openHttpClient({ origin, ca, location }: HttpServer, options: HttpClientOptions): HttpClient {
  const { connections = 8, connectTimeoutMs = 10_000, answerTimeoutMs = 60_000, silenceTimeoutMs = 60_000 } = options;
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 4_000,
    connect: { timeout: connectTimeoutMs, ...(ca !== undefined && { ca: [...getCACertificates(), ca] }) },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
  });
  return {
    send: async ({ method, path, headers = {}, body }) => {
      try {
        const answer = await request.call(pool, { method, path, headers, body: body ?? null });
        const header = (name: string) => [answer.headers[name]].flat()[0];
        return { status: answer.statusCode, header, body: Buffer.from(await answer.body.arrayBuffer()) };
      } catch (error) {
        throw networkError(error, location);
      }
    },
    close: () => pool.destroy(),
  };
}
