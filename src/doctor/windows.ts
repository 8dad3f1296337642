import type { WindowFacts } from '../database/inspect-custody.ts';
import { type Finding, ok, unknown, warn } from './finding.ts';
import { countWords, durationWords } from './words.ts';

export interface WindowSettings {
  offlineIdleMs: number;
  offlineMaxMs?: number | undefined;
}

/** Ends that are written in whole seconds, and issued a moment after the consent, may differ by so much. */
const sameMs = 60_000;
const leastGone = 2;

/** OFFLINE_IDLE beside what tokens say, and beside the pauses after which they were taken or gone. */
export function judgeIdle({ offlineIdleMs }: WindowSettings, facts: WindowFacts): Finding {
  const name = 'offline idle';
  const { idleSeconds, tokens, gone, goneAfterSeconds, takenAfterSeconds } = facts;
  const setting = durationWords(offlineIdleMs);
  if (idleSeconds !== null && idleSeconds * 1000 < offlineIdleMs - sameMs) {
    const said = durationWords(idleSeconds * 1000);
    return warn(
      name,
      `OFFLINE_IDLE is ${setting}, but tokens say that they end after ${said} unused; Nightkeep goes by the tokens.`,
      `Set OFFLINE_IDLE to ${said}, or Offline Session Idle of the provider to ${setting}.`,
    );
  }
  const tooLong = gone >= leastGone && goneAfterSeconds !== null && goneAfterSeconds * 1000 < offlineIdleMs;
  if (tooLong && goneAfterSeconds > (takenAfterSeconds ?? 0)) {
    const pause = durationWords(goneAfterSeconds * 1000);
    return warn(
      name,
      `OFFLINE_IDLE is ${setting}, but ${countWords(gone, 'session')} ${gone === 1 ? 'was' : 'were'} gone after ${pause} or more, and no token was taken after so long.`,
      `Compare OFFLINE_IDLE with Offline Session Idle of the provider, of its realm and of the client: it may be shorter than ${pause}.`,
    );
  }
  if (idleSeconds !== null)
    return ok(name, `OFFLINE_IDLE is ${setting}, and tokens say ${durationWords(idleSeconds * 1000)}.`);
  if (tokens === 0) return unknown(name, `OFFLINE_IDLE is ${setting}; there is no token to compare it with yet.`);
  const longest = takenAfterSeconds === null ? '' : ` One was taken after ${durationWords(takenAfterSeconds * 1000)}.`;
  return unknown(
    name,
    `OFFLINE_IDLE is ${setting}, and tokens do not say when they end unused.${longest} Compare it with Offline Session Idle of the provider.`,
  );
}

/** OFFLINE_MAX beside the ends that tokens have. */
export function judgeMax({ offlineMaxMs }: WindowSettings, { maxSeconds, tokens, withEnd }: WindowFacts): Finding {
  const name = 'offline maximum';
  const setting = offlineMaxMs === undefined ? 'not set' : durationWords(offlineMaxMs);
  if (tokens === 0) return unknown(name, `OFFLINE_MAX is ${setting}; there is no token to compare it with yet.`);
  if (maxSeconds !== null && maxSeconds * 1000 < (offlineMaxMs ?? Number.POSITIVE_INFINITY) - sameMs) {
    const said = durationWords(maxSeconds * 1000);
    return warn(
      name,
      `OFFLINE_MAX is ${setting}, but tokens end ${said} after consent whatever is done; Nightkeep goes by the tokens.`,
      `Set OFFLINE_MAX to ${said}, so that people are told of it from the first day.`,
    );
  }
  if (withEnd === 0)
    return ok(name, `OFFLINE_MAX is ${setting}, and tokens name no end (Offline Session Max Limited is off).`);
  return ok(name, `OFFLINE_MAX is ${setting}, and no token says otherwise.`);
}
