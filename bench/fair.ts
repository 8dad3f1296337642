/**
 * Measures how much longer the night of others takes with a hostile tenth among them: `node bench/fair.ts [--json] [--people N] [--rounds N]`.
 *
 * - A worker as it is, with its duties, PostgreSQL embedded and the queue in it; everybody's files are on one server, in another process.
 *   Nobody's access token has to be asked for.
 * - Honest nights take about five seconds each, nearly all of it the time that the server takes to answer, so that other work on the
 *   machine changes little. `TURN` is eight seconds: more than a usual night takes, as it should be.
 * - Hostile people drip a byte a second, have trees without an end, folders of 20,000 files each, and a server that refuses every file. They stand
 *   first in the queue.
 * - Everybody is due at once. A night is over for the others when the last of them has a snapshot.
 *
 * In turn, in the same process: two nights of everybody without the hostile ones, and two with them. `first` compares the first nights, in which nobody
 * knows who is hostile, `later` the second ones; both are medians over the rounds.
 */
import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    people: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '3' },
  },
});
const [people, rounds] = [Number(options.people), Number(options.rounds)];
const hostile = Math.max(1, Math.round(people / 10));
const concurrency = 4;
const say = (text: string) => process.stderr.write(`${text}\n`);

const home = await mkdtemp(join(tmpdir(), 'nightkeep-bench-'));
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
  TURN: '8s',
});
const clock = systemClock();
const resources = opened.use(await openResources(config, { clock, log: silentLog }));
const { database } = resources;
const worker = await startWorker(resources);
opened.defer(() => worker.close(0));

const took = { without: [[], []] as number[][], with: [[], []] as number[][] };
for (let round = 0; round < rounds; round += 1) {
  for (const kind of ['without', 'with'] as const) {
    const nights = await twoNights(kind === 'with' ? hostile : 0);
    for (const [index, ms] of nights.entries()) took[kind][index]?.push(ms);
    say(
      `round ${round + 1}, ${kind} the hostile: ${nights.map((ms) => `${(ms / 1000).toFixed(1)} s`).join(', then ')}`,
    );
  }
}
const [first, later] = [0, 1].map((night) => {
  const [alone, beside] = [median(took.without[night] ?? []), median(took.with[night] ?? [])];
  return {
    aloneMs: Math.round(alone),
    besideMs: Math.round(beside),
    slowdown: Math.round((beside / alone - 1) * 1000) / 1000,
  };
});
if (options.json !== true) console.table({ first, later });
console.log(JSON.stringify({ people, hostile, concurrency, rounds, first, later }));
await opened.disposeAsync();
process.exit();

/** How long two nights took for the honest ones, in milliseconds. */
async function twoNights(hostiles: number): Promise<[number, number]> {
  const honest = people - hostile;
  const grants = await addPeople([
    ...Array.from(
      { length: hostiles },
      (_, index) => `${hostileKinds[index % hostileKinds.length]}-${index}-${randomUUID()}`,
    ),
    ...Array.from({ length: honest }, (_, index) => `good-${index}-${randomUUID()}`),
  ]);
  const nights: [number, number] = [await night(honest, '2026-01-01'), await night(honest, '2026-01-02')];
  for (const grantId of grants) await endRuns(grantId);
  while ((await database.run.count({ where: { leaseHolder: { not: null } } })) > 0) await clock.sleep(50);
  await resources.queues.backUps.drain();
  await database.user.deleteMany();
  return nights;
}

async function night(honest: number, date: string): Promise<number> {
  for (const { id } of await database.grant.findMany({ select: { id: true } })) await endRuns(id);
  while ((await database.run.count({ where: { leaseHolder: { not: null } } })) > 0) await clock.sleep(50);
  const at = clock.now();
  await database.plan.updateMany({ data: { nextNight: date, nextDueAt: at } });
  const began = clock.elapsed();
  await openNight(resources);
  const good = { plan: { user: { subject: { startsWith: 'good-' } } }, queuedAt: { gte: at } };
  for (;;) {
    const ended = await database.run.findMany({
      where: { ...good, finishedAt: { not: null } },
      select: { state: true },
    });
    if (ended.some(({ state }) => state !== 'succeeded')) throw new Error('An honest night did not go well.');
    if (ended.length === honest) {
      const ms = clock.elapsed() - began;
      // Both nights are of the same date.
      await database.run.updateMany({ where: { queuedAt: { gte: at } }, data: { night: date } });
      return ms;
    }
    await clock.sleep(50);
  }
}

async function endRuns(grantId: string): Promise<void> {
  await cancelRuns(database, { grantId, at: clock.now(), by: 'bench', reason: 'bench' });
}

/** People whose access tokens are at hand; answers their grants. */
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
  for (const { grantId } of rows) resources.tokenCache.known.set(grantId, { token: 'bench', endsAt: later });
  return rows.map(({ grantId }) => grantId);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
