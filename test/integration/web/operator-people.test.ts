import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { routes } from '../../../src/web/routes.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { textOf } from '../../support/fixtures/text-of.ts';
import { addNight, consentedAs, secretName } from '../../support/harness/operators.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let operator: SignedIn;
let alice: SignedIn;
let home: string;
beforeAll(async () => {
  pages = await openPages();
  operator = await pages.newPerson({ roles: ['operator'], claims: { preferred_username: 'olga' } });
  alice = await consentedAs(pages, 'alice\u202e<b>\u200b');
  await consentedAs(pages, 'bob');
  home = `/operator/people/${await alice.userId()}`;
  const states = ['succeeded', 'partial', 'failed', 'queued', 'running', 'cancelled'] as const;
  for (const [day, state] of states.entries())
    await addNight(pages, alice, {
      state,
      night: `2026-05-0${day + 1}`,
      errorCode: state === 'failed' ? 'source/gone' : null,
    });
});
afterAll(() => pages[Symbol.asyncDispose]());

const grantOf = async () =>
  pages.resources.database.grant.findFirstOrThrow({
    where: { userId: await alice.userId() },
    include: { plans: true },
  });
const act = async (name: string, fields: Record<string, string> = {}) => {
  const answer = await operator.post(`${home}/${name}`, fields);
  return answer.headers.get('location')?.replace(`${home}?told=`, '') ?? String(answer.status);
};
const latest = async () => pages.resources.database.audit.findFirst({ orderBy: { id: 'desc' } });

test("no page or download for operators shows what somebody's files are called, nor anything else of their runs' problems", async () => {
  const seen: string[] = [];
  for (const { method, path } of routes.filter(({ who }) => who === 'operator')) {
    if (method !== 'GET') continue;
    const answer = await operator.send(path.replace('/operator/people/:person', home));
    expect(answer.status).toBe(200);
    const text = await textOf(answer);
    expect(text).not.toContain(secretName);
    expect(text).not.toContain('Divorce');
    expect(text.length).toBeLessThan(100_000);
    seen.push(path);
  }
  expect(seen).toContain('/operator/people/:person');
  expect(await operator.text(home)).toContain('one entry not read');
});

test('people are found by a part of their name or by state, and their names are shown and not obeyed', async () => {
  const all = await operator.text('/operator/grants');
  expect(all).toContain('<bdi>bob</bdi>');
  for (const path of ['/operator/grants', `${home}/withdraw`]) {
    const page = await operator.text(path);
    expect(page).toMatch(/<bdi>alice<span class="[^"]+">U\+202E<\/span>&lt;b&gt;<span class="[^"]+">U\+200B</);
    expect(page).not.toMatch(/[\u202e\u200b]/);
  }
  expect(await operator.text(home)).not.toMatch(/[\u202e\u200b]/);
  expect(await operator.text(home)).toContain('<h1>alice‹U+202E›&lt;b&gt;‹U+200B›</h1>');
  expect(await alice.text('/settings')).not.toMatch(/[\u202e\u200b]/);
  const some = await operator.text('/operator/grants?person=LICE');
  expect(some).toContain(home);
  expect(some).not.toContain('<bdi>bob</bdi>');
  expect(await operator.text('/operator/grants?person=%25')).toContain('Nobody was found.');
  expect(await operator.text('/operator/grants?state=withdrawn')).toContain('Nobody was found.');
  expect(await operator.text('/operator/grants?state=none')).toContain('<bdi>olga</bdi>');
  for (const path of ['/operator/people/nobody', `/operator/people/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`])
    expect((await operator.send(path)).status).toBe(404);
});

test('nights are paused and resumed, a backup is requested, and each act is in the audit with its reason', async () => {
  const by = `operator:${await operator.userId()}`;
  const userId = await alice.userId();
  expect(await act('pause', { reason: 'moves house' })).toBe('paused');
  expect(await grantOf()).toMatchObject({ plans: [{ paused: true }] });
  expect(await latest()).toMatchObject({ by, userId, act: 'plan-paused', reason: 'moves house' });
  expect(await alice.text('/')).toContain('Your nights are paused.');
  expect(await act('pause')).toBe('unchanged');
  expect(await act('resume')).toBe('resumed');
  expect(await latest()).toMatchObject({ by, userId, act: 'plan-resumed', reason: null });
  expect(await act('run', { reason: 'her first one waits' })).toBe('run-under-way');
  expect(await latest()).toMatchObject({ act: 'plan-resumed' });
  await pages.resources.database.run.deleteMany({ where: { plan: { userId } } });
  expect(await act('run', { reason: 'she asked' })).toBe('run');
  expect(await latest()).toMatchObject({ by, userId, act: 'run-requested', reason: 'she asked' });
});

test('nobody is shown in green whose nights are paused, by an operator or with all others, or while no queue gives out runs', async () => {
  const { database, clock, queues } = pages.resources;
  const carl = await consentedAs(pages, 'carl');
  const userId = await carl.userId();
  const page = `/operator/people/${userId}`;
  await addNight(pages, carl, { state: 'succeeded', night: '2026-05-04' });
  const ends = { snapshotId: 'c'.repeat(64), finishedAt: clock.now() };
  await database.run.updateMany({ where: { plan: { userId } }, data: ends });
  const green = '<section class="card good">';
  const { person: t, queues: words } = texts.operator;
  const well = await operator.text(page);
  expect(well).toContain(green);
  expect(well).not.toContain(t.allPaused);
  await queues.backUps.pause();
  const paused = await operator.text(page);
  expect(paused).toContain(t.allPaused);
  expect(paused).not.toContain(green);
  await queues.backUps.resume();
  const { isPaused } = queues.backUps;
  queues.backUps.isPaused = () => Promise.reject(new AppError('queue/unavailable', 'It is away.'));
  const away = await operator.text(page);
  queues.backUps.isPaused = isPaused;
  expect(away).toContain(words.away);
  expect(away).not.toContain(green);
  await database.plan.updateMany({ where: { userId }, data: { paused: true } });
  expect(await operator.text(page)).not.toContain(green);
  await database.plan.updateMany({ where: { userId }, data: { paused: false } });
  expect(await operator.text(page)).toContain(green);
});

test('a consent that was refused is asked for again, and that goes into the audit whatever comes of it', async () => {
  expect(await act('ask-again')).toBe('undoubted');
  const { id } = await grantOf();
  await pages.resources.database.grant.update({ where: { id }, data: { state: 'suspect', refusals: 1 } });
  expect(await operator.text(home)).toContain('Ask the provider again');
  // The provider of these tests answers no exchange.
  expect(await act('ask-again', { reason: 'mended there' })).toBe('500');
  expect(await pages.resources.database.audit.findFirst({ where: { act: 'consent-asked-again' } })).toMatchObject({
    reason: 'mended there',
  });
  await pages.resources.database.grant.update({ where: { id }, data: { state: 'active', refusals: 0, reason: null } });
});

test('signing somebody out ends each of their sessions, and not their consent', async () => {
  expect((await alice.send('/grant')).status).toBe(200);
  expect(await act('sign-out')).toBe('signed-out');
  expect((await alice.send('/grant')).headers.get('location')).toMatch(/^\/login/);
  expect(await grantOf()).toMatchObject({ state: 'active' });
  expect(await latest()).toMatchObject({ act: 'signed-out', userId: await alice.userId() });
});

test('a withdrawal for somebody needs a reason', async () => {
  expect(await act('withdraw', { reason: '  ' })).toBe('400');
  expect(await grantOf()).toMatchObject({ state: 'active' });
  expect(await operator.text(`${home}/withdraw`)).toContain('Withdraw for this person?');
  expect(await act('withdraw', { reason: 'left the company' })).toBe('withdrawn');
  expect(await grantOf()).toMatchObject({ state: 'withdrawn', reason: 'withdrawn_by_operator' });
  expect(await latest()).toMatchObject({ act: 'consent-withdrawn', reason: 'left the company' });
  expect(await operator.text(home)).not.toContain('(withdrawn_by_operator)');
  for (const path of [home, '/operator/grants']) {
    const page = await operator.text(path);
    expect(page).toContain('withdrawn (by an operator)');
    expect(page).not.toContain('withdrawn (withdrawn_by_operator)');
  }
  expect(await act('withdraw', { reason: 'again' })).toBe('unchanged');
  for (const name of ['pause', 'resume']) expect(await act(name)).toBe('no-nights');
  expect(await act('ask-again')).toBe('no-consent');
  expect(await operator.text(`${home}?told=no-nights`)).toContain('without a consent there are no nights');
  expect(await act('run')).toBe('no-run');
});
