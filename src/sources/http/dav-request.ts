import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Access, AccessToken } from '../source.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { Flow, HttpResponse, Receiver, ResponseHead } from './request.ts';
import type { Server } from './server.ts';
import type { TokenScheme } from './token-scheme.ts';

/** One request to a DAV server. */
export interface DavRequest<T> {
  readonly method: 'PROPFIND' | 'REPORT' | 'GET' | 'HEAD' | 'MKCOL' | 'MKCALENDAR' | 'PUT';
  /** Percent-encoded. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** A function is called for each try. */
  readonly body?: string | (() => Buffer | Readable);
  /** Takes the body of a 2xx response; `path` is where redirects led; on another host, its whole address. */
  receive(head: ResponseHead, flow: Flow, path: string): Receiver<T> | undefined;
}

export interface DavOptions {
  readonly origin: string;
  /** The collection that tells whether the person has access at all. */
  readonly rootPath: string;
  readonly server: Server;
  readonly access: Access;
  readonly tokenScheme: TokenScheme;
  readonly clock: Clock;
  readonly log: Log;
  /** Other hosts that may be asked for files; none unless given. */
  readonly elsewhere?: Elsewhere | undefined;
  /** Called for each request that is sent. */
  readonly onRequest: () => void;
  /** From 0 to 1; spreads retries. */
  readonly random: () => number;
  /** A longer pause that the server asks for is `source/unavailable`; five minutes unless given. */
  readonly longestPauseMs?: number;
}

/**
 * Sends a request with the person's access token until there is a response: follows redirects within the origin, asks for a
 * fresh token once on a 401, and retries what may pass. Throws the errors of `Source.list`. The caller holds a slot of the server.
 */
export type Send = <T>(request: DavRequest<T>, signal: AbortSignal) => Promise<HttpResponse<T>>;

/** The same, one layer down: to this path. */
export type SendTo = <T>(request: DavRequest<T>, path: string, signal: AbortSignal) => Promise<HttpResponse<T>>;
/** And with this token. */
export type SendWithToken = <T>(
  request: DavRequest<T>,
  path: string,
  token: AccessToken,
  signal: AbortSignal,
) => Promise<HttpResponse<T>>;
