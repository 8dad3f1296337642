import { inspectIssuing } from '../../database/custody/inspect-custody.ts';
import { inspectServer } from '../../database/server/inspect-server.ts';
import { dayMs } from '../../durations.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';
import type { Installation } from '../installation.ts';

const name = 'clocks';

/** Compares the clocks that can be read: that of a provider without `Date` by its tokens, that of one that does not answer not at all. */
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
      proves: installation.option('authentication') === 'private_key_jwt' || installation.option('dpop') === 'required',
      database: server && secondsAhead(server.now, now),
    });
  },
};

/** How many tokens that were issued lately tell the provider's time, and how late that may be. */
const issued = { latest: 50, backMs: 7 * dayMs };

async function secondsOfTokens({ clock, records }: Installation): Promise<number | undefined> {
  const database = await records().catch(() => undefined);
  if (database === undefined) return undefined;
  const since = new Date(clock.now().getTime() - issued.backMs);
  const { lagSeconds } = await inspectIssuing(database, { since, latest: issued.latest });
  return lagSeconds === null ? undefined : 0.5 - lagSeconds;
}

const secondsAhead = (theirs: Date, ours: Date) => (theirs.getTime() - ours.getTime()) / 1000;

/** How many seconds a clock is ahead of this machine's; negative if it is behind, undefined if it cannot be seen. */
export interface ClockFacts {
  /** By the `Date` of the provider's answers. */
  provider?: number | undefined;
  /** By the tokens that the provider issued lately, which tells no more than a second. */
  tokens?: number | undefined;
  database?: number | undefined;
  /** Whether Nightkeep signs what it sends to the provider, which then compares the time of this machine with its own. */
  proves?: boolean;
}

/** `Date` and `iat` are whole seconds, and a request takes its time. */
const noise = 5;
/** Nightkeep lets a provider's tokens be off by a minute, and Keycloak its clients' assertions by 15 seconds. */
const limits = { tokens: 60, assertions: 15 } as const;

/** Whether this machine, the provider and the database have the same time. */
export function checkClocks(facts: ClockFacts): Finding {
  const provider = facts.provider ?? facts.tokens;
  const apart = facts.provider !== undefined && facts.tokens !== undefined && !agree(facts.provider, facts.tokens);
  const seen = [
    ...(provider === undefined ? [] : [{ who: 'the provider', off: provider }]),
    ...(apart
      ? [{ who: 'the clock by which the provider signed its tokens of the last days', off: facts.tokens ?? 0 }]
      : []),
    ...(facts.database === undefined ? [] : [{ who: 'the database', off: facts.database }]),
  ];
  if (seen.length === 0) return unknown(name, 'Neither provider nor database told the time.');
  const bad = seen.filter(({ off }) => Math.abs(off) > noise);
  if (bad.length === 0) {
    const unseen = provider === undefined ? " The provider's time is not known before it has issued tokens." : '';
    return ok(name, `This machine agrees with ${seen.map(({ who }) => who).join(' and ')}.${unseen}`);
  }
  const finding = `This machine is ${bad.map(wordsOf).join(' and ')}.`;
  const cure = isOurs(bad)
    ? 'Set the clock of this machine by NTP: the others agree.'
    : `Set the clocks of this machine and of ${bad.map(({ who }) => who).join(' and ')} by NTP.`;
  const off = Math.abs(provider ?? 0);
  if (off > limits.tokens) return wrong(name, `${finding} Tokens may be refused as expired.`, cure);
  if (off > limits.assertions && facts.proves === true)
    return wrong(name, `${finding} The provider may refuse Nightkeep's signatures as expired.`, cure);
  return warn(name, finding, cure);
}

interface Seen {
  who: string;
  off: number;
}

function wordsOf({ who, off }: Seen): string {
  return `${Math.abs(Math.round(off))} s ${off > 0 ? 'behind' : 'ahead of'} ${who}`;
}

/** If the other two agree, the clock of this machine is wrong. */
function isOurs([one, ...others]: readonly Seen[]): boolean {
  return one !== undefined && others.length > 0 && others.every(({ off }) => agree(one.off, off));
}

function agree(one: number, other: number): boolean {
  return Math.abs(one - other) <= noise;
}
