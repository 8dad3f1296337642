import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveKeptFigure } from '../../../src/database/records/kept-figures.ts';
import { nightAround } from '../../../src/domain/nights.ts';
import { viewTonight } from '../../../src/flows/nights/view-tonight.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { addNight, consentedAs, secretName } from '../../support/harness/operators.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let operator: SignedIn;
const people: SignedIn[] = [];
beforeAll(async () => {
  pages = await openPages();
  await pages.clock.advance(11 * 3_600_000);
  operator = await pages.newPerson({ roles: ['operator'] });
  for (const name of ['anna', 'ben', 'cleo', 'dora', 'emil']) people.push(await consentedAs(pages, name));
  const [anna, ben, cleo, dora, emil] = people;
  if (!(anna && ben && cleo && dora && emil)) throw new Error('Five people were asked for.');
  await addNight(pages, anna, { state: 'succeeded', problems: [], problemCount: 0, message: null });
  await addNight(pages, ben, { state: 'partial', errorCode: 'source/forbidden' });
  await addNight(pages, cleo, { state: 'failed', errorCode: 'source/unavailable' });
  await addNight(pages, dora, { state: 'failed', errorCode: 'source/unavailable' });
  await addNight(pages, emil, { state: 'queued' });
  await pages.clock.advance(120_000);
});
afterAll(() => pages[Symbol.asyncDispose]());

test('the page tells how far the night is, what went wrong by cause, and the slowest servers, and no name of a file', async () => {
  const page = await operator.text('/operator');
  expect(page).toContain('The night is in progress.');
  expect(page).toContain('1 complete · 1 in part · 2 failed · 1 waiting · 5 to come');
  expect(page).toContain('Oldest waiting: 2 min');
  expect(page).toContain('Failed: a server of people’s data does not answer, or does not deliver it');
  expect(page).toContain('In part: a server of people’s data refuses access');
  expect(page).toContain('cloud.example');
  expect(page).toContain('200 ms');
  expect(page).toContain('Mon, 4 May 2026: 1 complete, 1 in part, 2 failed');
  expect(page).not.toContain(secretName);
  expect(page).not.toContain('anna');
});

test('a group is tried again by one button, and the audit says so', async () => {
  const { database } = pages.resources;
  expect((await operator.post('/operator/retry', { group: 'nothing' })).status).toBe(400);
  const answer = await operator.post('/operator/retry', { group: 'failed source/unavailable' });
  expect(answer.headers.get('location')).toBe('/operator?retried=2');
  expect(await operator.text('/operator?retried=2')).toContain('2 backups were requested.');
  const asked = await database.run.findMany({ where: { trigger: 'operator' }, include: { plan: true } });
  expect(asked.map(({ plan }) => plan.userId).toSorted()).toEqual(
    (await Promise.all([people[2], people[3]].map((one) => one?.userId()))).toSorted(),
  );
  const by = `operator:${await operator.userId()}`;
  expect(await database.audit.findMany({ where: { act: 'run-requested' } })).toMatchObject([{ by }, { by }]);
  expect(await database.audit.findMany({ where: { act: 'runs-retried' } })).toMatchObject([
    { by, about: 'failed source/unavailable: 2' },
  ]);
  const again = await operator.post('/operator/retry', { group: 'failed source/unavailable' });
  expect(again.headers.get('location')).toBe('/operator?retried=0');
  expect(await operator.text('/operator?retried=0')).toContain(texts.operator.tonight.retried(0));
  // They are under way now, and in no group.
  expect(await operator.text('/operator')).not.toContain('a server of people’s data does not answer');
});

test('an operator without a consent of their own lands on the night after signing in, and home still answers for themselves', async () => {
  const other = await pages.newPerson({ roles: ['operator'] });
  await other.send('/login');
  expect((await other.comeBack()).headers.get('location')).toBe('/operator');
  expect(await other.text('/')).toContain('Am I protected?');
  const [anna] = people;
  await anna?.send('/login');
  if (anna) pages.atProvider = anna.person;
  expect((await anna?.comeBack())?.headers.get('location')).toBe('/');
});

test('the page says when Nightkeep itself was last exported into the store, and that an export was missed', async () => {
  const { clock, database } = pages.resources;
  const { exported, exportedNever, exportLate } = texts.operator.tonight;
  const never = await operator.text('/operator');
  expect(never).toContain(exportedNever);
  expect(never).not.toContain(exportLate);
  const madeAt = clock.now();
  await database.stateExport.create({ data: { id: 1, triedAt: madeAt, madeAt } });
  const fresh = await operator.text('/operator');
  expect(fresh).toContain(exported(texts.formats.time(madeAt, pages.resources.config.window.zone)));
  expect(fresh).not.toContain(exportLate);
  await database.stateExport.update({
    where: { id: 1 },
    data: { madeAt: new Date(madeAt.getTime() - 37 * 3_600_000) },
  });
  expect(await operator.text('/operator')).toContain(exportLate);
  const { exported: shown } = await viewTonight({
    ...pages.resources,
    config: { ...pages.resources.config, stateExports: 0 },
  });
  expect(shown).toBeNull();
});

test('of figures that were counted a while ago the page says when', async () => {
  const { clock, config, database } = pages.resources;
  const now = clock.now();
  const { to } = nightAround(config.window.zone, now);
  const times = { countedAt: new Date(now.getTime() - 600_000), dueAt: new Date(now.getTime() + 600_000) };
  const shown = texts.formats.time(times.countedAt, config.window.zone);
  const { countedAt, toComeAt, noTrouble } = texts.operator.tonight;
  const before = await operator.text('/operator');
  expect(before).not.toContain(toComeAt(shown));
  const toCome = { toCome: 4321, nextDueAt: now.getTime(), lastDueAt: now.getTime() };
  await saveKeptFigure(database, { name: 'to come', value: { of: to.toISOString(), value: toCome }, ...times });
  await saveKeptFigure(database, { name: 'trouble', value: { of: 'everybody', value: [] }, ...times });
  const page = await operator.text('/operator');
  expect(page).toContain('4,321 to come');
  expect(page).toContain(toComeAt(shown));
  expect(page).toContain(`${noTrouble} ${countedAt(shown)}`);
  const days = Array.from({ length: 61 }, (_, day) => ({ day, max: 17, idle: 23 }));
  await saveKeptFigure(database, { name: 'ends', value: { of: '60', value: days }, ...times });
  expect(await operator.text('/operator/grants')).toContain(
    `${texts.operator.grants.forecastLead(60)} ${countedAt(shown)}`,
  );
});
