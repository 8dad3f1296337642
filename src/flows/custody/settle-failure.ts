import { wasMovedByKeys } from '../../database/consent/provider-moves.ts';
import { closeCircuit, findCircuit, openCircuit } from '../../database/custody/circuits.ts';
import {
  countLostAnswers,
  endExchange,
  findAnswerBefore,
  findWitness,
  hastenWitness,
  listLatestAnswers,
  wasUsedWell,
} from '../../database/custody/exchanges.ts';
import type { Lease } from '../../database/custody/leases.ts';
import { saveRefused } from '../../database/custody/refusals.ts';
import { findTriedUntil } from '../../database/nights/plans.ts';
import { areManyRefused, trustAfterMoveMs } from '../../domain/circuit.ts';
import type { Hint } from '../../domain/hint.ts';
import {
  afterLostAnswer,
  afterRefusal,
  type Change,
  isPastItsEnd,
  pauseAfterLostAnswersMs,
  pauseAfterTroubleMs,
  type Refusal,
} from '../../domain/refusal.ts';
import { isAboutRequests, type RefusalMeaning } from '../../domain/refusal-meaning.ts';
import { lastTryOf } from '../../domain/run-tries.ts';
import type { FailedAnswer, Verdict } from '../../domain/verdict.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'issuer' | 'log' | 'meters'>;

/** An exchange that brought no token, and what it was judged to be. */
export interface Failure {
  answer: FailedAnswer;
  verdict: Verdict;
  /** Of a refusal. */
  meaning: RefusalMeaning | undefined;
}

/**
 * Records what an exchange without a token means, for the grant and for the circuit of its provider. Only refusals that are, or may be, about the
 * person, and two lost answers in a row, change a grant; while the circuit is open, refusals that could be the provider's fault change nothing.
 * Answers what it comes to: `unclear` instead of trouble or a refusal of Nightkeep that this grant alone has.
 */
export async function settleFailure(resources: Needs, lease: Lease, failure: Failure): Promise<Verdict> {
  const { database, clock } = resources;
  const at = clock.now();
  const { answer, verdict, meaning } = failure;
  const { errorCode } = answer;
  // On record before it is judged: of refusals that come at one moment, the last to be judged sees all the others.
  await endExchange(database, {
    exchangeId: lease.exchangeId,
    at,
    verdict,
    status: 'status' in answer ? answer.status : undefined,
    errorCode,
    hint: hintIn(failure),
  });
  const refused =
    meaning === 'operator'
      ? await openUnlessAlone(resources, lease, errorCode, at)
      : (await isRefusedByTrouble(resources, lease, failure, at))
        ? 'unclear'
        : meaning;
  const lastTry = await findLastTry(resources, lease);
  const change = await changeAfter(resources, lease, { ...failure, meaning: refused, lastTry }, at);
  const asked = 'retryAfterMs' in answer ? answer.retryAfterMs : undefined;
  const free = notBefore(lease, { pauseMs: asked, lastTry }, at);
  const pause = verdict === 'ambiguous' && lease.leaseUntil > free ? lease.leaseUntil : free;
  if (asked !== undefined && change?.nextExchangeAt && change.nextExchangeAt < pause) change.nextExchangeAt = pause;
  if (change?.reason === 'lost_rotation' && lease.grant.reason !== 'lost_rotation') resources.meters.rotationLost();
  await saveRefused(database, { lease, at, errorCode, change, notBefore: pause, free: verdict !== 'ambiguous' });
  return refused === 'unclear' ? 'unclear' : verdict;
}

/**
 * An answer that may not be used changes nothing of the grant. After a second one in a row, it is asked again in an hour unless a run needs it, since the
 * provider may replace the token each time.
 */
export async function pauseAfterUnsound(
  resources: Pick<Needs, 'clock' | 'database'>,
  lease: Lease,
  { verdict, errorCode }: { verdict: Verdict; errorCode: string },
): Promise<void> {
  const { database, clock } = resources;
  const at = clock.now();
  const before = await findAnswerBefore(database, { grantId: lease.grant.id, fence: lease.fence });
  const pauseMs = before?.verdict === verdict ? pauseAfterLostAnswersMs : undefined;
  const lastTry = await findLastTry(resources, lease);
  await saveRefused(database, {
    lease,
    at,
    errorCode,
    notBefore: notBefore(lease, { pauseMs, lastTry }, at),
    free: false,
  });
}

async function findLastTry({ database }: Pick<Needs, 'database'>, { grant }: Lease): Promise<Date | undefined> {
  const until = await findTriedUntil(database, grant.id);
  return until === null ? undefined : lastTryOf(until);
}

/**
 * A fault of the operator's opens the circuit. If it did so last time and the circuit has closed again, the grants of others work: the fault is
 * then this grant's alone, and unclear.
 */
async function openUnlessAlone(
  resources: Needs,
  lease: Lease,
  errorCode: string,
  at: Date,
): Promise<'operator' | 'unclear'> {
  const { database } = resources;
  const { grant, fence } = lease;
  const circuit = await findCircuit(database, grant);
  const before = await findAnswerBefore(database, { grantId: grant.id, fence });
  if (circuit?.open === false && before?.verdict === 'operator') return 'unclear';
  await open(resources, lease, errorCode, at);
  return 'operator';
}

/**
 * Whether trouble of the provider is this grant's alone, and then as unclear as a refusal: some answer a dead token with HTTP 500, an empty page or
 * `temporarily_unavailable`. It came before too, and another grant was exchanged well since; or the end that is known has come.
 */
async function isRefusedByTrouble(
  { database }: Needs,
  { grant, fence }: Lease,
  failure: Failure,
  at: Date,
): Promise<boolean> {
  const { answer, verdict } = failure;
  if (!isTrouble(verdict) || !('status' in answer) || isAboutRequests(answer)) return false;
  if (isPastItsEnd(grant, at)) return true;
  const { id: grantId, issuer, clientId } = grant;
  const before = await findAnswerBefore(database, { grantId, fence });
  if (before === null || !isTrouble(before.verdict) || before.answeredAt === null) return false;
  return (await findWitness(database, { grantId, issuer, clientId, since: before.answeredAt })) === true;
}

function isTrouble(verdict: string | null): boolean {
  return verdict === 'ambiguous' || verdict === 'transient';
}

/** A failure, and when the last try begins of the run that needs the grant, if one does. */
interface FailureInTime extends Failure {
  lastTry: Date | undefined;
}

async function changeAfter(
  resources: Needs,
  lease: Lease,
  failure: FailureInTime,
  at: Date,
): Promise<Change | undefined> {
  const { verdict, meaning, answer, lastTry } = failure;
  if (verdict !== 'ambiguous' && !isPersons(meaning)) return undefined;
  const { grant, token, exchangeId } = lease;
  const { database } = resources;
  const lostBefore = await countLostAnswers(database, {
    grantId: grant.id,
    generation: token.number,
    besides: exchangeId,
  });
  if (!isPersons(meaning)) return afterLostAnswer(grant, { at, lostBefore, lastTry });
  if (meaning === 'ended' || meaning === 'interaction') await closeIfOperators(resources, lease, at);
  const { errorCode } = answer;
  const ownTrouble = meaning === 'permission' || meaning === 'interaction' || isPastItsEnd(grant, at);
  if (!ownTrouble && (await isProviderAtFault(resources, lease, at))) return undefined;
  const wasLost = !isTrouble(verdict) && lostBefore > 0;
  const replaced = wasLost && (await mayHaveReplaced(resources, lease)) ? lostBefore : 0;
  const refusal = { at, errorCode, meaning, hint: hintIn(failure), lostBefore: replaced, credible: true, lastTry };
  const change = afterRefusal(grant, refusal);
  const condemns = change.state === 'needs_consent' && grant.state !== 'needs_consent';
  if (condemns && !ownTrouble && !(await isCredible(resources, lease, at)))
    return afterRefusal(grant, { ...refusal, credible: false });
  return change;
}

/** Whether the provider may have replaced the token in an answer that was lost, and no longer accepts the old one. */
async function mayHaveReplaced({ database, issuer }: Needs, { grant, token }: Lease): Promise<boolean> {
  const { rotation, reuse } = await issuer.profile();
  if (rotation === 'never' || reuse === 'free') return false;
  // For an unknown make of provider, what counts is whether a token stayed in use when an exchange went well.
  return rotation !== undefined || !(await wasUsedWell(database, { grantId: grant.id, generation: token.number }));
}

function isPersons(meaning: RefusalMeaning | undefined): meaning is Refusal['meaning'] {
  return meaning === 'ended' || meaning === 'interaction' || meaning === 'permission' || meaning === 'unclear';
}

/** The provider says what has become of a token only to a client that it accepts: so the operator has fixed what opened the circuit. */
async function closeIfOperators({ database }: Needs, { grant }: Lease, at: Date): Promise<void> {
  const { issuer, clientId } = grant;
  const circuit = await findCircuit(database, { issuer, clientId });
  if (circuit?.open && circuit.reason !== 'refusals')
    await closeCircuit(database, { issuer, clientId, at, by: 'provider' });
}

/** Whether refusals mean nothing now: the circuit is open, or opens because many are refused at once. */
async function isProviderAtFault(resources: Needs, lease: Lease, at: Date): Promise<boolean> {
  const { database } = resources;
  const { issuer, clientId, id } = lease.grant;
  const circuit = await findCircuit(database, { issuer, clientId });
  if (circuit?.open) return true;
  if (circuit?.trustedUntil && circuit.trustedUntil > at) return false;
  const others = await listLatestAnswers(database, { issuer, clientId, at, besides: id });
  if (!areManyRefused(['refused', ...others])) return false;
  if (await wasMovedByKeys(database, { issuer, since: new Date(at.getTime() - trustAfterMoveMs) })) return false;
  await open(resources, lease, 'refusals', at);
  return true;
}

/** A refusal is believed once another grant has worked since; if none has, one is tried. If nobody else has a living grant, it is believed. */
async function isCredible({ database }: Needs, { grant }: Lease, at: Date): Promise<boolean> {
  const { id: grantId, issuer, clientId, suspectSince } = grant;
  const witness = await findWitness(database, { grantId, issuer, clientId, since: suspectSince ?? at });
  if (witness === false) await hastenWitness(database, { grantId, issuer, clientId, at });
  return witness !== false;
}

async function open({ database, log }: Needs, { grant }: Lease, reason: string, at: Date): Promise<void> {
  const { issuer, clientId } = grant;
  if (await openCircuit(database, { issuer, clientId, reason, at }))
    log.error('circuit.opened', { issuer, clientId, reason });
}

function hintIn({ answer, meaning }: Failure): Hint | undefined {
  if (meaning === 'interaction') return 'interaction_required';
  return 'hint' in answer ? answer.hint : undefined;
}

interface Pausing {
  /** What the provider, or the kind of failure, asks for. */
  pauseMs?: number | undefined;
  /** When the last try begins of the run that needs the grant, if one does. */
  lastTry: Date | undefined;
}

/**
 * Never so late that the grant ends without having been asked, or a run misses its last try: a pause such as that of a Retry-After is kept for at most
 * half of the time that the grant has left, and for the time that the run has left.
 */
function notBefore({ grant }: Lease, { pauseMs = 0, lastTry }: Pausing, at: Date): Date {
  const end = Math.min(grant.idleDeadline.getTime(), grant.maxDeadline?.getTime() ?? Number.POSITIVE_INFINITY);
  const left = lastTry !== undefined && lastTry > at ? lastTry.getTime() - at.getTime() : Number.POSITIVE_INFINITY;
  const asked = Math.min(pauseMs, (end - at.getTime()) / 2, left);
  return new Date(at.getTime() + Math.max(asked, pauseAfterTroubleMs));
}
