import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shortId } from '../../../src/domain/short-id.ts';
import { dayMs, minuteMs } from '../../../src/durations.ts';
import { chooseErasure } from '../../../src/flows/erasure/erase-choice.ts';
import { finishErasedPeople } from '../../../src/flows/erasure/erase-person.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { everyRow } from '../../support/fixtures/every-row.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addNight } from '../../support/harness/operators.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

const t = texts.settings;
const { word } = t.erase;

let pages: Pages;
let alice: SignedIn;
let userId: string;
beforeEach(async () => {
  pages = await openPages();
  alice = await personNamed('alice-liddell');
  userId = await alice.userId();
});
afterEach(() => pages[Symbol.asyncDispose]());

/** Somebody with a consent, whose name, subject and mail address hold that word, which is too long to stand in a random Base64 by chance. */
async function personNamed(name: string): Promise<SignedIn> {
  const claims = { preferred_username: name, name, email: `${name}@example.org` };
  const guest = await pages.newPerson({ subject: `subject of ${name}`, claims, tokens: { sid: `session of ${name}` } });
  await guest.post('/consent');
  await guest.comeBack();
  return guest;
}

const erase = async (guest: SignedIn) => (await guest.post('/settings/erase', { word })).headers.get('location') ?? '';
const rowsOfAlice = async () => {
  const rows = await everyRow(pages.resources.database);
  return rows.filter((row) => row.includes('alice-liddell') || row.includes(userId));
};
const latest = async () => pages.resources.database.audit.findFirst({ orderBy: { id: 'desc' } });

describe('erasing everything about a person', () => {
  it('is for whoever is signed in and signed in freshly, and types the word', async () => {
    expect((await openVisitor(pages.resources).post('/settings/erase', { word })).headers.get('location')).toMatch(
      /^\/login/,
    );
    expect(await alice.text('/settings')).toContain('href="/settings/erase"');
    expect(await alice.text('/settings/erase')).toContain(t.erase.type(word));
    for (const wrong of ['', 'yes', 'eras']) {
      const answer = await alice.post('/settings/erase', { word: wrong });
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(t.erase.wrong)]);
    }
    await pages.clock.advance(5 * minuteMs);
    expect(await alice.text('/settings/erase')).toContain(texts.fresh.signIn);
    expect(await erase(alice)).toBe('/login?fresh=yes&returnTo=%2Fsettings%2Ferase');
    expect(await pages.resources.database.grant.findFirstOrThrow({ where: { userId } })).toMatchObject({
      state: 'active',
    });
    expect(await pages.resources.database.personErasure.count()).toBe(0);
  });

  it('and exporting it know each table that holds something of somebody', async () => {
    const tables = await pages.resources.database.$queryRaw<{ name: string }[]>`
      SELECT DISTINCT table_name AS name FROM information_schema.columns WHERE table_schema = 'public'
        AND column_name IN ('user_id', 'grant_id', 'plan_id', 'run_id', 'repository_id', 'subject_id') ORDER BY 1`;
    // A new one is exported by src/database/people/person-data.ts, and erased by src/database/people/person-erasures.ts, or goes with what it belongs to.
    expect(tables.map(({ name }) => name)).toEqual(
      'audit consents events exchanges grants notices person_erasures plans repositories restores run_progress runs token_generations verifications web_sessions'.split(
        ' ',
      ),
    );
  });

  it('leaves no row of them but the audit and a receipt that names nobody, and touches nobody else', async () => {
    const { database } = pages.resources;
    await addNight(pages, alice);
    const restore = { snapshotId: 'ab', path: 'alice-liddell', askedAt: new Date(0) };
    await database.restore.create({ data: { id: randomUUID(), userId, ...restore } });
    await database.verification.create({
      data: {
        ...{ userId, since: new Date(0), nextAt: new Date(0) },
        damage: { marks: [], snapshots: [], recoveryKey: false, files: [{ path: '/alice-liddell', snapshots: [] }] },
      },
    });
    const bob = await personNamed('bob-the-other');
    const others = async () => (await everyRow(database)).filter((row) => row.includes('bob-the-other'));
    const before = await others();
    await database.audit.create({
      data: { at: new Date(0), by: 'operator:x', act: 'plan-paused', userId, reason: 'alice-liddell moves' },
    });
    const path = await erase(alice);
    expect(path).toMatch(/^\/erased\/[0-9a-f-]{36}$/);
    const rows = await rowsOfAlice();
    expect(rows.filter((row) => row.includes('alice-liddell'))).toEqual([]);
    const audit = await database.audit.findMany({ where: { userId } });
    expect(rows).toHaveLength(audit.length);
    expect(audit.every(({ reason }) => reason === null)).toBe(true);
    expect(await latest()).toMatchObject({ act: 'person-erased', by: `user:${userId}`, userId });
    expect(pages.revoked).toContain('the token of subject of alice-liddell');
    expect(await others()).toEqual(before);
    expect((await bob.send('/settings')).status).toBe(200);
  });

  it('keeps nothing that says who they were, and no record that nothing needs, while it waits for snapshots, a run and a restore', async () => {
    const { database } = pages.resources;
    const at = pages.clock.now();
    const nextDay = new Date(at.getTime() + dayMs);
    const named = 'alice-liddell';
    const about = { message: named, problems: [{ path: named, code: 'source/forbidden', message: named }] };
    await addRepository(pages, alice);
    await database.repository.updateMany({ where: { userId }, data: { formerPlan: { sources: [named] } } });
    const { id: grantId } = await database.grant.findFirstOrThrow({ where: { userId } });
    const plan = await database.plan.findFirstOrThrow({ where: { userId } });
    await addNight(pages, alice, { ...about, leaseUntil: at });
    await addNight(pages, alice, { ...about, night: '2026-05-03' });
    const inHand = await addNight(pages, alice, {
      ...about,
      state: 'running',
      leaseUntil: nextDay,
      night: '2026-05-02',
    });
    const writing = randomUUID();
    const restore = { userId, snapshotId: 'ab', path: named, folder: named, askedAt: at, ...about };
    const running = { state: 'running' as const, startedAt: at, toldAt: nextDay };
    await database.restore.createMany({
      data: [
        { ...restore, id: randomUUID(), folder: null },
        { ...restore, ...running, id: randomUUID(), state: 'succeeded', finishedAt: at },
        { ...restore, ...running, id: writing },
      ],
    });
    const damage = { marks: [], snapshots: [], recoveryKey: false, files: [{ path: named, snapshots: [] }] };
    await database.verification.create({ data: { userId, since: at, nextAt: at, damage } });
    const notice = { key: 'one', channel: 'mail-person', facts: { kind: 'files_moved', from: named }, createdAt: at };
    await database.notice.create({ data: { id: randomUUID(), userId, ...notice } });
    const use = {
      generation: 1,
      fence: 1,
      holder: named,
      purpose: 'run',
      startedAt: at,
      answeredAt: at,
      verdict: 'ok',
    };
    await database.exchange.create({ data: { id: randomUUID(), grantId, ...use } });
    const subjects = [
      ['user', userId],
      ['session', `sub:${shortId(`subject of ${named}`)}`],
      ['grant', grantId],
      ['plan', plan.id],
      ['run', inHand],
    ] as const;
    await database.event.createMany({
      data: subjects.map(([subjectKind, subjectId]) => ({ subjectKind, subjectId, to: named, at, by: named })),
    });
    await database.user.update({ where: { id: userId }, data: { language: 'en', mutedMails: ['trouble'] } });

    let isDone = false;
    const erasing = erase(alice).finally(() => {
      isDone = true;
    });
    // Then it waits for a while for whoever writes the restore.
    await expect.poll(() => database.personErasure.count()).toBe(1);
    while (!isDone) {
      await pages.clock.advance(1_000);
      await new Promise(setImmediate);
    }
    expect(await erasing).toMatch(/^\/erased\//);
    expect((await rowsOfAlice()).filter((row) => row.includes(named))).toEqual([]);
    const left = { where: { userId } };
    expect(await database.user.findUnique({ where: { id: userId } })).toMatchObject({
      ...{ username: null, name: null, email: null, language: null, mutedMails: [], lastSignedInAt: null, claims: {} },
    });
    expect(await database.run.findMany({ where: { plan: { userId } } })).toMatchObject([{ id: inHand }]);
    expect(await database.restore.findMany(left)).toMatchObject([{ id: writing, cancelledAt: expect.any(Date) }]);
    expect(await database.plan.findMany(left)).toMatchObject([{ sources: [], zone: 'UTC' }]);
    expect(await database.grant.findMany(left)).toMatchObject([{ subject: `erased:${userId}`, sid: null }]);
    expect([
      await database.notice.count(left),
      await database.verification.count(left),
      await database.exchange.count({ where: { grantId } }),
      await database.tokenGeneration.count({ where: { grantId, sid: { not: null } } }),
      await database.consent.count(left),
      await database.webSession.count(left),
    ]).toEqual([0, 0, 0, 0, 0, 0]);

    // Each of what it waits for keeps it alone, too.
    await database.repository.deleteMany(left);
    await database.restore.deleteMany(left);
    expect(await finishErasedPeople(pages.resources)).toBe(0);
    await database.restore.create({ data: { ...restore, ...running, id: writing } });
    await database.run.deleteMany({ where: { id: inHand } });
    expect(await finishErasedPeople(pages.resources)).toBe(0);
    await database.restore.deleteMany(left);
    expect(await finishErasedPeople(pages.resources)).toBe(1);
    expect((await rowsOfAlice()).filter((row) => row.includes(named))).toEqual([]);
    expect(await database.event.count({ where: { subjectId: { in: [userId, grantId, plan.id, inHand] } } })).toBe(0);
  });

  it('ends with a receipt for whoever knows its address, which says what was done and no more', async () => {
    await addNight(pages, alice);
    const path = await erase(alice);
    expect([...alice.cookies.keys()].filter((name) => name === '__Host-nightkeep')).toEqual([]);
    const page = await openVisitor(pages.resources).text(path);
    for (const words of [
      t.receipt.title,
      t.receipt.tokens.revoked,
      t.receipt.snapshots.none,
      t.receipt.rest.gone('4 May 2026, 12:00 UTC'),
      `${t.receipt.removed.backups}</dt><dd>2</dd>`,
    ])
      expect(page).toContain(words);
    const answer = await openVisitor(pages.resources).send(`${path}/receipt.json`);
    expect(answer.headers.get('content-disposition')).toContain('attachment');
    expect(await answer.json()).toMatchObject({
      removed: { consents: 1, sessions: 1, backups: 2 },
      remains: {
        outstanding: 0,
        ended: { revoked: 1, expired: 0, shredded: 0 },
        snapshots: { kept: false, erased: null },
      },
      finishedAt: pages.clock.now().toISOString(),
    });
    for (const other of [`/erased/${randomUUID()}`, '/erased/x', `/erased/${randomUUID()}/receipt.json`])
      expect((await openVisitor(pages.resources).send(other)).status).toBe(404);
  });

  it.each([
    ['with snapshots, which a worker erases', true],
    ['without snapshots, of whom nothing is left then', false],
  ])(
    'whose button was pressed twice leads to the same receipt again, although nobody is signed in then: %s',
    async (_, kept) => {
      if (kept) await writeSnapshot(await addRepository(pages, alice), { 'a.txt': Buffer.from('hers') });
      const page = await alice.text('/settings/erase');
      const [, receipt = ''] = /name="receipt" value="([^"]+)"/.exec(page) ?? [];
      const [cookies, csrf] = [new Map(alice.cookies), await alice.csrf()];
      const body = () => new URLSearchParams({ csrf, word, receipt });
      const press = async () => {
        for (const [name, value] of cookies) alice.cookies.set(name, value);
        return (await alice.send('/settings/erase', { method: 'POST', body: body() })).headers.get('location');
      };
      expect([await press(), await press()]).toEqual([`/erased/${receipt}`, `/erased/${receipt}`]);
      const { database } = pages.resources;
      expect(await database.personErasure.count()).toBe(1);
      // A receipt of somebody else is nobody's to take.
      const bella = await personNamed('bella');
      const other = (await bella.post('/settings/erase', { word, receipt })).headers.get('location');
      expect(other).not.toBe(`/erased/${receipt}`);
      expect(await database.personErasure.count()).toBe(2);
      const unknown = await openVisitor(pages.resources).post('/settings/erase', { word, receipt: randomUUID() });
      expect(unknown.headers.get('location')).toMatch(/^\/login/);
    },
  );

  it('says of snapshots and of a provider that is away that they wait, and is done once both are', async () => {
    const { database, issuer } = pages.resources;
    await writeSnapshot(await addRepository(pages, alice), { 'a.txt': Buffer.from('hers') });
    const { revoke } = issuer;
    Object.assign(issuer, { revoke: () => Promise.reject(new Error('away')) });
    const path = await erase(alice);
    const receipt = () => openVisitor(pages.resources).text(path);
    const waiting = await receipt();
    for (const words of [
      t.receipt.waitingTitle,
      t.receipt.tokens.outstanding,
      t.receipt.snapshots.kept,
      t.receipt.rest.waits,
    ])
      expect(waiting).toContain(words);
    expect((await rowsOfAlice()).filter((row) => row.includes('alice-liddell'))).toEqual([]);
    expect(await eraseRepositories(pages.resources)).toBe(1);
    expect(await finishErasedPeople(pages.resources)).toBe(0);
    const half = await receipt();
    expect(half).toContain('1 snapshot');
    expect(half).toContain(t.receipt.tokens.outstanding);
    Object.assign(issuer, { revoke });
    await healed();
    expect(await finishErasedPeople(pages.resources)).toBe(1);
    expect(await finishErasedPeople(pages.resources)).toBe(0);
    const done = await receipt();
    for (const words of [t.receipt.title, t.receipt.tokens.revoked, '1 snapshot']) expect(done).toContain(words);
    expect(await database.user.count({ where: { id: userId } })).toBe(0);
    expect(await database.repository.count()).toBe(0);
  });

  it('is put off by no choice for the snapshots that comes after it', async () => {
    await addRepository(pages, alice);
    await erase(alice);
    await chooseErasure(pages.resources, { userId, choice: 365 });
    expect(await pages.resources.database.repository.findFirstOrThrow({ where: { userId } })).toMatchObject({
      eraseAt: pages.clock.now(),
    });
  });

  it('makes nobody new of a page of theirs that loads itself again in another tab', async () => {
    await erase(alice);
    const itself = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' };
    const path = `/runs/${randomUUID()}`;
    const answer = await alice.send(path, { headers: itself });
    expect([answer.status, answer.headers.get('location')]).toEqual([200, null]);
    const page = await answer.text();
    expect(page).toContain(texts.signedOut.lead);
    expect(page).toContain(`href="/login?returnTo=${encodeURIComponent(path)}"`);
    const opened = await alice.send(path, { headers: { ...itself, 'sec-fetch-user': '?1' } });
    expect(opened.headers.get('location')).toBe(`/login?returnTo=${encodeURIComponent(path)}`);
  });

  it('makes somebody new of whoever signs in again, even while something waits', async () => {
    await addRepository(pages, alice);
    await erase(alice);
    const again = await personNamed('alice-liddell');
    expect(await again.userId()).not.toBe(userId);
    expect(await again.text('/snapshots')).not.toContain('/browse/');
    await eraseRepositories(pages.resources);
    await finishErasedPeople(pages.resources);
    const { database } = pages.resources;
    expect(await database.user.count({ where: { id: userId } })).toBe(0);
    expect(await database.grant.count({ where: { userId: await again.userId(), state: 'active' } })).toBe(1);
  });

  it('waits for a worker that still has a run in hand, and also where consent ended long ago or never was given', async () => {
    const { database } = pages.resources;
    const run = await addNight(pages, alice, {
      state: 'running',
      leaseUntil: new Date(pages.clock.now().getTime() + minuteMs),
    });
    const path = await erase(alice);
    expect(await openVisitor(pages.resources).text(path)).toContain(t.receipt.rest.waits);
    expect(await database.run.findMany({ where: { plan: { userId } } })).toMatchObject([
      { id: run, state: 'cancelled', problems: null, message: null },
    ]);
    await pages.clock.advance(2 * minuteMs);
    expect(await finishErasedPeople(pages.resources)).toBe(1);
    const carol = await pages.newPerson();
    expect(await openVisitor(pages.resources).text(await erase(carol))).toContain(t.receipt.tokens.none);
    const dora = await personNamed('dora');
    await dora.post('/grant/withdraw', { sure: 'yes' });
    expect(await openVisitor(pages.resources).text(await erase(dora))).toContain(t.receipt.title);
  });
});

/** What a worker does every ten minutes about tokens that the provider could not be told of. */
async function healed(): Promise<void> {
  const { revokeWithdrawn } = await import('../../../src/flows/consent/revoke-tokens.ts');
  await revokeWithdrawn(pages.resources);
}

describe('the data of a person', () => {
  it('come as one JSON object with all that the database holds about them, without secrets and without anybody else', async () => {
    const { database } = pages.resources;
    await addNight(pages, alice);
    const restore = { snapshotId: 'ab', path: 'Notes', askedAt: new Date(0), bytes: 7n };
    await database.restore.create({ data: { id: randomUUID(), userId, ...restore } });
    await addRepository(pages, alice);
    await alice.post('/settings/language', { language: 'en' });
    const operator = await pages.newPerson({ roles: ['operator'] });
    await operator.post(`/operator/people/${userId}/pause`, { reason: 'moves house' });
    const bob = await personNamed('bob-the-other');
    const stranger = await openVisitor(pages.resources).send('/settings/data.json');
    expect(stranger.headers.get('location')).toMatch(/^\/login/);
    const answer = await alice.send('/settings/data.json');
    expect(answer.headers.get('content-disposition')).toContain('nightkeep-my-data.json');
    const text = await answer.text();
    const data: Record<string, Record<string, unknown>[]> = JSON.parse(text);
    expect(data.person).toMatchObject([
      { username: 'alice-liddell', email: 'alice-liddell@example.org', language: 'en' },
    ]);
    expect(data.consents).toMatchObject([{ terms: { sentences: expect.any(Array) } }]);
    expect(data.plans).toMatchObject([{ windowStart: '01:00' }]);
    expect(data.backups).toHaveLength(2);
    expect(data.uses).toMatchObject([{ purpose: 'consent', verdict: 'ok' }]);
    expect(data.restores).toMatchObject([{ path: 'Notes', bytes: 7 }]);
    expect(data.sessions).toHaveLength(1);
    expect(data.repositories).toHaveLength(1);
    expect(data.audit).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ act: 'settings-changed', by: 'user: you' }),
        expect.objectContaining({ act: 'plan-paused', by: 'operator', reason: 'moves house' }),
      ]),
    );
    expect(text).not.toContain(await operator.userId());
    expect(text).not.toContain(await bob.userId());
    const grant = await database.tokenGeneration.findFirstOrThrow({ where: { grant: { userId } } });
    const repository = await database.repository.findFirstOrThrow({ where: { userId } });
    const [session] = await database.webSession.findMany({ where: { userId } });
    const secrets = [grant.sealed, grant.fingerprint, repository.sealedPassword].map((bytes) =>
      Buffer.from(bytes ?? []),
    );
    for (const secret of secrets)
      for (const form of ['base64', 'base64url', 'hex'] as const) expect(text).not.toContain(secret.toString(form));
    expect(text).not.toContain(session?.id);
    expect(text).not.toMatch(/"(sealed|fingerprint)/);
    const ofBob = JSON.parse(await (await bob.send('/settings/data.json')).text());
    expect(JSON.stringify(ofBob)).not.toContain(userId);
  });
});
