import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditEntry, saveAudit } from '../../../src/database/audit.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

let pages: Pages;
let alice: SignedIn;
let operator: SignedIn;
beforeAll(async () => {
  pages = await openPages();
  operator = await pages.newPerson({ roles: ['operator'], claims: { preferred_username: 'olga' } });
  pages.atProvider = { subject: 'alice', roles: [], claims: { preferred_username: 'alice' } };
  alice = await pages.newPerson(pages.atProvider);
  await alice.post('/consent');
  await alice.comeBack();
});
afterAll(() => pages[Symbol.asyncDispose]());

const note = async (entry: Partial<AuditEntry>) =>
  saveAudit(pages.resources.database, {
    at: pages.clock.now(),
    by: `operator:${await operator.userId()}`,
    act: 'plan-paused',
    ...entry,
  });
const exported = async (query = ''): Promise<Record<string, unknown>[]> =>
  JSON.parse(await (await operator.send(`/operator/audit.json${query}`)).text());

test('what people do with consent, key and snapshots is in the audit, with who, what, on whom and when', async () => {
  await addRepository(pages, alice);
  await alice.post('/recovery/reissue', { sure: 'yes' });
  await alice.post('/recovery');
  await alice.post('/grant/withdraw', { snapshots: '30', sure: 'yes' });
  await alice.post('/grant/snapshots', { snapshots: '90' });
  await alice.post('/consent');
  await alice.comeBack();
  const id = await alice.userId();
  const rows = await exported('?person=alice');
  expect(rows.map(({ act }) => act)).toEqual([
    'consent-renewed',
    'erasure-chosen',
    'consent-withdrawn',
    'erasure-chosen',
    'key-shown',
    'key-reissued',
    'consent-given',
  ]);
  for (const row of rows)
    expect(row).toMatchObject({
      by: { kind: 'user', id, name: 'alice' },
      user: { id, name: 'alice' },
      at: expect.any(String),
    });
  const page = await operator.text('/operator/audit?person=alice');
  expect(page).toContain('a person, <bdi>alice</bdi>');
  expect(page).toContain('had a new recovery key made');
});

test('what an act concerned is said in words and in the times of the page, in each language, and kept as it is in downloads', async () => {
  const acts: [Partial<AuditEntry>, string, string][] = [
    [{ act: 'consent-given', about: 'device' }, '(on another device)', '(auf einem anderen Gerät)'],
    [{ act: 'consent-renewed', about: 'password' }, '(with user name and password)', '(mit Benutzername und Passwort)'],
    [{ act: 'consent-withdrawn', about: 'withdrawn_by_operator' }, 'by an operator', 'von einem Betreiber'],
    [{ act: 'consent-withdrawn', about: 'back_channel_logout' }, 'signed out at the provider', 'abgemeldet'],
    [{ act: 'erasure-chosen', about: 'now' }, 'at once', 'sofort'],
    [{ act: 'erasure-chosen', about: 'on 2031-02-03T04:05:06.000Z' }, '3 Feb 2031, 04:05', '3. Feb. 2031, 04:05'],
    [{ act: 'state-exported', about: 'with tokens' }, 'with offline tokens', 'mit Offline-Token'],
    [{ act: 'plan-paused', about: '2032-02-03T04:05:06.000Z' }, '3 Feb 2032, 04:05', '3. Feb. 2032, 04:05'],
    [{ act: 'key-retired', about: 'k1' }, 'k1', 'k1'],
    [{ act: 'snapshots-forgotten', about: '3' }, '3 snapshots', '3 Sicherungsstände'],
    [{ act: 'losses-accepted', about: '1' }, '1 entry', '1 Eintrag'],
    [{ act: 'night-drained', about: '2 skipped' }, '2 backups skipped', '2 Sicherungen übersprungen'],
    [{ act: 'changes-confirmed', about: `${randomUUID()} ${randomUUID()}` }, '2 backups', '2 Sicherungen'],
    [{ act: 'files-restored', about: 'snapshot 0123abcd' }, 'snapshot 0123abcd', 'Sicherungsstand 0123abcd'],
    [{ act: 'files-restored', about: 'snapshot 0123abcd to the source' }, 'to where it came from', 'am Herkunftsort'],
    [{ act: 'names-read', about: 'all snapshots' }, 'all snapshots', 'alle Sicherungsstände'],
    [{ act: 'names-read', about: 'snapshots 01 and 02' }, 'snapshots 01 and 02', 'Sicherungsstände 01 und 02'],
    [{ act: 'retention-changed', about: 'all' }, 'all of them', 'alle'],
    [{ act: 'retention-changed', about: 'last=3,daily=7' }, 'the last 3', 'die letzten 3'],
    [{ act: 'rows-confirmed', about: 'older' }, 'older rows', 'ältere Zeilen'],
    [{ act: 'runs-retried', about: 'failed source/forbidden: 7' }, 'refuses access: 7', ': 7 angefordert'],
    [{ act: 'runs-retried', about: 'partial without a code: 1' }, ': 1 requested', ': 1 angefordert'],
    [
      { act: 'settings-changed', about: 'language: de, no mail of: trouble' },
      'language: Deutsch; no',
      'Sprache: Deutsch; k',
    ],
    [{ act: 'settings-changed', about: 'no mail of: nothing' }, 'every kind of mail', 'jede Art von E-Mail'],
    [{ act: 'settings-changed', about: '01:00-05:00 Europe/London' }, '01:00 to 05:00', '01:00 bis 05:00'],
    [
      { act: 'snapshots-erased', about: `${randomUUID()}: 2 snapshots, 1 file, 1500 bytes` },
      '2 snapshots with 1 file, 1.5 KB',
      '2 Sicherungsstände mit 1 Datei, 1,5 KB',
    ],
    [
      { act: 'snapshots-erased', about: `${randomUUID()}: 1 snapshots, 3 files, 1 bytes` },
      '1 snapshot with 3 files, 1 byte',
      '1 Sicherungsstand mit 3 Dateien, 1 Byte',
    ],
    [{ act: 'files-moved', about: 'https://c/ https://d/{sub}/' }, 'from https://c/ to', 'von https://c/ nach'],
    [{ act: 'provider-moved', about: 'https://a/ https://b/' }, 'from https://a/ to', 'von https://a/ nach'],
  ];
  for (const [entry] of acts) await note({ userId: await alice.userId(), ...entry });
  const english = await operator.text('/operator/audit');
  const german = await (await operator.send('/operator/audit', { headers: { 'accept-language': 'de' } })).text();
  for (const [{ about }, ...said] of acts) {
    expect(english).toContain(said[0]);
    expect(german).toContain(said[1]);
    if (about !== said[1]) expect(german).not.toContain(`<bdi>${about}</bdi>`);
  }
  expect((await exported('?what=erasure-chosen')).map(({ about }) => about)).toContain('on 2031-02-03T04:05:06.000Z');
  expect(english).toContain('younger than a year');
});

test('that an operator signed in is in the audit, and not that somebody else did', async () => {
  const signedIn = async () => (await exported('?what=operator-signed-in')).map(({ by }) => by);
  const before = await signedIn();
  expect(before).toEqual([{ kind: 'operator', id: await operator.userId(), name: 'olga' }]);
  await pages.newPerson();
  expect(await signedIn()).toEqual(before);
});

test('it is for operators alone, and says who downloaded it', async () => {
  for (const path of ['/operator/audit', '/operator/audit.csv', '/operator/audit.json']) {
    expect((await openVisitor(pages.resources).send(path)).status).toBe(303);
    expect((await alice.send(path)).status).toBe(403);
    expect((await operator.send(path)).status).toBe(200);
  }
  expect(await alice.text('/')).not.toContain('/operator');
  expect(await operator.text('/')).toContain('href="/operator');
  expect((await exported('?what=audit-exported')).length).toBeGreaterThanOrEqual(2);
});

test('it is filtered by who, what, person and days, and shown a page at a time', async () => {
  const day = 86_400_000;
  const at = (days: number) => new Date(pages.clock.now().getTime() - days * day);
  for (let count = 0; count < 105; count++) await note({ act: 'plan-resumed', at: at(10), about: `number ${count}` });
  expect(await exported('?what=plan-resumed&who=operator&since=2026-04-24&until=2026-04-24')).toHaveLength(105);
  expect(await exported('?what=plan-resumed&since=2026-04-25')).toHaveLength(0);
  expect(await exported('?what=plan-resumed&who=user')).toHaveLength(0);
  const first = await operator.text('/operator/audit?what=plan-resumed');
  expect(first.match(/number \d+/g)).toHaveLength(100);
  const [, older = ''] = /href="([^"]+before=\d+)"/.exec(first) ?? [];
  expect((await operator.text(older)).match(/number \d+/g)).toHaveLength(5);
  expect(await operator.text('/operator/audit?person=nobody')).toContain('Nobody here is called “nobody”');
  expect((await operator.send('/operator/audit?before=x')).status).toBe(404);
});

test('words are shown and never obeyed, by browsers and spreadsheets', async () => {
  await note({ act: 'signed-out', reason: '<script>alert(1)</script>' });
  await note({ act: 'signed-out', reason: '=HYPERLINK("https://evil.example")' });
  expect(await operator.text('/operator/audit?what=signed-out')).not.toContain('<script');
  const csv = await (await operator.send('/operator/audit.csv?what=signed-out')).text();
  expect(csv).toContain(`"'=HYPERLINK(""https://evil.example"")"`);
  for (const sign of '=+-@\t\r') {
    await note({ act: 'signed-out', reason: `${sign}1` });
    expect(await (await operator.send('/operator/audit.csv?what=signed-out')).text()).toContain(`"'${sign}1"`);
  }
  expect(csv.split('\r\n')[0]).toBe('"id","at","by","byId","byName","act","userId","user","about","reason"');
});

test('no entry can be changed or removed, and only the words about somebody who was erased go', async () => {
  const { database } = pages.resources;
  const userId = randomUUID();
  await database.user.create({ data: { id: userId, issuer: 'i', subject: userId, createdAt: pages.clock.now() } });
  await note({ userId, about: 'here', reason: 'he called me' });
  const refused = /append-only/;
  await expect(database.audit.updateMany({ where: { userId }, data: { reason: null } })).rejects.toThrow(refused);
  await expect(database.audit.updateMany({ data: { by: 'somebody else' } })).rejects.toThrow(refused);
  await expect(database.audit.deleteMany({ where: { userId } })).rejects.toThrow(refused);
  await expect(database.$executeRaw`TRUNCATE audit`).rejects.toThrow(refused);

  await database.user.delete({ where: { id: userId } });
  expect(await database.audit.findMany({ where: { userId } })).toMatchObject([{ about: 'here', reason: null }]);
  await expect(database.audit.updateMany({ where: { userId }, data: { about: 'there' } })).rejects.toThrow(refused);
  expect(await operator.text('/operator/audit?what=plan-paused')).toContain('somebody who was erased');
});
