import { cp, readdir, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { removeMark } from '../../../src/flows/keys/marks.ts';
import type { Fields, Log } from '../../../src/log.ts';
import { openProcessState } from '../../../src/resources.ts';
import { perform } from '../../../worker/duties.ts';
import { duties } from '../../../worker/main.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { file, folder, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
}

/** Of the same kind as what stands there, and nothing that Nightkeep would write. */
function oddValues({ name, type, isNullable }: Column, thief: string): string[] {
  const odd: Record<string, string[]> = {
    text: [`'${thief}'`],
    'timestamp with time zone': [`'-infinity'`, `'infinity'`],
    integer: ['-1'],
    bigint: ['-1'],
    boolean: [`NOT "${name}"`],
    jsonb: [`'[null, {"__proto__": [], "url": "${thief}"}]'`],
    bytea: [`''`],
    uuid: ['gen_random_uuid()'],
    ARRAY: [`'{x}'`],
  };
  const due = name === 'erase_at' ? [`now() - interval '1 minute'`, 'to_timestamp(0)'] : [];
  return [...(odd[type] ?? []), ...due, ...(isNullable && type !== 'text' ? ['NULL'] : [])];
}

const sql = (fixture: ConsentFixture, text: string, ...values: unknown[]) =>
  fixture.resources.database.$queryRawUnsafe<Record<string, string>[]>(text, ...values);

/** The snapshots in the store, whosever they are. */
async function snapshotsIn(fixture: ConsentFixture): Promise<number> {
  const files = await readdir(fixture.storeFolder, { recursive: true });
  return files.filter((name) => /\/snapshots\/[0-9a-f]{64}$/.test(name)).length;
}

async function columnsOf(fixture: ConsentFixture): Promise<Column[]> {
  const rows = await sql(
    fixture,
    `SELECT c.table_name AS "table", column_name AS name, data_type AS type, is_nullable AS nullable
     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND c.table_name NOT LIKE '\\_%'
     ORDER BY 1, ordinal_position`,
  );
  return rows.map(({ table = '', name = '', type = '', nullable }) => ({
    ...{ table, name, type, isNullable: nullable === 'YES' },
  }));
}

/** Rows and repositories as they are now, to be put back again and again. */
async function keepAll(fixture: ConsentFixture, tables: readonly string[]): Promise<() => Promise<void>> {
  const { database } = fixture.resources;
  const rows = new Map<string, string>();
  for (const table of tables) {
    const [found] = await sql(fixture, `SELECT coalesce(json_agg(t), '[]')::text AS rows FROM "${table}" t`);
    rows.set(table, found?.rows ?? '[]');
  }
  const kept = `${fixture.storeFolder}-kept`;
  await cp(fixture.storeFolder, kept, { recursive: true });
  return async () => {
    const people = await database.user.findMany({ select: { id: true } });
    for (const { id } of people) await removeMark(fixture.resources, id);
    await database.$transaction([
      database.$executeRawUnsafe('SET LOCAL session_replication_role = replica'),
      ...tables.map((table) => database.$executeRawUnsafe(`DELETE FROM "${table}"`)),
      ...[...rows].map(([table, all]) =>
        database.$executeRawUnsafe(
          `INSERT INTO "${table}" SELECT * FROM json_populate_recordset(NULL::"${table}", $1::json)`,
          all,
        ),
      ),
    ]);
    await rm(fixture.storeFolder, { recursive: true });
    await cp(kept, fixture.storeFolder, { recursive: true });
  };
}

test('whatever somebody writes into any column of the rows of one person, no token goes elsewhere, no snapshot goes, and the nights of all others are opened', async () => {
  await using fixture = await openConsentFixture();
  await using thief = await startHostileWebdav(folder({ 'a.txt': file('bait') }));
  fixture.custody.provider.admin.setRealm({ revokeRefreshToken: false });
  const alices = await fixture.consent(alice);
  const bobs = await fixture.consent(bob);
  for (const { plan } of [alices, bobs]) expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  const { database } = fixture.resources;
  await database.plan.updateMany({ data: { nextDueAt: new Date(Date.now() - 60_000) } });
  const columns = await columnsOf(fixture);
  const tables = [...new Set(columns.map(({ table }) => table))];
  const putBack = await keepAll(fixture, tables);
  const [ids, found] = [[alices.user.id, alices.grant.id, alices.plan.id], [] as string[]];
  let changed = 0;
  for (const column of columns)
    for (const value of oddValues(column, thief.url)) {
      const isAlices = `to_jsonb(t)::text ~ '${ids.join('|')}'`;
      const change = `UPDATE "${column.table}" t SET "${column.name}" = ${value} WHERE ${isAlices}`;
      const rows = await database.$executeRawUnsafe(change).catch(() => 0);
      if (rows === 0) continue;
      changed++;
      const failed: string[] = [];
      const note = (event: string, { error }: Fields = {}) => {
        if (/\.failed$|-failed$/.test(event) && !/^(card|mark)\./.test(event)) failed.push(`${event} ${error}`);
      };
      const log: Log = { debug() {}, info() {}, warn: note, error: note, with: () => log };
      const worker = { ...fixture.other('another'), log };
      const resources = { ...worker, ...openProcessState(worker) };
      for (const duty of duties) await perform(resources, duty, AbortSignal.timeout(60_000));
      const isOpened = (await database.run.count({ where: { planId: bobs.plan.id, slot: 'night' } })) === 1;
      const snapshots = await snapshotsIn(fixture);
      if (!isOpened || failed.length > 0 || thief.heard.length > 0 || snapshots !== 2)
        found.push(
          `${column.table}.${column.name} = ${value}: ${isOpened ? '' : 'no night of bob, '}${snapshots} snapshots, ${failed}`,
        );
      await putBack();
    }
  expect(found).toEqual([]);
  expect(changed).toBeGreaterThan(150);
}, 900_000);
