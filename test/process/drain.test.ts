import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import { type Installation, openInstallation } from '../support/harness/installation.ts';
import { eventsOf, eventually } from '../support/harness/nightkeep.ts';
import type { Visitor } from '../support/realms/realm.ts';
import { end, file, folder, type HostileWebdav, startHostileWebdav } from '../support/servers/hostile-webdav.ts';

const slow = file('slow, and whole\n');
const other = file('x'.repeat(300_000));
const whole = new Map([
  ['slow.txt', 'slow, and whole\n'],
  ['deep/other.txt', 'x'.repeat(300_000)],
]);

let opened: AsyncDisposableStack;
let cloud: HostileWebdav;
let installation: Installation;
/** Answers that the cloud owes; while this is an array it owes each that is asked for the slow file. */
let owed: (() => void)[] | undefined;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  cloud = opened.use(await startHostileWebdav(folder({ 'slow.txt': slow, deep: folder({ 'other.txt': other }) })));
  owed = [];
  cloud.mischief = ({ method, path }, response) => {
    if (owed === undefined || method !== 'GET' || !path.endsWith('slow.txt')) return undefined;
    owed.push(() => end(response, 200, { etag: slow.etag ?? '' }, slow.content?.toString()));
    return true;
  };
  installation = opened.use(await openInstallation({ settings: { FILES_URL: cloud.url } }));
});
afterEach(() => opened.disposeAsync());

/** Consents, which begins the first run, and waits until the cloud keeps it waiting. */
async function beginRun(): Promise<Visitor> {
  const visitor = await installation.visitor(alice);
  await visitor.open(new URL('?scope=offline_access', installation.url).href);
  await visitor.press(texts.consent.agree);
  await eventually(() => owed?.length === 1);
  return visitor;
}

function payUp(): void {
  const all = owed ?? [];
  owed = undefined;
  for (const answer of all) answer();
}

const refused = () =>
  fetch(new URL('/livez', installation.url)).then(
    () => false,
    () => true,
  );
const theRun = () => installation.database.run.findFirstOrThrow();
const steps = async () => {
  const { id } = await theRun();
  const events = await installation.database.event.findMany({ where: { subjectId: id }, orderBy: { id: 'asc' } });
  return events.map(({ to }) => to);
};

/** This cloud has one folder for everybody. */
const begun = ['settings.doubtful', 'sign-in'];

test('a run under way is allowed to end within the time of grace, though no page is served any more', async () => {
  await using service = await installation.start({ GRACE_SECONDS: '3600' });
  await beginRun();
  service.signal('SIGTERM');
  await eventually(refused);
  payUp();
  const { code, stderr } = await service.ended;
  expect({ code, events: eventsOf(stderr) }).toEqual({
    code: 0,
    events: [...begun, 'grant.exchanged', 'run.finished', 'retention.done'],
  });
  expect(await theRun()).toMatchObject({ state: 'succeeded', attempt: 1 });
  expect(await installation.restored(alice)).toEqual(whole);
});

test('one that does not end in time goes back to the queue unharmed, and another process finishes it', async () => {
  await using service = await installation.start({ GRACE_SECONDS: '0' });
  await beginRun();
  service.signal('SIGTERM');
  const { code, stderr } = await service.ended;
  // A duty of that minute may be under way too.
  expect({ code, events: eventsOf(stderr).filter((event) => event !== 'duty.left') }).toEqual({
    code: 0,
    events: [...begun, 'grant.exchanged', 'queue.stopping-jobs', 'run.stopped'],
  });
  const free = { leaseHolder: null, leaseUntil: null };
  expect(await theRun()).toMatchObject({ ...free, state: 'queued', attempt: 0, finishedAt: null });
  expect(await installation.database.grant.findFirstOrThrow()).toMatchObject({
    ...free,
    state: 'active',
    reason: null,
  });
  payUp();
  await using next = await installation.start({}, '--roles', 'worker');
  await installation.atRest();
  expect(await theRun()).toMatchObject({ ...free, state: 'succeeded', attempt: 1 });
  expect(await steps()).toEqual(['queued', 'running', 'queued', 'running', 'succeeded']);
  expect(await installation.restored(alice)).toEqual(whole);
  next.signal('SIGTERM');
  expect((await next.ended).code).toBe(0);
});

test('while the service still has its grace, another one takes the work that comes', async () => {
  await using old = await installation.start({ GRACE_SECONDS: '3600' });
  await beginRun();
  old.signal('SIGTERM');
  await eventually(refused);
  await using young = await installation.start();
  payUp();
  expect((await old.ended).code).toBe(0);
  const visitor = await installation.visitor(alice);
  await visitor.open(installation.url.href);
  await visitor.press(texts.menu.signIn);
  await visitor.press(texts.home.now);
  await installation.atRest();
  const runs = await installation.database.run.findMany();
  expect(runs.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  young.signal('SIGTERM');
  expect((await young.ended).code).toBe(0);
});
