import { createInterface } from 'node:readline';
import { shownBytes, shownTime } from '../src/web/shown.ts';
import type { Demo } from './demo.ts';
import { readDuration, writeDuration } from './duration.ts';
import { type NightRun, passTime, untilNextNight } from './nights.ts';
import { people } from './people.ts';

/** Where the demo puts what one may want to look at. */
interface DemoFiles {
  readonly store: string;
  readonly log: string;
}

/** Says where everything is and what to try, then lets nights and longer times pass as the terminal asks. */
export async function playInteractively(demo: Demo, files: DemoFiles): Promise<void> {
  console.log(welcome(demo, files));
  const input = createInterface({ input: process.stdin });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => input.close());
  for await (const line of input) {
    if (line.trim() === 'q') break;
    for await (const text of answer(demo, line.trim())) console.log(text);
  }
}

const keys = 'Enter: the next night    30d, 12h, 90s: so much time passes    q: end';

export const welcome = ({ url, cloud, provider }: Demo, { store, log }: DemoFiles) => `
Open ${url.href}

Who there is (the password is the user name)
  alice   has some 400 files in the cloud; begin with her
  bob     has half as many, and his night is New York's
  carol   operates Nightkeep, and has no files of her own

What to try
  1. Sign in as alice. The provider asks "Allow Nightkeep?" so that she can
     sign in; that gives no access to her files.
  2. Agree to the backups. The provider asks once more, now for access while
     she is away. Then the first run begins: look at it and at its snapshot.
  3. Change a file in the cloud and press Enter: the next night passes.
  4. Type 31d. It is as if Nightkeep were switched off for a month: the
     provider ends a token that nobody used for 30 days, and with it the
     consent. That is the point: Nightkeep says so, and agreeing again mends it.

Where things are
  The cloud            ${cloud.url}
  What alice granted   ${provider.issuer}/account
  The provider's side  ${provider.issuer}/admin (admin, admin)
  Repositories         ${store}
  Nightkeep's log      ${log}

${keys}
`;

/** What is printed for a line that was typed. */
export async function* answer(demo: Demo, typed: string): AsyncGenerator<string> {
  const seconds = readDuration(typed);
  if (seconds !== undefined) yield* letTimePass(demo, seconds);
  else if (typed === '') yield* letNightPass(demo);
  else yield keys;
}

async function* letNightPass(demo: Demo): AsyncGenerator<string> {
  const ms = await untilNextNight(demo);
  if (ms === undefined) return yield 'Nobody has agreed to backups, so no night is due. Begin with alice.';
  yield 'The next night passes ...';
  const { runs } = await passTime(demo, Math.max(0, ms));
  yield* reportOn(demo, runs);
}

async function* letTimePass(demo: Demo, seconds: number): AsyncGenerator<string> {
  yield `${writeDuration(seconds)} pass at once ...`;
  const { runs, keptAlive } = await passTime(demo, seconds * 1000);
  if (keptAlive.exchanged > 0) yield `Tokens exchanged to keep them alive: ${keptAlive.exchanged}`;
  yield* reportOn(demo, runs);
  const idleSeconds = demo.provider.admin.settings().offlineIdleSeconds;
  if (seconds < idleSeconds || keptAlive.failed === 0) return;
  const idle = writeDuration(idleSeconds);
  yield fold(
    `Nobody used the token for ${idle} (Offline Session Idle), so the provider ended it: that is the point of letting ` +
      'so much time pass at once. Sign in again and agree again, and the nights go on.',
  );
}

/** One or more lines for each person: their runs and the state of their consent. */
async function* reportOn({ resources: { clock, database } }: Demo, runs: readonly NightRun[]): AsyncGenerator<string> {
  const grants = await database.grant.findMany({ include: { user: true } });
  for (const { username } of people) {
    const grant = grants.find(({ user }) => user.username === username);
    const lines = runs.filter((run) => run.username === username).map(outcome);
    if (grant === undefined) lines.push('has not agreed to backups');
    else if (grant.state === 'withdrawn') lines.push('consent withdrawn');
    else if (grant.state !== 'active') lines.push(`consent refused by the provider (${grant.reason ?? grant.state})`);
    else if (lines.length === 0) lines.push('nothing was due');
    for (const line of lines) yield fold(line, `  ${username.padEnd(8)}`);
  }
  yield `It is ${shownTime(clock.now())} (UTC).`;
}

function outcome({ night, state, message, count }: NightRun): string {
  const done = `${count('entries')} entries, ${count('entriesRead')} read, ${shownBytes(count('dataAdded'))} added`;
  if (state === 'succeeded') return `${night}: succeeded, ${done}`;
  if (state === 'partial') return `${night}: in part, ${done}`;
  return `${night}: ${state === 'queued' ? 'to be tried again' : state}. ${message ?? ''}`;
}

const columns = 80;

/** Breaks a text into lines of at most 80 columns. The lead begins the first line; the others are indented as far. */
function fold(text: string, lead = ''): string {
  const indent = ' '.repeat(lead.length);
  const lines: string[] = [];
  let line = lead;
  for (const word of text.trim().split(/\s+/)) {
    if (line.length + word.length > columns) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}
