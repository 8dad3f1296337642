import type { Lease } from '../../database/custody/leases.ts';
import type { Exchanged } from '../../database/custody/rotations.ts';
import type { RefusalMeaning } from '../../domain/refusal-meaning.ts';
import type { ExchangeAnswer, ReceivedAnswer, Verdict } from '../../domain/verdict.ts';
import { revokeReplaced } from '../consent/revoke-replaced.ts';
import { fenced, notUsable } from './explain-failure.ts';
import type { Needs } from './needs.ts';
import { deadlinesOfExchange, saveSealed } from './offline-token.ts';
import { pauseAfterUnsound, settleFailure } from './settle-failure.ts';
import { dropSpooled, endIfPossible, isFlushed, type Kept } from './spool-answer.ts';
import type { Statements } from './statements.ts';
import { rememberUsedUp } from './used-up.ts';

/** How an exchange ended. */
export interface Ended {
  answer: ExchangeAnswer;
  /** Why the tokens of the answer may not be used, if they may not. */
  fault: string | undefined;
  verdict: Verdict;
  /** Of a refusal. */
  meaning: RefusalMeaning | undefined;
  /** The new token, if one came. */
  kept: Kept | undefined;
  /** The token that was sent. */
  sent: string;
}

const pauseBetweenSavesMs = 1_000;

/**
 * Saves how an exchange ended, whatever the result. The token of an answer that may not be used is kept as well, and judged when the grant is next
 * claimed. Answers the number of a new token, if one came, and what the exchange comes to. Throws `grant/fenced` and `grant/not-usable` if the lease or the consent has ended in
 * the meantime.
 */
export async function settleExchange(
  resources: Needs,
  lease: Lease,
  { answer, fault, verdict, meaning, kept, sent }: Ended,
  save: Statements['save'],
): Promise<{ received?: number | undefined; verdict: Verdict }> {
  if (answer.kind !== 'answered') {
    const settle = () => settleFailure(resources, lease, { answer, verdict, meaning });
    return { verdict: await persistently(resources, lease, undefined, settle) };
  }
  const exchanged = await exchangedOf(resources, lease, { answer, fault, verdict });
  const saved = await persistently(resources, lease, kept, () =>
    kept ? saveSealed(resources.keyring, lease, kept.token, (token) => save({ ...exchanged, token })) : save(exchanged),
  );
  if (saved.outcome === 'withdrawn') {
    await revokeLate(resources, lease, kept);
    throw notUsable('withdrawn');
  }
  if (kept?.spooled) await dropSpooled(resources, lease);
  if (verdict !== 'ok') {
    const unsound = { verdict, errorCode: fault ?? verdict };
    await persistently(resources, lease, undefined, () => pauseAfterUnsound(resources, lease, unsound));
    return { verdict };
  }
  if (saved.outcome !== 'saved') {
    resources.log.warn('grant.exchange.late', { grantId: lease.grant.id, outcome: saved.outcome });
    throw fenced();
  }
  const received = kept?.token.refreshToken;
  if (received !== undefined) rememberUsedUp(resources, { grantId: lease.grant.id, sent, received });
  if (saved.replaced > 0) await endEarlierConsents(resources, lease);
  return { received: saved.received ?? undefined, verdict };
}

async function exchangedOf(
  { config, clock, issuer }: Needs,
  lease: Lease,
  { answer, fault, verdict }: Omit<Ended, 'kept' | 'meaning' | 'sent'> & { answer: ReceivedAnswer },
): Promise<Exchanged> {
  const { exchangeId, fence, grant, token } = lease;
  const profile = await issuer.profile();
  const at = clock.now();
  return {
    exchangeId,
    grantId: grant.id,
    sent: token.number,
    fence,
    at,
    verdict,
    status: answer.status,
    errorCode: fault,
    deadlines: verdict === 'ok' ? deadlinesOfExchange({ config, profile }, lease, answer.tokens, at) : undefined,
  };
}

/**
 * Tries until the lease ends, and without end while neither the database nor the disk has the token, since it exists nowhere else. What is on the
 * disk is saved to the database by `heal`.
 */
async function persistently<T>(
  resources: Needs,
  lease: Lease,
  kept: Kept | undefined,
  save: () => Promise<T>,
): Promise<T> {
  const { clock, log } = resources;
  let safe = kept === undefined;
  for (;;) {
    try {
      return await save();
    } catch (error) {
      log.error('grant.save.failed', { grantId: lease.grant.id, error });
      safe ||= kept?.spooled === true && (await isFlushed(resources, lease));
      if (safe && clock.now() >= lease.leaseUntil) throw error;
      await clock.sleep(pauseBetweenSavesMs);
    }
  }
}

/** The consent was withdrawn while the provider answered: the new token is ended at the provider. */
async function revokeLate(resources: Needs, lease: Lease, kept: Kept | undefined): Promise<void> {
  const { issuer, log } = resources;
  if (kept === undefined) return;
  try {
    await endIfPossible(issuer, kept.token.refreshToken);
    await dropSpooled(resources, lease);
  } catch (error) {
    log.warn('grant.revoke.failed', { grantId: lease.grant.id, error });
  }
}

/** The renewed consent has proved itself. What cannot be ended now is tried after the next exchange. */
async function endEarlierConsents(resources: Needs, { grant }: Lease): Promise<void> {
  await revokeReplaced(resources, { grantId: grant.id }).catch((error: unknown) =>
    resources.log.warn('grant.revoke-replaced.failed', { grantId: grant.id, error }),
  );
}
