import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { DemoCloud } from '../../../demo/cloud/cloud.ts';
import type { Person } from '../../../demo/people.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { readConfig } from '../../../src/config/config.ts';
import { listQueuedRuns } from '../../../src/database/nights/queued-runs.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { openLog } from '../../../src/log.ts';
import { openResources, type Resources } from '../../../src/resources.ts';
import { serve } from '../../../src/web/server.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { startWorker } from '../../../worker/main.ts';
import type { Provider, Realm, Visitor } from '../realms/realm.ts';
import { type EnvironmentOptions, openTestEnvironment, type Settings } from './environment.ts';

export interface ServiceOptions extends EnvironmentOptions {
  /** Processes that work on runs; the first also answers browsers. */
  readonly workers?: number;
}

/** A realm, a cloud that trusts it, and Nightkeep itself as it runs for people: pages, workers, command line. */
export interface ServiceFixture extends AsyncDisposable {
  readonly realm: Omit<Realm, 'visitor'>;
  readonly cloud: DemoCloud;
  readonly url: URL;
  /** Of Nightkeep; what is changed in them holds for commands, and for processes from their next start on. */
  readonly settings: Record<string, string>;
  /** The processes of Nightkeep that run now. */
  readonly processes: readonly Resources[];
  /** Every line that Nightkeep logged: what its operator can read. */
  readonly log: readonly string[];
  /** By Nightkeep's clock. */
  now(): Date;
  /** Moves Nightkeep's clock on; the provider keeps its own. */
  pass(ms: number): void;
  /** So much time passes for Nightkeep and the provider: it is waited for where the provider's clock cannot be moved. */
  passForAll(ms: number): Promise<void>;
  /** The next night of every plan that may run, until nothing is left to do in it; `meanwhile` happens in it. */
  night(meanwhile?: () => Promise<unknown>): Promise<Run[]>;
  /** Waits until no run is under way or due. */
  atRest(): Promise<void>;
  /** The person sits down at a fresh browser, which is closed when the service is. */
  visitor(person: Person): Promise<Visitor>;
  /** Every process of Nightkeep ends, */
  halt(): Promise<void>;
  /** and starts again. */
  restart(): Promise<void>;
  /** What `nightkeep …` prints as an operator types it, on the machine's own clock. Throws what it said unless it ends with 0. */
  command(...words: string[]): Promise<string>;
  /** The same as a process of its own, to be killed. */
  process(...words: string[]): ChildProcessWithoutNullStreams;
  /** Where Nightkeep keeps its data on this machine. */
  readonly folder: string;
}

export type Run = Awaited<ReturnType<Resources['database']['run']['findFirstOrThrow']>>;

export async function openServiceFixture(provider: Provider, options: ServiceOptions = {}): Promise<ServiceFixture> {
  await using opened = new AsyncDisposableStack();
  const { realm, cloud, url, settings, folder } = opened.use(await openTestEnvironment(provider, options));
  let shifted = 0;
  const log: string[] = [];
  const clock = systemClock(() => shifted);
  const pass = (ms: number) => {
    shifted += ms;
  };
  const passForAll = async (ms: number) => {
    if (realm.advance === undefined) return sleep(ms);
    realm.advance(ms);
    pass(ms);
  };
  const start = () => startProcesses(settings, clock, options.workers ?? 1, (line) => log.push(line));
  let running = await start();
  opened.defer(() => running[Symbol.asyncDispose]());
  const browsers = opened.use(new AsyncDisposableStack());
  const atRest = async () => {
    const urge = () => bringDueForward(running.processes);
    await urge();
    await waitUntilAtRest(databaseOf(running.processes), clock, { urge, isIdle: () => areIdle(running.processes) });
  };
  const closing = opened.move();
  return {
    realm,
    cloud,
    url,
    settings,
    log,
    now: clock.now,
    pass,
    passForAll,
    atRest,
    folder,
    get processes() {
      return running.processes;
    },
    night: async (meanwhile) => {
      const [first] = running.processes;
      if (first === undefined) return [];
      const began = await dueTonight(first);
      if (began === undefined) return [];
      pass(Math.max(0, began.getTime() - clock.now().getTime()));
      const before = clock.now();
      await Promise.all([openNight(first), meanwhile?.()]);
      await atRest();
      return first.database.run.findMany({ where: { queuedAt: { gte: before } }, orderBy: { queuedAt: 'asc' } });
    },
    visitor: async (person) => browsers.use(await realm.visitor(person)),
    halt: async () => running[Symbol.asyncDispose](),
    restart: async () => {
      await running[Symbol.asyncDispose]();
      running = await start();
    },
    process: (...words) => spawn(process.execPath, ['src/main.ts', ...words], { env: { ...process.env, ...settings } }),
    command: (...words) => typeCommand(settings, words),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Signs the person in and consents, with a fresh browser; gives the browser as it stands then, the first run done. */
export async function consent(
  { visitor: sit, url, atRest }: Pick<ServiceFixture, 'visitor' | 'url' | 'atRest'>,
  person: Person,
): Promise<Visitor> {
  const visitor = await sit(person);
  await visitor.open(new URL('?scope=offline_access', url).href);
  await visitor.press(texts.consent.agree);
  await atRest();
  return visitor;
}

/** The grant that the person's consent left behind. */
export async function grantOf({ processes }: ServiceFixture, { username }: Person) {
  return databaseOf(processes).grant.findFirstOrThrow({ where: { user: { username } } });
}

/** Every exchange of the person's token, the consent included, oldest first. */
export async function exchangesOf({ processes }: ServiceFixture, { username }: Person) {
  return databaseOf(processes).exchange.findMany({
    where: { grant: { user: { username } } },
    orderBy: [{ fence: 'asc' }, { startedAt: 'asc' }],
  });
}

/** Every run of the person's plan, oldest first. */
export async function runsOf({ processes }: ServiceFixture, { username }: Person): Promise<Run[]> {
  return databaseOf(processes).run.findMany({
    where: { plan: { user: { username } } },
    orderBy: { queuedAt: 'asc' },
  });
}

/** The person presses the button, and the run ends one way or the other. */
export async function backUpNow(fixture: ServiceFixture, visitor: Visitor): Promise<void> {
  await openHome(fixture, visitor);
  await visitor.press(texts.home.now);
  await fixture.atRest();
}

/** What the person's home page says now. */
export async function homeOf(fixture: ServiceFixture, visitor: Visitor): Promise<string> {
  await openHome(fixture, visitor);
  return visitor.text();
}

/** Whoever was signed out at the provider is signed out here too, by the back channel, and signs in again. */
async function openHome({ url }: ServiceFixture, visitor: Visitor): Promise<void> {
  await visitor.open(url.href);
  if ((await visitor.text()).includes(texts.welcome.lead)) await visitor.press(texts.menu.signIn);
}

/** What every process does each minute: it opens nights and keeps tokens alive. Their runs are waited for. */
export async function sweep({ processes, atRest }: ServiceFixture): Promise<void> {
  for (const process of processes) await openNight(process);
  await keepTokensAlive({ processes });
  await atRest();
}

/** Keep-alive in every process, while nothing else is done. */
export async function keepTokensAlive({ processes }: Pick<ServiceFixture, 'processes'>): Promise<void> {
  for (const process of processes) await keepAlive(process);
}

/** The duties of each minute are done while time passes by `stepMs`, until it is as wanted. */
export async function sweepUntil(fixture: ServiceFixture, stepMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (let step = 0; step < 24; step += 1) {
    await sweep(fixture);
    if (await isSo()) return;
    fixture.pass(stepMs);
  }
  throw new Error('No duty brings it about.');
}

/** The database that all processes of Nightkeep share. */
export function databaseOf([first]: readonly Resources[]): Resources['database'] {
  if (first === undefined) throw new Error('Nightkeep does not run.');
  return first.database;
}

interface Running extends AsyncDisposable {
  readonly processes: readonly Resources[];
}

async function startProcesses(
  settings: Settings,
  clock: Clock,
  count: number,
  write: (line: string) => void,
): Promise<Running> {
  await using opened = new AsyncDisposableStack();
  const config = readConfig(settings);
  const processes: Resources[] = [];
  for (let number = 0; number < count; number += 1) {
    const log = openLog({ clock, level: config.logLevel, write });
    const resources = opened.use(await openResources(config, { clock, log }));
    if (number === 0) opened.adopt(await serve(resources), (web) => web.close(config.graceMs));
    // Time passes by a day at once, in the middle of a duty as well that begins by the wall clock: tests call those that they need.
    opened.adopt(await startWorker(resources, []), (worker) => worker.close(config.graceMs));
    processes.push(resources);
  }
  const closing = opened.move();
  return { processes, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** When the last of the plans that may run has its next night. */
async function dueTonight({ database }: Resources): Promise<Date | undefined> {
  const plan = await database.plan.findFirst({
    where: { paused: false, grant: { state: { in: ['active', 'suspect'] } } },
    orderBy: { nextDueAt: 'desc' },
  });
  return plan?.nextDueAt;
}

/** The queue counts its delays in real time: what is due by now, since time was passed, is no longer delayed. */
async function bringDueForward([first]: readonly Resources[]): Promise<void> {
  if (first === undefined) return;
  const due = (await listQueuedRuns(first.database, 100)).filter(({ dueAt }) => dueAt <= first.clock.now());
  await first.queues.backUps.enqueue(due.map(({ id, fence }) => ({ runId: id, attempt: fence, now: true })));
}

const patienceMs = 30_000;

/** Whether no worker has a job: after a run it may still be letting snapshots go, with a lock on the repository. */
async function areIdle([first]: readonly Resources[]): Promise<boolean> {
  return first === undefined || (await first.queues.backUps.counts()).active === 0;
}

/**
 * Waits until no run is under way or due, and all is idle; `urge` is called each second in which no run begins or ends.
 * Throws, with the runs that are left, where that takes half a minute.
 */
export async function waitUntilAtRest(
  { run }: Resources['database'],
  clock: Clock,
  {
    urge = async () => undefined,
    isIdle = async () => true,
  }: { urge?: () => Promise<unknown>; isIdle?: () => Promise<boolean> } = {},
): Promise<void> {
  const dueNow = () => ({ state: 'queued' as const, dueAt: { lte: clock.now() } });
  let left = '';
  let urged = performance.now();
  for (let since = performance.now(); performance.now() - since < patienceMs; await sleep(50)) {
    const open = await run.findMany({ where: { OR: [{ state: 'running' }, dueNow()] }, orderBy: { id: 'asc' } });
    if (open.length === 0 && (await isIdle())) return;
    const states = JSON.stringify(open.map(({ id, state }) => [id, state]));
    if (states !== left) since = performance.now();
    if (performance.now() - Math.max(since, urged) > 1_000) {
      urged = performance.now();
      await urge();
    }
    left = states;
  }
  const stuck = await run.findMany({ where: { OR: [{ state: 'running' }, dueNow()] } });
  throw new Error(`No run began or ended for half a minute: ${JSON.stringify({ now: clock.now(), runs: stuck })}`);
}

/** The command reads its settings from the environment, where nothing of ours stands otherwise. Throws what it said unless it ends with 0. */
async function typeCommand(settings: Settings, words: readonly string[]): Promise<string> {
  const before = { ...process.env };
  const [lines, complaints]: [string[], string[]] = [[], []];
  Object.assign(process.env, { LOG_LEVEL: 'error', ...settings });
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => complaints.push(String(text)) > 0);
  try {
    const code = await runCommand(words, { line: (text) => lines.push(text) });
    if (code === 0) return lines.join('\n');
    throw new Error(`nightkeep ${words.join(' ')} ended with ${code}: ${[...lines, ...complaints].join('\n')}`);
  } finally {
    stderr.mockRestore();
    for (const name of Object.keys(settings)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
