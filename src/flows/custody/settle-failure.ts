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
import { afterLostAnswer, afterRefusal, type Change } from '../../domain/refusal.ts';
import type { ExchangeAnswer, Verdict } from '../../domain/verdict.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'log'>;
export type FailedAnswer = Exclude<ExchangeAnswer, { kind: 'answered' }>;

/** Keep-alive leaves a grant alone for so long that it could not ask. */
const pauseAfterTroubleMs = 60_000;

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
  const end = {
    at,
    verdict,
    status: 'status' in answer ? answer.status : undefined,
    errorCode: answer.errorCode,
    hint: 'hint' in answer ? answer.hint : undefined,
  };
  // On record before it is judged: of refusals that come at one moment, the last to be judged sees all the others.
  await endExchange(database, { exchangeId: lease.exchangeId, ...end });
  await saveRefused(database, {
    lease,
    ...end,
    change: await changeAfter(resources, lease, verdict, answer, at),
    notBefore: notBefore(lease, verdict, answer, at),
    free: verdict !== 'ambiguous',
  });
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
  const hint = 'hint' in answer ? answer.hint : undefined;
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

function notBefore({ leaseUntil }: Lease, verdict: Verdict, answer: FailedAnswer, at: Date): Date {
  const asked = 'retryAfterMs' in answer ? (answer.retryAfterMs ?? 0) : 0;
  const pause = new Date(at.getTime() + Math.max(asked, pauseAfterTroubleMs));
  return verdict === 'ambiguous' && leaseUntil > pause ? leaseUntil : pause;
}

/** What a failed exchange tells whoever asked for access. */
export function explainFailure(
  { clock }: Pick<Needs, 'clock'>,
  lease: Lease,
  verdict: Verdict,
  { errorCode, retryAfterMs }: { errorCode: string; retryAfterMs?: number },
): AppError {
  const detail = { grantId: lease.grant.id, errorCode };
  switch (verdict) {
    case 'person':
      return new AppError(
        'grant/not-usable',
        'The provider no longer accepts the consent. It is asked again later; consenting again mends it at once.',
        { detail },
      );
    case 'ambiguous':
      return new AppError('provider/ambiguous', 'The answer of the OpenID provider was lost on its way.', {
        detail,
        retry: { afterMs: Math.max(0, lease.leaseUntil.getTime() - clock.now().getTime()) },
      });
    case 'operator':
      return new AppError(
        'provider/refused-client',
        'The OpenID provider refuses Nightkeep itself. The operator must check the client id, its secret and its settings.',
        { detail, retry: { afterMs: pauseAfterTroubleMs } },
      );
    default:
      return new AppError('provider/unavailable', 'The OpenID provider does not answer.', {
        detail,
        retry: { afterMs: retryAfterMs ?? 30_000 },
      });
  }
}

/** The grant cannot be used, for now or for good. */
export function notUsable(state: string, retryAfterMs?: number): AppError {
  return new AppError('grant/not-usable', 'The consent was withdrawn or must be given again.', {
    detail: { state },
    ...(retryAfterMs !== undefined && { retry: { afterMs: retryAfterMs } }),
  });
}

/** The provider, or our client there, is in trouble; nobody is asked but for a probe a minute. */
export function circuitOpen(at: Date, nextProbeAt: Date): AppError {
  return new AppError(
    'provider/circuit-open',
    'The OpenID provider refuses Nightkeep or many people at once. The operator was told; consents are left alone until it is mended.',
    { retry: { afterMs: Math.max(1_000, nextProbeAt.getTime() - at.getTime()) } },
  );
}
