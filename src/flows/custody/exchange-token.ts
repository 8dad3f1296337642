import type { Lease } from '../../database/leases.ts';
import { saveRefused } from '../../database/refusals.ts';
import { keepPending, type ReceivedToken, type Saved, saveExchanged } from '../../database/rotations.ts';
import { judgeAnswer, type TokenAnswer, type Verdict } from '../../domain/verdict.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { AccessToken } from '../../sources/source.ts';
import { revokeReplaced } from '../consent/revoke-replaced.ts';
import { openBoundKey, proving } from './bound-key.ts';
import { deadlinesOfExchange, openToken, readyToKeep } from './offline-token.ts';
import { explainFailure, notUsable, settleFailure } from './settle-failure.ts';
import { spoolAnswer } from './spool-answer.ts';

export type Needs = Pick<
  Resources,
  'config' | 'clock' | 'log' | 'database' | 'issuer' | 'keyring' | 'holder' | 'spool'
>;

export interface Access extends AccessToken {
  /** By the house's own clock: `expires_in` after the request was sent. */
  endsAt: Date;
}

/** Access tokens live at least so long where the provider does not say. */
const assumedSeconds = 60;
const pauseBetweenSavesMs = 1_000;

/**
 * Sends the leased token once and saves what came of it before anybody may use it. A token that was received is
 * never dropped: it is on this machine's disk until the database has it. Throws what the verdict means: `provider/…`,
 * `grant/not-usable`, `grant/fenced`, `grant/wrong-subject`.
 */
export async function exchangeToken(resources: Needs, lease: Lease): Promise<Access> {
  const { issuer, clock, log, keyring } = resources;
  const { grant, token, exchangeId } = lease;
  const owner = { userId: grant.userId, grantId: grant.id };
  const refreshToken = openToken(keyring, owner, token);
  const boundKey = openBoundKey(keyring, owner, grant.sealedDpopKey);
  const sentAt = clock.now();
  let kept = nothing;
  const keep = async (tokens: TokenAnswer) => {
    kept = await keepSafe(resources, lease, tokens);
  };
  const answer = await issuer.exchange(refreshToken, { boundKey, keep });
  const verdict = judgeAnswer(answer);
  log.info('grant.exchanged', { grantId: grant.id, exchangeId, verdict, ms: clock.now().getTime() - sentAt.getTime() });
  if (answer.kind !== 'answered') {
    await persistently(resources, lease, nothing, () => settleFailure(resources, lease, verdict, answer));
    throw explainFailure(resources, lease, verdict, answer);
  }
  const { tokens, fault, status } = answer;
  if (fault !== undefined) throw await saveUnaccepted(resources, lease, kept, verdict, fault);
  if (tokens.subject !== undefined && tokens.subject !== grant.subject) {
    throw await saveUnaccepted(resources, lease, kept, 'operator', 'wrong-subject');
  }
  await saveSuccess(resources, lease, kept, { status, tokens });
  const seconds = tokens.expiresIn ?? assumedSeconds;
  return { ...proving(issuer, tokens, boundKey), endsAt: new Date(sentAt.getTime() + seconds * 1000) };
}

/** A token that came back, and whether the disk has it; none where the provider sent none, or the very same. */
interface Kept {
  refreshToken?: string;
  received?: ReceivedToken;
  spooled: boolean;
}

const nothing: Kept = { spooled: false };

async function keepSafe(
  resources: Needs,
  lease: Lease,
  { refreshToken, issuedAt, endsAt, sid }: TokenAnswer,
): Promise<Kept> {
  if (refreshToken === undefined) return nothing;
  const { grant } = lease;
  const token = { refreshToken, issuedAt, endsAt, sid };
  const received = readyToKeep(resources.keyring, { userId: grant.userId, grantId: grant.id }, token);
  if (Buffer.from(lease.token.fingerprint).equals(received.fingerprint)) return nothing;
  return { refreshToken, received, spooled: await spoolAnswer(resources, lease, token) };
}

async function saveSuccess(
  resources: Needs,
  lease: Lease,
  kept: Kept,
  { status, tokens }: { status: number; tokens: TokenAnswer },
): Promise<void> {
  const { database, clock, config } = resources;
  const { received, spooled } = kept;
  const at = clock.now();
  const deadlines = deadlinesOfExchange(config, lease.grant, lease.token, tokens, at);
  const saved = await persistently(resources, lease, kept, () =>
    saveExchanged(database, { lease, at, status, received, deadlines }),
  );
  if (saved.outcome === 'withdrawn') throw await revokeLate(resources, lease, kept);
  if (spooled) await dropSpooled(resources, lease);
  if (saved.outcome !== 'saved') throw fenced(resources, lease, saved);
  if (saved.replaced > 0) await endEarlierConsents(resources, lease);
}

/** The renewed consent has proved itself. What cannot be ended now is tried after the next exchange. */
async function endEarlierConsents(resources: Needs, { grant }: Lease): Promise<void> {
  await revokeReplaced(resources, { grantId: grant.id }).catch((error: unknown) =>
    resources.log.warn('grant.revoke-replaced.failed', { grantId: grant.id, error }),
  );
}

function fenced({ log }: Needs, { grant }: Lease, { outcome }: Saved): AppError {
  log.warn('grant.exchange.late', { grantId: grant.id, outcome });
  return new AppError('grant/fenced', 'Another worker took this grant over meanwhile. Try again.', {
    retry: { afterMs: 1_000 },
  });
}

/** Keeps the token of an answer that was not accepted; it takes its place when the grant is next asked. */
async function saveUnaccepted(
  resources: Needs,
  lease: Lease,
  kept: Kept,
  verdict: Verdict,
  errorCode: string,
): Promise<AppError> {
  const { database, clock, log } = resources;
  const { received, spooled } = kept;
  const at = clock.now();
  const origin = { grantId: lease.grant.id, sent: lease.token.number, fence: lease.fence };
  const outcome =
    received && (await persistently(resources, lease, kept, () => keepPending(database, { ...origin, received, at })));
  if (outcome === 'withdrawn') return revokeLate(resources, lease, kept);
  if (spooled) await dropSpooled(resources, lease);
  await persistently(resources, lease, nothing, () =>
    saveRefused(database, { lease, at, verdict, status: 200, errorCode, free: false }),
  );
  if (errorCode !== 'wrong-subject') return explainFailure(resources, lease, verdict, { errorCode });
  log.error('grant.wrong-subject', { grantId: lease.grant.id, exchangeId: lease.exchangeId });
  return new AppError(
    'grant/wrong-subject',
    'The provider answered for somebody else. The operator must look into it.',
  );
}

/**
 * Tries until the lease ends, and for ever where neither the database nor the disk has the token: it exists nowhere
 * else then. What the disk has is given to the database by `heal`.
 */
async function persistently<T>(resources: Needs, lease: Lease, kept: Kept, save: () => Promise<T>): Promise<T> {
  const { clock, log } = resources;
  let safe = kept.received === undefined;
  for (;;) {
    try {
      return await save();
    } catch (error) {
      log.error('grant.save.failed', { grantId: lease.grant.id, error });
      safe ||= kept.spooled && (await isFlushed(resources, lease));
      if (safe && clock.now() >= lease.leaseUntil) throw error;
      await clock.sleep(pauseBetweenSavesMs);
    }
  }
}

/** The database has the token. What cannot be dropped is found again by `heal`, and known there. */
async function dropSpooled({ spool, log }: Needs, { exchangeId }: Lease): Promise<void> {
  await spool
    .drop(exchangeId)
    .catch((error: unknown) => log.warn('spool.drop-failed', { exchangeId, folder: spool.folder, error }));
}

async function isFlushed({ spool, log }: Needs, { exchangeId }: Lease): Promise<boolean> {
  try {
    await spool.flush(exchangeId);
    return true;
  } catch (error) {
    log.error('spool.flush-failed', { exchangeId, folder: spool.folder, error });
    return false;
  }
}

/** Consent was withdrawn while the provider answered: the new token is ended where it came from. */
async function revokeLate(resources: Needs, lease: Lease, { refreshToken }: Kept): Promise<AppError> {
  const { issuer, log } = resources;
  if (refreshToken !== undefined) {
    try {
      await issuer.revoke(refreshToken);
      await dropSpooled(resources, lease);
    } catch (error) {
      log.warn('grant.revoke.failed', { grantId: lease.grant.id, error });
    }
  }
  return notUsable('withdrawn');
}
