import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Access, AccessToken } from '../source.ts';
import type { Answer, Exchange, Flow, Receiver } from './request.ts';
import type { Server } from './server.ts';
import type { Presentation } from './token-scheme.ts';

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
  /** How this server wants tokens to be shown. */
  readonly presentation: Presentation;
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

/** The same, one layer down: at this path. */
export type Send = <T>(question: Question<T>, path: string, signal: AbortSignal) => Promise<Exchange<T>>;
/** And with this token. */
export type SendWithToken = <T>(
  question: Question<T>,
  path: string,
  token: AccessToken,
  signal: AbortSignal,
) => Promise<Exchange<T>>;
