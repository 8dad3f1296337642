import type { Readable } from 'node:stream';
import { getCACertificates } from 'node:tls';
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Clock } from '../../../clock.ts';
import { openGatheredBytes } from '../../../gathered-bytes.ts';
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
  readonly clock: Clock;
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
  /** Of the answer; 64 KiB by default, and of one that says what went wrong in any case. */
  readonly mostBytes?: number | undefined;
}

export interface HttpClient {
  /** What the server answers, whatever it is. Throws `store/unavailable` where no answer comes, or none to its end, or it drips. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Requests to one server that keeps repositories, over connections of their own. Redirects are not followed. */
export function openHttpClient({ origin, ca, location }: HttpServer, options: HttpClientOptions): HttpClient {
  const {
    clock,
    connections = 8,
    connectTimeoutMs = 10_000,
    answerTimeoutMs = 60_000,
    silenceTimeoutMs = 60_000,
  } = options;
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
    send: async ({ method, path, headers = {}, body, mostBytes = wordsBytes }) => {
      const ending = new AbortController();
      let interim = 0;
      const onInfo = () => {
        if (++interim > mostInterim) ending.abort(new Dripping());
      };
      try {
        const asked = { method, path, headers, body: body ?? null, onInfo, signal: ending.signal };
        const answer = await request.call(pool, asked);
        const header = (name: string) => [answer.headers[name]].flat()[0];
        const most = answer.statusCode < 300 ? mostBytes : wordsBytes;
        const read = await readBody(answer.body, { clock, most, silenceTimeoutMs });
        return { status: answer.statusCode, header, ...read };
      } catch (error) {
        throw networkError(error, location);
      }
    },
    close: () => pool.destroy(),
  };
}

/** Of an answer that says what became of a request, and gives no file and no listing. */
const wordsBytes = 64 * 1024;
/** Answers before the one that counts (1xx): each keeps the request waiting as long as for a first one. */
const mostInterim = 20;
/** An answer that comes more slowly, once it has had as long as silence may last, will not end while somebody waits for it. */
const leastBytesPerSecond = 1024;

function readBody(
  body: Readable,
  { clock, most, silenceTimeoutMs }: { clock: Clock; most: number; silenceTimeoutMs: number },
): Promise<Pick<HttpAnswer, 'body' | 'isCut'>> {
  const { promise, resolve, reject } = Promise.withResolvers<Pick<HttpAnswer, 'body' | 'isCut'>>();
  const begun = clock.elapsed();
  const gathered = openGatheredBytes();
  let bytes = 0;
  const settle = ({ isCut }: { isCut: boolean }) =>
    resolve({ body: Buffer.concat(gathered.take()).subarray(0, most), isCut });
  body.on('data', (piece: Buffer) => {
    gathered.add(piece);
    bytes += piece.length;
    const rightMs = silenceTimeoutMs + (bytes * 1000) / leastBytesPerSecond;
    if (bytes > most) settle({ isCut: true });
    else if (clock.elapsed() - begun <= rightMs) return;
    body.destroy(bytes > most ? undefined : new Dripping());
  });
  body.on('end', () => settle({ isCut: false }));
  body.on('error', reject);
  return promise;
}

/** Without an end while somebody waits for it: taken for a connection that was lost. */
class Dripping extends Error {
  readonly code = 'ERR_DRIPPING';
}
