/**
 * Measures exchanges per second through the whole protocol (lease, spool, request, save), with 1 and with 4 workers, and
 * compares them with plain refreshes at the same provider.
 * `node bench/exchange.ts [--json] [--provider demo|keycloak] [--processors apart|shared] [--seconds N] [--rounds N]
 * [--warm-up N]`.
 *
 * - bare: a client that only refreshes, with as many connections as Nightkeep has: the most that the provider can do.
 * - ours: worker processes that exchange grants of their own in turn, as many at once as keep-alive does, with one
 *   PostgreSQL that commits each rotation durably.
 *
 * With `apart` the provider has half of the processors, and the client or Nightkeep with PostgreSQL has the other half; with
 * `shared` both use all. Before anything is measured, the client and each worker do their work `--warm-up` times, so that the
 * code is compiled by then. Rotation is strict: a token sent twice would end its session, and the bench with it. Both sides
 * are measured in turn, and their medians compared. Finally it times how long the keep-alive sweep takes to find what is due
 * among 1,000 and 100,000 grants.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '../src/database/client.ts';
import { startEmbeddedDatabase } from '../src/database/server/embedded.ts';
import { migrate } from '../src/database/server/migrate.ts';
import { atOnce } from '../src/flows/custody/keep-alive.ts';
import { openBareClient } from './exchange/bare-client.ts';
import { insertExchanges, insertGrants } from './exchange/filler-rows.ts';
import { makeGrants } from './exchange/grants.ts';
import { halves, runOn } from './exchange/processors.ts';
import { providers } from './exchange/provider-process.ts';
import { timeSweeps } from './exchange/sweeps.ts';
import type { WorkerOrder, WorkerResult } from './exchange/worker.ts';

const values = readOptions();
const say = (text: string) => process.stderr.write(`${text}\n`);
const ms = 1000 * positive('seconds');
const rounds = positive('rounds');
const warmUp = positive('warm-up');
const counts = [1, 4];
const grantsOfWorker = 100;

const start = providers[values.provider] ?? misused(`--provider is one of ${Object.keys(providers).join(', ')}.`);
if (!['apart', 'shared'].includes(values.processors)) misused('--processors is apart or shared.');
const apart = values.processors === 'apart' ? halves() : undefined;
if (values.processors === 'apart' && !apart) say('This system has no taskset or one processor only: they are shared.');

const home = await mkdtemp(join(tmpdir(), 'nightkeep-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(home, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void opened.disposeAsync().finally(() => process.exit(1)));
if (apart) runOn(apart.provider);
const provider = opened.use(await start(2 * Math.max(...counts) * grantsOfWorker));
if (apart) runOn(apart.ours);
const { url, ownerUrl } = opened.use(await startEmbeddedDatabase(join(home, 'postgres')));
await migrate(ownerUrl);
const database = opened.adopt(await openDatabase(url), (one) => one.$disconnect());
await insertGrants(database, 10_000);
await insertExchanges(database, 10);
const people = await makeGrants(provider, database);

const bare = opened.use(
  await openBareClient(provider, people.bare, { connections: Math.max(...counts) * atOnce, warmUp }),
);
const children = await startWorkers(Math.max(...counts));
opened.defer(() => {
  for (const child of children) if (child.connected) child.disconnect();
});

const rates: Record<string, { bare: number[]; ours: number[]; statements: number[] }> = {};
for (let round = 0; round < rounds; round += 1) {
  for (const count of counts) {
    const name = String(count);
    const row = rates[name] ?? { bare: [], ours: [], statements: [] };
    rates[name] = row;
    row.bare.push(await bare.refresh(count * grantsOfWorker, { atOnce: count * atOnce, ms }));
    const ours = await exchangeWith(children.slice(0, count));
    row.ours.push(ours.rate);
    row.statements.push(ours.statements);
    say(`round ${round + 1}, ${name} workers: bare ${row.bare.at(-1)?.toFixed(0)}/s, ours ${ours.rate.toFixed(0)}/s`);
  }
}

const workers = Object.fromEntries(
  Object.entries(rates).map(([name, { bare, ours, statements }]) => {
    const [bareRate, ourRate] = [median(bare), median(ours)];
    const rounded = { barePerSecond: Math.round(bareRate), perSecond: Math.round(ourRate) };
    return [name, { ...rounded, ratio: round3(ourRate / bareRate), statementsPerExchange: round3(median(statements)) }];
  }),
);
const sweep = await timeSweeps(database, ownerUrl);
if (values.json !== true) {
  console.table(workers);
  console.table(sweep);
}
const processors = apart ? 'apart' : 'shared';
console.log(JSON.stringify({ provider: values.provider, processors, ratio: workers['4']?.ratio, workers, sweep }));
await opened.disposeAsync();

/** Starts the workers of all rounds, and waits until they have warmed up. */
async function startWorkers(count: number): Promise<ChildProcess[]> {
  const children = Array.from({ length: count }, (_, index) => {
    const order: WorkerOrder = {
      grantIds: people.grants.slice(index * grantsOfWorker, (index + 1) * grantsOfWorker),
      atOnce,
      warmUp,
      databaseUrl: url,
      keyring: people.keyring,
      spool: join(home, `spool-${index}`),
      provider,
    };
    const child = fork(join(import.meta.dirname, 'exchange', 'worker.ts'), { serialization: 'json' });
    child.send(order);
    return child;
  });
  await Promise.all(children.map((child) => once(child, 'message')));
  return children;
}

/** Lets these workers exchange for the time of a round, and adds up their results. */
async function exchangeWith(children: readonly ChildProcess[]): Promise<{ rate: number; statements: number }> {
  // What autovacuum would have done in a database that has been in use for a while.
  await database.$executeRaw`VACUUM ANALYZE`;
  const done = await Promise.all(
    children.map(async (child): Promise<WorkerResult> => {
      const answered = once(child, 'message');
      child.send({ ms });
      const [result] = await answered;
      return result;
    }),
  );
  const sum = (of: (result: WorkerResult) => number) => done.reduce((total, result) => total + of(result), 0);
  return {
    rate: sum(({ exchanges, elapsedMs }) => (exchanges / elapsedMs) * 1000),
    statements: sum((one) => one.statements) / sum((one) => one.exchanges),
  };
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean' },
        seconds: { type: 'string', default: '4' },
        rounds: { type: 'string', default: '3' },
        'warm-up': { type: 'string', default: '5000' },
        provider: { type: 'string', default: 'demo' },
        processors: { type: 'string', default: 'apart' },
      },
    });
    return values;
  } catch (error) {
    return misused((error as Error).message);
  }
}

function positive(name: 'seconds' | 'rounds' | 'warm-up'): number {
  const value = Number(values[name]);
  return Number.isInteger(value) && value > 0 ? value : misused(`--${name} is a whole number above 0.`);
}

function misused(cure: string): never {
  console.error(cure);
  process.exit(2);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
