import type { ProviderProfile } from './providers/profile.ts';

/** How often a token that a provider accepts again freely is sent within one exchange. */
const mostFree = 3;
/** Clocks differ and networks delay: a grace is taken to end this much sooner. */
const safetyMs = 5_000;

/**
 * Whether a token whose answer was lost may be sent again at once, `times` it was sent and `elapsedMs` after it was first. Within
 * the grace of the provider, counted from when it was sent since it may have been used just then; once, unless the same answer
 * comes again. Else it may end the grant, and waits for one careful try later (RFC 9700, section 4.14.2).
 */
export function mayResend(
  { rotation, reuse }: Pick<ProviderProfile, 'rotation' | 'reuse'>,
  times: number,
  elapsedMs: number,
): boolean {
  if (reuse === 'free' || rotation === 'never') return times < mostFree;
  if (reuse === undefined || reuse === 'counted') return false;
  if (elapsedMs >= reuse.graceSeconds * 1000 - safetyMs) return false;
  return times < (reuse.returns === 'same' ? mostFree : 2);
}
