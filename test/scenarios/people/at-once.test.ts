import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { finishErasedPeople } from '../../../src/flows/erasure/erase-person.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { openLog } from '../../../src/log.ts';
import { routes } from '../../../src/web/routes.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, addRun, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
const told: string[] = [];
beforeAll(async () => {
  pages = await openPages();
  Object.assign(pages.resources.config, { rates: {} });
  const log = openLog({ clock: pages.clock, level: 'error', write: (line) => told.push(line) });
  Object.assign(pages.resources, { log });
});
beforeEach(() => void told.splice(0));
afterAll(() => pages[Symbol.asyncDispose]());

interface Form {
  readonly path: (named: { run: string; snapshot: string }) => string;
  readonly fields?: Readonly<Record<string, string>>;
}

const at = (path: string, fields?: Readonly<Record<string, string>>): Form => ({
  path: () => path,
  ...(fields && { fields }),
});
const forms: readonly Form[] = [
  at('/consent'),
  at('/grant/ask-again'),
  at('/grant/withdraw', { sure: 'yes' }),
  at('/backup-now'),
  at('/retention'),
  at('/recovery'),
  at('/recovery/reissue', { sure: 'yes' }),
  at('/settings/hours', { start: '02:00', end: '05:00', zone: 'UTC' }),
  at('/settings/pause', { until: '2026-05-09' }),
  at('/settings/resume'),
  at('/settings/language', { language: 'de' }),
  at('/settings/mails'),
  at('/settings/sessions/end-others'),
  at('/settings/erase', { word: 'erase' }),
  { path: ({ run }) => `/runs/${run}/cancel` },
  { path: ({ snapshot }) => `/snapshots/${snapshot}/restore/folder` },
  at('/logout'),
];

async function somebody() {
  const guest = await pages.consented();
  const snapshot = await writeSnapshot(await addRepository(pages, guest), { folder: { 'a.txt': Buffer.from('hers') } });
  const named = { run: await addRun(pages, guest), snapshot: snapshot.id };
  const userId = await guest.userId();
  const { recoveryKeyFile } = await pages.resources.database.repository.findFirstOrThrow({ where: { userId } });
  const read = /name="read" value="([^"]+)"/.exec(await (await guest.send('/consent')).text())?.[1] ?? '';
  return { guest, named, userId, csrf: await guest.csrf(), read, former: recoveryKeyFile ?? '' };
}

function post(guest: SignedIn, path: string, fields: Record<string, string>): Promise<Response> {
  return guest.send(path, { method: 'POST', body: new URLSearchParams(fields) });
}

async function rowsOf(userId: string) {
  const { database } = pages.resources;
  const where = { userId };
  return {
    grants: await database.grant.count({ where }),
    plans: await database.plan.count({ where }),
    repositories: await database.repository.count({ where }),
    sessions: await database.webSession.count({ where }),
    users: await database.user.count({ where: { id: userId } }),
  };
}

describe('a form that is sent three times at once', () => {
  test.each(forms.map((form) => [form.path({ run: ':run', snapshot: ':snapshot' }), form] as const))(
    'does what it says once, and each of them gets an answer: %s',
    async (_, { path, fields }) => {
      const { guest, named, userId, csrf, read, former } = await somebody();
      const sent = { csrf, read, former, ...fields };
      const answers = await Promise.all(Array.from({ length: 3 }, () => post(guest, path(named), sent)));
      for (const answer of answers) expect(answer.status, told.join('\n')).toBeLessThan(500);
      const rows = await rowsOf(userId);
      for (const count of Object.values(rows)) expect(count).toBeLessThanOrEqual(1);
      expect(await actsOf(userId)).toEqual([...new Set(await actsOf(userId))]);
    },
  );
});

/** What the audit has of the person since they agreed, but for that. */
async function actsOf(userId: string): Promise<string[]> {
  const acts = await pages.resources.database.audit.findMany({ where: { userId }, orderBy: { id: 'asc' } });
  return acts.map(({ act, about }) => `${act} ${about ?? ''}`).slice(1);
}

test('being erased is asked for five times at once by who has no snapshots, and leaves one receipt', async () => {
  const guest = await pages.consented();
  const [userId, csrf] = [await guest.userId(), await guest.csrf()];
  const before = await pages.resources.database.personErasure.count();
  const asked = Array.from({ length: 5 }, () => post(guest, '/settings/erase', { csrf, word: 'erase' }));
  const answers = await Promise.all(asked);
  const led = answers.filter(({ status }) => status === 303).map(({ headers }) => headers.get('location') ?? '');
  for (const { status } of answers) expect([303, 404], told.join('\n')).toContain(status);
  expect(new Set(led.filter((path) => path.startsWith('/erased/'))).size).toBe(1);
  expect(await pages.resources.database.personErasure.count()).toBe(before + 1);
  expect(await rowsOf(userId)).toEqual({ grants: 0, plans: 0, repositories: 0, sessions: 0, users: 0 });
});

describe('being erased beside', () => {
  test.each(
    forms
      .filter(({ path }) => path({ run: '', snapshot: '' }) !== '/settings/erase')
      .map((form) => [form.path({ run: ':run', snapshot: ':snapshot' }), form] as const),
  )('%s leaves nothing of the person, and both get an answer', async (_, { path, fields }) => {
    const { guest, named, userId, csrf, read } = await somebody();
    const all = [
      post(guest, path(named), { csrf, read, ...fields }),
      post(guest, '/settings/erase', { csrf, word: 'erase' }),
      post(guest, path(named), { csrf, read, ...fields }),
    ];
    for (const answer of await Promise.all(all)) expect(answer.status, told.join('\n')).toBeLessThan(500);
    await eraseRepositories(pages.resources);
    await finishErasedPeople(pages.resources);
    // Where the other came first and ended the session, it is asked for again.
    if ((await rowsOf(userId)).users > 0) {
      const again = await pages.newPerson(guest.person);
      await again.post('/settings/erase', { word: 'erase' });
      await eraseRepositories(pages.resources);
      await finishErasedPeople(pages.resources);
    }
    expect(await rowsOf(userId)).toEqual({ grants: 0, plans: 0, repositories: 0, sessions: 0, users: 0 });
  });
});

test('one answer of the provider that comes five times at once gives one consent, and one session', async () => {
  const guest = await pages.newPerson();
  await guest.post('/consent');
  const [cookies, path] = [new Map(guest.cookies), guest.wayBack()];
  const answers = await Promise.all(
    Array.from({ length: 5 }, async () => {
      for (const [name, value] of cookies) guest.cookies.set(name, value);
      return guest.send(path);
    }),
  );
  for (const { status } of answers) expect(status).toBeLessThan(500);
  expect(await rowsOf(await guest.userId())).toMatchObject({ grants: 1, plans: 1, users: 1 });
});

test.each([
  ['pause', 'plan-paused'],
  ['withdraw', 'consent-withdrawn'],
])('what two operators do at once is done once: %s', async (act, audited) => {
  const roles = ['operator'];
  const operators = [await pages.newPerson({ roles }), await pages.newPerson({ roles })];
  const { userId } = await somebody();
  const forms = await Promise.all(operators.map(async (one) => ({ one, csrf: await one.csrf() })));
  const path = `/operator/people/${userId}/${act}`;
  const answers = await Promise.all(forms.map(({ one, csrf }) => post(one, path, { csrf, reason: 'asked by phone' })));
  const said = answers.map(({ headers }) => headers.get('location')?.replace(/.*told=/, ''));
  expect(said.toSorted()).toEqual(['unchanged', act === 'pause' ? 'paused' : 'withdrawn'].toSorted());
  const acts = await pages.resources.database.audit.findMany({ where: { userId, by: { startsWith: 'operator:' } } });
  expect(acts.map(({ act: done }) => done)).toEqual([audited]);
});

describe('an operator who presses a button twice at once', () => {
  const ofPerson = (act: string) => (userId: string) => `/operator/people/${userId}/${act}`;
  const buttons: readonly {
    readonly path: (userId: string) => string;
    readonly before?: (userId: string) => Promise<unknown>;
    readonly told: readonly [string, string];
    readonly acts: readonly string[];
  }[] = [
    { path: ofPerson('run'), told: ['run', 'run-under-way'], acts: ['run-requested'] },
    { path: ofPerson('pause'), told: ['paused', 'unchanged'], acts: ['plan-paused'] },
    {
      path: ofPerson('resume'),
      before: (userId) => pages.resources.database.plan.updateMany({ where: { userId }, data: { paused: true } }),
      told: ['resumed', 'unchanged'],
      acts: ['plan-resumed'],
    },
    { path: ofPerson('sign-out'), told: ['signed-out', 'unchanged'], acts: ['signed-out'] },
    { path: ofPerson('withdraw'), told: ['withdrawn', 'unchanged'], acts: ['consent-withdrawn'] },
    { path: () => '/operator/queues/pause', told: ['paused', 'unchanged'], acts: ['night-paused'] },
    { path: () => '/operator/queues/resume', told: ['resumed', 'unchanged'], acts: ['night-resumed'] },
    {
      path: () => '/operator/queues/drain',
      before: (userId) =>
        pages.resources.database.run.updateMany({
          where: { plan: { userId } },
          data: { state: 'queued', slot: 'night', night: '2026-05-09' },
        }),
      told: ['drained', 'nothing-waits'],
      acts: ['night-drained'],
    },
    {
      path: () => '/operator/retry',
      before: async (userId) => {
        const { clock, database } = pages.resources;
        await database.run.updateMany({ where: { state: 'failed' }, data: { state: 'succeeded' } });
        const data = { state: 'failed', errorCode: 'source/forbidden', finishedAt: clock.now() } as const;
        await database.run.updateMany({ where: { plan: { userId } }, data });
      },
      told: ['1', '0'],
      acts: ['run-requested', 'runs-retried'],
    },
  ];

  test('is every button that they have', () => {
    // Of asking again test/integration/custody/ask-again.test.ts says so.
    const known = ['/operator/people/:person/ask-again', ...buttons.map(({ path }) => path(':person'))];
    const posts = routes.filter(({ method, who }) => method === 'POST' && who === 'operator').map(({ path }) => path);
    expect(posts.toSorted()).toEqual(known.toSorted());
  });

  test.each(buttons.map((button) => [button.path(':person'), button] as const))(
    'does one deed, which has one row in the audit, and both answers say what is so: %s',
    async (_, { path, before, told, acts }) => {
      const operator = await pages.newPerson({ roles: ['operator'] });
      const { userId } = await somebody();
      const { database } = pages.resources;
      await database.run.deleteMany({ where: { plan: { userId }, state: 'queued' } });
      await before?.(userId);
      const [csrf, last] = [await operator.csrf(), await database.audit.findFirst({ orderBy: { id: 'desc' } })];
      const sent = { csrf, reason: 'asked by phone', group: 'failed source/forbidden' };
      const answers = await Promise.all([1, 2].map(() => post(operator, path(userId), sent)));
      expect(answers.map(({ status }) => status)).toEqual([303, 303]);
      const said = answers.map(({ headers }) => headers.get('location')?.replace(/.*(told|retried)=/, ''));
      expect(said.toSorted()).toEqual(told.toSorted());
      const rows = await database.audit.findMany({ where: { id: { gt: last?.id ?? 0n } } });
      expect(rows.map(({ act }) => act)).toEqual(acts);
    },
  );
});

test('nobody else’s run is cancelled by who guesses among many at once', async () => {
  const { named } = await somebody();
  const other = await pages.consented();
  const csrf = await other.csrf();
  const guesses = [named.run, ...Array.from({ length: 20 }, () => randomUUID())];
  const answers = await Promise.all(guesses.map((run) => post(other, `/runs/${run}/cancel`, { csrf })));
  expect(answers.map(({ status }) => status)).toEqual(guesses.map(() => 404));
});
