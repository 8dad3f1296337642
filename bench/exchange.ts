/**
 * Exchanges per second through the whole protocol (lease, spool, request, save) beside the bare token endpoint of the same
 * provider, with 1 and with 4 workers. `node bench/exchange.ts [--json] [--provider demo|keycloak] [--seconds N] [--rounds N]`.
 *
 * - bare: a client that only refreshes, with as many keep-alive connections as ours has open: the provider can do no more.
 * - ours: worker processes that exchange grants of their own in turn, as many at once as keep-alive does, on one PostgreSQL
 *   that commits each rotation durably.
 *
 * Rotation is strict: a token that came back twice would end its session, and the bench with it. Rounds take turns, and the
 * medians are compared. Then the keep-alive sweep: how long it takes to find what is due among few and among 100,000 grants.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabase } from '../src/database/client.ts';
import { startEmbeddedDatabase } from '../src/database/embedded.ts';
import { migrate } from '../src/database/migrate.ts';
import { atOnce } from '../src/flows/keep-alive.ts';
import { bareRefreshes } from './exchange/bare-client.ts';
import { insertCrowd, insertHistory } from './exchange/crowd.ts';
import { enrol } from './exchange/enrol.ts';
import { providers } from './exchange/provider-process.ts';
import { timeSweeps } from './exchange/sweeps.ts';
import type { WorkerOrder, WorkerResult } from './exchange/worker.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    provider: { type: 'string', default: 'demo' },
  },
});
const say = (text: string) => process.stderr.write(`${text}\n`);
const ms = Number(values.seconds) * 1000;
const rounds = Number(values.rounds);
const counts = [1, 4];
const grantsOfWorker = 100;

const start = providers[values.provider];
if (start === undefined) throw new Error(`--provider is one of ${Object.keys(providers).join(', ')}.`);

const home = await mkdtemp(join(tmpdir(), 'nightkeep-bench-'));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(home, { recursive: true, force: true }));
const { url } = opened.use(await startEmbeddedDatabase(join(home, 'postgres')));
await migrate(url);
const database = opened.adopt(await openDatabase(url), (one) => one.$disconnect());
const provider = opened.use(await start(2 * Math.max(...counts) * grantsOfWorker));
await insertCrowd(database, { grants: 10_000, due: 0 });
await insertHistory(database, 10);
const people = await enrol(provider, database);

const rates: Record<string, { bare: number[]; ours: number[]; statements: number[] }> = {};
for (let round = 0; round < rounds; round += 1) {
  for (const count of counts) {
    const name = String(count);
    const row = rates[name] ?? { bare: [], ours: [], statements: [] };
    rates[name] = row;
    row.bare.push(
      await bareRefreshes(provider, people.bare.slice(0, count * grantsOfWorker), { lanes: count * atOnce, ms }),
    );
    const ours = await runWorkers(count);
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
const sweep = await timeSweeps(database);
if (values.json !== true) {
  console.table(workers);
  console.table(sweep);
}
console.log(JSON.stringify({ provider: values.provider, ratio: workers['4']?.ratio, workers, sweep }));
await opened.disposeAsync();

/** Starts the workers, lets them begin together once all are warm, and adds up what they did. */
async function runWorkers(count: number): Promise<{ rate: number; statements: number }> {
  // As autovacuum leaves it in a database that has been in use for a while.
  await database.$executeRaw`VACUUM ANALYZE`;
  const children = Array.from({ length: count }, (_, index) => {
    const order: WorkerOrder = {
      grantIds: people.grants.slice(index * grantsOfWorker, (index + 1) * grantsOfWorker),
      lanes: atOnce,
      databaseUrl: url,
      ms,
      keyring: people.keyring,
      spool: join(home, `spool-${index}`),
      provider,
    };
    const child = fork(join(import.meta.dirname, 'exchange', 'worker.ts'), { serialization: 'json' });
    child.send(order);
    return child;
  });
  await Promise.all(children.map((child) => once(child, 'message')));
  const results = children.map(async (child): Promise<WorkerResult> => {
    const answered = once(child, 'message');
    child.send('go');
    const [result] = await answered;
    return result;
  });
  const done = await Promise.all(results);
  const sum = (of: (result: WorkerResult) => number) => done.reduce((total, result) => total + of(result), 0);
  return {
    rate: sum(({ exchanges, elapsedMs }) => (exchanges / elapsedMs) * 1000),
    statements: sum((one) => one.statements) / sum((one) => one.exchanges),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
