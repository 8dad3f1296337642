import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import { openQueues } from '../../../src/queues/queues.ts';
import { readDashboard } from '../../support/fixtures/dashboard.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openPages } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';
import { requireProgram } from '../../support/servers/programs.ts';

const promtool = requireProgram('promtool', 'apt-get install --no-install-recommends prometheus') ?? '';
const rules = 'deploy/prometheus/nightkeep.rules.yml';
const run = promisify(execFile);

describe.skipIf(promtool === '')('by Prometheus’ own tool', () => {
  const opened = new AsyncDisposableStack();
  let scraped = '';
  beforeAll(async () => {
    const pages = opened.use(await openPages());
    await pages.consented();
    const { database, clock } = pages.resources;
    pages.resources.meters.exchanged({ provider: 'https://id.example/', verdict: 'ok' });
    await database.run.updateMany({ data: { state: 'succeeded', finishedAt: clock.now() } });
    await database.grant.updateMany({ data: { maxDeadline: new Date(clock.now().getTime() + 86_400_000) } });
    const circuit = { issuer: 'https://id.example/', clientId: 'nightkeep', reason: 'jump', openedAt: clock.now() };
    await database.circuit.create({ data: { ...circuit, open: true, nextProbeAt: clock.now() } });
    const { userId } = await database.grant.findFirstOrThrow();
    const at = clock.now();
    const repository = { userId, location: 'there', sealedPassword: Buffer.from('sealed'), keyId: 'key' };
    await database.repository.create({ data: { id: randomUUID(), ...repository, createdAt: at } });
    await database.verification.create({ data: { userId, since: at, nextAt: at, verifiedAt: at } });
    const metricsToken = 'x'.repeat(32);
    const postgresUrl = opened.use(await openTestDatabase({ empty: true })).url;
    const queues = opened.use(await openQueues({ postgresUrl, prefix: 'nightkeep', log: silentLog }));
    const { config } = pages.resources;
    // What the night needs is told where something is known of it.
    const provider = { ...config.provider, rate: { count: 1, spanMs: 1_000 } };
    const { send } = openVisitor({ ...pages.resources, queues, config: { ...config, metricsToken, provider } });
    scraped = await (await send('/metrics', { headers: { authorization: `Bearer ${metricsToken}` } })).text();
  });
  afterAll(() => opened.disposeAsync());

  test('the metrics are well formed, named by its conventions, and each explained', () => {
    const { stderr } = spawnSync(promtool, ['check', 'metrics'], { input: scraped, encoding: 'utf8' });
    // BullMQ's own name, which its users' dashboards ask for.
    expect(stderr).toMatch(/^bullmq_job_count .* should not have "_count" suffix\n$/);
  });

  test('the alert rules are valid, and fire when they should and not before', async () => {
    expect((await run(promtool, ['check', 'rules', rules])).stdout).toContain('SUCCESS');
    expect((await run(promtool, ['test', 'rules', 'deploy/prometheus/nightkeep.rules.test.yml'])).stdout).toContain(
      'SUCCESS',
    );
  });

  const told = () => new Set(scraped.match(/^\w+(?=[{ ])/gm));
  const untold = (asked: Set<string>) => [...asked].filter((name) => !told().has(name));
  const askedIn = (expressions: string) => new Set(expressions.match(/\b(nightkeep|bullmq|restic)_\w+/g));

  test('each metric is explained in the words for operators, and each that is explained there is told', async () => {
    const operations = await readFile('docs/operations.md', 'utf8');
    const explained = new Set(operations.match(/(?<=`)(nightkeep|bullmq)_\w+/g));
    const base = new Set([...told()].map((name) => name.replace(/(?<=_seconds)_(bucket|sum|count)$/, '')));
    const helps = new Set([...base].filter((name) => /^(nightkeep|bullmq)_/.test(name)));
    expect([...helps].toSorted()).toEqual([...explained].toSorted());
  });

  test('the alert rules ask for no metric that is not told', async () => {
    const asked = askedIn(await readFile(rules, 'utf8'));
    expect(untold(asked)).toEqual([]);
    expect(asked.size).toBeGreaterThan(10);
  });

  test('the dashboard asks for no metric that is not told, in expressions that Prometheus takes', async () => {
    const expressions = (await readDashboard()).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(untold(askedIn(expressions.join('\n')))).toEqual([]);
    const own = [...told()].filter((name) => name.startsWith('nightkeep_') && !/_(bucket|sum|count|info)$/.test(name));
    expect(own.filter((name) => !expressions.some((expr) => expr.includes(name)))).toEqual([]);
    const recorded = expressions.map((expr, index) => ({
      record: `expression:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*'),
    }));
    await using folder = await temporaryFolder('rules');
    const file = join(folder.path, 'rules.yml');
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: recorded }] }));
    const { status, stderr, stdout } = spawnSync(promtool, ['check', 'rules', file], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${expressions.length} rules found`);
  });
});
