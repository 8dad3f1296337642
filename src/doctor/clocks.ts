import { type Finding, ok, unknown, warn, wrong } from './finding.ts';

const name = 'clocks';

/** How far a clock is before ours, in seconds; negative where it is behind. Undefined where it cannot be seen. */
export interface ClockFacts {
  /** By the `Date` of the provider's answers. */
  provider?: number | undefined;
  /** By the tokens that the provider issued of late, which tells no more than a second. */
  tokens?: number | undefined;
  database?: number | undefined;
}

/** `Date` and `iat` are whole seconds, and a request takes its time. */
const noise = 5;
/** Nightkeep lets a provider's tokens be off by 30 seconds, and Keycloak its clients' assertions by 15. */
const limit = 15;

/** Whether this machine, the provider and the database have the same time. */
export function judgeClocks(facts: ClockFacts): Finding {
  const provider = facts.provider ?? facts.tokens;
  const seen = [
    ...(provider === undefined ? [] : [{ who: 'the provider', off: provider }]),
    ...(facts.database === undefined ? [] : [{ who: 'the database', off: facts.database }]),
  ];
  if (seen.length === 0) return unknown(name, 'Neither provider nor database told the time.');
  const bad = seen.filter(({ off }) => Math.abs(off) > noise);
  if (bad.length === 0) {
    const unseen = provider === undefined ? ' The provider tells no time before it has issued tokens.' : '';
    return ok(name, `This machine agrees with ${seen.map(({ who }) => who).join(' and ')}.${unseen}`);
  }
  const finding = `This machine is ${bad.map(wordsOf).join(' and ')}.`;
  const cure = isOurs(bad)
    ? 'Set the clock of this machine by NTP: the two others agree.'
    : `Set the clocks of this machine and of ${bad.map(({ who }) => who).join(' and ')} by NTP.`;
  const stale = provider !== undefined && Math.abs(provider) > limit;
  return stale ? wrong(name, `${finding} Signatures and tokens are taken for stale.`, cure) : warn(name, finding, cure);
}

interface Seen {
  who: string;
  off: number;
}

function wordsOf({ who, off }: Seen): string {
  return `${Math.abs(Math.round(off))} s ${off > 0 ? 'behind' : 'ahead of'} ${who}`;
}

/** Where two others agree against ours, it is ours that is wrong. */
function isOurs([one, other]: readonly Seen[]): boolean {
  return one !== undefined && other !== undefined && Math.abs(one.off - other.off) <= noise;
}
