import { durationWords } from '../../count-words.ts';
import type { WindowFacts } from '../../database/custody/inspect-custody.ts';
import type { Check } from '../check.ts';
import { sameEndMs } from '../custody-facts.ts';
import { type Finding, ok, unknown, warn } from '../finding.ts';

const name = 'offline maximum';

export const offlineMaximum: Check = {
  name,
  run: async ({ option, windows }) => checkOfflineMaximum(option('offlineMaxMs'), await windows()),
};

/** OFFLINE_MAX beside the ends that tokens have. */
export function checkOfflineMaximum(
  offlineMaxMs: number | undefined,
  { maxSeconds, tokens, withEnd }: WindowFacts,
): Finding {
  const setting = offlineMaxMs === undefined ? 'not set' : durationWords(offlineMaxMs);
  if (tokens === 0) return unknown(name, `OFFLINE_MAX is ${setting}; there is no token to compare it with yet.`);
  if (maxSeconds !== null && maxSeconds * 1000 < (offlineMaxMs ?? Number.POSITIVE_INFINITY) - sameEndMs) {
    const said = durationWords(maxSeconds * 1000);
    return warn(
      name,
      `OFFLINE_MAX is ${setting}, but tokens end ${said} after consent whatever is done; Nightkeep relies on the tokens.`,
      `Set OFFLINE_MAX to ${said}, so that people know about it from the first day.`,
    );
  }
  if (withEnd === 0)
    return ok(name, `OFFLINE_MAX is ${setting}, and tokens name no end (Offline Session Max Limited is off).`);
  return ok(name, `OFFLINE_MAX is ${setting}, and no token says otherwise.`);
}
