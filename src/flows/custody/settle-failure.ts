import { findCircuit, openCircuit } from '../../database/circuits.ts';
import {
  callWitness,
  countLostAnswers,
  endExchange,
  findWitness,
  listLatestAnswers,
} from '../../database/exchanges.ts';
import type { Lease } from '../../database/leases.ts';
import { saveRefused } from '../../database/refusals.ts';
import { isJump } from '../../domain/circuit.ts';
import { afterLostAnswer, afterRefusal, type Change, pauseAfterTroubleMs } from '../../domain/refusal.ts';
import type { FailedAnswer, Verdict } from '../../domain/verdict.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'log'>;

/**
 * Writes down what an exchange that brought no token means, for the grant and for the circuit of its provider. Only the
 * person's own refusals, and answers lost twice, change a grant; while the circuit is open nothing does.
 */
export async function settleFailure(
  resources: Needs,
  lease: Lease,
  verdict: Verdict,
  answer: FailedAnswer,
): Promise<void> {
  const { database, clock } = resources;
  const at = clock.now();
  if (verdict === 'operator') await open(resources, lease, answer.errorCode, at);
  const { errorCode } = answer;
  // On record before it is judged: of refusals that come at one moment, the last to be judged sees all the others.
  await endExchange(database, {
    exchangeId: lease.exchangeId,
    at,
    verdict,
    status: 'status' in answer ? answer.status : undefined,
    errorCode,
    hint: hintIn(answer),
  });
  const change = await changeAfter(resources, lease, verdict, answer, at);
  const pause = notBefore(lease, verdict, answer, at);
  await saveRefused(database, { lease, at, errorCode, change, notBefore: pause, free: verdict !== 'ambiguous' });
}

async function changeAfter(
  resources: Needs,
  lease: Lease,
  verdict: Verdict,
  answer: FailedAnswer,
  at: Date,
): Promise<Change | undefined> {
  const { grant, token, exchangeId } = lease;
  if (verdict !== 'ambiguous' && verdict !== 'person') return undefined;
  const { database } = resources;
  const lostBefore = await countLostAnswers(database, {
    grantId: grant.id,
    generation: token.number,
    besides: exchangeId,
  });
  if (verdict === 'ambiguous') return afterLostAnswer(grant, { at, lostBefore });
  const { errorCode } = answer;
  const hint = hintIn(answer);
  if (errorCode === 'invalid_grant' && (await isProviderAtFault(resources, lease, at))) return undefined;
  const refusal = { at, errorCode, hint, lostBefore, credible: true };
  const change = afterRefusal(grant, refusal);
  const condemns = change.state === 'needs_consent' && grant.state !== 'needs_consent';
  if (condemns && !(await isCredible(resources, lease, at)))
    return afterRefusal(grant, { ...refusal, credible: false });
  return change;
}

/** Whether refusals mean nothing now: the circuit is open, or opens because many are refused at once. */
async function isProviderAtFault(resources: Needs, lease: Lease, at: Date): Promise<boolean> {
  const { database } = resources;
  const { issuer, clientId, id } = lease.grant;
  const circuit = await findCircuit(database, { issuer, clientId });
  if (circuit?.open) return true;
  if (circuit?.trustedUntil && circuit.trustedUntil > at) return false;
  const others = await listLatestAnswers(database, { issuer, clientId, at, besides: id });
  if (!isJump(['refused', ...others])) return false;
  await open(resources, lease, 'refusals', at);
  return true;
}

/** A refusal is believed once another grant went well since; where none has, one is asked. Nobody else lives: it is. */
async function isCredible({ database }: Needs, { grant }: Lease, at: Date): Promise<boolean> {
  const { id: grantId, issuer, clientId, suspectSince } = grant;
  const witness = await findWitness(database, { grantId, issuer, clientId, since: suspectSince ?? at });
  if (witness === false) await callWitness(database, { grantId, issuer, clientId, at });
  return witness !== false;
}

async function open({ database, log }: Needs, { grant }: Lease, reason: string, at: Date): Promise<void> {
  const { issuer, clientId } = grant;
  if (await openCircuit(database, { issuer, clientId, reason, at }))
    log.error('circuit.opened', { issuer, clientId, reason });
}

function hintIn(answer: FailedAnswer) {
  return 'hint' in answer ? answer.hint : undefined;
}

function notBefore({ leaseUntil }: Lease, verdict: Verdict, answer: FailedAnswer, at: Date): Date {
  const asked = 'retryAfterMs' in answer ? (answer.retryAfterMs ?? 0) : 0;
  const pause = new Date(at.getTime() + Math.max(asked, pauseAfterTroubleMs));
  return verdict === 'ambiguous' && leaseUntil > pause ? leaseUntil : pause;
}
