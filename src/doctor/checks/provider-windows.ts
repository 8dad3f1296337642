import { durationWords } from '../../count-words.ts';
import type { WindowFacts } from '../../database/custody/inspect-custody.ts';
import type { ProviderProfile } from '../../domain/providers/profile.ts';
import { hourMs } from '../../durations.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';

const name = 'provider windows';
/** From one night to the next, windows that move with the person's zone included. */
const nightToNightMs = 26 * hourMs;

export const providerWindows: Check = {
  name,
  run: async ({ option, setting, profile, windows }) =>
    checkProviderWindows(await profile(), {
      ...(await windows()),
      offlineIdleMs: setting('offlineIdleMs'),
      offlineMaxMs: option('offlineMaxMs'),
    }),
};

interface Facts extends Pick<WindowFacts, 'idleSeconds' | 'maxSeconds'> {
  offlineIdleMs: number;
  offlineMaxMs?: number | undefined;
}

/** Whether nights can keep consents alive within the windows of this make of provider, and which of its settings changes them. */
export function checkProviderWindows({ title, idle, maximum, traps = [] }: ProviderProfile, facts: Facts): Finding {
  const shown = [facts.idleSeconds, facts.maxSeconds].filter((seconds) => seconds !== null);
  const trap = traps.find(({ seconds }) => shown.some((one) => one <= seconds));
  if (trap !== undefined)
    return warn(
      name,
      `Consents end after ${durationWords(trap.seconds * 1000)} or sooner, as at ${title} where ${trap.cause}.`,
      `At the provider: ${trap.setting}.`,
    );
  const idleMs = Math.min(facts.offlineIdleMs, ...[idle?.seconds, facts.idleSeconds ?? undefined].map(inMs));
  if (idleMs < nightToNightMs) {
    const where = idle ? ` (${idle.setting})` : '';
    return warn(
      name,
      `Tokens live only ${durationWords(idleMs)} without use, which is less than from one night to the next: workers exchange each of them every ${durationWords(idleMs / 4)} to keep it alive.`,
      `Let them live longer at the provider${where}; then set OFFLINE_IDLE to it, and OIDC_PROFILE=generic.`,
    );
  }
  const maxMs = facts.offlineMaxMs ?? (maximum && maximum.seconds * 1000);
  const ends = maxMs === undefined ? '' : `, and people consent again within ${durationWords(maxMs)}`;
  const change = maximum && facts.offlineMaxMs === undefined ? ` (${maximum.setting})` : '';
  return ok(
    name,
    `${title === 'any other' ? 'A provider of no known make' : title}: nights keep consents alive${ends}${change}.`,
  );
}

function inMs(seconds: number | undefined): number {
  return seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000;
}
