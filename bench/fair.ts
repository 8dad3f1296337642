/**
 * Measures how much longer the night of others takes with a hostile tenth among them:
 * `node bench/fair.ts [--json] [--people N] [--rounds N] [--kinds drip,tree,huge,storm]`.
 *
 * - A worker as it is, with its duties, PostgreSQL embedded and the queue in it; everybody's files are on one server, in another process.
 *   Nobody's access token has to be asked for.
 * - Honest nights take two to three seconds each, nearly all of it the time that the server takes to answer, so that other work on the
 *   machine changes little.
 * - Hostile people drip a byte a second, have trees without an end, folders of 20,000 files each, and a server that refuses every file. They stand
 *   first in the queue.
 * - Everybody is due at once. A night is over for the others when the last of them has a snapshot.
 *
 * After a night of honest people to warm up, by which the worker learns what is usual, in turn and in the same process: two nights of everybody without the
 * hostile ones, and two with them. `first` compares the first nights of them all, in which nobody knows who is hostile, `later` the second ones: medians over
 * the rounds of the time until the last honest person has a snapshot, and of the processor time until then: of the worker, and of the server, which is not ours.
 */
import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config/config.ts';
import { startEmbeddedDatabase } from '../src/database/embedded.ts';
import { migrate } from '../src/database/migrate.ts';
import { cancelRuns } from '../src/database/runs.ts';
import { confirmRows } from '../src/flows/keys/broken-rows.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import { silentLog } from '../src/log.ts';
import { openResources } from '../src/resources.ts';
import { startWorker } from '../worker/main.ts';
import { hostileKinds } from './fair/cloud.ts';
import { msOfProcess } from './processor-time.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    people: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: hostileKinds.join() },
  },
});
const [people, rounds] = [Number(options.people), Number(options.rounds)];
const hostile = Math.max(1, Math.round(people / 10));
const kinds = options.kinds.split(',');
const concurrency = 4;
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
  ms: number;
  processorMs: number;
  /** Of the server. */
  cloudMs: number;
}

await twoNights(0, { nights: 1 });
say('warmed up');
const took = { without: [] as Night[][], with: [] as Night[][] };
for (let round = 0; round < rounds; round += 1) {
  for (const kind of ['without', 'with'] as const) {
    const nights = await twoNights(kind === 'with' ? hostile : 0);
    took[kind].push(nights);
    const told = nights.map(({ ms, processorMs }) => `${seconds(ms)} s (${seconds(processorMs)} s of a processor)`);
    say(`round ${round + 1}, ${kind} the hostile: ${told.join(', then ')}`);
  }
}
const [first, later] = [0, 1].map((night) => {
  const middle = (kind: keyof typeof took, of: keyof Night) =>
    Math.round(median(took[kind].map((nights) => nights[night]?.[of] ?? Number.NaN)));
  return {
    aloneMs: middle('without', 'ms'),
    besideMs: middle('with', 'ms'),
    slowdown: Math.round((middle('with', 'ms') / middle('without', 'ms') - 1) * 1000) / 1000,
    aloneProcessorMs: middle('without', 'processorMs'),
    besideProcessorMs: middle('with', 'processorMs'),
    aloneCloudMs: middle('without', 'cloudMs'),
    besideCloudMs: middle('with', 'cloudMs'),
  };
});
if (options.json !== true) console.table({ first, later });
console.log(JSON.stringify({ people, hostile, concurrency, rounds, load: loadavg()[0], first, later }));
await opened.disposeAsync();
process.exit();

/** What two nights, or one, took for the honest ones, all of whom are new. */
async function twoNights(hostiles: number, { nights = 2 } = {}): Promise<Night[]> {
  const honest = people - hostile;
  const grants = await addPeople([
    ...Array.from({ length: hostiles }, (_, index) => `${kinds[made++ % kinds.length]}-${index}-${randomUUID()}`),
    ...Array.from({ length: honest }, (_, index) => `good-${index}-${randomUUID()}`),
  ]);
  const took: Night[] = [];
  for (const date of ['2026-01-01', '2026-01-02'].slice(0, nights)) took.push(await night(grants, { honest, date }));
  return took;
}

async function night(grants: readonly string[], { honest, date }: { honest: number; date: string }): Promise<Night> {
  const at = clock.now();
  const endsAt = new Date(at.getTime() + 30 * 86_400_000);
  for (const grantId of grants) resources.tokenCache.known.set(grantId, { token: 'bench', endsAt });
  const ofThese = { grantId: { in: [...grants] } };
  await database.plan.updateMany({ where: ofThese, data: { nextNight: date, nextDueAt: at } });
  const [began, processor, cloudBegan] = [clock.elapsed(), process.cpuUsage(), msOfProcess(cloud.pid ?? 0)];
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
  const { user, system } = process.cpuUsage(processor);
  const cloudMs = msOfProcess(cloud.pid ?? 0) - cloudBegan;
  const result = { ms: clock.elapsed() - began, processorMs: (user + system) / 1000, cloudMs };
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
  const [at, later] = [clock.now(), new Date(clock.now().getTime() + 30 * 86_400_000)];
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

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
