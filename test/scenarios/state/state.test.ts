import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import type { Database } from '../../../src/database/client.ts';
import { exported } from '../../../src/database/state/state.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { exportState, importState } from '../../../src/flows/state/move-state.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import type { Resources } from '../../../src/resources.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { everyRow } from '../../support/fixtures/every-row.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type LostServer, openLostServer } from '../../support/harness/lost-server.ts';
import { keyLine } from '../../support/harness/settings.ts';

const by = 'command:test';
let server: LostServer;
let top: TemporaryFolder;
let from: string;
beforeEach(async () => {
  server = await openLostServer();
  top = await temporaryFolder('state');
  from = join(top.path, 'nightkeep.state');
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await top[Symbol.asyncDispose]();
});

/** Alice with two nights behind her, and Bob, who has withdrawn. */
async function someLife() {
  const rows = await server.before.consent(alice);
  for (let night = 0; night < 2; night += 1)
    expect(await server.before.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
  const { grant } = await server.before.consent(bob);
  await withdrawConsent(server.before.resources, { grantId: grant.id, by: 'user:bob', eraseAt: new Date() });
  return rows;
}
const save = ({ withTokens = false } = {}) => exportState(server.before.resources, { to: from, withTokens, by });

/** The rows of a table as they read, but for what an export says that it changes. */
async function rowsOf(database: Database, table: string): Promise<string[]> {
  const rows = await database.$queryRawUnsafe<{ row: string }[]>(
    `SELECT (to_jsonb(t) - '{card_digest,card_due_at,checkpoint}'::text[] ${table === 'events' || table === 'audit' ? "- 'id'" : ''})::text AS row FROM ${table} t`,
  );
  return rows.map(({ row }) => row).toSorted();
}

/** The tables that no export holds, and why. */
const leftOut: Readonly<Record<string, string>> = {
  rate_limits: 'they are of minutes',
  kept_figures: 'they are counted again',
  grant_tallies: 'triggers count them as the rows are written',
  run_tallies: 'triggers count them as the rows are written',
  exchange_tallies: 'triggers count them as the rows are written',
  web_sessions: 'people sign in again',
  run_progress: 'it is worth nothing once the process has gone that wrote it',
  state_exports: 'an installation makes its own',
};

test('every table of the database is exported, or left out for a reason', async () => {
  const tables = await server.before.resources.database.$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'`;
  const known = [...exported.map(({ table }) => table), ...Object.keys(leftOut)];
  expect(known.toSorted()).toEqual(tables.map(({ name }) => name).toSorted());
});

test('an export with tokens brings every row back as it was', async () => {
  await someLife();
  const saved = await save({ withTokens: true });
  const resources = await server.rebuild();
  expect(await importState(resources, { from, by })).toEqual(saved);
  for (const { table } of exported) {
    const [was, is] = [await rowsOf(server.before.resources.database, table), await rowsOf(resources.database, table)];
    expect(is).toEqual(expect.arrayContaining(was));
    if (table !== 'events' && table !== 'audit') expect(is).toEqual(was);
  }
  expect((await stat(from)).mode & 0o777).toBe(0o600);
  const bytes = await readFile(from, 'latin1');
  for (const secret of ['alice', 'grants', alice.subject]) expect(bytes).not.toContain(secret);
});

test('without tokens people agree again, and then the next night goes on with all that was before', async () => {
  const { grant, plan, user } = await someLife();
  await save();
  const resources = await server.rebuild();
  const keyring = await importAndOpen(resources);
  const { database } = resources;
  expect(await database.tokenGeneration.count({ where: { sealed: { not: null } } })).toBe(0);
  expect(await database.tokenGeneration.count({ where: { state: 'current' } })).toBe(0);
  const states = await database.grant.findMany({ orderBy: { user: { username: 'asc' } }, select: { state: true } });
  expect(states).toEqual([{ state: 'needs_consent' }, { state: 'withdrawn' }]);
  const again = { ...resources, keyring };
  const begun = await beginConsent(again, { returnTo: '/', terms: { said: 'every night' } });
  const callback = await server.before.custody.visit(begun.url, alice);
  const rows = await finishConsent(again, { callback, transaction: JSON.parse(JSON.stringify(begun.transaction)) });
  expect(rows).toMatchObject({ user: { id: user.id }, grant: { id: grant.id }, plan: { id: plan.id }, renewed: true });
  const runId = await requestRun(again, { planId: plan.id, trigger: 'person' });
  expect(await server.before.workOn(runId, again)).toMatchObject({
    state: 'succeeded',
    counts: { entriesRead: 0, entriesUnchanged: 2 },
  });
  expect(await database.run.count({ where: { planId: plan.id, state: 'succeeded' } })).toBe(3);
});

/** As the next start does. */
async function importAndOpen(resources: Resources) {
  await importState(resources, { from, by });
  return openKeyring(resources.database, parseKeyring(resources.config.keyring), new Date());
}

describe('nothing is written', () => {
  const refused = async (resources: Resources, error: object) => {
    const before = await everyRow(resources.database);
    await expect(importState(resources, { from, by })).rejects.toMatchObject(error);
    expect(await everyRow(resources.database)).toEqual(before);
  };

  test('with another keyring, which is named', async () => {
    await someLife();
    await save();
    const unknown = { code: 'keyring/invalid', message: expect.stringContaining('"one"') };
    await refused(await server.rebuild(keyLine('other')), unknown);
    await refused(await server.rebuild(keyLine('one')), { code: 'keyring/invalid' });
  });

  test('into a database that is in use', async () => {
    await someLife();
    await save();
    await refused(server.before.resources, { code: 'request/invalid', message: expect.stringContaining('in use') });
    const resources = await server.rebuild();
    await importState(resources, { from, by });
    await refused(resources, { code: 'request/invalid', message: expect.stringContaining('in use') });
  });

  test('of a file that was cut off, altered, put together anew, or is no export', async () => {
    await someLife();
    await save();
    const whole = await readFile(from);
    const resources = await server.rebuild();
    const ends = endsOf(whole);
    expect(ends.length).toBeGreaterThan(10);
    for (const end of [...ends.slice(0, -1), ...ends.map((at) => at - 1), 10, 0]) {
      await writeFile(from, whole.subarray(0, end));
      await refused(resources, { code: 'request/invalid' });
    }
    for (const end of ends.slice(1)) {
      const altered = Buffer.from(whole);
      altered[end - 1] = (altered[end - 1] ?? 0) ^ 1;
      await writeFile(from, altered);
      await refused(resources, { code: expect.stringMatching(/^(seal\/broken|keyring\/invalid)$/) });
    }
    const [, first = 0, second = 0, third = 0] = ends;
    const swapped = [whole.subarray(0, first), whole.subarray(second, third), whole.subarray(first, second)];
    await writeFile(from, Buffer.concat([...swapped, whole.subarray(third)]));
    await refused(resources, { code: 'seal/broken' });
    await writeFile(from, whole);
    await importState(resources, { from, by });
  });
});

/** Where each part of an export ends, the head first. */
function endsOf(file: Buffer): number[] {
  const ends = [file.indexOf('\n') + 1];
  for (let at = ends[0] ?? 0; at < file.length; ends.push(at)) at += 4 + file.readUInt32BE(at);
  return ends;
}
