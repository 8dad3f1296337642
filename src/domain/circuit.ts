import { dayMs, hourMs, minuteMs } from '../durations.ts';

/** How the latest answers of a provider to one client were, one for each grant, the newest first. */
export type LatestAnswer = 'ok' | 'refused';

/** While a circuit is open, one exchange a minute finds out whether the problem is over. */
export const probeEveryMs = minuteMs;
/** How many grants' latest answers are looked at. */
export const latestAnswers = 10;
/** How old these answers may be. */
export const answersFromMs = dayMs;
/** How long an operator's word that refusals are true holds. */
export const trustMs = dayMs;

/** For how long refusals are true after the provider was followed to another address: every night has come by then. */
export const trustAfterMoveMs = 48 * hourMs;

/** How many refusals among the latest answers are too many to be people's own doing. */
const tooMany = { least: 3, share: 0.3, leastOfAll: 2 };

/**
 * Whether so many grants were refused recently that the cause must be the provider's or the operator's: an
 * upgrade, "sign out all", a realm that was imported again. A false alarm costs a minute, until the next probe succeeds.
 */
export function areManyRefused(latest: readonly LatestAnswer[]): boolean {
  const refused = latest.filter((answer) => answer === 'refused').length;
  if (refused === latest.length) return refused >= tooMany.leastOfAll;
  return refused >= tooMany.least && refused / latest.length >= tooMany.share;
}
