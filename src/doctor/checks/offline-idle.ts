import { countWords, durationWords } from '../../count-words.ts';
import type { WindowFacts } from '../../database/custody/inspect-custody.ts';
import type { Check } from '../check.ts';
import { sameEndMs } from '../custody-facts.ts';
import { type Finding, ok, unknown, warn } from '../finding.ts';

const name = 'offline idle';
const leastGone = 2;

export const offlineIdle: Check = {
  name,
  run: async ({ setting, windows }) => checkOfflineIdle(setting('offlineIdleMs'), await windows()),
};

/** OFFLINE_IDLE beside what tokens say, and beside the pauses after which they were taken or gone. */
export function checkOfflineIdle(offlineIdleMs: number, facts: WindowFacts): Finding {
  const { idleSeconds, tokens, gone, goneAfterSeconds, takenAfterSeconds } = facts;
  const setting = durationWords(offlineIdleMs);
  if (idleSeconds !== null && idleSeconds * 1000 < offlineIdleMs - sameEndMs) {
    const said = durationWords(idleSeconds * 1000);
    return warn(
      name,
      `OFFLINE_IDLE is ${setting}, but tokens say that they end after ${said} without use; Nightkeep relies on the tokens.`,
      `Set OFFLINE_IDLE to ${said}, or Offline Session Idle of the provider to ${setting}.`,
    );
  }
  const tooLong = gone >= leastGone && goneAfterSeconds !== null && goneAfterSeconds * 1000 < offlineIdleMs;
  if (tooLong && goneAfterSeconds > (takenAfterSeconds ?? 0)) {
    const pause = durationWords(goneAfterSeconds * 1000);
    return warn(
      name,
      `OFFLINE_IDLE is ${setting}, but ${countWords(gone, 'session')} ${gone === 1 ? 'was' : 'were'} gone after ${pause} or more, and no token was accepted after so long.`,
      `Compare OFFLINE_IDLE with Offline Session Idle of the provider, of its realm and of the client: it may be shorter than ${pause}.`,
    );
  }
  if (idleSeconds !== null)
    return ok(name, `OFFLINE_IDLE is ${setting}, and tokens say ${durationWords(idleSeconds * 1000)}.`);
  if (tokens === 0) return unknown(name, `OFFLINE_IDLE is ${setting}; there is no token to compare it with yet.`);
  const longest = takenAfterSeconds === null ? '' : ` One was taken after ${durationWords(takenAfterSeconds * 1000)}.`;
  return unknown(
    name,
    `OFFLINE_IDLE is ${setting}, and tokens do not say when they end without use.${longest} Compare it with Offline Session Idle of the provider.`,
  );
}
