import { AppError, type ErrorCode } from '../../../errors.ts';
import type { S3Answer } from './s3-answer.ts';
import { readErrorCode } from './s3-xml.ts';

/** What was tried when the server refused. */
export type S3Act = 'read' | 'save' | 'list' | 'remove';

interface Meaning {
  readonly code?: ErrorCode;
  readonly what: string;
  /** Whether the same request may work in a moment. */
  readonly passes?: true;
}

/** By the code in the answer (Amazon S3 API reference, "Error responses"; the last three are of MinIO and Ceph). */
const meanings: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: { what: 'has no such bucket. Make it, or correct STORE_URL' },
  NoSuchKey: { code: 'store/not-found', what: 'has no such file' },
  PreconditionFailed: { code: 'store/exists', what: 'has that file already' },
  ConditionalRequestConflict: { what: 'was writing that file for somebody else', passes: true },
  InvalidAccessKeyId: { what: 'does not know the access key. Correct STORE_KEYS' },
  SignatureDoesNotMatch: { what: 'does not believe the secret key. Correct STORE_KEYS, or the region in STORE_URL' },
  RequestTimeTooSkewed: { what: 'has another time than this machine. Set the clock of this machine' },
  BadDigest: { what: 'got other bytes than were sent', passes: true },
  XAmzContentSHA256Mismatch: { what: 'got other bytes than were sent', passes: true },
  RequestTimeout: { what: 'waited too long for the bytes that were sent', passes: true },
  SlowDown: { what: 'asks for fewer requests', passes: true },
  XMinioStorageFull: { code: 'store/full', what: 'is full. Make room' },
  InsufficientStorage: { code: 'store/full', what: 'is full. Make room' },
  QuotaExceeded: { code: 'store/full', what: 'has used up its quota. Raise it, or make room' },
};

const forbidden: Readonly<Record<S3Act, Meaning>> = {
  read: { what: 'does not let the key read there. Allow it s3:GetObject and s3:ListBucket' },
  save: { what: 'does not let the key write there. Allow it s3:PutObject' },
  list: { what: 'does not let the key list there. Allow it s3:ListBucket' },
  remove: {
    code: 'store/may-not-delete',
    what: 'does not let the key delete there. Whoever holds a key that may must do this',
  },
};

/** What an answer that is no success means for people, and whether it can pass. */
export function answerError(answer: S3Answer, act: S3Act, location: string): AppError {
  const { status } = answer;
  const code = readErrorCode(answer.body);
  const meaning = meanings[code] ?? byStatus(answer, act);
  return new AppError(meaning.code ?? 'store/unavailable', `The store at ${location} ${meaning.what}.`, {
    detail: { status, code, act },
    ...(meaning.passes && { retry: { afterMs: pauseOf(answer) } }),
  });
}

function byStatus({ status, header }: S3Answer, act: S3Act): Meaning {
  if (status === 404) return { code: 'store/not-found', what: 'has no such file' };
  if (status === 412) return { code: 'store/exists', what: 'has that file already' };
  if (status === 401 || status === 403) return forbidden[act];
  if (status === 507) return { code: 'store/full', what: 'is full. Make room' };
  const region = header('x-amz-bucket-region');
  if (status < 500 && region !== undefined)
    return { what: `has the bucket in the region ${region}. Put region=${region} into STORE_URL` };
  if (status >= 300 && status < 400)
    return { what: 'points to another address. Correct endpoint and region in STORE_URL' };
  if (status >= 500 || status === 408 || status === 429) return { what: `answered with error ${status}`, passes: true };
  return { what: `refused a request with error ${status}. Correct STORE_URL, or look at the log of the server` };
}

const longestPauseMs = 60_000;

function pauseOf({ header }: S3Answer): number {
  const seconds = Number(header('retry-after'));
  return seconds > 0 ? Math.min(seconds * 1000, longestPauseMs) : 500;
}

/** Codes of Node's TLS for certificates that are not believed. */
const certificate = /CERT|SELF_SIGNED|UNABLE_TO_/;

/** What it means that no whole answer came. */
export function networkError(error: unknown, location: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const name = String(error.code);
  if (certificate.test(name))
    return unavailable(location, 'shows a certificate that is not believed. Put its authority into STORE_CA', error);
  const what = name === 'ENOTFOUND' ? 'has a host name that is not known' : 'does not answer, or not to the end';
  return unavailable(location, what, error, { afterMs: 500 });
}

function unavailable(location: string, what: string, cause: Error, retry?: { afterMs: number }): AppError {
  const errno = 'code' in cause ? String(cause.code) : '';
  return new AppError('store/unavailable', `The store at ${location} ${what}.`, {
    cause,
    detail: { errno },
    ...(retry && { retry }),
  });
}
