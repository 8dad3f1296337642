import { createInterface } from 'node:readline';
import type { Demo } from './demo.ts';
import { readDuration, writeDuration } from './duration.ts';
import { passTime } from './nights.ts';
import { fold, letNightPass, reportOn } from './report.ts';
import { isShowing, show, showList } from './show.ts';

/** Where the demo puts what one may want to look at. */
interface DemoFiles {
  readonly store: string;
  readonly log: string;
}

/** Says where everything is and what to try, then lets nights and longer times pass, and shows things, as the terminal asks. */
export async function playInteractively(demo: Demo, files: DemoFiles): Promise<void> {
  console.log(welcome(demo, files));
  const broken = new Set<string>();
  const input = createInterface(
    process.stdin.isTTY ? { input: process.stdin, output: process.stdout, prompt: '' } : { input: process.stdin },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => input.close());
  input.once('SIGINT', () => input.close());
  // A key that shows something needs no Enter after it; a duration begins with a digit.
  if (process.stdin.isTTY)
    process.stdin.on('keypress', () => {
      if (isKey(input.line)) input.write('\n');
    });
  for await (const line of input) {
    const typed = line.trim();
    if (typed === 'q') break;
    for await (const text of answer(demo, typed, broken)) console.log(text);
  }
}

const keys = `Enter: the next night    30d, 12h, 90s: so much time passes
?: what can be shown    q: end`;

function isKey(text: string): boolean {
  return isShowing(text) || text === '?' || text === 'q';
}

export const welcome = ({ url, cloud, provider }: Demo, { store, log }: DemoFiles) => `
Open ${url.href}

Who there is (the password is the user name)
  alice   has some 400 files, a calendar, an address book and mail in the
          cloud; begin with her
  bob     has half as many, and his night is New York's
  carol   operates Nightkeep, and has nothing in the cloud

What to try
  1. Sign in as alice. The provider asks "Allow Nightkeep?" so that she can
     sign in; that gives no access to what she has.
  2. Agree to the backups. The provider asks once more, now for access while
     she is away. Then the first run begins: look at it and at its snapshot.
  3. Change a file in the cloud, add an event to the calendar or receive a
     message, and press Enter: the next night passes.
  4. Type 31d. It is as if Nightkeep were switched off for a month: the
     provider ends a token that nobody used for 30 days, and with it the
     consent. That is the point: Nightkeep says so, and agreeing again mends it.

What one key shows
${showList(new Set())}

Where things are
  The cloud            ${cloud.url}
  What alice granted   ${provider.issuer}/account
  The provider's side  ${provider.issuer}/admin (admin, admin)
  Repositories         ${store}
  Nightkeep's log      ${log}

${keys}
`;

/** What is printed for a line that was typed; `broken` holds what was shown and is not put right. */
export async function* answer(demo: Demo, typed: string, broken = new Set<string>()): AsyncGenerator<string> {
  const seconds = readDuration(typed);
  if (seconds !== undefined) yield* letTimePass(demo, seconds);
  else if (typed === '') yield* letNightPass(demo);
  else if (isShowing(typed)) yield* show(demo, typed, broken);
  else yield `${showList(broken)}\n${keys}`;
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
