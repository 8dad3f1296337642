/**
 * Measures nights of many people: `node bench/crowd.ts [--json] [--people N] [--files N] [--workers 1,4] [--apart N] [--concurrency N] [--queue redis|postgres] [--store folder|s3] [--nights first,unchanged,changed] [--profile FOLDER]`.
 *
 * - Provider, cloud, PostgreSQL, Redis, S3Proxy and each worker are processes of their own. The worker is the service as it is, with all its duties, and each
 *   access token is had by exchanging an offline token at the demo's provider, which rotates it.
 * - Workers compile once, as the service does, and start with its memory flags.
 * - The cloud has the ETags of Nextcloud, which change in every folder above what changed; each person has files of some hundred bytes in folders of twenty.
 * - For each number of workers so many times `--people` new people have three nights, of all of them at once: the first, one without a change, one with one changed file each.
 *
 * People per second count from the moment when all are due until the last has a snapshot. Processor milliseconds are of user and system, for each kind of
 * process, of one person on average, the worker's duties included, but for verification, which no repository is due for; `main` is of them what the worker's main thread takes. Statements are all that a worker sends to PostgreSQL, BEGIN and COMMIT
 * included; requests are those to the cloud. `rowWaits` and `lockWaits` are for how long statements waited in PostgreSQL for rows of others, and for its own locks, by looking now and then, in milliseconds a person.
 *
 * Where there are fewer processors than processes, people per second say how the processors were shared out, not whether workers hold each other up. `--apart 5` measures nights but the
 * first as on machines of their own that are five times slower: each worker, with all its threads, has a fifth of a processor and no more, PostgreSQL two fifths, Redis and S3Proxy
 * one each, by control groups (Linux, root), and people per second are given as five times as many. Cloud and provider, which are others' machines, have what is left; these groups go before all else on the machine. Two
 * processors hold four workers so as long as the parts of all, and what cloud and provider take, fit into them: `used` says how much of the machine that was. What `busy` lacks of one, workers waited for each other, for PostgreSQL, or had nothing left to do at the end.
 * It differs from real machines in this: duties come as often as ever, so that they weigh five times as much, and a part of a processor comes in pieces of a few milliseconds, between which
 * whoever holds a row holds it; both make it harder. Disk and network are as quick as ever, five times quicker in proportion, which makes it easier: what waits for the disk
 * is not seen so.
 *
 * `--profile` leaves a profile of each worker's main thread of each night in that folder, for any viewer of V8's; the figures are those of a night that is watched then.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config/config.ts';
import { startEmbeddedDatabase } from '../src/database/server/embedded.ts';
import { migrate } from '../src/database/server/migrate.ts';
import { dayMs } from '../src/durations.ts';
import { keepConsent } from '../src/flows/consent/keep-consent.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import { silentLog } from '../src/log.ts';
import { openResources } from '../src/resources.ts';
import { serviceFlags } from '../test/support/fixtures/service-flags.ts';
import { redisServer, startRedis } from '../test/support/servers/redis.ts';
import { s3ProxyJars, startS3Proxy } from '../test/support/servers/s3proxy.ts';
import { childrenLike, mainThreadMs, memoryOf, processorTimes, withChildren } from './crowd/processes.ts';
import { openSlices } from './crowd/slices.ts';
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
    apart: { type: 'string' },
    profile: { type: 'string' },
  },
});
const [people, files] = [Number(options.people), Number(options.files)];
const workerCounts = options.workers.split(',').map(Number);
/** How many times slower than a processor the part of one is that each worker has; 1: all share what there is. */
const slowness = Number(options.apart ?? 1);
const say = (text: string) => process.stderr.write(`${text}\n`);
const clock = systemClock();

const home = await mkdtemp(join(tmpdir(), 'nightkeep-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(home, { recursive: true, force: true }));
const slices = slowness > 1 ? opened.use(openSlices(clock)) : undefined;
const provider = opened.use(await startProvider(people * workerCounts.reduce((sum, count) => sum + count, 0)));
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
  /** Of the processor that each worker has, or of a whole one, the part that it had on average. */
  busy: number;
  /** Of all processors, the part that these processes had. */
  used: number;
}

const nights: Night[] = [];
let enrolled = 0;
for (const count of workerCounts) {
  const planIds = await enroll(people * count);
  const workers = await startWorkers(count);
  for (const [nth, name] of options.nights.split(',').entries()) {
    // First nights take so long that nobody would wait for them.
    const slower = name === 'first' ? 1 : slowness;
    setApart(workers, slower);
    if (name === 'changed') await ask(cloud, 'change');
    if (options.profile !== undefined) for (const worker of workers) await ask(worker, 'profile');
    nights.push({ workers: count, night: name, ...(await night(planIds, workers, slower)) });
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
    data: { ...hours, nextDueAt: new Date(Date.now() + 30 * dayMs) },
  });
  return planIds;
}

/** As on machines with a processor for each worker, two for PostgreSQL and one for each of the others, all of them slower by the same factor. */
function setApart(workers: readonly ChildProcess[], slower: number): void {
  if (slices === undefined) return;
  const processors = (count: number) => (slower > 1 ? count / slower : undefined);
  for (const { pid } of workers) slices.give(`worker-${pid}`, [required(pid, 'A worker')], processors(1));
  slices.give('postgres', withChildren(postmaster), processors(2));
  slices.give('redis', childrenLike('redis-server'), processors(1));
  slices.give('s3proxy', childrenLike('s3proxy'), processors(1));
  slices.give('others', [required(cloud.pid, 'A cloud'), ...childrenLike('exchange/provider.ts')], undefined);
}

async function night(
  planIds: string[],
  workers: readonly ChildProcess[],
  slower: number,
): Promise<Omit<Night, 'workers' | 'night'>> {
  const of = { planId: { in: planIds } };
  // The nights before were of days before.
  for (const { id, night } of await database.run.findMany({ where: of, orderBy: { night: 'asc' } }))
    await database.run.update({ where: { id }, data: { night: dayBefore(night) } });
  // Each repository is verified once a day, and all of these would be at the next full ten minutes: in one measurement, and not in another.
  await database.verification.updateMany({ data: { nextAt: new Date(Date.now() + 30 * dayMs) } });
  for (const worker of workers) await ask(worker, 'forget');
  await database.$executeRaw`VACUUM ANALYZE`;
  const at = clock.now();
  await database.plan.updateMany({
    where: { id: { in: planIds } },
    data: { nextNight: at.toISOString().slice(0, 10), nextDueAt: at },
  });
  const before = await look(workers);
  await openNight(resources);
  // The next one may be due while this one lasts.
  const later = new Date(at.getTime() + 30 * dayMs);
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
    await clock.sleep(100 * slower);
  }
  const { _max: last } = await database.run.aggregate({
    where: { ...of, queuedAt: { gte: at } },
    _max: { finishedAt: true },
  });
  const ms = required(last?.finishedAt ?? undefined, 'An end').getTime() - at.getTime();
  const after = await look(workers);
  const each = (name: keyof typeof before) => round1(((after[name] ?? 0) - (before[name] ?? 0)) / planIds.length);
  const taken = (['worker', 'database', 'queue', 'store', 'cloud', 'provider'] as const).reduce(
    (sum, kind) => sum + each(kind),
    0,
  );
  const memory = workers.map((worker) => memoryOf(worker.pid ?? 0));
  return {
    peoplePerSecond: round1((planIds.length / ms) * 1000 * slower),
    worker: each('worker'),
    main: each('main'),
    database: each('database'),
    queue: each('queue'),
    store: each('store'),
    cloud: each('cloud'),
    provider: each('provider'),
    statements: each('statements'),
    requests: each('requests'),
    residentMB: Math.max(...memory.map(({ residentMB }) => residentMB)),
    peakMB: Math.max(...memory.map(({ peakMB }) => peakMB)),
    rowWaits: round1(((waits.rows / waits.looks) * ms) / slower / planIds.length),
    lockWaits: round1(((waits.locks / waits.looks) * ms) / slower / planIds.length),
    busy: round2((each('worker') * planIds.length * slower) / ms / workers.length),
    used: round2((taken * planIds.length) / ms / availableParallelism()),
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

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

function dayBefore(date: string): string {
  return new Date(Date.parse(date) - dayMs).toISOString().slice(0, 10);
}

function required<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new Error(`${what} is needed.`);
  return found;
}
