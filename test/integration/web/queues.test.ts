import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAudit } from '../../../src/database/audit.ts';
import { checkPause } from '../../../src/doctor/checks/queue.ts';
import { AppError } from '../../../src/errors.ts';
import { heal } from '../../../src/flows/heal.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { findQueuePause, noteOutsideSwitch } from '../../../src/flows/nights/switch-night.ts';
import { addNight, consentedAs } from '../../support/harness/operators.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let operator: SignedIn;
let alice: SignedIn;
beforeAll(async () => {
  pages = await openPages();
  operator = await pages.newPerson({ roles: ['operator'], claims: { preferred_username: 'olga' } });
  alice = await consentedAs(pages, 'alice');
  await pages.resources.queues.backUps.drain();
});
afterAll(() => pages[Symbol.asyncDispose]());

test('an operator pauses the night and lets it go on, and everybody reads who did it and why', async () => {
  const { backUps } = pages.resources.queues;
  expect((await operator.post('/operator/queues/pause', { reason: 'the store moves' })).status).toBe(303);
  expect(await backUps.isPaused()).toBe(true);
  const page = await operator.text('/operator/queues');
  expect(page).toContain('The night was paused by an operator, olga on 4 May 2026, 12:00 UTC.');
  expect(page).toContain('The reason: the store moves');
  expect(await operator.text('/operator')).toContain('The night is paused.');
  const { by } = await findQueuePause(pages.resources);
  expect(checkPause(by)).toMatchObject({
    state: 'warn',
    finding: 'It is paused by operator olga since 2026-05-04T12:00:00.000Z (the store moves). No worker starts a run.',
    cure: expect.stringContaining('nightkeep queue --resume'),
  });
  expect((await operator.post('/operator/queues/resume')).status).toBe(303);
  expect(await backUps.isPaused()).toBe(false);
  expect(await operator.text('/operator/queues')).toContain('The queue is giving out runs.');
  const acts = await pages.resources.database.audit.findMany({ orderBy: { id: 'desc' }, take: 2 });
  expect(acts).toMatchObject([{ act: 'night-resumed' }, { act: 'night-paused', reason: 'the store moves' }]);
});

test('whoever presses again, or in an old window, changes nothing: who paused the night and why stays', async () => {
  const { database } = pages.resources;
  const other = await pages.newPerson({ roles: ['operator'], claims: { preferred_username: 'otto' } });
  const acts = () => database.audit.count({ where: { act: { in: ['night-paused', 'night-resumed'] } } });
  const told = async (who: SignedIn, act: string, reason: string) =>
    (await who.post(`/operator/queues/${act}`, { reason })).headers.get('location');
  const before = await acts();
  expect(await told(operator, 'resume', 'nothing is paused')).toBe('/operator/queues?told=unchanged');
  expect(await told(operator, 'pause', 'a disk is changed')).toBe('/operator/queues?told=paused');
  expect(await told(operator, 'pause', 'a disk is changed')).toBe('/operator/queues?told=unchanged');
  expect(await told(other, 'pause', 'who knows')).toBe('/operator/queues?told=unchanged');
  const page = await other.text('/operator/queues?told=unchanged');
  expect(page).toContain('The night was paused by an operator, olga');
  expect(page).toContain('The reason: a disk is changed');
  expect(page).toContain('Nothing was changed: it is like that already.');
  expect(await told(other, 'resume', '')).toBe('/operator/queues?told=resumed');
  expect(await told(operator, 'resume', '')).toBe('/operator/queues?told=unchanged');
  expect((await acts()) - before).toBe(2);
});

test('a queue that somebody else paused is named as that, and can be resumed here', async () => {
  await pages.resources.queues.backUps.pause();
  expect(await operator.text('/operator/queues')).toContain('paused, but not by Nightkeep');
  expect(checkPause((await findQueuePause(pages.resources)).by)).toMatchObject({ state: 'wrong' });
  await operator.post('/operator/queues/resume');
  expect(await pages.resources.queues.backUps.isPaused()).toBe(false);
});

test('what something else did to the queue is put on record once, and blames no operator', async () => {
  const { clock, resources } = pages;
  const { backUps } = resources.queues;
  const switches = () =>
    listAudit(resources.database, { filter: { kind: 'outside' }, limit: 9 }).then((found) =>
      found.map(({ act }) => act),
    );
  expect(await noteOutsideSwitch(resources)).toBe(false);
  await backUps.pause();
  await heal(resources);
  expect(await noteOutsideSwitch(resources)).toBe(false);
  expect(await switches()).toEqual(['night-paused']);
  expect(await operator.text('/operator/queues')).toContain('paused, but not by Nightkeep');
  expect(await operator.text('/operator/audit')).toContain('something other than Nightkeep');
  expect(checkPause((await findQueuePause(resources)).by)).toMatchObject({ state: 'wrong' });
  const userId = await alice.userId();
  await resources.database.plan.updateMany({ where: { userId }, data: { nextDueAt: clock.now() } });
  expect(await findProtection(resources, userId)).toMatchObject({ reason: 'paused_for_all', pausedSince: clock.now() });
  await backUps.resume();
  await heal(resources);
  expect(await switches()).toEqual(['night-resumed', 'night-paused']);
  expect((await findProtection(resources, userId)).reason).not.toBe('paused_for_all');
  // Redis forgets that an operator paused the night, and a board pauses it later: that was not the operator.
  await operator.post('/operator/queues/pause', { reason: 'a disk is changed' });
  await backUps.resume();
  await heal(resources);
  await backUps.pause();
  expect((await findQueuePause(resources)).by).toBeNull();
  await operator.post('/operator/queues/resume');
});

test('a night is ended early with a reason: what waits is skipped, what somebody asked for keeps its place', async () => {
  const { database, queues } = pages.resources;
  const waiting = await addNight(pages, alice, { state: 'queued', night: '2026-05-01' });
  const running = await addNight(pages, alice, { state: 'running', night: '2026-05-02' });
  const asked = await addNight(pages, alice, { state: 'queued', night: '2026-05-03', slot: 'x', trigger: 'person' });
  await queues.backUps.enqueue([{ runId: waiting, attempt: 0 }]);
  expect((await operator.post('/operator/queues/drain', { reason: ' ' })).status).toBe(400);
  expect((await operator.post('/operator/queues/drain', { reason: 'the store is full' })).status).toBe(303);
  const states = await database.run.findMany({ select: { id: true, state: true } });
  expect(new Map(states.map(({ id, state }) => [id, state]))).toEqual(
    new Map([
      [waiting, 'skipped'],
      [running, 'running'],
      [asked, 'queued'],
    ]),
  );
  expect(await queues.backUps.list(9)).toMatchObject([{ id: `run-${asked}-0` }]);
  const page = await operator.text('/operator/queues');
  expect(page).toContain(`run-${asked}-0`);
  expect(page).not.toContain(waiting);
  expect(await database.audit.findFirst({ orderBy: { id: 'desc' } })).toMatchObject({
    act: 'night-drained',
    about: '1 skipped',
    reason: 'the store is full',
  });
});

test('the tries of a run are told, however often its job was put in anew', async () => {
  const { database, queues } = pages.resources;
  await queues.backUps.drain();
  const fifth = await addNight(pages, alice, { state: 'running', night: '2026-04-30' });
  await database.run.update({ where: { id: fifth }, data: { attempt: 5 } });
  await queues.backUps.enqueue([{ runId: fifth, attempt: 4 }]);
  expect(await operator.text('/operator/queues')).toMatch(/data-label="Attempts"><span>5</);
});

test('a job that another program put in, of no run, is listed among the others', async () => {
  const { backUps } = pages.resources.queues;
  await backUps.enqueue([{ runId: 'strange', attempt: 0 }]);
  expect((await operator.send('/operator/queues')).status).toBe(200);
  expect(await operator.text('/operator/queues')).toContain('strange');
  await backUps.drain();
});

test('a queue that is away is reported as that, and the night is shown all the same', async () => {
  const { backUps } = pages.resources.queues;
  const { isPaused } = backUps;
  backUps.isPaused = () => Promise.reject(new AppError('queue/unavailable', 'It is away.'));
  expect(await operator.text('/operator/queues')).toContain('The queue does not answer.');
  expect(await operator.text('/operator')).toContain('The queue does not answer.');
  backUps.isPaused = isPaused;
});

test('a queue in which another program put something is reported as that, with the cure, and the night is shown all the same', async () => {
  const { backUps } = pages.resources.queues;
  const { isPaused } = backUps;
  backUps.isPaused = () => Promise.reject(new AppError('queue/damaged', 'Redis holds x. DEL x.'));
  const page = await operator.text('/operator/queues');
  for (const words of ['Another program put something where', 'Redis holds x. DEL x.']) expect(page).toContain(words);
  expect(await operator.text('/operator')).toContain('Another program put something where');
  backUps.isPaused = isPaused;
});
