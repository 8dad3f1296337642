import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listGrantsToExchange } from '../../../src/database/consent/grants.ts';
import { listProtectionFactsAfter, listProtectionFactsByName } from '../../../src/database/notices/protection.ts';
import { listPeople } from '../../../src/database/people/people.ts';
import { listRepositoryPlaces } from '../../../src/database/repositories/repository-moves.ts';
import { batchesDue } from '../../../src/flows/custody/keep-alive.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import {
  explain,
  type PlanStep,
  type Sent,
  statementsOf,
  stepsOf,
  unlessDoneBefore,
} from '../../support/fixtures/sent-statements.ts';
import { openPages, type Pages } from '../../support/harness/pages.ts';
import { commandsToLookAt, duties, pagesToLookAt, type StandingWork } from '../../support/harness/standing-work.ts';
import { verbs } from '../../support/harness/verbs.ts';

const calls = await vi.hoisted(async () => {
  vi.resetModules();
  const { watchCalls } = await import('../../support/fixtures/called-functions.ts');
  return watchCalls();
});

/** Enough that PostgreSQL knows which columns tell rows apart. */
const plans = 2_400;

/** The tables that grow with people and nights. */
const growing = [
  ...[
    'audit',
    'consents',
    'events',
    'exchange_tallies',
    'exchanges',
    'grants',
    'notices',
    'plans',
    'repositories',
    'run_tallies',
    'runs',
    'token_generations',
  ],
  ...['users', 'verifications', 'web_sessions'],
];

let pages: Pages;
let client: pg.Client;
let userId: string;
/** Indexes of a few rows of their table. */
const partial = new Set<string>();
beforeAll(async () => {
  pages = await openPages();
  const { clock, database } = pages.resources;
  for (const statement of fillWithPlans({ plans, nights: 2, at: clock.now() }))
    await database.$executeRawUnsafe(statement);
  await database.$executeRawUnsafe('ANALYZE');
  ({ id: userId } = await database.user.findFirstOrThrow({ where: { subject: '5' } }));
  client = new pg.Client({ connectionString: pages.databaseUrl });
  await client.connect();
  const { rows } = await client.query("SELECT indexname AS name FROM pg_indexes WHERE indexdef LIKE '% WHERE %'");
  for (const { name } of rows) partial.add(name);
  // Of a small table all is read at once where that is cheaper. It must not be the only way.
  await client.query('SET enable_seqscan = off');
});
afterAll(async () => {
  await calls[Symbol.asyncDispose]();
  await client.end();
  await pages[Symbol.asyncDispose]();
});

/** Where a statement asks a value itself, as in `$1 IS NULL OR …`: PostgreSQL plans it by the answer. */
const switches = /\$(\d+)(?:::\w+)? IS NULL|(?:NOT|AND) \$(\d+)(?= (?:OR|AND)\b|$)/g;
/** Of each such place in each statement that was sent: the answers there were. */
const answers = new Map<string, Set<boolean>>();

/** Of what was sent each statement once, and again where values switch parts of it another way. */
function shapesOf(all: readonly Sent[]): readonly Sent[] {
  const shapes = new Map<string, Sent>();
  for (const sent of all) {
    const answered = [...sent.text.matchAll(switches)].map(([words, asked, switched]) => {
      const value = sent.values[Number(asked ?? switched) - 1];
      if (asked === undefined && typeof value !== 'boolean') return null;
      const answer = asked === undefined ? value === true : value === null;
      const place = `${words} of ${sent.text.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
      answers.set(place, (answers.get(place) ?? new Set()).add(answer));
      return answer;
    });
    shapes.set(JSON.stringify([sent.text, answered]), sent);
  }
  return [...shapes.values()];
}

/** The growing tables that a statement of this work goes through from end to end. */
async function goesThroughAll({ work }: StandingWork): Promise<string[]> {
  const found = new Set<string>();
  for (const sent of shapesOf(await statementsOf(work)))
    for (const table of wholeReads(await explain(client, sent, 'plan'))) found.add(table);
  return [...found].toSorted();
}

/** The growing tables of which a statement of this work reads most rows, by whatever index, or would go through from end to end. */
async function readsMost({ work }: StandingWork): Promise<string[]> {
  const found = new Set<string>();
  for (const sent of shapesOf(await statementsOf(work))) {
    const plan =
      (await explain(client, sent, 'analyze').catch(unlessDoneBefore)) ?? (await explain(client, sent, 'plan'));
    for (const table of growing) if (rowsRead(plan, table) > plans / 2) found.add(table);
    for (const table of wholeReads(plan)) found.add(table);
  }
  return [...found].toSorted();
}

function wholeReads(step: PlanStep, { isLimited = false } = {}): string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '', Plans: below = [] } = step;
  const isWalk = /^Index/.test(type) && step['Index Cond'] === undefined && !isLimited && !partial.has(index);
  const inside = below.flatMap((each) => wholeReads(each, { isLimited: isLimited || type === 'Limit' }));
  return (type === 'Seq Scan' || isWalk) && growing.includes(table) ? [table, ...inside] : inside;
}

/** What is read whole although nothing says that it may be. */
function beyond(
  found: Readonly<Record<string, readonly string[]>>,
  known: Readonly<Record<string, readonly string[]>>,
): Record<string, string[]> {
  const others = Object.entries(found).map(([name, tables]): [string, string[]] => [
    name,
    tables.filter((table) => !known[name]?.includes(table)),
  ]);
  return Object.fromEntries(others.filter(([, tables]) => tables.length > 0));
}

test('nothing that workers do on time goes through all of a table that grows', async () => {
  const mail = { url: 'smtp://127.0.0.1:9', from: 'nightkeep@example.org' };
  const config = { ...pages.resources.config, mail, operatorMail: 'operators@example.org' };
  const found: Record<string, string[]> = {};
  for (const work of duties({ ...pages.resources, config })) found[work.name] = await goesThroughAll(work);
  expect(
    beyond(found, {
      // Once an hour, what there is of each minute of 60 days, however many people there are.
      'old records': ['exchange_tallies', 'run_tallies'],
      // The busiest hours to come, which are kept for a hundred times as long as it took to find them.
      notices: ['grants', 'plans'],
    }),
  ).toEqual({});
});

/** Figures of everybody are counted by going through everybody: one at a time, and kept for a hundred times as long as that took. */
const countedOnce: Readonly<Record<string, readonly string[]>> = {
  '/operator': ['grants', 'plans'],
  '/operator/grants': ['grants'],
};

test('nor does a page, or a check of the doctor, where figures of everybody are kept', async () => {
  const { clock, database } = pages.resources;
  // The duties before may have counted, and kept what was dear on a busy machine.
  await database.keptFigure.deleteMany();
  let elapsed = 0;
  const resources = { ...pages.resources, clock: { ...clock, elapsed: () => (elapsed += 1_000) } };
  const [first, second]: Record<string, string[]>[] = [{}, {}];
  for (const found of [first, second])
    for (const work of [...(await pagesToLookAt(resources, userId)), ...commandsToLookAt(resources)])
      if (!readsAll.includes(work.name) && found !== undefined) found[work.name] = await goesThroughAll(work);
  expect(beyond(first ?? {}, countedOnce)).toEqual({});
  expect(beyond(second ?? {}, {})).toEqual({});
  // Which of them the planner reads whole differs. They were counted, and kept.
  const kept = await database.keptFigure.findMany({ select: { name: true } });
  expect(kept.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['busiest hours', 'people by verdict', 'to come', 'trouble']),
  );
});

/** They answer with a row for each person, so many in memory at once as a page has. */
const readsAll = ['nightkeep grants', 'nightkeep users', 'nightkeep protection'];

/** Rows of a table that were looked at, whether they were what was asked for or not. */
function rowsRead(step: PlanStep, table: string): number {
  return stepsOf(step)
    .filter((one) => one['Relation Name'] === table)
    .map(({ 'Actual Rows': rows = 0, 'Actual Loops': loops = 1, ...removed }) => {
      const { 'Rows Removed by Filter': filtered = 0, 'Rows Removed by Index Recheck': rechecked = 0 } = removed;
      return loops * (rows + filtered + rechecked);
    })
    .reduce((sum, rows) => sum + rows, 0);
}

test('the next run is found without looking at all that wait', async () => {
  const { clock, database } = pages.resources;
  const after = new Date(clock.now().getTime() - 1_000);
  const isWaiting = { state: 'queued' as const, dueAt: { lte: clock.now() } };
  const few = await database.run.count({ where: isWaiting });
  await database.$executeRaw`
    INSERT INTO runs (id, plan_id, host, night, slot, trigger, state, due_at, turn_at, queued_at)
    SELECT gen_random_uuid(), id, 'cloud' || row_number() OVER () % 16 || '.example', '2000-01-01', 'many', 'schedule', 'queued', ${after}, ${after}, ${after}
    FROM plans`;
  expect(await database.run.count({ where: isWaiting })).toBe(few + plans);
  for (const name of ['next run', 'give way']) {
    const work = duties(pages.resources).find((one) => one.name === name)?.work;
    const [found] = (await statementsOf(async () => work?.())).filter(({ text }) => text.includes("state = 'queued'"));
    if (found === undefined) throw new Error('It was not asked which is next.');
    expect(rowsRead(await explain(client, found, 'analyze'), 'runs')).toBeLessThan(500);
  }
  await database.run.deleteMany({ where: { slot: 'many' } });
});

test('of consents that are due the next are found without looking at others, in the index neither', async () => {
  const { clock, database } = pages.resources;
  const due = await database.grant.findMany({ where: { state: 'active' }, orderBy: { id: 'asc' }, take: 60 });
  const at = new Date(clock.now().getTime() - 60_000);
  await database.grant.updateMany({ where: { id: { in: due.map(({ id }) => id) } }, data: { nextExchangeAt: at } });
  await database.$executeRaw`ANALYZE grants`;
  const ends = due.toSorted((one, other) => one.idleDeadline.getTime() - other.idleDeadline.getTime());
  const sparingRunsUntil = new Date(at.getTime() + 3_600_000);
  const [sent] = await statementsOf(() =>
    listGrantsToExchange(database, { at, limit: 20, after: ends[20], sparingRunsUntil }),
  );
  if (sent === undefined) throw new Error('Nothing was asked.');
  const steps = stepsOf(await explain(client, sent, 'analyze'));
  const looked = steps.filter((step) => step['Index Name']?.startsWith('grants_'));
  expect(looked.length).toBeGreaterThan(0);
  for (const { 'Actual Rows': rows = 0, 'Index Name': index } of looked)
    expect(`${index}: ${rows > 60 ? rows : 'few'}`).toBe(`${index}: few`);
});

test('of many consents that are due a sweep looks at each as it lists them, and again as its turn comes, whoever exchanged it meanwhile', async () => {
  const { clock, database } = pages.resources;
  const active = await database.grant.findMany({ where: { state: 'active' }, orderBy: { id: 'asc' } });
  const many = active.slice(0, 1_000);
  const chosen = { id: { in: many.map(({ id }) => id) } };
  const later = { nextExchangeAt: new Date(clock.now().getTime() + 60_000) };
  await database.grant.updateMany({ where: { state: 'active' }, data: later });
  await database.grant.updateMany({ where: chosen, data: { nextExchangeAt: clock.now() } });
  const running = { state: 'running' as const, plan: { grant: chosen } };
  const atWork = await database.run.findMany({ where: running, include: { plan: true } });
  const spared = new Set(atWork.map(({ plan }) => plan.grantId));
  expect(spared.size).toBeGreaterThan(0);
  await database.$executeRaw`ANALYZE grants`;
  const found: string[] = [];
  const sent = await statementsOf(async () => {
    for await (const due of batchesDue(pages.resources, { endsAccessTokens: true }))
      found.push(...due.map(({ id }) => id));
  });
  expect(found.toSorted()).toEqual(many.map(({ id }) => id).filter((id) => !spared.has(id)));
  const ends = found.map((id) => many.find((one) => one.id === id)?.idleDeadline.getTime() ?? 0);
  expect(ends).toEqual(ends.toSorted((one, other) => one - other));
  let rows = 0;
  for (const each of sent) rows += rowsRead(await explain(client, each, 'analyze'), 'grants');
  expect(rows).toBeGreaterThan(1_500);
  expect(rows).toBeLessThan(2_100);
  const sizes: number[] = [];
  for await (const due of batchesDue(pages.resources, {})) {
    sizes.push(due.length);
    if (sizes.length === 2) await database.grant.updateMany({ where: chosen, data: later });
  }
  expect(sizes).toEqual([1, 200, 0, 0, 0, 0]);
  for (const { id, nextExchangeAt } of active)
    await database.grant.updateMany({ where: { id }, data: { nextExchangeAt } });
});

test('the few people of a state are found without looking at all others', async () => {
  const { database } = pages.resources;
  await database.$executeRaw`UPDATE grants SET state = 'suspect' WHERE id IN (SELECT id FROM grants WHERE state = 'active' ORDER BY id LIMIT 3)`;
  await database.$executeRaw`ANALYZE grants`;
  let found: readonly { readonly state: string | null }[] = [];
  const [sent] = await statementsOf(async () => {
    found = await listPeople(database, { state: 'suspect', limit: 51 });
  });
  expect(found.map(({ state }) => state)).toEqual(['suspect', 'suspect', 'suspect']);
  if (sent === undefined) throw new Error('Nobody was asked for.');
  const plan = await explain(client, sent, 'analyze');
  expect(rowsRead(plan, 'users')).toBeLessThan(100);
  expect(rowsRead(plan, 'grants')).toBeLessThan(100);
});

test('people are found by a part of a name without looking at all names, with other conditions too, and by their id', async () => {
  const { database } = pages.resources;
  // So few names are read sooner than the index of their parts.
  await client.query('SET enable_indexscan = off');
  for (const asked of [
    { search: 'erson1999' },
    { search: 'ERSON1999', state: 'active' as const },
    { search: userId },
  ]) {
    let found: readonly { readonly id: string }[] = [];
    const [sent] = await statementsOf(async () => {
      found = await listPeople(database, { ...asked, limit: 51 });
    });
    expect(found.map(({ id }) => id)).toEqual([asked.search === userId ? userId : expect.any(String)]);
    if (sent === undefined) throw new Error('Nobody was asked for.');
    const plan = await explain(client, sent, 'analyze');
    for (const table of ['users', 'grants', 'plans']) expect(rowsRead(plan, table)).toBeLessThan(50);
  }
  await client.query('RESET enable_indexscan');
});

test('of repositories, a page at a time, no page looks at those before', async () => {
  const { database } = pages.resources;
  const [first, last] = await listRepositoryPlaces(database, { limit: 1_000 }).then((all) => [all[0], all.at(-100)]);
  const [sent] = await statementsOf(() => listRepositoryPlaces(database, { after: last, limit: 20 }));
  if (sent === undefined || first === last) throw new Error('Nothing was asked.');
  const plan = await explain(client, sent, 'analyze');
  for (const table of ['users', 'repositories']) expect(rowsRead(plan, table), table).toBeLessThan(100);
});

test('of everybody, a batch at a time, no batch looks at people of those before', async () => {
  const { database } = pages.resources;
  const nobody = '00000000-0000-0000-0000-000000000000';
  const limit = 100;
  const [first, middle] = [nobody, '80000000-0000-0000-0000-000000000000'];
  const named = await database.user.findFirstOrThrow({ where: { username: 'person5' } });
  const last = { userId: named.id, username: named.username, subject: named.subject };
  for (const read of [
    () => listProtectionFactsAfter(database, { after: first, limit }),
    () => listProtectionFactsAfter(database, { after: middle, limit }),
    () => listProtectionFactsByName(database, { after: last, limit }),
  ]) {
    const [sent] = await statementsOf(read);
    if (sent === undefined) throw new Error('Nobody was asked for.');
    const plan = await explain(client, sent, 'analyze');
    for (const table of ['users', 'grants', 'plans', 'repositories', 'verifications'])
      expect(`${table}: ${Math.ceil(rowsRead(plan, table) / (table === 'plans' ? 2 : 1) / limit)}`).toBe(`${table}: 1`);
  }
});

/** What is asked for seldom, of all there are, and why it has to look at all. */
const ofEverybody: Readonly<Record<string, readonly string[]>> = {
  // Commands that list them, or are about all of them.
  countCards: ['repositories'],
  countSealed: ['grants', 'plans', 'repositories', 'token_generations', 'users'],
  eachGrant: ['grants'],
  'eachGrant of a state': ['grants'],
  forecastUnusedEnds: ['grants'],
  listIssuers: ['users'],
  listKnownPlaces: ['repositories'],
  listLatestGrants: ['grants'],
  listPlansAt: ['plans'],
  eachPlanForCommand: ['grants', 'plans', 'users'],
  eachRepositoryPlace: ['repositories', 'users'],
  'listSealed, DPoP keys': ['grants'],
  'listSealed, people': ['users'],
  'listSealed, plans': ['plans'],
  'listSealed, recovery keys': ['repositories'],
  'listSealed, repository passwords': ['repositories'],
  'listSealed, requests to erase': ['repositories'],
  'listSealed, retention rules': ['plans'],
  // The doctor: whether all are there, and of the latest 100,000 exchanges and tokens.
  countGrantsByIssuer: ['grants'],
  countGrantsOfOtherClients: ['grants'],
  countPlansByAddress: ['grants', 'plans'],
  'countPlansByAddress of all, withdrawn or not': ['grants', 'plans'],
  inspectRotation: ['exchanges'],
  inspectWindows: ['consents', 'exchanges', 'grants', 'token_generations'],
  listMadeRepositories: ['repositories'],
  // Figures of each repository, where METRICS_RESTIC asks for them.
  measureRepositories: ['plans', 'repositories', 'runs', 'verifications'],
  // Some of all: those of whom nights failed, of so few plans.
  listPlansInTrouble: ['plans'],
  // The first that is not elsewhere, once a night: nearly all are not.
  hasRepositoriesInStore: ['repositories'],
  // Who has no consent is no row of any index.
  'listPeople of a state that nobody has': ['grants', 'users'],
};

test('nor does any other query, except those about everybody', async () => {
  const found: Record<string, string[]> = {};
  for (const work of verbs(pages.resources)) found[work.name] = await readsMost(work);
  expect(beyond(found, ofEverybody)).toEqual({});
});

/**
 * They run before there is anything, read and write a whole installation, a table after the other, look for a server or start it, ask a table of
 * the queue, read what a row holds, or do in the background what is called here by itself.
 */
const otherwise = [
  ...['client.ts', 'connection.ts', 'embedded.ts', 'embedded-roles.ts', 'migrate.ts', 'schema-engine.ts', 'state.ts'],
  ...['inspect-server.ts isQueuePaused', 'run-progress.ts save', 'run-watch.ts check', 'users.ts readPerson'],
];

/** What sends statements, or is a part of one: of which rows they are, or what is written. */
const shapesStatement = /\$(query|execute)Raw|\bPrisma\.|\b(database|transaction)[.,)]|^(&&|\?|:) \{\s*[\w.}]/;

test('everything that shapes a statement had its turn here, so that the plan of each was looked at', async () => {
  const { functions, untaken } = await calls.among('/src/database/');
  expect(functions).toContain('protection.ts findProtectionFacts');
  const missing = untaken
    .filter(({ file, name }) => !otherwise.includes(file) && !otherwise.includes(`${file} ${name}`))
    .filter(({ text }) => shapesStatement.test(text))
    .map(({ file, line, name, text }) => `${file}:${line} ${name}: ${text.replaceAll(/\s+/g, ' ').slice(0, 80)}`);
  expect(missing).toEqual([]);
});

test('and every value that switches a part of a statement did so both ways', () => {
  expect(answers.size).toBeGreaterThan(5);
  const once = [...answers]
    .filter(([, each]) => each.size === 1)
    .map(([place, each]) => `${place}: always ${[...each]}`);
  expect(once).toEqual([]);
});

test('no member of what Prisma is asked is undefined, which would leave the condition out: the compiler takes none', () => {
  const { database } = pages.resources;
  // @ts-expect-error: exactOptionalPropertyTypes
  const ask = () => database.user.count({ where: { subject: undefined } });
  expect(ask).toBeTypeOf('function');
});
