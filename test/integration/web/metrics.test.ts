import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSetting } from '../../../src/config/config.ts';
import { AppError } from '../../../src/errors.ts';
import { createApp } from '../../../src/web/app.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { addRepository, addRun, openPages, type Pages } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

const token = 'a-token-of-more-than-32-characters~+/=';

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());

const prometheus = (metricsToken: string | undefined = token) => {
  const config = { ...pages.resources.config };
  if (metricsToken !== undefined) config.metricsToken = metricsToken;
  return openVisitor({ ...pages.resources, config });
};
const scrape = async (authorization = `Bearer ${token}`) =>
  prometheus().send('/metrics', { headers: { authorization } });
const sample = (text: string, name: string) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`nightkeep_${name} `))
    ?.split(' ')
    .at(-1);

test('metrics are not there unless a token is set, whatever is sent', async () => {
  const { send } = openVisitor(pages.resources);
  for (const authorization of ['', 'Bearer undefined', `Bearer ${token}`])
    expect((await send('/metrics', { headers: { authorization } })).status).toBe(404);
});

test.each(['', 'Bearer', 'Bearer ', `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(1)}`, token])(
  'metrics are refused to who sends %j',
  async (authorization) => {
    const answer = await scrape(authorization);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answer.text()).not.toContain('nightkeep_');
  },
);

test('nor is a session of the pages let in', async () => {
  const operator = await pages.newPerson({ roles: ['operator'] });
  expect((await operator.send('/metrics')).status).toBe(404);
});

test('metrics tell the verdicts, grants and runs of all people, and nothing of one', async () => {
  const alice = await pages.consented();
  await pages.consented();
  await pages.clock.advance(15_000);
  const answer = await scrape();
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const text = await answer.text();
  expect(sample(text, 'people{verdict="not"}')).toBe('2');
  expect(sample(text, 'people{verdict="protected"}')).toBe('0');
  expect(sample(text, 'grants{state="active"}')).toBe('2');
  expect(sample(text, 'grants_rotation_lost')).toBe('0');
  expect(sample(text, 'runs{state="queued"}')).toBe('2');
  expect(Number(sample(text, 'grant_deadline_seconds{kind="idle"}'))).toBeCloseTo(30 * 86_400 - 15, -2);
  expect(sample(text, 'grant_deadline_seconds{kind="max"}')).toBeUndefined();
  expect(sample(text, 'last_success_timestamp_seconds')).toBeUndefined();
  expect(text).not.toContain(await alice.userId());
  expect(text).not.toContain(alice.person.subject);
});

test('the operators\u2019 guide names every metric that is exported', async () => {
  const told = await (await scrape()).text();
  const exported = [...told.matchAll(/^# TYPE (nightkeep_\w+) /gm)].map(([, name]) => name);
  const guide = await readFile('docs/operations.md', 'utf8');
  const named = [...guide.matchAll(/^\| (`nightkeep_.*?`) \|/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`(nightkeep_\w+)/g)].map(([, name]) => name),
  );
  expect(exported.filter((name) => !named.includes(name))).toEqual([]);
  expect(exported.length).toBeGreaterThan(15);
});

test('metrics tell since when runs wait, who can mend what, and what ended', async () => {
  const { database, clock } = pages.resources;
  const [run, other] = await database.run.findMany({ orderBy: { queuedAt: 'asc' } });
  await database.run.update({
    where: { id: run?.id ?? '' },
    data: { state: 'succeeded', finishedAt: clock.now(), snapshotId: 'a'.repeat(64) },
  });
  await pages.clock.advance(20 * 60_000);
  const text = await (await scrape()).text();
  expect(sample(text, 'people{verdict="protected"}')).toBe('1');
  expect(sample(text, 'people_to_mend{by="operator"}')).toBe('1');
  expect(sample(text, 'runs_ended_last_day{state="succeeded"}')).toBe('1');
  for (const state of ['partial', 'failed', 'skipped', 'cancelled'])
    expect(sample(text, `runs_ended_last_day{state="${state}"}`), state).toBe('0');
  const due = other === undefined ? 0 : (clock.now().getTime() - other.dueAt.getTime()) / 1000;
  expect(Number(sample(text, 'queue_oldest_waiting_seconds'))).toBe(due);
  expect(Number(sample(text, 'last_success_timestamp_seconds'))).toBeGreaterThan(0);
  await pages.clock.advance(25 * 3_600_000);
  expect(sample(await (await scrape()).text(), 'runs_ended_last_day{state="succeeded"}')).toBe('0');
});

test('metrics tell whose nights are paused until a day, as they asked, and of nobody else so', async () => {
  const dave = await pages.consented();
  const { database, clock } = pages.resources;
  const theirs = { userId: await dave.userId() };
  const paused = async () => {
    await pages.clock.advance(15_000);
    const text = await (await scrape()).text();
    return ['protected', 'partly', 'late', 'not'].map((verdict) => sample(text, `people_paused{verdict="${verdict}"}`));
  };
  expect(await paused()).toEqual(['0', '0', '0', '0']);
  const pausedUntil = new Date(clock.now().getTime() + 20 * 86_400_000);
  await database.plan.updateMany({ where: theirs, data: { paused: true, pausedUntil } });
  expect(await paused()).toEqual(['0', '0', '0', '1']);
  const ended = { state: 'succeeded', snapshotId: 'd'.repeat(64), finishedAt: clock.now() } as const;
  await database.run.updateMany({ where: { plan: theirs }, data: ended });
  expect(await paused()).toEqual(['1', '0', '0', '0']);
  await database.run.updateMany({ where: { plan: theirs }, data: { finishedAt: new Date(0) } });
  expect(await paused()).toEqual(['0', '0', '1', '0']);
  // An operator's pause is one that an operator must end.
  await database.plan.updateMany({ where: theirs, data: { pausedUntil: null } });
  expect(await paused()).toEqual(['0', '0', '0', '0']);
});

test('metrics tell of grants that keep-alive does not renew, however long a token lives unused', async () => {
  const { database, clock } = pages.resources;
  const hour = 3_600_000;
  const unrenewed = async (windowMs: number, unusedMs: number, maxMs?: number) => {
    const [last, now] = [clock.now().getTime() - unusedMs, clock.now().getTime()];
    const maxDeadline = maxMs === undefined ? null : new Date(now + maxMs);
    const data = { lastExchangedAt: new Date(last), idleDeadline: new Date(last + windowMs), maxDeadline };
    await database.grant.updateMany({ data });
    await pages.clock.advance(15_000);
    return Number(sample(await (await scrape()).text(), 'grants_unrenewed'));
  };
  const all = await database.grant.count();
  for (const window of [1.5 * hour, 4 * hour, 24 * hour, 30 * 24 * hour]) {
    expect(await unrenewed(window, 0.3 * window), `${window} ms`).toBe(0);
    expect(await unrenewed(window, 0.8 * window), `${window} ms`).toBe(all);
  }
  // What is left until a fixed end is no window.
  expect(await unrenewed(4 * hour, 3.5 * hour, 0.5 * hour)).toBe(0);
  await database.grant.updateMany({ data: { maxDeadline: null } });
});

test('metrics tell of a great loss until somebody has looked', async () => {
  const guest = await pages.consented();
  const { database, clock } = pages.resources;
  const ofTheirs = { plan: { userId: await guest.userId() } };
  const lost = {
    state: 'succeeded',
    snapshotId: 'b'.repeat(64),
    alarm: 'loss',
    heldSnapshotId: 'a'.repeat(64),
  } as const;
  const before = sample(await (await scrape()).text(), 'people{verdict="partly"}');
  await database.run.updateMany({ where: ofTheirs, data: { ...lost, finishedAt: clock.now() } });
  const partly = async () => {
    await pages.clock.advance(15_000);
    return sample(await (await scrape()).text(), 'people{verdict="partly"}');
  };
  expect([before, await partly()]).toEqual(['0', '1']);
  await database.run.updateMany({ where: ofTheirs, data: { alarmSeenAt: clock.now() } });
  expect(await partly()).toBe('0');
});

test('metrics count the people whose snapshots have not gone as agreed for three days, and not before', async () => {
  const carol = await pages.consented();
  const userId = await carol.userId();
  await addRepository(pages, carol);
  const { database, clock } = pages.resources;
  const since = (days: number) => new Date(clock.now().getTime() - days * 86_400_000);
  const held = async (days: number, retentionHold: string | null) => {
    await database.plan.updateMany({ where: { userId }, data: { retentionAgreedAt: since(9) } });
    await database.repository.update({ where: { userId }, data: { retainedAt: since(days), retentionHold } });
    await pages.clock.advance(15_000);
    return sample(await (await scrape()).text(), 'repositories_held');
  };
  expect([await held(2, 'alarm'), await held(4, null), await held(4, 'repository/locked')]).toEqual(['0', '0', '1']);
  await database.repository.deleteMany({ where: { userId } });
});

test('metrics tell when Nightkeep itself was last exported into the store, and 0 as long as it was not', async () => {
  const { database, clock } = pages.resources;
  const exportedAt = async () => {
    await pages.clock.advance(15_000);
    return sample(await (await scrape()).text(), 'state_exported_timestamp_seconds');
  };
  await pages.newPerson();
  const madeAt = new Date('2026-05-04T03:00:00Z');
  expect(await exportedAt()).toBe('0');
  await database.stateExport.create({ data: { triedAt: clock.now(), madeAt } });
  expect(await exportedAt()).toBe(String(madeAt.getTime() / 1000));
  await database.stateExport.deleteMany();
});

test('metrics tell of damage, of what was not verified, and since when everything else is known to be whole', async () => {
  const [alice, bob] = [await pages.consented(), await pages.consented()];
  const { database, clock } = pages.resources;
  const userIds = [await alice.userId(), await bob.userId()];
  const damage = { marks: [], files: [], snapshots: [], recoveryKey: false };
  for (const guest of [alice, bob]) await addRepository(pages, guest);
  const since = new Date(clock.now().getTime() - 4 * 86_400_000);
  const rows = userIds.map((userId) => ({ userId, since, nextAt: since, checkedAt: since, verifiedAt: since }));
  await database.verification.createMany({ data: rows });
  const shown = async (name: string) => {
    await pages.clock.advance(15_000);
    return sample(await (await scrape()).text(), name);
  };
  const ends = { state: 'succeeded', snapshotId: 'c'.repeat(64), finishedAt: clock.now() } as const;
  await database.run.updateMany({ where: { plan: { userId: { in: userIds } } }, data: ends });
  expect(await shown('last_verified_timestamp_seconds')).toBe(String(since.getTime() / 1000));
  expect([await shown('repositories_unverified'), await shown('repositories_damaged')]).toEqual(['2', '0']);
  const found = { damage, damageState: 'healing', foundAt: clock.now() };
  await database.verification.updateMany({ where: { userId: userIds[0] ?? '' }, data: found });
  expect([await shown('repositories_unverified'), await shown('repositories_damaged')]).toEqual(['1', '1']);
  expect(await shown('repositories_gone')).toBe('0');
  // One that is gone, of which damage was known before as well.
  const isGone = { damageState: 'gone', goneAt: clock.now() };
  await database.verification.updateMany({ where: { userId: userIds[0] ?? '' }, data: isGone });
  expect([await shown('repositories_gone'), await shown('repositories_damaged')]).toEqual(['1', '0']);
  const operator = await pages.newPerson({ roles: ['operator'] });
  const tonight = await operator.text('/operator');
  expect(tonight).toContain(texts.operator.tonight.gone(1));
  expect(tonight).not.toContain(texts.operator.tonight.damaged(1));
  const at = clock.now();
  await database.verification.updateMany({ data: { checkedAt: at, verifiedAt: at, damageState: 'accepted' } });
  expect(await shown('repositories_gone')).toBe('0');
  expect([await shown('repositories_unverified'), await shown('repositories_damaged')]).toEqual(['0', '0']);
  await database.repository.deleteMany();
  await database.verification.deleteMany();
});

test('metrics name the provider whose circuit is open', async () => {
  const { database, clock, config, issuer } = pages.resources;
  const at = clock.now();
  const circuit = { issuer: config.provider.issuer.href, clientId: issuer.clientId, reason: 'jump' };
  await database.circuit.create({ data: { ...circuit, open: true, openedAt: at, nextProbeAt: at } });
  await pages.clock.advance(15_000);
  const text = await (await scrape()).text();
  expect(sample(text, 'provider_circuit_open{issuer="https://id.example/"}')).toBe('1');
});

describe('from an address of METRICS_FROM', () => {
  const from = (remoteAddress: string, headers: Record<string, string> = {}) => {
    const config = { ...pages.resources.config };
    const networks = readSetting({ METRICS_FROM: '127.0.0.1 10.1.0.0/16 fd00::/8' }, 'METRICS_FROM');
    if (networks !== undefined) config.metricsFrom = networks;
    const app = createApp({ ...pages.resources, config });
    const env = { incoming: { socket: { remoteAddress } } };
    return app.request('/metrics', { headers }, env);
  };

  test.each(['127.0.0.1', '10.1.255.1', 'fd00::17', '::ffff:10.1.2.3'])(
    '%s metrics are read without a token',
    async (address) => {
      expect((await from(address)).status).toBe(200);
    },
  );

  test.each(['10.2.0.1', '192.0.2.1', '::1', '', 'nonsense'])('%j they are not', async (address) => {
    expect((await from(address)).status).toBe(401);
  });

  test.each(['x-forwarded-for', 'forwarded', 'via'])(
    'they are not through a proxy, which says so by %s',
    async (name) => {
      expect((await from('127.0.0.1', { [name]: '127.0.0.1' })).status).toBe(401);
    },
  );
});

test('metrics tell the jobs in the queue, and go on without them where it does not answer', async () => {
  await pages.clock.advance(15_000);
  expect(await (await scrape()).text()).toMatch(/^bullmq_job_count\{.*\} \d+$/m);
  const { queues } = pages.resources;
  const away = { ...queues.backUps, metrics: () => Promise.reject(new AppError('queue/unavailable', 'Away.')) };
  const config = { ...pages.resources.config, metricsToken: token };
  const { send } = openVisitor({
    ...pages.resources,
    config,
    queues: Object.assign(Object.create(queues), { backUps: away }),
  });
  const text = await (await send('/metrics', { headers: { authorization: `Bearer ${token}` } })).text();
  expect(text).not.toContain('bullmq_');
  expect(text).toContain('nightkeep_people');
});

test('the metrics of restic come for each repository where they are switched on, and name nobody', async () => {
  const alice = await pages.consented();
  await addRepository(pages, alice);
  await addRun(pages, alice);
  expect(await (await scrape()).text()).not.toContain('restic_');
  const config = { ...pages.resources.config, metricsToken: token, metricsRestic: 'on' as const };
  const { send } = openVisitor({ ...pages.resources, config });
  const text = await (await send('/metrics', { headers: { authorization: `Bearer ${token}` } })).text();
  const lines = text.split('\n').filter((line) => line.startsWith('restic_'));
  expect(lines).toEqual([
    expect.stringMatching(
      /^restic_backup_timestamp\{client_hostname="nightkeep",client_username="([0-9a-f]{12})",.*\} 1777856520$/,
    ),
    expect.stringMatching(/^restic_snapshots_total\{.*\} 1$/),
    expect.stringMatching(/^restic_backup_files_total\{.*\} 7$/),
    expect.stringMatching(/^restic_check_success\{.*\} 2$/),
  ]);
  const repository = await pages.resources.database.repository.findFirstOrThrow();
  const { userId } = repository;
  const { verification } = pages.resources.database;
  const checkSuccess = async (row: { checkedAt: Date | null; damage?: object; damageState?: string | null }) => {
    const at = new Date(0);
    await verification.upsert({ where: { userId }, create: { userId, since: at, nextAt: at, ...row }, update: row });
    await pages.clock.advance(15_000);
    const answer = await (await send('/metrics', { headers: { authorization: `Bearer ${token}` } })).text();
    return answer.match(/^restic_check_success\{.*\} (.)$/m)?.[1];
  };
  expect(await checkSuccess({ checkedAt: new Date(0) })).toBe('1');
  // Gone, whether it was verified before or not.
  expect(await checkSuccess({ checkedAt: new Date(0), damageState: 'gone' })).toBe('0');
  expect(await checkSuccess({ checkedAt: null, damageState: 'gone' })).toBe('0');
  expect(await checkSuccess({ checkedAt: null, damageState: null })).toBe('2');
  expect(await checkSuccess({ checkedAt: new Date(0), damage: { files: [] } })).toBe('0');
  for (const secret of [repository.id, repository.location, repository.userId, alice.person.subject, 'script'])
    expect(text).not.toContain(secret);
});

test('the database is asked once for all who ask within 15 seconds', async () => {
  const { send } = prometheus();
  const headers = { authorization: `Bearer ${token}` };
  const read = async () => (await send('/metrics', { headers })).text();
  const first = await read();
  await pages.consented();
  await pages.clock.advance(14_000);
  expect(await read()).toBe(first);
  await pages.clock.advance(1_000);
  expect(await read()).not.toBe(first);
});

test('/status.json tells the last complete backup and counts to who sends the token, and to nobody else', async () => {
  const ask = (authorization: string) => prometheus().send('/status.json', { headers: { authorization } });
  expect((await openVisitor(pages.resources).send('/status.json')).status).toBe(404);
  expect((await ask('Bearer another')).status).toBe(401);
  const answer = await ask(`Bearer ${token}`);
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(Object.keys(JSON.parse(await answer.text()))).toEqual([
    'version',
    'at',
    'verification',
    'lastSuccessAt',
    'oldestDueAt',
    'people',
    'paused',
    'lateUnderWay',
    'peopleAt',
    'grants',
    'rotationsLost',
    'runs',
    'openCircuits',
    'forecast',
    'operatorsTold',
  ]);
});
