import type { Lease } from '../../database/custody/leases.ts';
import { mayResend } from '../../domain/resend.ts';
import type { ExchangeAnswer } from '../../domain/verdict.ts';
import type { Needs } from './needs.ts';

/** Sends the token, and repeats it after a lost answer if the make of provider accepts it again, as long as the lease lasts. Never throws. */
export async function exchangePatiently(
  { issuer, clock, log }: Pick<Needs, 'issuer' | 'clock' | 'log'>,
  { grant, exchangeId, leaseUntil }: Lease,
  { sent, boundKey }: { sent: string; boundKey: string | undefined },
): Promise<ExchangeAnswer> {
  const began = clock.now().getTime();
  for (let times = 1; ; times += 1) {
    const answer = await issuer.exchange(sent, boundKey);
    const elapsedMs = clock.now().getTime() - began;
    const inTime = clock.now().getTime() + longestRequestMs < leaseUntil.getTime();
    if (answer.kind !== 'lost' || !inTime) return answer;
    if (!mayResend(await issuer.profile(), times, elapsedMs)) return answer;
    log.warn('grant.exchange.repeated', { grantId: grant.id, exchangeId, errorCode: answer.errorCode });
  }
}

/** As long as one exchange may take. */
const longestRequestMs = 15_000;
