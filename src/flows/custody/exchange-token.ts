import { isTokenKept } from '../../database/consent/generations.ts';
import { wasReceivedWith } from '../../database/custody/exchanges.ts';
import type { Lease } from '../../database/custody/leases.ts';
import { tokenRow } from '../../domain/marks.ts';
import type { CachedToken } from '../../domain/token-cache.ts';
import type { TokenAnswer } from '../../domain/tokens.ts';

import { type ExchangeAnswer, judgeAnswer, type Verdict, verdicts, wrongSubject } from '../../domain/verdict.ts';
import type { AppError } from '../../errors.ts';

import type { Resources } from '../../resources.ts';
import { fingerprint } from '../../vault/seal.ts';
import { raiseMark, requireNewest } from '../keys/marks.ts';
import { openBoundKey } from './bound-key.ts';
import { exchangePatiently } from './exchange-patiently.ts';
import { explainFailure } from './explain-failure.ts';
import { learnEnd } from './learn-end.ts';
import { meaningFor } from './meaning-for.ts';
import type { Needs } from './needs.ts';
import { deadlinesOfExchange, openToken } from './offline-token.ts';
import { findClientRefusal } from './proven-questions.ts';
import { settleExchange } from './settle-exchange.ts';
import { dropSpooled, type Kept, keepAside } from './spool-answer.ts';
import type { Statements } from './statements.ts';
import { refuseUsedUp } from './used-up.ts';
import { whyUnusable } from './why-unusable.ts';

/** How long an access token is taken to live where the provider does not say. */
const assumedSeconds = 60;

/**
 * Sends the leased token once, keeps the answer on this machine's disk, judges it, and saves it; only then may it be used. A token that was
 * received is never dropped. Throws `seal/replayed` for a token that a newer one had replaced, and what the verdict means: `provider/…`,
 * `grant/not-usable`, `grant/fenced`, `grant/wrong-subject`.
 */
export async function exchangeToken(
  resources: Needs,
  lease: Lease,
  { save }: Pick<Statements, 'save'>,
  onVerdict: (verdict: Verdict) => void,
): Promise<CachedToken> {
  const { issuer, clock, log, keyring } = resources;
  const { grant, exchangeId } = lease;
  const owner = { userId: grant.userId, grantId: grant.id };
  const sent = openToken(keyring, owner, lease.token);
  refuseUsedUp(resources, { grantId: grant.id, sent });
  const name = tokenRow(grant.id);
  await requireNewest(resources, grant.userId, { rows: { [name]: lease.token.number } });
  const boundKey = openBoundKey(keyring, owner, grant.sealedDpopKey);
  const sentAt = clock.now();
  // Some providers use a token up although they refuse the client: while the circuit is open, they are asked without one first.
  const refusal = lease.probes ? await findClientRefusal(resources, grant) : undefined;
  const answer = refusal ?? (await exchangePatiently(resources, lease, { sent, boundKey }));
  const aside = await keepAside(resources, lease, { answer, sent });
  const fault = await faultIn(resources, lease, answer);
  const kept = fault === wrongSubject ? await leaveToOwner(resources, lease, { answer, kept: aside }) : aside;
  const detail = fault === undefined || answer.kind !== 'answered' ? undefined : await answer.explain?.();
  const meaning = answer.kind === 'refused' ? await meaningFor(resources, lease, { answer, sent }) : undefined;
  const verdict = meaning === undefined ? judgeAnswer(answer, fault) : verdicts[meaning];
  resources.meters.exchanged({ provider: grant.issuer, verdict });
  onVerdict(verdict);
  log.info('grant.exchanged', { grantId: grant.id, exchangeId, verdict, ms: clock.now().getTime() - sentAt.getTime() });
  if (fault === wrongSubject) log.error('grant.wrong-subject', { grantId: grant.id, exchangeId });
  else if (fault !== undefined) log.error('grant.answer-unsound', { grantId: grant.id, exchangeId, fault, detail });
  const ended = { answer, fault, verdict, meaning, kept, sent };
  const { received, verdict: settled } = await settleExchange(resources, lease, ended, save);
  if (answer.kind === 'answered' && verdict === 'ok') {
    await raiseMark(resources, grant.userId, { rows: { [name]: received ?? lease.token.number } });
    if (answer.tokens.endsAt === undefined) await learnEndOf(resources, lease, { tokens: answer.tokens, sent });
    return cachedToken(issuer, answer.tokens, { boundKey, sentAt });
  }
  const told = answer.kind === 'answered' ? { errorCode: fault ?? '', detail } : answer;
  throw isRefusal(settled)
    ? await explainRefusal(resources, lease, settled, told)
    : explainFailure(resources, lease, settled, told);
}

/** Where a token stays in use, an end that this use did not move is one that no use moves. */
async function learnEndOf(
  resources: Needs,
  lease: Lease,
  { tokens: { refreshToken }, sent }: { tokens: TokenAnswer; sent: string },
): Promise<void> {
  await learnEnd(resources, {
    grantId: lease.grant.id,
    refreshToken: refreshToken ?? sent,
    deadlines: ({ issuedAt, endsAt }, at, profile) => {
      const life = { refreshToken, endsAt, issuedAt: refreshToken === undefined ? at : issuedAt };
      return deadlinesOfExchange({ config: resources.config, profile }, lease, life, at);
    },
  });
}

function isRefusal(verdict: Verdict): boolean {
  return verdict === 'person' || verdict === 'unclear';
}

/** The grant or the circuit, which the refusal changed, says when it is asked again. */
async function explainRefusal(
  resources: Needs,
  lease: Lease,
  verdict: Verdict,
  told: { errorCode: string },
): Promise<AppError> {
  const { database, clock } = resources;
  const now = await whyUnusable(database, { grantId: lease.grant.id, purpose: 'run' }, clock.now());
  if (now !== undefined && (verdict === 'person' || now.code === 'provider/circuit-open')) return now;
  const afterMs = now?.retry?.afterMs;
  return explainFailure(resources, lease, verdict, {
    ...told,
    ...(afterMs !== undefined && { retryAfterMs: afterMs }),
  });
}

/**
 * Why the tokens of an answer may not be used, if they may not. An answer that names nobody is taken for the person's, unless the token that was sent had
 * come in an answer for somebody else.
 */
async function faultIn(
  { database }: Pick<Needs, 'database'>,
  { grant, token }: Lease,
  answer: ExchangeAnswer,
): Promise<string | undefined> {
  if (answer.kind !== 'answered') return undefined;
  const fault = await answer.validate();
  if (fault !== undefined) return fault;
  const { subject } = answer.tokens;
  if (subject !== undefined) return subject === grant.subject ? undefined : wrongSubject;
  const received = { grantId: grant.id, number: token.number, errorCode: wrongSubject };
  return (await wasReceivedWith(database, received)) ? wrongSubject : undefined;
}

/** A new token that is in the custody of the person for whom the answer was is theirs: two who send it would end their consent. */
async function leaveToOwner(
  resources: Needs,
  lease: Lease,
  { answer, kept }: { answer: ExchangeAnswer; kept: Kept | undefined },
): Promise<Kept | undefined> {
  const { database, keyring } = resources;
  const subject = answer.kind === 'answered' ? answer.tokens.subject : undefined;
  if (kept === undefined || subject === undefined) return kept;
  const { issuer, clientId } = lease.grant;
  const token = { issuer, clientId, subject, fingerprint: fingerprint(keyring, kept.token.refreshToken) };
  if (!(await isTokenKept(database, token))) return kept;
  await dropSpooled(resources, lease);
  return undefined;
}

/** The access token of an answer, with the proofs to send along if it is bound to the key of the grant. */
function cachedToken(
  { prove }: Resources['issuer'],
  { accessToken: token, bound, expiresIn = assumedSeconds }: TokenAnswer,
  { boundKey, sentAt }: { boundKey: string | undefined; sentAt: Date },
): CachedToken {
  const endsAt = new Date(sentAt.getTime() + expiresIn * 1000);
  if (bound !== true || boundKey === undefined) return { token, endsAt };
  return { token, endsAt, prove: (request) => prove(boundKey, { ...request, accessToken: token }) };
}
