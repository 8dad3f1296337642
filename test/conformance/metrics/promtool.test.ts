import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPages, type Pages } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';
import { requireProgram } from '../../support/servers/programs.ts';

const promtool = requireProgram('promtool', 'apt-get install --no-install-recommends prometheus') ?? '';
const rules = 'deploy/prometheus/nightkeep.rules.yml';
const run = promisify(execFile);

describe.skipIf(promtool === '')('by Prometheus’ own tool', () => {
  let pages: Pages;
  let scraped = '';
  beforeAll(async () => {
    pages = await openPages();
    await pages.consented();
    const { database, clock } = pages.resources;
    await database.run.updateMany({ data: { state: 'succeeded', finishedAt: clock.now() } });
    await database.grant.updateMany({ data: { maxDeadline: new Date(clock.now().getTime() + 86_400_000) } });
    const circuit = { issuer: 'https://id.example/', clientId: 'nightkeep', reason: 'jump', openedAt: clock.now() };
    await database.circuit.create({ data: { ...circuit, open: true, nextProbeAt: clock.now() } });
    const metricsToken = 'x'.repeat(32);
    const { send } = openVisitor({ ...pages.resources, config: { ...pages.resources.config, metricsToken } });
    scraped = await (await send('/metrics', { headers: { authorization: `Bearer ${metricsToken}` } })).text();
  });
  afterAll(() => pages?.[Symbol.asyncDispose]());

  test('the metrics are well formed, named by its conventions, and each explained', () => {
    const { status, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: scraped, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('the alert rules are valid, and fire when they should and not before', async () => {
    expect((await run(promtool, ['check', 'rules', rules])).stdout).toContain('SUCCESS');
    expect((await run(promtool, ['test', 'rules', 'deploy/prometheus/nightkeep.rules.test.yml'])).stdout).toContain(
      'SUCCESS',
    );
  });

  test('the alert rules ask for no metric that is not told', async () => {
    const asked = new Set((await readFile(rules, 'utf8')).match(/\bnightkeep_\w+/g));
    const told = new Set(scraped.match(/^nightkeep_\w+/gm));
    expect([...asked].filter((name) => !told.has(name))).toEqual([]);
    expect(asked.size).toBeGreaterThan(5);
  });
});
