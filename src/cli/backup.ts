import { bytesWords, countWords, minuteWords } from '../count-words.ts';
import { eachPlanForCommand, listRunsForCommand } from '../database/nights/command-views.ts';
import { listRunProgress } from '../database/nights/run-progress.ts';
import { numbersIn } from '../domain/run-counts.ts';
import { type RunProgress, type RunStep, timeLeft } from '../domain/run-progress.ts';
import { AppError, isAppError } from '../errors.ts';
import { requireWholeRows } from '../flows/keys/require-whole-rows.ts';
import { requestRun } from '../flows/nights/request-run.ts';
import type { Resources } from '../resources.ts';
import { commandActor } from './actor.ts';
import { type Command, json, type Options, printList } from './command.ts';
import { type Answers, closeWith, doForEach } from './each-person.ts';
import { openInterrupt, saidOfStop } from './interrupt.ts';
import { openFromEnvironment } from './open-resources.ts';
import { getUserByName, givenName, nameOf, refuseUnlessOneOrAll } from './people.ts';
import { flowWords, leftWords } from './progress-words.ts';
import { openStatusLine } from './status-line.ts';

const ended = new Set(['succeeded', 'partial', 'failed', 'skipped', 'cancelled']);

/** Queues runs now; a running worker does them. With --wait it ends when they did: 0 all succeeded, 3 some partial, 1 some failed. */
export const backup: Command = {
  usage: '--user NAME | --all [--wait] [--json]',
  summary: 'back up now',
  options: {
    user: { value: 'NAME', help: 'back up this person: a user name, subject or id' },
    all: { help: 'back up everybody who consented' },
    wait: { help: 'wait until a worker has done it, and show the progress' },
    ...json,
  },
  exits: {
    0: 'queued; with --wait: every run succeeded',
    1: 'failed; with --wait: at least one run failed',
    3: 'some could not be queued, who are named at the end; with --wait: none failed, and at least one could not read everything',
  },
  run: async (options, output) => {
    refuseUnlessOneOrAll(options);
    await using resources = await openFromEnvironment();
    using interrupt = openInterrupt();
    const { signal } = interrupt;
    const { done, failed, stopped } = await askForRuns(resources, options, signal);
    const asked: Asked = new Map(done);
    const waits = options.wait === true && stopped === undefined;
    const rows = waits ? await waitFor(resources, asked, { options, signal }) : await look(resources, asked);
    if (options.json === true) printList(output, options, { rows: [...rows, ...failed], lineOf: String, none: '' });
    else printList(output, options, { rows, lineOf, none: 'None.' });
    if (waits && rows.some(({ state }) => !ended.has(state))) throw saidOfStop(signal.reason, stoppedWaiting);
    const code = closeWith({ done, failed, stopped }, waits ? exitCodeOf(rows) : 0);
    return code;
  },
};

/** The run that was asked for, by id, and whose it is. */
type Asked = ReadonlyMap<string, string>;

async function askForRuns(
  resources: Resources,
  options: Options,
  signal: AbortSignal,
): Promise<Answers<readonly [runId: string, user: string]>> {
  const userId = options.all === true ? undefined : (await getUserByName(resources, givenName(options), 'acting')).id;
  const by = commandActor();
  const answers = await doForEach(options, eachPlanForCommand(resources.database, userId), {
    nameOf: ({ user }) => nameOf(user),
    work: async ({ id, user }) => {
      signal.throwIfAborted();
      await requireWholeRows(resources, user.id);
      return [await requestRun(resources, { planId: id, trigger: 'operator', by }), nameOf(user)] as const;
    },
  });
  if (answers.all.length === 0)
    throw new AppError(
      'request/not-found',
      'There is nothing to back up: none of these has a consent that can be used. See: nightkeep users',
    );
  return answers;
}

const stoppedWaiting =
  'Stopped waiting. What is queued or running goes on without this command: nightkeep runs shows it.';

/** Tells each change of a run, and shows how far they are, until all have ended or nobody wants to wait any more. */
async function waitFor(
  resources: Resources,
  asked: Asked,
  { options, signal }: { options: Options; signal: AbortSignal },
): Promise<RunRow[]> {
  const { clock, database } = resources;
  const status = openStatusLine(options, clock.elapsed);
  const told = new Map<string, string>();
  for (;;) {
    const rows = await look(resources, asked);
    for (const row of rows) {
      const words = lineOf(row);
      if (told.get(row.id) !== words && !ended.has(row.state)) status.tell(words);
      told.set(row.id, words);
    }
    const left = rows.filter(({ state }) => !ended.has(state));
    if (left.length === 0 || signal.aborted) {
      status.clear();
      return rows;
    }
    const running = left.filter(({ state }) => state === 'running');
    const progress = await listRunProgress(
      database,
      running.map(({ id }) => id),
    );
    status.show(howFar(rows, running, progress));
    await clock.sleep(500, signal).catch(unlessStopped);
  }
}

/** For one run, how far it is; for many, how many have ended, and how far those are that are under way. */
function howFar(
  all: readonly RunRow[],
  running: readonly RunRow[],
  progress: ReadonlyMap<string, Omit<RunProgress, 'folder'>>,
): string {
  const parts = running.flatMap(({ id, user }) => {
    const at = progress.get(id);
    return at === undefined ? [] : [`${user}: ${progressWords(at)}`];
  });
  const count = all.filter(({ state }) => ended.has(state)).length;
  return all.length === 1 ? parts.join('') : [`${count} of ${all.length} ended`, ...parts].join('; ');
}

const stepWords: Readonly<Record<RunStep, string>> = {
  access: 'asks for access',
  repository: 'opens the repository',
  reading: 'reads',
  snapshot: 'writes the snapshot',
};

/** Names no folder and no file: the person's alone. */
function progressWords(progress: Omit<RunProgress, 'folder'>): string {
  const { step, entries, expected, problems } = progress;
  if (step !== 'reading') return stepWords[step];
  const facts = [
    expected === null || entries > expected
      ? countWords(entries, 'file')
      : `${entries} of about ${countWords(expected, 'file')}`,
    flowWords(progress),
    ...(problems > 0 ? [`${problems} not read`] : []),
    ...leftWords(timeLeft(progress)),
  ];
  return `${stepWords.reading} ${facts.join(', ')}`;
}

async function look({ database, queues }: Pick<Resources, 'database' | 'queues'>, asked: Asked) {
  const paused = await isPaused(queues);
  const runs = await listRunsForCommand(database, [...asked.keys()]);
  return runs.map((run) => ({ user: asked.get(run.id), ...run, paused }));
}

/** Whether workers take no run at all; a queue that does not answer is not known to be paused. */
async function isPaused({ backUps }: Resources['queues']): Promise<boolean> {
  return backUps.isPaused().catch((error: unknown) => {
    if (!isAppError(error)) throw error;
    return false;
  });
}

function unlessStopped(error: unknown): void {
  if (!isAppError(error, 'run/stopped')) throw error;
}

type RunRow = Awaited<ReturnType<typeof look>>[number];

function lineOf({ id, user, state, message, problemCount, counts, dueAt, triedUntil, paused }: RunRow): string {
  const waits = paused ? 'waits: the night is paused, nightkeep queue --resume resumes it' : 'waits for a worker';
  const again = `tried again at ${minuteWords(dueAt)}, until ${minuteWords(triedUntil)}`;
  const facts = [
    ...(state === 'queued' ? [message === null || paused ? waits : again] : []),
    ...countWordsOf(counts),
    ...(problemCount > 0 ? [`${problemCount} not read`] : []),
    ...(message === null || state === 'running' ? [] : [message]),
  ];
  return `${user}: ${state}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}, run ${id}`;
}

function countWordsOf(counts: unknown): string[] {
  const { requests, bytesRead } = numbersIn(counts);
  return requests === undefined || bytesRead === undefined
    ? []
    : [countWords(requests, 'request'), `${bytesWords(bytesRead)} read`];
}

function exitCodeOf(rows: readonly RunRow[]): number {
  if (rows.some(({ state }) => state !== 'succeeded' && state !== 'partial')) return 1;
  return rows.some(({ state }) => state === 'partial') ? 3 : 0;
}
