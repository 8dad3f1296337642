import { countLostAnswers } from '../database/exchanges.ts';
import { keepPending, type Lease, type Refused, saveExchanged, saveRefused } from '../database/grants.ts';
import {
  askAgainAfterLostAnswersMs,
  askAgainAfterMissingPermissionMs,
  type ExchangeAnswer,
  followRefusal,
  judgeAnswer,
  type TokenAnswer,
  type Verdict,
} from '../domain/verdict.ts';
import { HouseError, isHouseError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import type { AccessToken } from '../sources/source.ts';
import { openBoundKey, proving } from './bound-key.ts';
import { deadlinesFrom, openToken, readyToKeep } from './custody.ts';

export type Needs = Pick<Resources, 'config' | 'clock' | 'log' | 'database' | 'issuer' | 'keyring' | 'holder'>;

export interface Access extends AccessToken {
  /** By the house's own clock: `expires_in` after the request was sent. */
  endsAt: Date;
}

/** Access tokens live at least so long where the provider does not say. */
const assumedSeconds = 60;
const pauseBetweenSavesMs = 1_000;

/**
 * Sends the leased token once and saves what came of it before anybody may use it. A token that was received is
 * never dropped. Throws what the verdict means: `provider/…`, `grant/not-usable`, `grant/fenced`, `grant/wrong-subject`.
 */
export async function exchangeToken(resources: Needs, lease: Lease): Promise<Access> {
  const { issuer, clock, log, keyring } = resources;
  const { grant, token, exchangeId } = lease;
  const owner = { userId: grant.userId, grantId: grant.id };
  const refreshToken = openToken(keyring, owner, token);
  const boundKey = openBoundKey(keyring, owner, grant.sealedDpopKey);
  const sentAt = clock.now();
  const answer = await issuer.exchange(refreshToken, boundKey);
  const verdict = judgeAnswer(answer);
  log.info('grant.exchanged', { grantId: grant.id, exchangeId, verdict, ms: clock.now().getTime() - sentAt.getTime() });
  if (answer.kind !== 'answered') throw await saveFailure(resources, lease, verdict, answer);
  const { tokens, fault } = answer;
  if (fault !== undefined) throw await saveUnaccepted(resources, lease, tokens, verdict, fault);
  if (tokens.subject !== undefined && tokens.subject !== grant.subject) {
    throw await saveUnaccepted(resources, lease, tokens, 'operator', 'wrong-subject');
  }
  await saveSuccess(resources, lease, answer.status, tokens);
  const seconds = tokens.expiresIn ?? assumedSeconds;
  return { ...proving(issuer, tokens, boundKey), endsAt: new Date(sentAt.getTime() + seconds * 1000) };
}

async function saveSuccess(resources: Needs, lease: Lease, status: number, tokens: TokenAnswer): Promise<void> {
  const { database, clock, config, log } = resources;
  const at = clock.now();
  const received = rotated(resources, lease, tokens);
  const exchanged = { lease, at, status, received, ...deadlinesFrom(config, at) };
  const saved = await savePersistently(resources, lease, () => saveExchanged(database, exchanged));
  if (saved === 'saved') return;
  log.warn('grant.exchange.late', { grantId: lease.grant.id, saved });
  if (saved === 'withdrawn') throw await revokeLate(resources, tokens);
  throw new HouseError('grant/fenced', 'Another worker took this grant over meanwhile. Try again.', {
    retry: { afterMs: 1_000 },
  });
}

/** Keeps the token of an answer that was not accepted; it takes its place when the grant is next asked. */
async function saveUnaccepted(
  resources: Needs,
  lease: Lease,
  tokens: TokenAnswer,
  verdict: Verdict,
  errorCode: string,
): Promise<HouseError> {
  const { database, clock } = resources;
  const received = rotated(resources, lease, tokens);
  const at = clock.now();
  const kept =
    received && (await savePersistently(resources, lease, () => keepPending(database, { lease, received, at })));
  await savePersistently(resources, lease, () =>
    saveRefused(database, { lease, at, verdict, status: 200, errorCode, free: false }),
  );
  if (kept === 'withdrawn') return revokeLate(resources, tokens);
  if (errorCode !== 'wrong-subject') return explain(resources, lease, verdict, errorCode);
  return new HouseError(
    'grant/wrong-subject',
    'The provider answered for somebody else. The operator must look into it.',
  );
}

async function saveFailure(
  resources: Needs,
  lease: Lease,
  verdict: Verdict,
  answer: Exclude<ExchangeAnswer, { kind: 'answered' }>,
): Promise<HouseError> {
  const { database, clock } = resources;
  const { errorCode } = answer;
  const at = clock.now();
  const status = 'status' in answer ? answer.status : undefined;
  const lost = await savePersistently(resources, lease, () =>
    countLostAnswers(database, { grantId: lease.grant.id, generation: lease.token.number, besides: lease.exchangeId }),
  );
  const change = changeAfter(lease, verdict, errorCode, lost, at);
  const free = verdict !== 'ambiguous';
  await savePersistently(resources, lease, () =>
    saveRefused(database, { lease, at, verdict, status, errorCode, change, free }),
  );
  return explain(resources, lease, verdict, errorCode, 'retryAfterMs' in answer ? answer.retryAfterMs : undefined);
}

/** What a failure does to the grant: only the person's own refusals, and answers lost twice, change anything. */
function changeAfter({ grant }: Lease, verdict: Verdict, errorCode: string, lost: number, at: Date): Refused['change'] {
  const askAgain = (ms: number) => new Date(at.getTime() + ms);
  const { state, suspectSince, refusals } = grant;
  if (state === 'withdrawn') return undefined;
  const same = { state, refusals, suspectSince };
  if (verdict === 'ambiguous') {
    if (lost === 0) return undefined;
    return { ...same, reason: grant.reason ?? 'lost_answers', nextExchangeAt: askAgain(askAgainAfterLostAnswersMs) };
  }
  if (verdict !== 'person') return undefined;
  if (errorCode !== 'invalid_grant') {
    return { ...same, reason: errorCode, nextExchangeAt: askAgain(askAgainAfterMissingPermissionMs) };
  }
  const since = suspectSince ?? at;
  const { state: next, askAgainAfterMs } = followRefusal(refusals + 1, at.getTime() - since.getTime());
  const reason = lost > 0 || grant.reason === 'lost_rotation' ? 'lost_rotation' : 'invalid_grant';
  return {
    state: next,
    reason,
    refusals: refusals + 1,
    suspectSince: since,
    nextExchangeAt: askAgain(askAgainAfterMs),
  };
}

function explain(
  { clock }: Needs,
  lease: Lease,
  verdict: Verdict,
  errorCode: string,
  retryAfterMs?: number,
): HouseError {
  const detail = { grantId: lease.grant.id, errorCode };
  const leaseMs = Math.max(0, lease.leaseUntil.getTime() - clock.now().getTime());
  switch (verdict) {
    case 'person':
      return new HouseError(
        'grant/not-usable',
        'The provider no longer accepts the consent. It is asked again later; consenting again mends it at once.',
        { detail },
      );
    case 'ambiguous':
      return new HouseError('provider/ambiguous', 'The answer of the OpenID provider was lost on its way.', {
        detail,
        retry: { afterMs: leaseMs },
      });
    case 'operator':
      return new HouseError(
        'provider/refused-client',
        'The OpenID provider refuses Nightkeep itself. The operator must check the client id, its secret and its settings.',
        { detail, retry: { afterMs: 60_000 } },
      );
    default:
      return new HouseError('provider/unavailable', 'The OpenID provider does not answer.', {
        detail,
        retry: { afterMs: retryAfterMs ?? 30_000 },
      });
  }
}

/** The new token, ready to be kept; nothing where the provider sent none, or the very same. */
function rotated({ keyring }: Needs, { grant, token }: Lease, { refreshToken, issuedAt }: TokenAnswer) {
  if (refreshToken === undefined) return undefined;
  const received = readyToKeep(keyring, { userId: grant.userId, grantId: grant.id }, { refreshToken, issuedAt });
  return Buffer.from(token.fingerprint).equals(received.fingerprint) ? undefined : received;
}

/** Tries until the lease ends: what the provider sent exists nowhere else. */
async function savePersistently<Saved>(
  { clock, log }: Needs,
  { grant, leaseUntil }: Lease,
  save: () => Promise<Saved>,
): Promise<Saved> {
  for (;;) {
    try {
      return await save();
    } catch (error) {
      log.error('grant.save.failed', { grantId: grant.id, error });
      if (isHouseError(error) || clock.now() >= leaseUntil) throw error;
      await clock.sleep(pauseBetweenSavesMs);
    }
  }
}

/** Consent was withdrawn while the provider answered: the new token is ended where it came from. */
async function revokeLate({ issuer, log }: Needs, { refreshToken }: TokenAnswer): Promise<HouseError> {
  if (refreshToken !== undefined) {
    await issuer.revoke(refreshToken).catch((error: unknown) => log.warn('grant.revoke.failed', { error }));
  }
  return notUsable('withdrawn');
}

/** The grant cannot be used, for now or for good. */
export function notUsable(state: string, retryAfterMs?: number): HouseError {
  return new HouseError('grant/not-usable', 'The consent was withdrawn or must be given again.', {
    detail: { state },
    ...(retryAfterMs !== undefined && { retry: { afterMs: retryAfterMs } }),
  });
}
