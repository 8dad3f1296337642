import { connectionFault } from '../../../connection-fault.ts';
import { minuteMs } from '../../../durations.ts';
import { AppError, codeIn, type ErrorCode } from '../../../errors.ts';
import type { HttpAnswer } from './http-answer.ts';

/** What was tried when the server refused. */
export type StoreAct = 'read' | 'save' | 'list' | 'remove';

/** What an answer that is no success says. */
export interface Meaning {
  /** `store/unavailable` where absent. */
  readonly code?: ErrorCode;
  /** Worded to follow the name of the store, with the cure. */
  readonly what: string;
  /** Whether the same request may work in a moment. */
  readonly passes?: true;
  /** Whether it may be of the one file that was asked for, which is named then. */
  readonly isOfFile?: true;
}

export const full: Meaning = { code: 'store/full', what: 'is full. Make room' };
export const notFound: Meaning = { code: 'store/not-found', what: 'has no such file' };
export const taken: Meaning = { code: 'store/exists', what: 'has that file already' };
export const otherBytes: Meaning = { what: 'got other bytes than were sent', passes: true };

/** What a status means that no kind of server has words of its own for. */
export function meaningOf({ status }: HttpAnswer): Meaning {
  if (status === 404) return notFound;
  if (status === 412) return taken;
  if (status === 507) return full;
  if (status >= 500 || status === 408 || status === 429) return { what: `answered with error ${status}`, passes: true };
  return { what: `refused a request with error ${status}. Correct STORE_URL, or look at the log of the server` };
}

/** The error to throw; where it may pass, with the pause that the server asks for. */
export function refusal(
  { location, act, path }: { location: string; act: StoreAct; path?: string | undefined },
  answer: HttpAnswer,
  meaning: Meaning,
  detail: Readonly<Record<string, string>> = {},
): AppError {
  const ofFile = meaning.isOfFile && path !== undefined ? ` It was asked for ${path}.` : '';
  return new AppError(meaning.code ?? 'store/unavailable', `The store at ${location} ${meaning.what}.${ofFile}`, {
    detail: { status: answer.status, act, ...(ofFile !== '' && { file: path }), ...detail },
    ...(meaning.passes && { retry: { afterMs: pauseOf(answer) } }),
  });
}

const longestPauseMs = minuteMs;

function pauseOf({ header }: HttpAnswer): number {
  const seconds = Number(header('retry-after'));
  return seconds > 0 ? Math.min(seconds * 1000, longestPauseMs) : 500;
}

/** What it means that no whole answer came. */
export function networkError(error: unknown, location: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const fault = connectionFault(codeIn(error), { at: 'STORE_URL', ca: 'STORE_CA' });
  if (fault === undefined) return unavailable(location, 'does not answer, or not to the end', error, { afterMs: 500 });
  const { what, cure } = fault;
  return unavailable(
    location,
    `${what}. ${cure}`,
    error,
    passing.test(String(error.code)) ? { afterMs: 500 } : undefined,
  );
}

/** Of a name service that may be away for a moment. */
const passing = /^(ENOTFOUND|EAI_AGAIN)$/;

function unavailable(location: string, what: string, cause: Error, retry?: { afterMs: number }): AppError {
  const errno = 'code' in cause ? String(cause.code) : '';
  return new AppError('store/unavailable', `The store at ${location} ${what}.`, {
    cause,
    detail: { errno },
    ...(retry && { retry }),
  });
}
