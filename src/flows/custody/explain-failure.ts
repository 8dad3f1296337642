import type { Lease } from '../../database/custody/leases.ts';
import { pauseAfterTroubleMs } from '../../domain/refusal.ts';
import { type Verdict, wrongSubject } from '../../domain/verdict.ts';
import { AppError } from '../../errors.ts';
import { wordsOfBareStatus } from '../../oidc/provider-error.ts';
import type { Resources } from '../../resources.ts';

/** The error for the caller of an exchange that gave no access token. */
export function explainFailure(
  { clock }: Pick<Resources, 'clock'>,
  lease: Lease,
  verdict: Verdict,
  {
    errorCode,
    retryAfterMs,
    detail: explained,
    status,
  }: { errorCode: string; retryAfterMs?: number; detail?: string | undefined; status?: number | undefined },
): AppError {
  const detail = { grantId: lease.grant.id, errorCode };
  const leaseLeftMs = Math.max(0, lease.leaseUntil.getTime() - clock.now().getTime());
  switch (verdict) {
    case 'person':
      return new AppError('grant/not-usable', unusableWords.refused, {
        detail,
        retry: { afterMs: pauseAfterTroubleMs },
      });
    case 'unclear':
      return new AppError(
        'grant/not-usable',
        'The provider refuses without saying whether the consent has ended or Nightkeep itself is meant. It is asked again later; consenting again fixes it if the consent has ended.',
        { detail, ...(retryAfterMs !== undefined && { retry: { afterMs: retryAfterMs } }) },
      );
    case 'unsound':
      return new AppError(
        'provider/wrong-answer',
        explained ??
          `The OpenID provider answered, but the answer failed a check by Nightkeep (${errorCode}). The operator must look into it: form, issuer, signature or clock of its tokens.`,
        { detail, retry: { afterMs: leaseLeftMs } },
      );
    case 'ambiguous':
      return new AppError('provider/ambiguous', wordsOfNoAnswer(status), { detail, retry: { afterMs: leaseLeftMs } });
    case 'operator':
      if (errorCode === wrongSubject)
        return new AppError(
          'grant/wrong-subject',
          'The provider answered for somebody else. The operator must look into it.',
        );
      return new AppError(
        'provider/refused-client',
        errorCode.startsWith('http-')
          ? wordsOfBareStatus(errorCode.slice('http-'.length))
          : 'The OpenID provider refuses Nightkeep itself. The operator must check the client id, its secret and its settings.',
        { detail, retry: { afterMs: pauseAfterTroubleMs } },
      );
    default:
      return new AppError(
        'provider/unavailable',
        'The OpenID provider does not answer, or asks Nightkeep to try again later.',
        {
          detail,
          retry: { afterMs: retryAfterMs ?? 30_000 },
        },
      );
  }
}

/** The answer may be an error of the provider, or a page of something in front of it; whether the token was used up is not known. */
function wordsOfNoAnswer(status: number | undefined): string {
  return status === undefined
    ? 'The answer of the OpenID provider was lost on the way.'
    : `The OpenID provider answered with HTTP ${status} and no tokens that could be read.`;
}

const unusableWords = {
  active:
    'Answers of the OpenID provider were lost on the way, or could not be used. The consent is used again a little later.',
  withdrawn: 'The consent was withdrawn.',
  ended: 'The provider no longer accepts the consent; agreeing again fixes that at once.',
  refused:
    'The provider did not accept the consent this time. It is asked again automatically; agreeing again fixes it at once.',
};

/** The lease was lost to another worker before the answer came; its token is kept. */
export function fenced(): AppError {
  return new AppError('grant/fenced', 'Another worker took this grant over meanwhile. Try again.', {
    retry: { afterMs: 1_000 },
  });
}

/** The grant cannot be used: for now, where it is asked again after that time, or for good. */
export function notUsable(state: string, retryAfterMs?: number): AppError {
  const words = state === 'active' || state === 'withdrawn' ? state : retryAfterMs === undefined ? 'ended' : 'refused';
  return new AppError('grant/not-usable', unusableWords[words], {
    detail: { state },
    ...(retryAfterMs !== undefined && { retry: { afterMs: retryAfterMs } }),
  });
}

/** The circuit of the provider is open: only one probe a minute is sent. */
export function circuitOpen(at: Date, nextProbeAt: Date): AppError {
  return new AppError(
    'provider/circuit-open',
    "The OpenID provider refuses Nightkeep or many people at once. The operator's log says more; consents are left alone until it is fixed.",
    { retry: { afterMs: Math.max(1_000, nextProbeAt.getTime() - at.getTime()) } },
  );
}
