/**
 * Measures how much longer the night of others takes with a hostile tenth among them, for each kind of hostile people by itself:
 * `node bench/fair.ts [--json] [--people N] [--rounds N] [--kinds drip,tree,huge,storm,mixed]`.
 *
 * - A worker as it is, with its duties, PostgreSQL embedded and the queue in it; everybody's files are on one server, in another process.
 *   Nobody's access token has to be asked for.
 * - Honest nights take about three seconds each, first and later ones alike, nearly all of it the time that the server takes to answer, so that other work on the
 *   machine changes little.
 * - Hostile people drip a byte a second, have trees without an end, folders of 20,000 files each, or a server that refuses every file; `mixed` has
 *   some of each. They stand first in the queue.
 * - Everybody is due at once. A night is over for the others when the last of them has a snapshot: the slowdown is that of the others alone.
 *
 * After a night of honest people to warm up, by which the worker learns what is usual, rounds of pairs, in the same process: for each kind two nights of the
 * honest people alone, and two of as many with the hostile ones, which of them goes first in turn. `first` compares the first nights of them all, in which nobody
 * knows who is hostile, `later` the second ones. `slowdown` is the median over the rounds of how much longer the night with the hostile ones took than the one
 * beside it, and `slowdowns` each of them. A pair during which other work on the machine had more than a tenth of its processors says little, since such work makes
 * some nights of a pair longer than it makes the other: it is measured anew, up to as many times as there are rounds, and `disturbed` says how many such pairs there were and,
 * where there were too many, how many are among those of the result. What else is told of each night says where the time went, as medians: how long an honest run waited for a
 * place and had one, in the middle of them and at most, how often honest runs let others go first, how long hostile ones had places, by how much the thread came late, and the
 * processor time of the worker, of PostgreSQL, of the WebDAV server, which is not ours, and of all else on the machine.
 */

import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config/config.ts';
import { cancelRuns } from '../src/database/nights/run-cancellations.ts';
import { startEmbeddedDatabase } from '../src/database/server/embedded.ts';
import { migrate } from '../src/database/server/migrate.ts';
import { dayMs } from '../src/durations.ts';
import { confirmRows } from '../src/flows/keys/broken-rows.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import { silentLog } from '../src/log.ts';
import { openResources } from '../src/resources.ts';
import { startWorker } from '../worker/main.ts';
import { hostileKinds } from './fair/cloud.ts';
import { postgresMs } from './plans/processor-time.ts';
import { msOfMachine, msOfProcess } from './processor-time.ts';

/** Hostile people of each kind in turn. */
const mixed = 'mixed';
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    people: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: [...hostileKinds, mixed].join() },
  },
});
const [people, rounds] = [Number(options.people), Number(options.rounds)];
const hostile = Math.max(1, Math.round(people / 10));
const kinds = options.kinds.split(',');
const concurrency = 4;
const lookEveryMs = 10;
/** More than this part of all processors other work may not have during a pair. */
const mostForOthers = 0.1;
const late = monitorEventLoopDelay({ resolution: lookEveryMs });
late.enable();
/** Hostile people so far: where there are fewer than kinds of them, other rounds have others. */
let made = 0;
const say = (text: string) => process.stderr.write(`${text}\n`);

const home = await mkdtemp(join(tmpdir(), 'nightkeep-bench-'));
// As the service does, whose threads find there what is compiled.
enableCompileCache(join(home, 'compile-cache'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(home, { recursive: true, force: true }));
const cloud = fork(join(import.meta.dirname, 'fair', 'cloud.ts'));
opened.defer(() => void cloud.disconnect());
const [origin]: [string] = (await once(cloud, 'message')) as [string];
const { url, ownerUrl } = opened.use(await startEmbeddedDatabase(join(home, 'postgres')));
await migrate(ownerUrl);
const config = readConfig({
  OIDC_ISSUER: 'http://127.0.0.1:9',
  OIDC_CLIENT_ID: 'bench',
  OIDC_CLIENT_SECRET: 'bench',
  FILES_URL: `${origin}/{sub}/`,
  DATABASE_URL: url,
  DATA_DIR: join(home, 'data'),
  STORE_URL: `file://${join(home, 'store')}`,
  KEYRING: `one:${randomBytes(32).toString('base64url')}`,
  CONCURRENCY: String(concurrency),
});
const clock = systemClock();
const resources = opened.use(await openResources(config, { clock, log: silentLog }));
const { database } = resources;
const worker = await startWorker(resources);
opened.defer(() => worker.close(0));

interface Night {
  /** Until the last of the honest people had a snapshot. */
  ms: number;
  /** Of an honest run, in the middle of all. */
  waitedMs: number;
  workedMs: number;
  longestMs: number;
  /** How often one let others go first. */
  gaveWay: number;
  /** For how long hostile ones had places, all together. */
  hostileMs: number;
  /** How late the thread came to what was due, in the middle, one time in a hundred, and at the worst. */
  lateMs: number;
  lateOftenMs: number;
  latestMs: number;
  processorMs: number;
  databaseMs: number;
  cloudMs: number;
  /** Of all else on the machine. */
  othersMs: number;
}

interface Pair {
  readonly alone: readonly Night[];
  readonly beside: readonly Night[];
}

await twoNights(undefined, { nights: 1 });
say('warmed up');
const results: Record<string, unknown> = {};
const pairs = new Map(kinds.map((kind) => [kind, [] as Pair[]]));
const disturbed = new Map(kinds.map((kind) => [kind, { pairs: 0, counted: 0 }]));
for (let round = 0; round < rounds; round += 1) {
  for (const [index, kind] of kinds.entries()) {
    const about = disturbed.get(kind) ?? { pairs: 0, counted: 0 };
    let pair = await measurePair(kind, (round + index) % 2 === 1);
    while (isDisturbed(pair) && about.pairs++ < rounds) pair = await measurePair(kind, (round + index) % 2 === 1);
    if (isDisturbed(pair)) about.counted++;
    pairs.get(kind)?.push(pair);
  }
}
for (const [kind, measured] of pairs) {
  const [first, later] = [0, 1].map((night) => {
    const of = (how: 'alone' | 'beside') => measured.map((pair) => pair[how][night] as Night);
    const slowdowns = of('beside').map(({ ms }, at) => inThousandths(ms / (of('alone')[at]?.ms ?? Number.NaN) - 1));
    return {
      slowdown: median(slowdowns),
      slowdowns,
      alone: middleOf(of('alone')),
      beside: middleOf(of('beside')),
      raw: measured.map((pair) => [pair.alone[night], pair.beside[night]]),
    };
  });
  results[kind] = { first, later, disturbed: disturbed.get(kind) };
  if (options.json === true) continue;
  say(`${kind}: ${percent(first?.slowdown)} longer the first time, ${percent(later?.slowdown)} later`);
  console.table({
    'first alone': first?.alone,
    beside: first?.beside,
    'later alone': later?.alone,
    'later beside': later?.beside,
  });
}
console.log(JSON.stringify({ people, hostile, concurrency, rounds, load: loadavg()[0], ...results }));
await opened.disposeAsync();
process.exit();

/** Nights without hostile people and with some, these first where it is turned. */
async function measurePair(kind: string, isTurned: boolean): Promise<Pair> {
  const pair = { alone: [] as Night[], beside: [] as Night[] };
  for (const how of isTurned ? (['beside', 'alone'] as const) : (['alone', 'beside'] as const)) {
    pair[how] = await twoNights(how === 'beside' ? kind : undefined);
    const told = pair[how].map(
      ({ ms, processorMs, gaveWay, othersMs }) =>
        `${seconds(ms)} s (${seconds(processorMs)} s of a processor, ${seconds(othersMs)} s for others, ${gaveWay} gave way)`,
    );
    say(`${how === 'beside' ? `with ${kind}` : 'without'}: ${told.join(', then ')}`);
  }
  return pair;
}

function isDisturbed({ alone, beside }: Pair): boolean {
  return [...alone, ...beside].some(({ ms, othersMs }) => othersMs > mostForOthers * availableParallelism() * ms);
}

/** What two nights, or one, took for the honest ones, all of whom are new, with a hostile tenth of this kind or none. */
async function twoNights(kind: string | undefined, { nights = 2 } = {}): Promise<Night[]> {
  const honest = people - hostile;
  const kindOf = () => (kind === mixed ? hostileKinds[made++ % hostileKinds.length] : kind);
  const grants = await addPeople([
    ...Array.from({ length: kind === undefined ? 0 : hostile }, (_, index) => `${kindOf()}-${index}-${randomUUID()}`),
    ...Array.from({ length: honest }, (_, index) => `good-${index}-${randomUUID()}`),
  ]);
  const took: Night[] = [];
  for (const date of ['2026-01-01', '2026-01-02'].slice(0, nights)) took.push(await night(grants, { honest, date }));
  return took;
}

async function night(grants: readonly string[], { honest, date }: { honest: number; date: string }): Promise<Night> {
  const at = clock.now();
  const endsAt = new Date(at.getTime() + 30 * dayMs);
  for (const grantId of grants) resources.tokenCache.known.set(grantId, { token: 'bench', endsAt });
  const ofThese = { grantId: { in: [...grants] } };
  await database.plan.updateMany({ where: ofThese, data: { nextNight: date, nextDueAt: at } });
  late.reset();
  const [began, before] = [clock.elapsed(), processorTimes()];
  await openNight(resources);
  // The next one may be due while this one lasts.
  await database.plan.updateMany({ where: ofThese, data: { nextDueAt: endsAt } });
  const good = { plan: { ...ofThese, user: { subject: { startsWith: 'good-' } } }, queuedAt: { gte: at } };
  for (;;) {
    const ended = await database.run.findMany({
      where: { ...good, finishedAt: { not: null } },
      select: { state: true, message: true },
    });
    const bad = ended.find(({ state }) => state !== 'succeeded');
    if (bad !== undefined) throw new Error(`An honest night did not go well: ${bad.message}`);
    if (ended.length === honest) break;
    await clock.sleep(50);
  }
  const ms = clock.elapsed() - began;
  const after = processorTimes();
  const lateness = { lateMs: late.percentile(50), lateOftenMs: late.percentile(99), latestMs: late.max };
  const runs = await database.run.findMany({
    where: good,
    select: { queuedAt: true, finishedAt: true, workedMs: true, fence: true },
  });
  const hostileRuns = await database.run.findMany({ where: { plan: ofThese, queuedAt: { gte: at }, NOT: good } });
  const heldMs = hostileRuns.map(
    ({ state, workedMs, claimedAt }) =>
      workedMs + (state === 'running' && claimedAt ? clock.now().getTime() - claimedAt.getTime() : 0),
  );
  const result = {
    ms,
    waitedMs: median(
      runs.map(({ queuedAt, finishedAt, workedMs }) => (finishedAt?.getTime() ?? 0) - queuedAt.getTime() - workedMs),
    ),
    workedMs: median(runs.map(({ workedMs }) => workedMs)),
    longestMs: Math.max(...runs.map(({ workedMs }) => workedMs)),
    gaveWay: sum(runs.map(({ fence }) => fence - 1)),
    hostileMs: sum(heldMs),
    ...(Object.fromEntries(
      Object.entries(lateness).map(([name, ns]) => [name, ns / 1e6 - lookEveryMs]),
    ) as typeof lateness),
    processorMs: after.worker - before.worker,
    databaseMs: after.database - before.database,
    cloudMs: after.cloud - before.cloud,
    othersMs:
      after.machine -
      before.machine -
      (after.worker - before.worker + after.database - before.database + after.cloud - before.cloud),
  };
  for (const grantId of grants) await endRuns(grantId);
  while ((await database.run.count({ where: { leaseHolder: { not: null } } })) > 0) await clock.sleep(50);
  await resources.queues.backUps.drain();
  // Both nights were of today.
  await database.run.updateMany({ where: { plan: ofThese, queuedAt: { gte: at } }, data: { night: date } });
  return result;
}

async function endRuns(grantId: string): Promise<void> {
  await cancelRuns(database, { grantId, at: clock.now(), by: 'bench', reason: 'bench' });
}

/** Answers the grants of new people. */
async function addPeople(subjects: readonly string[]): Promise<string[]> {
  const [at, later] = [clock.now(), new Date(clock.now().getTime() + 30 * dayMs)];
  const rows = subjects.map((subject) => ({ subject, userId: randomUUID(), grantId: randomUUID() }));
  const issuer = config.provider.issuer.href;
  await database.user.createMany({
    data: rows.map(({ subject, userId }) => ({ id: userId, issuer, subject, claims: { sub: subject }, createdAt: at })),
  });
  await database.grant.createMany({
    data: rows.map(({ subject, userId, grantId }) => ({
      ...{ id: grantId, userId, issuer, subject, clientId: 'bench', scope: 'openid offline_access', createdAt: at },
      ...{ lastExchangedAt: at, idleDeadline: later, nextExchangeAt: later },
    })),
  });
  await database.plan.createMany({
    data: rows.map(({ subject, userId, grantId }, index) => ({
      ...{ id: randomUUID(), userId, grantId, zone: 'UTC', windowStart: '00:00', windowEnd: '23:59', retention: {} },
      sources: [{ name: 'files', url: `${origin}/${subject}/` }],
      ...{ nextNight: '2026-01-01', nextDueAt: later, createdAt: new Date(at.getTime() + index) },
    })),
  });
  for (const { userId } of rows) await confirmRows(resources, { userId, by: 'bench' });
  return rows.map(({ grantId }) => grantId);
}

function processorTimes() {
  const { user, system } = process.cpuUsage();
  return {
    worker: (user + system) / 1000,
    database: postgresMs(join(home, 'postgres', 'data')) ?? Number.NaN,
    cloud: msOfProcess(cloud.pid ?? 0),
    machine: msOfMachine(),
  };
}

/** Each figure in the middle of these nights. */
function middleOf(nights: readonly Night[]): Night {
  const names = Object.keys(nights[0] ?? {}) as (keyof Night)[];
  return Object.fromEntries(
    names.map((name) => [name, Math.round(median(nights.map((night) => night[name])))]),
  ) as unknown as Night;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function inThousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function percent(part = Number.NaN): string {
  return `${Math.round(part * 100)} %`;
}
