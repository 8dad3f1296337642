import { inspectIssuing } from '../../database/inspect-custody.ts';
import { inspectServer } from '../../database/inspect-server.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';
import type { Installation } from '../installation.ts';

const name = 'clocks';

/** By what each can tell: a provider that sends no Date by its tokens, and one that is away not at all. */
export const clocks: Check = {
  name,
  run: async (installation) => {
    const { reply } = await installation.published().catch(() => ({ reply: undefined }));
    const database = await installation.database().catch(() => undefined);
    const server = database && (await inspectServer(database));
    const now = installation.clock.now();
    return checkClocks({
      provider: reply?.date && secondsAhead(reply.date, reply.at) + 0.5,
      tokens: await secondsOfTokens(installation),
      database: server && secondsAhead(server.now, now),
    });
  },
};

/** How many tokens that were issued of late tell the provider's time, and how late that may be. */
const issued = { latest: 50, backMs: 7 * 86_400_000 };

async function secondsOfTokens({ clock, records }: Installation): Promise<number | undefined> {
  const database = await records().catch(() => undefined);
  if (database === undefined) return undefined;
  const since = new Date(clock.now().getTime() - issued.backMs);
  const { lagSeconds } = await inspectIssuing(database, { since, latest: issued.latest });
  return lagSeconds === null ? undefined : 0.5 - lagSeconds;
}

const secondsAhead = (theirs: Date, ours: Date) => (theirs.getTime() - ours.getTime()) / 1000;

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
export function checkClocks(facts: ClockFacts): Finding {
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
