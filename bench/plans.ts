/**
 * Measures what many plans cost although nothing is done for them: what workers do on time, and what pages, metrics and status tell.
 * `node bench/plans.ts [--json] [--plans 10000,100000,1000000] [--nights N] [--only PATTERN] [--folder F] [--forget]`;
 * `--only pages`: what operators look at, on pages and by commands. `--only verbs`: what is asked now and then, a verb of the database each. `--forget`: what it takes to delete all records that have an age, at last.
 *
 * - The tables are filled by SQL with a night that is half over (test/support/fixtures/many-plans.ts): of 240 plans one is due each minute.
 *   Rows carry no seals, since what is measured here looks through tables and opens nothing; what opens a row pays for its seal then, once
 *   a run: that is in `bench:exchange` and `bench:night`.
 * - The PostgreSQL is the embedded one with 1 GB of shared buffers and the statistics of a fresh VACUUM ANALYZE; the queue is in it.
 * - Filling a million plans takes minutes: `--folder` keeps the tables that were filled there and measures in a copy of them the next time.
 * - Of each: milliseconds, processor milliseconds of PostgreSQL (where there is /proc) and of this process, megabytes of write-ahead log, statements, and the rows and
 *   pages of 8 KB that PostgreSQL read for them, by EXPLAIN (ANALYZE, BUFFERS) of each distinct statement afterwards.
 * - Of the planner it is the one in the middle of three minutes, one after the other.
 * - What a worker does on time is also given in core-seconds for each 1,000 plans, if it is done as often as it is in a day.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config/config.ts';
import { type Login, prepareRoles } from '../src/database/server/embedded-roles.ts';
import { startServer, superuser, superuserPassword } from '../src/database/server/embedded-server.ts';
import { migrate } from '../src/database/server/migrate.ts';
import { dayMs } from '../src/durations.ts';
import { forgetOldRecords } from '../src/flows/records/forget-old-records.ts';
import { silentLog } from '../src/log.ts';
import { openResources } from '../src/resources.ts';
import { fillWithPlans } from '../test/support/fixtures/many-plans.ts';
import {
  explain,
  type Sent,
  statementsOf,
  stepsOf,
  unlessDoneBefore,
} from '../test/support/fixtures/sent-statements.ts';
import { commandsToLookAt, duties, pagesToLookAt, type StandingWork } from '../test/support/harness/standing-work.ts';
import { verbs } from '../test/support/harness/verbs.ts';
import { postgresMs } from './plans/processor-time.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    plans: { type: 'string', default: '10000,100000,1000000' },
    nights: { type: 'string', default: '1' },
    only: { type: 'string' },
    folder: { type: 'string' },
    forget: { type: 'boolean' },
  },
});
const sizes = options.plans.split(',').map(Number);
const nights = Number(options.nights);
const say = (text: string) => process.stderr.write(`${text}\n`);
const at = new Date('2026-05-04T01:00:30Z');
const owner = { role: 'bench_owner', password: 'bench' };
const service = { role: 'bench_service', password: 'bench' };
const keyring = `one:${Buffer.alloc(32, 1).toString('base64url')}`;

/** The first time is told too where it takes so long: figures of everybody are counted then, and kept. */
const slowMs = 5_000;
/** It takes as long again. Of all else the second time is told: it is compiled and in memory then. */
const doneOnce = ['nightkeep protection'];

interface Cost {
  readonly ms: number;
  readonly postgresMs: number | undefined;
  readonly ownMs: number;
  /** Written to the write-ahead log, in megabytes. */
  readonly walMb: number;
  readonly statements: number;
  readonly rows: number;
  readonly pages: number;
  /** For each 1,000 plans, of PostgreSQL and this process together, if it is done as often as in a day. */
  readonly coreSecondsADay?: number;
}

const all: Record<string, Record<string, Cost>> = {};
for (const plans of sizes) {
  all[plans] = await measureSize(plans);
  if (options.json !== true) console.table(all[plans]);
}
console.log(JSON.stringify({ nights, plans: all }));
process.exit();

async function measureSize(plans: number): Promise<Record<string, Cost>> {
  await using opened = new AsyncDisposableStack();
  const home = options.folder ?? (await mkdtemp(join(tmpdir(), 'nightkeep-bench-')));
  if (options.folder === undefined) opened.defer(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'postgres');
  const { urlOf } = opened.use(
    await startServer(folder, { max_connections: '100', shared_buffers: '1GB', max_wal_size: '8GB' }),
  );
  const urlIn = (name: string, { role, password }: Login) => {
    const url = new URL(urlOf(role, password));
    url.pathname = `/${name}`;
    return url.href;
  };
  const configOf = (name: string) => readConfig(settings(urlIn(name, service), join(home, 'data')));
  const administrator = { role: superuser, password: await superuserPassword(folder) };
  await using maintenance = await connect(urlOf(administrator.role, administrator.password));
  const filled = `filled_${plans}_${nights}`;
  const { rowCount } = await maintenance.client.query('SELECT FROM pg_database WHERE datname = $1', [filled]);
  if (rowCount === 0) {
    await maintenance.client.query('DROP DATABASE IF EXISTS filling');
    await maintenance.client.query('CREATE DATABASE filling');
    await prepareRoles(urlIn('filling', administrator), { owner, service });
    await maintenance.client.query(`GRANT CREATE ON DATABASE filling TO ${owner.role}, ${service.role}`);
    await migrate(urlIn('filling', owner));
    // The first start believes rows that have no seal, and seals them: here there are none yet.
    await (await openResources(configOf('filling'), { clock: systemClock(), log: silentLog }))[Symbol.asyncDispose]();
    await fill(urlIn('filling', administrator), plans);
    await maintenance.client.query(`ALTER DATABASE filling RENAME TO ${filled}`);
  }
  await maintenance.client.query('DROP DATABASE IF EXISTS measured');
  await maintenance.client.query(`CREATE DATABASE measured TEMPLATE ${filled} STRATEGY FILE_COPY`);
  await maintenance.client.query(`GRANT CREATE ON DATABASE measured TO ${owner.role}, ${service.role}`);
  await migrate(urlIn('measured', owner));
  await using measured = await connect(urlIn('measured', administrator));
  const { client } = measured;
  await client.query('VACUUM ANALYZE');
  const later = { ms: 0 };
  await using resources = await openResources(configOf('measured'), { clock: atNight(later), log: silentLog });
  const { rows } = await client.query(`SELECT id FROM users WHERE subject = '5'`);
  const costs: Record<string, Cost> = {};
  const pages = [...(await pagesToLookAt(resources, rows[0].id)), ...commandsToLookAt(resources)];
  const tell = (name: string, cost: Cost) => {
    costs[name] = cost;
    say(`${plans} plans, ${name}: ${JSON.stringify(cost)}`);
  };
  const sets: Record<string, readonly StandingWork[]> = { pages, verbs: verbs(resources) };
  const set = sets[options.only ?? ''];
  const isWanted = ({ name }: StandingWork) => set !== undefined || new RegExp(options.only ?? '').test(name);
  for (const work of (set ?? [...duties(resources), ...pages]).filter(isWanted)) {
    if (work.name === 'planner') {
      const minutes: Cost[] = [];
      for (; minutes.length < 3; later.ms += 60_000) minutes.push(await measureOne(work, { client, folder, plans }));
      for (const [index, cost] of minutes.entries())
        say(`${plans} plans, planner, minute ${index + 1}: ${JSON.stringify(cost)}`);
      const processorMs = ({ postgresMs: ofPostgres = 0, ownMs }: Cost) => ofPostgres + ownMs;
      const [, middle] = minutes.toSorted((one, other) => processorMs(one) - processorMs(other));
      if (middle !== undefined) tell(work.name, middle);
      continue;
    }
    const first = await measureOne(work, { client, folder, plans });
    if (first.ms > slowMs) tell(`${work.name}, first`, first);
    if (!doneOnce.includes(work.name) && options.only !== 'verbs')
      tell(work.name, await measureOne(work, { client, folder, plans }));
    else if (first.ms <= slowMs) tell(work.name, first);
  }
  if (options.forget === true) {
    await client.query(`UPDATE runs SET snapshot_forgotten_at = finished_at WHERE snapshot_id IS NOT NULL`);
    await client.query(`UPDATE repositories SET pruned_at = '${at.toISOString()}'`);
    await client.query('VACUUM ANALYZE');
    const later = systemClock(() => at.getTime() + 500 * dayMs - Date.now());
    const old = { ...resources, clock: later, log: silentLog };
    let gone = {};
    const work = async () => {
      gone = await forgetOldRecords(old);
    };
    tell(`all records, 500 days later`, await measureOne({ name: '', work }, { client, folder, plans }));
    say(`${plans} plans, they were: ${JSON.stringify(gone)}`);
  }
  return costs;
}

/** Goes on from the middle of the night, and so much later. */
function atNight(later: { readonly ms: number }) {
  const begun = Date.now();
  return systemClock(() => at.getTime() - begun + later.ms);
}

async function connect(connectionString: string): Promise<AsyncDisposable & { client: pg.Client }> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}

/** Without indexes and checks of foreign keys, which are there again afterwards. */
async function fill(url: string, plans: number): Promise<void> {
  await using connection = await connect(url);
  const { client } = connection;
  const begin = performance.now();
  await client.query(`SET session_replication_role = replica`);
  await client.query(`SET synchronous_commit = off`);
  await client.query(`SET maintenance_work_mem = '512MB'`);
  const { rows } = await client.query<{ name: string; definition: string }>(`
    SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexdef NOT LIKE '%UNIQUE%'`);
  for (const { name } of rows) await client.query(`DROP INDEX "${name}"`);
  for (const statement of fillWithPlans({ plans, nights, at })) await client.query(statement);
  for (const { definition } of rows) await client.query(definition);
  // No trigger was asked.
  await client.query('SELECT count_tallies()');
  await client.query('VACUUM ANALYZE');
  await client.query('CHECKPOINT');
  say(`${plans} plans: filled in ${Math.round((performance.now() - begin) / 1000)} s`);
}

function settings(databaseUrl: string, dataFolder: string): Record<string, string> {
  return {
    OIDC_ISSUER: 'https://idp.example',
    OIDC_CLIENT_ID: 'nightkeep',
    OIDC_CLIENT_SECRET: 'bench',
    FILES_URL: 'https://cloud.example/{sub}/',
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataFolder,
    STORE_URL: `file://${dataFolder}/store`,
    KEYRING: keyring,
    SMTP_URL: 'smtp://127.0.0.1:9',
    MAIL_FROM: 'nightkeep@example.org',
    OPERATOR_MAIL: 'operators@example.org',
    STATE_EXPORTS: '0',
  };
}

interface Measured {
  client: pg.Client;
  folder: string;
  plans: number;
}

async function measureOne({ everySeconds, work }: StandingWork, { client, folder, plans }: Measured): Promise<Cost> {
  const wal = async () => Number((await client.query(`SELECT pg_current_wal_insert_lsn() - '0/0' AS at`)).rows[0].at);
  const before = { postgres: postgresMs(join(folder, 'data')), own: process.cpuUsage(), wal: await wal() };
  const begin = performance.now();
  const sent = await statementsOf(work);
  const ms = performance.now() - begin;
  const { user, system } = process.cpuUsage(before.own);
  const after = postgresMs(join(folder, 'data'));
  const ofPostgres = before.postgres === undefined || after === undefined ? undefined : after - before.postgres;
  const own = (user + system) / 1000;
  const walMb = Math.round(((await wal()) - before.wal) / 1e5) / 10;
  const { rows, pages } = await readBy(client, sent);
  return {
    walMb,
    ms: Math.round(ms),
    postgresMs: ofPostgres,
    ownMs: Math.round(own),
    statements: sent.length,
    rows,
    pages,
    ...(everySeconds !== undefined && {
      coreSecondsADay: round3((((ofPostgres ?? 0) + own) / plans) * (86_400 / everySeconds)),
    }),
  };
}

/** The rows that PostgreSQL reads for these statements, those that it leaves out included, and the pages of 8 KB. */
async function readBy(client: pg.Client, sent: readonly Sent[]): Promise<{ rows: number; pages: number }> {
  let [rows, pages] = [0, 0];
  for (const [, same] of Map.groupBy(
    sent.filter(({ text }) => !/\b(bullmq|nightkeep)\b\./.test(text)),
    ({ text }) => text,
  )) {
    const [first] = same;
    if (first === undefined) continue;
    const plan = await explain(client, first, 'analyze').catch(unlessDoneBefore);
    if (plan === undefined) continue;
    const leaves = stepsOf(plan).filter(
      (step) => step['Relation Name'] !== undefined || step['Index Name'] !== undefined,
    );
    const read = leaves.reduce(
      (sum, step) =>
        sum +
        ((step['Actual Rows'] ?? 0) +
          (step['Rows Removed by Filter'] ?? 0) +
          (step['Rows Removed by Index Recheck'] ?? 0)) *
          (step['Actual Loops'] ?? 1),
      0,
    );
    rows += Math.round(read * same.length);
    pages += ((plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0)) * same.length;
  }
  return { rows, pages };
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
