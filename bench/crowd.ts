/**
 * Measures nights of many people: `node bench/crowd.ts [--json] [--people N] [--files N] [--workers 1,4] [--concurrency N] [--queue redis|postgres] [--store folder|s3] [--nights first,unchanged,changed] [--profile FOLDER]`.
 *
 * - Provider, cloud, PostgreSQL, Redis, S3Proxy and each worker are processes of their own. The worker is the service as it is, with all its duties, and each
 *   access token is had by exchanging an offline token at the demo's provider, which rotates it.
 * - Workers compile once, as the service does, and start with its memory flags.
 * - The cloud has the ETags of Nextcloud, which change in every folder above what changed; each person has files of some hundred bytes in folders of twenty.
 * - For each number of workers new people have three nights, of all of them at once: the first, one without a change, one with one changed file each.
 *
 * People per second count from the moment when all are due until the last has a snapshot. Processor milliseconds are of user and system, for each kind of
 * process, of one person on average, the worker's duties included; statements are all that a worker sends to PostgreSQL, BEGIN and COMMIT included; requests are those to the cloud.
 *
 * Where there are fewer processors than processes, people per second say how the processors were shared out, not whether workers hold each other up. For that
 * there are, for each person: `main`, the milliseconds of the worker's main thread, without what its duties take of it while nothing is to be done, which is measured
 * before (`idle`, in milliseconds a second); `rowWaits` and `lockWaits`, how long statements waited in PostgreSQL for rows of others, and for its own locks, by looking every 100 ms; and
 * `apart`, the people per second if each process had processors of its own: as many as the main threads of all workers do, or the one thread of Redis, whichever is less. That is
 * so as long as nobody waits for others: what keeps them from it is told by the waits.
 *
 * `--profile` leaves a profile of each worker's main thread of each night in that folder, for any viewer of V8's; the figures are those of a night that is watched then.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config/config.ts';
import { startEmbeddedDatabase } from '../src/database/embedded.ts';
import { migrate } from '../src/database/migrate.ts';
import { keepConsent } from '../src/flows/consent/keep-consent.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import { silentLog } from '../src/log.ts';
import { openResources } from '../src/resources.ts';
import { serviceFlags } from '../test/support/fixtures/service-flags.ts';
import { redisServer, startRedis } from '../test/support/servers/redis.ts';
import { s3ProxyJars, startS3Proxy } from '../test/support/servers/s3proxy.ts';
import { childrenLike, mainThreadMs, memoryOf, processorTimes } from './crowd/processes.ts';
import { providers } from './exchange/provider-process.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    people: { type: 'string', default: '100' },
    files: { type: 'string', default: '400' },
    workers: { type: 'string', default: '1,4' },
    concurrency: { type: 'string' },
    queue: { type: 'string', default: 'redis' },
    store: { type: 'string', default: 'folder' },
    nights: { type: 'string', default: 'first,unchanged,changed' },
    profile: { type: 'string' },
  },
});
const [people, files] = [Number(options.people), Number(options.files)];
const workerCounts = options.workers.split(',').map(Number);
const say = (text: string) => process.stderr.write(`${text}\n`);
const day = 86_400_000;

const home = await mkdtemp(join(tmpdir(), 'nightkeep-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(home, { recursive: true, force: true }));
const provider = opened.use(await startProvider(people * workerCounts.length));
const cloud = start('cloud.ts', files);
const origin = await answerOf<string>(cloud);
const redis =
  options.queue === 'redis' ? opened.use(await startRedis(required(redisServer, 'redis-server'))) : undefined;
const store =
  options.store === 's3' ? opened.use(await startS3Proxy(required(await s3ProxyJars(), 'Java and Maven'))) : undefined;
const { url, ownerUrl } = opened.use(await startEmbeddedDatabase(join(home, 'postgres')));
await migrate(ownerUrl);
const settings: Record<string, string> = {
  PUBLIC_URL: new URL('/', provider.redirectUri).href,
  OIDC_ISSUER: provider.issuer,
  OIDC_CLIENT_ID: provider.clientId,
  OIDC_CLIENT_SECRET: provider.secret,
  FILES_URL: `${origin}/{sub}/`,
  DATABASE_URL: url,
  ...(redis && { REDIS_URL: redis.url }),
  ...(store
    ? {
        STORE_URL: `s3://backups/crowd?endpoint=${store.url}&region=us-east-1&style=path`,
        STORE_KEYS: `${store.accessKeyId} ${store.secretAccessKey}`,
      }
    : { STORE_URL: `file://${join(home, 'store')}` }),
  KEYRING: `bench:${randomBytes(32).toString('base64url')}`,
  ...(options.concurrency !== undefined && { CONCURRENCY: options.concurrency }),
};
const clock = systemClock();
const config = readConfig({ ...settings, DATA_DIR: join(home, 'data') });
const resources = opened.use(await openResources(config, { clock, log: silentLog }));
const { database } = resources;
const postmaster = Number((await readFile(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);

interface Night {
  workers: number;
  night: string;
  peoplePerSecond: number;
  /** Milliseconds of a processor for one person. */
  worker: number;
  main: number;
  /** Milliseconds of a worker's main thread each second while nothing is to be done. */
  idle: number;
  database: number;
  queue: number;
  store: number;
  cloud: number;
  provider: number;
  statements: number;
  requests: number;
  residentMB: number;
  peakMB: number;
  rowWaits: number;
  lockWaits: number;
  /** People per second if each process had processors of its own. */
  apart: number;
}

const nights: Night[] = [];
let enrolled = 0;
for (const count of workerCounts) {
  const planIds = await enroll(people);
  const workers = await startWorkers(count);
  const idle = await idleMain(workers);
  for (const [nth, name] of options.nights.split(',').entries()) {
    if (name === 'changed') await ask(cloud, 'change');
    if (options.profile !== undefined) for (const worker of workers) await ask(worker, 'profile');
    nights.push({ workers: count, night: name, ...(await night(planIds, workers, idle)) });
    if (options.profile !== undefined)
      for (const [index, worker] of workers.entries())
        await ask(worker, { profile: resolve(options.profile, `${nth}-${name}-${count}-${index}.cpuprofile`) });
    say(`${count} workers, ${name}: ${nights.at(-1)?.peoplePerSecond} people/s, load ${loadavg()[0]?.toFixed(1)}`);
  }
  for (const worker of workers) {
    const ended = once(worker, 'exit');
    worker.disconnect();
    await ended;
  }
}
if (options.json !== true) console.table(nights);
const { concurrency, heavyRuns } = config;
console.log(
  JSON.stringify({
    people,
    files,
    concurrency,
    heavyRuns,
    queue: options.queue,
    store: options.store,
    load: loadavg()[0],
    nights,
  }),
);
await opened.disposeAsync();
process.exit();

async function startProvider(count: number) {
  const demo = required(providers.demo, 'The demo');
  return demo(count);
}

/** A child process of bench/crowd, which has been told its order. */
function start(name: string, order: number | Record<string, string>): ChildProcess {
  const child = fork(join(import.meta.dirname, 'crowd', name), {
    serialization: 'json',
    execArgv: [...serviceFlags],
    env: { ...process.env, NODE_COMPILE_CACHE: join(home, 'compile-cache') },
  });
  opened.defer(() => {
    if (child.connected) child.disconnect();
  });
  child.send(order);
  return child;
}

async function startWorkers(count: number): Promise<ChildProcess[]> {
  const workers = Array.from({ length: count }, (_, index) =>
    start('worker.ts', { ...settings, DATA_DIR: join(home, `data-${count}-${index}`) }),
  );
  await Promise.all(workers.map((worker) => answerOf(worker)));
  return workers;
}

/** Consents of new people; answers their plans, none of which is due. */
async function enroll(count: number): Promise<string[]> {
  const planIds: string[] = [];
  for (const who of provider.people.slice(enrolled, enrolled + count)) {
    const authorized = await resources.issuer.enroll.password(who, 'openid offline_access');
    const given = { authorized, method: 'password' as const, terms: {}, agreedAt: clock.now() };
    const { grant } = await keepConsent(resources, given);
    const { id } = await database.plan.findFirstOrThrow({ where: { grantId: grant.id } });
    planIds.push(id);
  }
  enrolled += count;
  // Within a window that is open all day, so that nothing but the work takes time.
  const hours = { windowStart: '00:00', windowEnd: '23:59', zone: 'UTC' };
  await database.plan.updateMany({
    where: { id: { in: planIds } },
    data: { ...hours, nextDueAt: new Date(Date.now() + 30 * day) },
  });
  return planIds;
}

/** What the duties of a worker take of its main thread, in milliseconds a second. */
async function idleMain(workers: readonly ChildProcess[]): Promise<number> {
  const seconds = 10;
  const timeOf = () => workers.reduce((sum, { pid }) => sum + mainThreadMs(pid ?? 0), 0);
  // What a worker does at its start is over then.
  await clock.sleep(3_000);
  const before = timeOf();
  await clock.sleep(seconds * 1000);
  return round1((timeOf() - before) / workers.length / seconds);
}

async function night(
  planIds: string[],
  workers: readonly ChildProcess[],
  idle: number,
): Promise<Omit<Night, 'workers' | 'night'>> {
  const of = { planId: { in: planIds } };
  // The nights before were of days before.
  for (const { id, night } of await database.run.findMany({ where: of, orderBy: { night: 'asc' } }))
    await database.run.update({ where: { id }, data: { night: dayBefore(night) } });
  for (const worker of workers) await ask(worker, 'forget');
  await database.$executeRaw`VACUUM ANALYZE`;
  const at = clock.now();
  await database.plan.updateMany({
    where: { id: { in: planIds } },
    data: { nextNight: at.toISOString().slice(0, 10), nextDueAt: at },
  });
  const before = await look(workers);
  const began = clock.elapsed();
  await openNight(resources);
  // The next one may be due while this one lasts.
  const later = new Date(at.getTime() + 30 * day);
  await database.plan.updateMany({ where: { id: { in: planIds } }, data: { nextDueAt: later } });
  const waits = { looks: 0, rows: 0, locks: 0 };
  for (;;) {
    const [seen] = await database.$queryRaw<[{ rows: number; locks: number }]>`
      SELECT count(*) FILTER (WHERE wait_event_type = 'Lock')::int AS rows, count(*) FILTER (WHERE wait_event_type = 'LWLock')::int AS locks
      FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()`;
    waits.looks += 1;
    waits.rows += seen.rows;
    waits.locks += seen.locks;
    const states = await database.run.groupBy({
      by: ['state'],
      where: { ...of, queuedAt: { gte: at } },
      _count: true,
    });
    const countOf = (state: string) => states.find((one) => one.state === state)?._count ?? 0;
    if (countOf('partial') + countOf('failed') > 0) throw new Error('A night did not go well.');
    if (countOf('succeeded') === planIds.length) break;
    await clock.sleep(100);
  }
  const ms = clock.elapsed() - began;
  const after = await look(workers);
  const each = (name: keyof typeof before) => round1(((after[name] ?? 0) - (before[name] ?? 0)) / planIds.length);
  const main = Math.max(0.1, round1(each('main') - (idle * workers.length * ms) / 1000 / planIds.length));
  const memory = workers.map((worker) => memoryOf(worker.pid ?? 0));
  return {
    peoplePerSecond: Math.round((planIds.length / ms) * 10_000) / 10,
    worker: each('worker'),
    main,
    idle,
    database: each('database'),
    queue: each('queue'),
    store: each('store'),
    cloud: each('cloud'),
    provider: each('provider'),
    statements: each('statements'),
    requests: each('requests'),
    residentMB: Math.max(...memory.map(({ residentMB }) => residentMB)),
    peakMB: Math.max(...memory.map(({ peakMB }) => peakMB)),
    rowWaits: round1((waits.rows / waits.looks) * (ms / planIds.length)),
    lockWaits: round1((waits.locks / waits.looks) * (ms / planIds.length)),
    apart: round1(Math.min((workers.length * (1000 - idle)) / main, 1000 / each('queue'))),
  };
}

/** Of all processes what has been used until now. */
async function look(workers: readonly ChildProcess[]): Promise<Record<string, number>> {
  const statements = await Promise.all(workers.map((worker) => ask<number>(worker, 'count')));
  return {
    ...processorTimes({
      worker: workers.map(({ pid }) => pid ?? 0),
      cloud: [cloud.pid ?? 0],
      provider: childrenLike('exchange/provider.ts'),
      queue: childrenLike('redis-server'),
      store: childrenLike('s3proxy'),
      database: [postmaster],
    }),
    main: workers.reduce((sum, { pid }) => sum + mainThreadMs(pid ?? 0), 0),
    statements: statements.reduce((sum, one) => sum + one, 0),
    requests: await ask<number>(cloud, 'count'),
  };
}

function ask<T>(child: ChildProcess, question: string | { readonly profile: string }): Promise<T> {
  const answer = answerOf<T>(child);
  child.send(question);
  return answer;
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [answer] = await once(child, 'message');
  return answer as T;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

function dayBefore(date: string): string {
  return new Date(Date.parse(date) - day).toISOString().slice(0, 10);
}

function required<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new Error(`${what} is needed.`);
  return found;
}
