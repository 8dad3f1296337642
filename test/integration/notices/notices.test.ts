import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { claimDeliveries, inspectNotices } from '../../../src/database/notices.ts';
import { checkNotices } from '../../../src/doctor/checks/notices.ts';
import { raiseAlarms, raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import type { Resources } from '../../../src/resources.ts';
import { openPages, type Pages } from '../../support/harness/pages.ts';
import { type SmtpManners, startSmtp } from '../../support/servers/smtp.ts';

const from = 'Nightkeep <nightkeep@example.org>';
const operatorMail = 'operators@example.org';
const hour = 3_600_000;

let opened: AsyncDisposableStack;
let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages?.[Symbol.asyncDispose]());
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { database } = pages.resources;
  await database.notice.deleteMany();
  await database.circuit.deleteMany();
  await database.grant.updateMany({ data: { state: 'withdrawn' } });
});
afterEach(() => opened.disposeAsync());

const withSettings = (settings: Partial<Config>): Resources => ({
  ...pages.resources,
  config: { ...pages.resources.config, ...settings },
});
const openMail = async (manners: SmtpManners = {}) => {
  const smtp = opened.use(await startSmtp(manners));
  return { smtp, resources: withSettings({ mail: { url: smtp.url, from }, operatorMail }) };
};
const openSink = async (answer: () => number) => {
  const bodies: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString()));
    response.writeHead(answer()).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.defer(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { bodies, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook?key=secret` };
};

/** Somebody who consented, whose address is known and whose consent has ended at the provider. */
async function somebodyRefused(email: string | null = 'alice@example.org') {
  const person = await pages.consented();
  const userId = await person.userId();
  const { database } = pages.resources;
  await database.user.update({ where: { id: userId }, data: { email } });
  await database.grant.updateMany({ where: { userId }, data: { state: 'needs_consent', reason: 'signed_out' } });
  return { person, userId };
}

/** Somebody whose night the operator must mend. */
async function somebodyWaiting() {
  const person = await pages.consented();
  const userId = await person.userId();
  await pages.resources.database.run.updateMany({
    where: { plan: { userId } },
    data: { state: 'failed', errorCode: 'source/forbidden', finishedAt: pages.resources.clock.now() },
  });
  return { person, userId };
}

const raiseAndSend = async (resources: Resources) => [await raiseNotices(resources), await sendNotices(resources)];

describe('a person', () => {
  test('is mailed what happened and where to mend it, once', async () => {
    const { smtp, resources } = await openMail();
    await somebodyRefused();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    await pages.clock.advance(30 * hour);
    await raiseAndSend(resources);
    const [mail, ...more] = smtp.mails.filter(({ to }) => to === 'alice@example.org');
    expect(more).toEqual([]);
    expect(mail?.from).toBe('nightkeep@example.org');
    expect(mail?.text).toContain('Subject: Nightkeep: your files are not protected at present');
    expect(mail?.text).toContain('signed you out everywhere');
    expect(mail?.text).toContain('http://localhost:3000/');
    expect(mail?.text).toContain('Auto-Submitted: auto-generated');
  });

  test('without an address is not mailed, and nobody is without a mail server', async () => {
    const { resources } = await openMail();
    await somebodyRefused(null);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    expect(await raiseAndSend(pages.resources)).toEqual([0, 0]);
  });

  test('gets one mail a day at most, and the next trouble the day after', async () => {
    const { smtp, resources } = await openMail();
    const { userId } = await somebodyRefused();
    await raiseAndSend(resources);
    const { database } = pages.resources;
    await database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    await pages.clock.advance(20 * hour);
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(smtp.mails.at(-1)?.text).toContain('That was our fault');
  });

  test('is mailed 14, 7 and 2 days before an end of the consent', async () => {
    const { smtp, resources } = await openMail();
    const { userId } = await somebodyRefused();
    const { database, clock } = pages.resources;
    const maxDeadline = new Date(clock.now().getTime() + 20 * 24 * hour);
    const idleDeadline = new Date(maxDeadline.getTime() + hour);
    await database.grant.updateMany({
      where: { userId },
      data: { state: 'active', reason: null, maxDeadline, idleDeadline },
    });
    await database.plan.updateMany({ where: { userId }, data: { nextDueAt: maxDeadline } });
    for (let day = 0; day < 20; day++) {
      const finishedAt = clock.now();
      await database.run.updateMany({
        where: { plan: { userId } },
        data: { state: 'succeeded', snapshotId: 'a'.repeat(64), finishedAt },
      });
      await raiseAndSend(resources);
      await pages.clock.advance(24 * hour);
    }
    const ends = smtp.mails
      .filter(({ to }) => to === 'alice@example.org')
      .map(({ text }) => /in (\d+) days|within a day/.exec(text)?.[0]);
    expect(ends).toEqual(['in 14 days', 'in 7 days', 'in 2 days']);
  });
});

describe('operators', () => {
  test('get one digest after each window: how many wait and why, and no name', async () => {
    const { smtp, resources } = await openMail();
    const { person, userId } = await somebodyWaiting();
    await somebodyWaiting();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    const [mail] = smtp.mails;
    expect(mail?.to).toBe(operatorMail);
    expect(mail?.text).toContain('2 =C3=97 server_refuses');
    for (const secret of [userId, person.person.subject]) expect(mail?.text).not.toContain(secret);
    await pages.clock.advance(24 * hour);
    expect(await raiseNotices(resources)).toBe(1);
  });

  test('read of an open circuit within the minute, each time it opens', async () => {
    const { smtp, resources } = await openMail();
    const { database, clock, config, issuer } = resources;
    const circuit = { issuer: config.provider.issuer.href, clientId: issuer.clientId };
    const data = { ...circuit, reason: 'jump', open: true, openedAt: clock.now(), nextProbeAt: clock.now() };
    expect(await raiseAlarms(resources)).toBe(0);
    await database.circuit.create({ data });
    expect([await raiseAlarms(resources), await raiseAlarms(resources)]).toEqual([1, 0]);
    await sendNotices(resources);
    expect(smtp.mails[0]?.text).toContain(circuit.issuer);
    await pages.clock.advance(hour);
    await database.circuit.updateMany({ data: { openedAt: clock.now() } });
    expect(await raiseAlarms(resources)).toBe(1);
  });

  test('are told by webhook too, as JSON', async () => {
    const { bodies, url } = await openSink(() => 204);
    await somebodyWaiting();
    expect(await raiseAndSend(withSettings({ webhookUrl: url }))).toEqual([1, 1]);
    expect(bodies).toMatchObject([
      { title: 'Nightkeep: people wait for you', facts: { kind: 'digest', reasons: { server_refuses: 1 } } },
    ]);
  });

  test('the page says when the operator was told, and before that does not', async () => {
    const { resources } = await openMail();
    const { person } = await somebodyWaiting();
    const told = async () => (await person.text('/')).includes('The operator was told of this on ');
    expect(await told()).toBe(false);
    await raiseNotices(resources);
    expect(await told()).toBe(false);
    await sendNotices(resources);
    expect(await told()).toBe(true);
  });
});

describe('a notice that is not delivered', () => {
  const attempts = async (resources: Resources, everyMs: number, count: number) => {
    const delivered: number[] = [];
    for (let n = 0; n < count; n++) {
      delivered.push(await sendNotices(resources));
      await pages.clock.advance(everyMs);
    }
    return delivered;
  };
  const state = () => pages.resources.database.notice.findFirstOrThrow({ where: { channel: 'mail-operator' } });

  test('because the server cannot take it now is tried again, and arrives once', async () => {
    let busy = 2;
    const { smtp, resources } = await openMail({ recipient: () => (busy-- > 0 ? 451 : undefined) });
    await somebodyWaiting();
    await raiseNotices(resources);
    expect(await attempts(resources, 6 * 60_000, 4)).toEqual([0, 0, 1, 0]);
    expect(smtp.mails).toHaveLength(1);
    expect(await state()).toMatchObject({ failures: 2, errorCode: null, nextAttemptAt: null });
  });

  test.each([550, 552, 554])('because the server refuses it by %d is not sent again', async (code) => {
    const { smtp, resources } = await openMail({ recipient: () => code });
    await somebodyWaiting();
    await raiseNotices(resources);
    expect(await attempts(resources, 24 * hour, 2)).toEqual([0, 0]);
    expect(smtp.mails).toEqual([]);
    expect(await state()).toMatchObject({ failures: 1, errorCode: 'notice/refused', nextAttemptAt: null });
  });

  test('because the server is away or the password is wrong waits for it, and is given up after a day', async () => {
    const { smtp } = await openMail({ password: 'right' });
    const url = (password: string) => `smtp://nightkeep:${password}@127.0.0.1:${smtp.port}`;
    const resources = withSettings({ mail: { url: url('wrong'), from }, operatorMail });
    await somebodyWaiting();
    await raiseNotices(resources);
    expect(await sendNotices(resources)).toBe(0);
    expect(await state()).toMatchObject({ failures: 1, errorCode: 'notice/unavailable' });
    await pages.clock.advance(60_000);
    expect(await sendNotices(withSettings({ mail: { url: url('right'), from }, operatorMail }))).toBe(1);
    await smtp.stop();
    await pages.clock.advance(24 * hour);
    await raiseNotices(resources);
    expect(await attempts(resources, 13 * hour, 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    const last = await pages.resources.database.notice.findFirstOrThrow({ orderBy: { createdAt: 'desc' } });
    expect(last).toMatchObject({ failures: 7, nextAttemptAt: null, deliveredAt: null });
  });

  test.each([
    [400, 'notice/refused'],
    [302, 'notice/refused'],
    [429, 'notice/unavailable'],
    [503, 'notice/unavailable'],
  ])('because the webhook answers %d is recorded as %s', async (status, errorCode) => {
    const { url } = await openSink(() => status);
    await somebodyWaiting();
    expect(await raiseAndSend(withSettings({ webhookUrl: url }))).toEqual([1, 0]);
    expect(await pages.resources.database.notice.findFirstOrThrow()).toMatchObject({ errorCode });
  });

  test('is what the doctor warns of', async () => {
    const { resources } = await openMail({ recipient: () => 550 });
    await somebodyWaiting();
    await raiseAndSend(resources);
    const at = pages.resources.clock.now().getTime();
    const times = { since: new Date(at - 7 * 24 * hour), waitingBefore: new Date(at - hour) };
    const faults = await inspectNotices(pages.resources.database, times);
    const { state: told, finding } = checkNotices({ people: true, operators: ['mail'] }, faults);
    expect([told, finding]).toEqual([
      'warn',
      '1 notice could not be delivered (notice/refused); 1 of them will not be tried again.',
    ]);
  });
});

test('two workers at once deliver each notice once, and what a dead one claimed is delivered later', async () => {
  const { smtp, resources } = await openMail();
  for (let n = 0; n < 5; n++) await somebodyRefused(`person-${n}@example.org`);
  await raiseNotices(resources);
  const delivered = await Promise.all([sendNotices(resources), sendNotices(resources), sendNotices(resources)]);
  expect(delivered.reduce((sum, count) => sum + count)).toBe(5);
  expect(new Set(smtp.mails.map(({ to }) => to)).size).toBe(smtp.mails.length);

  await somebodyWaiting();
  await raiseNotices(resources);
  const at = pages.resources.clock.now();
  expect(await claimDeliveries(pages.resources.database, { at, limit: 10 })).toHaveLength(1);
  expect(await sendNotices(resources)).toBe(0);
  await pages.clock.advance(10 * 60_000);
  expect(await sendNotices(resources)).toBe(1);
});

test('notices keep no address: a mail goes to the one that is known when it is sent', async () => {
  const { smtp, resources } = await openMail();
  const { userId } = await somebodyRefused();
  await raiseNotices(resources);
  const { database } = pages.resources;
  expect(JSON.stringify(await database.notice.findMany())).not.toContain('alice@example.org');
  await database.user.update({ where: { id: userId }, data: { email: 'alice@new.example' } });
  await sendNotices(resources);
  expect(smtp.mails.map(({ to }) => to)).toEqual(['alice@new.example']);
});
