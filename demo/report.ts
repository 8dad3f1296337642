import { texts } from '../src/web/texts/en.ts';
import type { Demo } from './demo.ts';
import { type NightRun, passTime, untilNextNight } from './nights.ts';
import { alice, bob, people } from './people.ts';

/** Lets the next night pass, and says how it went. */
export async function* letNightPass(demo: Demo): AsyncGenerator<string> {
  const ms = await untilNextNight(demo);
  if (ms === undefined) return yield 'Nobody has agreed to backups, so no night is due. Begin with alice.';
  yield 'The next night passes ...';
  const { runs } = await passTime(demo, Math.max(0, ms));
  yield* reportOn(demo, runs);
}

/** Who has something in the cloud. */
const owners = new Set([alice.username, bob.username]);

/** One or more lines for each person: their runs and the state of their consent. */
export async function* reportOn(
  { resources: { clock, database } }: Demo,
  runs: readonly NightRun[],
): AsyncGenerator<string> {
  const grants = await database.grant.findMany({ include: { user: true } });
  for (const { username } of people) {
    const grant = grants.find(({ user }) => user.username === username);
    const lines = runs.filter((run) => run.username === username).map(outcome);
    if (grant === undefined && owners.has(username)) lines.push('has not agreed to backups');
    else if (grant === undefined) continue;
    else if (grant.state === 'withdrawn') lines.push('consent withdrawn');
    else if (grant.state !== 'active') lines.push(`consent refused by the provider (${grant.reason ?? grant.state})`);
    else if (lines.length === 0) lines.push('nothing was due');
    for (const line of lines) yield fold(line, `  ${username.padEnd(8)}`);
  }
  yield `It is ${texts.formats.time(clock.now())} (UTC).`;
}

const alarms: Readonly<Record<string, string>> = {
  loss: 'a great loss',
  change: 'a great change',
  root: 'a part of the data is not offered any more',
};

function outcome({ alarm, night, state, message, count }: NightRun): string {
  const done = `${count('entries')} entries, ${count('entriesRead')} read, ${texts.formats.bytes(count('dataAdded'))} added${alarm === null ? '' : `; ${alarms[alarm] ?? alarm}: somebody should look`}`;
  if (state === 'succeeded') return `${night}: succeeded, ${done}`;
  if (state === 'partial') return `${night}: in part, ${done}`;
  return `${night}: ${state === 'queued' ? 'to be tried again' : state}. ${message ?? ''}`;
}

const columns = 80;

/** Breaks a text into lines of at most 80 columns. The lead begins the first line; the others are indented as far. */
export function fold(text: string, lead = ''): string {
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
