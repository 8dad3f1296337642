import { pauseForRetryAfter } from '../../domain/retry-after.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import { parseHttpDate } from './date.ts';
import type { ResponseHead } from './request.ts';

const codes: Record<number, ErrorCode> = {
  401: 'source/unauthorized',
  402: 'source/forbidden',
  403: 'source/forbidden',
  404: 'source/not-found',
  408: 'source/unavailable',
  409: 'source/not-found',
  410: 'source/not-found',
  412: 'source/changed',
  416: 'source/changed',
  421: 'source/unavailable',
  423: 'source/unavailable',
  424: 'source/unavailable',
  425: 'source/unavailable',
  429: 'source/unavailable',
  451: 'source/forbidden',
  501: 'source/malformed',
  505: 'source/malformed',
  508: 'source/loop',
};

/** What a status other than 2xx means for what was requested. */
export function codeOfStatus(status: number): ErrorCode {
  return codes[status] ?? (status >= 500 ? 'source/unavailable' : 'source/malformed');
}

const messages: Partial<Record<ErrorCode, string>> = {
  'source/unauthorized': 'The server refuses the access token.',
  'source/forbidden': 'The server does not let this be read.',
  'source/not-found': 'The server finds nothing there.',
  'source/changed': 'It changed while it was being read.',
  'source/unavailable': 'The server cannot serve it at present.',
  'source/loop': 'The server says that the folder contains itself.',
};

/** The same for people, with the number of the status. */
export function messageOfStatus(status: number): string {
  const refusesName = status === 400 || status === 414;
  const message = refusesName
    ? 'The server lists it but refuses the request for it.'
    : (messages[codeOfStatus(status)] ?? 'The server answers with something other than what was requested.');
  return `${message} (HTTP ${status})`;
}

/** The error that an HTTP status means. */
export function errorOfStatus(status: number): AppError {
  const code = codeOfStatus(status);
  const options = { detail: { status } };
  return new AppError(
    code,
    messageOfStatus(status),
    code === 'source/unavailable' ? { ...options, retry: { afterMs: 0 } } : options,
  );
}

/** Whether the same request may succeed in a moment: the state is the server's, not that of what was requested; room does not come so soon. */
export function isTransient(status: number): boolean {
  return codeOfStatus(status) === 'source/unavailable' && status !== 507;
}

/**
 * The wait that a Retry-After asks for, in milliseconds (RFC 9110, section 10.2.3). A date is read against the `Date` of
 * the same response, so that our clock need not agree with the server's. No longer than `pauseForRetryAfter` allows.
 */
export function retryAfterMs({ headers }: ResponseHead): number | undefined {
  const value = textOf(headers['retry-after']);
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return pauseForRetryAfter(Number(value) * 1000);
  const [until, sent] = [dateOf(value), dateOf(textOf(headers.date))];
  return until && sent ? pauseForRetryAfter(until.getTime() - sent.getTime()) : undefined;
}

/** The first value of a header that may come several times. */
export function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** A date of HTTP or DAV; undefined where there is none, or none that can be read (see date.ts). */
export function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : parseHttpDate(text);
}

/** The media type of an answer, without parameters. */
export function typeOf({ headers }: Pick<ResponseHead, 'headers'>): string | undefined {
  return textOf(headers['content-type'])?.split(';', 1)[0]?.trim().toLowerCase();
}
