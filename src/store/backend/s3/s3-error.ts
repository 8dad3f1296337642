import type { AppError } from '../../../errors.ts';
import type { HttpAnswer } from '../http/http-answer.ts';
import {
  full,
  type Meaning,
  meaningOf,
  notFound,
  otherBytes,
  refusal,
  type StoreAct,
  taken,
} from '../http/http-error.ts';
import { readErrorCode } from './s3-xml.ts';

/** By the code in the answer (Amazon S3 API reference, "Error responses"; the last three are of MinIO and Ceph). */
const meanings: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: { what: 'has no such bucket. Make it, or correct STORE_URL' },
  NoSuchKey: notFound,
  PreconditionFailed: taken,
  ConditionalRequestConflict: { what: 'was writing that file for somebody else', passes: true },
  InvalidAccessKeyId: { what: 'does not know the access key. Correct STORE_KEYS' },
  SignatureDoesNotMatch: { what: 'does not accept the secret key. Correct STORE_KEYS, or the region in STORE_URL' },
  ExpiredToken: { what: 'says that the access key has expired. Put a new one into STORE_KEYS' },
  InvalidToken: { what: 'does not know the access key. Correct STORE_KEYS' },
  AuthorizationHeaderMalformed: { what: 'is in another region. Correct the region in STORE_URL' },
  InvalidObjectState: {
    what: 'has archived a file, and does not give it. Have it restored there, and keep the files of repositories out of archives (Glacier and the like)',
    isOfFile: true,
  },
  RequestTimeTooSkewed: { what: 'has another time than this machine. Set the clock of this machine' },
  BadDigest: otherBytes,
  XAmzContentSHA256Mismatch: otherBytes,
  RequestTimeout: { what: 'waited too long for the bytes that were sent', passes: true },
  SlowDown: { what: 'asks for fewer requests', passes: true },
  XMinioStorageFull: full,
  InsufficientStorage: full,
  QuotaExceeded: { code: 'store/full', what: 'has used up its quota. Raise it, or make room' },
};

const forbidden: Readonly<Record<StoreAct, Meaning>> = {
  read: { what: 'does not let the key read there. Allow it s3:GetObject and s3:ListBucket', isOfFile: true },
  save: { what: 'does not let the key write there. Allow it s3:PutObject' },
  list: { what: 'does not let the key list there. Allow it s3:ListBucket' },
  remove: {
    code: 'store/may-not-delete',
    what: 'does not let the key delete there. Whoever holds a key that may must do this',
  },
};

/** What an answer that is no success means for people, and whether it can pass. */
export function answerError(answer: HttpAnswer, act: StoreAct, location: string, path?: string): AppError {
  const code = readErrorCode(answer.body);
  const known = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  const meaning = otherRegion(answer) ?? known ?? byStatus(answer, act);
  return refusal({ location, act, path }, answer, meaning, { code });
}

/** Where the server says which one it has the bucket in. */
function otherRegion({ status, header }: HttpAnswer): Meaning | undefined {
  const region = header('x-amz-bucket-region');
  const isOfRegion = region !== undefined && status >= 300 && status < 500 && ![401, 403, 404, 412].includes(status);
  return isOfRegion
    ? { what: `has the bucket in the region ${region}. Put region=${region} into STORE_URL` }
    : undefined;
}

function byStatus(answer: HttpAnswer, act: StoreAct): Meaning {
  const { status } = answer;
  if (status === 404 || status === 412) return meaningOf(answer);
  if (status === 401 || status === 403) return forbidden[act];
  if (status >= 300 && status < 400)
    return { what: 'points to another address. Correct endpoint and region in STORE_URL' };
  return meaningOf(answer);
}
