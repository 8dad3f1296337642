import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

const shape = /[a-z2-9]{5}(-[a-z2-9]{5}){5}/;
const t = texts.recovery;

let pages: Pages;
let guest: SignedIn;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());
beforeEach(async () => {
  guest = await pages.consented();
  await ensurePersonRepository(pages.resources, await guest.userId());
});

const row = async () =>
  pages.resources.database.repository.findFirstOrThrow({ where: { userId: await guest.userId() } });
const shown = async () => shape.exec(await (await guest.post('/recovery')).text())?.[0];
const prove = (key = '') => {
  const [, , third = '', , fifth = ''] = key.split('-');
  return guest.post('/recovery/kept', { third, fifth });
};
const actsOf = async () => {
  const entries = await pages.resources.database.audit.findMany({
    where: { userId: await guest.userId(), act: { startsWith: 'key-' } },
    orderBy: { id: 'asc' },
  });
  return entries.map(({ act }) => act);
};

describe('the recovery key', () => {
  it('is shown to a form only, as text and as QR, and again until it was kept', async () => {
    const before = await guest.text('/recovery');
    expect(before).not.toMatch(shape);
    expect(before).toContain(t.state.unseen);
    expect(await row()).toMatchObject({ recoverySeenAt: null, recoveryKeptAt: null });
    const answer = await guest.post('/recovery');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const page = await answer.text();
    const [key] = shape.exec(page) ?? [];
    expect(page).toContain(`role="img" aria-label="${t.sheet.qr}"`);
    expect(await shown()).toBe(key);
    const later = await guest.text('/recovery');
    expect(later).toContain(t.state.seenLead);
    expect(later).not.toMatch(shape);
  });

  it('goes once a part of it was typed, and home says since when it is kept', async () => {
    const key = await shown();
    expect(await guest.text('/')).toContain(texts.holding.keyProve);
    expect((await prove(key)).headers.get('location')).toBe('/recovery');
    expect(await row()).toMatchObject({ sealedRecoveryKey: null, recoveryKeptAt: pages.clock.now() });
    expect(await guest.text('/recovery')).toContain(t.state.kept('4 May 2026, 12:00 UTC'));
    expect(await guest.text('/')).toContain(texts.holding.keyKept('4 May 2026, 12:00 UTC'));
    // By the same button pressed twice, or in another tab: the page that they lead to says what is so.
    for (const answer of [await guest.post('/recovery'), await prove(key), await prove('a-b-c-d-e-f')])
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/recovery']);
    expect(await actsOf()).toEqual(['key-shown', 'key-kept']);
  });

  it('may be typed from paper as people type', async () => {
    const [, , third = '', , fifth = ''] = ((await shown()) ?? '').split('-');
    const fields = { third: ` ${third.toUpperCase()}`, fifth: `${fifth} ` };
    expect((await guest.post('/recovery/kept', fields)).status).toBe(303);
  });

  it.each([
    ['nothing', {}],
    ['other groups', { third: 'aaaaa', fifth: 'bbbbb' }],
    ['both in one field', { third: 'aaaaa-bbbbb', fifth: '' }],
  ])('stays after %s was typed, which is said', async (_, fields) => {
    await shown();
    const answer = await guest.post('/recovery/kept', fields);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(t.prove.wrong);
    expect(await row()).toMatchObject({ recoveryKeptAt: null, sealedRecoveryKey: expect.anything() });
  });

  it('is made anew after a second question only, and the proof begins anew with it', async () => {
    const first = await shown();
    await prove(first);
    const asked = await guest.post('/recovery/reissue');
    expect(asked.status).toBe(303);
    expect(await guest.text(asked.headers.get('location') ?? '')).toContain(t.reissue.sureLead);
    expect(await row()).toMatchObject({ sealedRecoveryKey: null });
    expect((await guest.post('/recovery/reissue', { sure: 'yes' })).headers.get('location')).toBe('/recovery');
    expect(await row()).toMatchObject({ recoverySeenAt: null, recoveryKeptAt: null });
    const second = await shown();
    expect(second).toMatch(shape);
    expect(second).not.toBe(first);
    expect((await prove(first)).status).toBe(400);
    expect((await prove(second)).status).toBe(303);
  });

  it('that was shown before proofs were asked for is not said to be kept', async () => {
    await pages.resources.database.repository.updateMany({
      where: { userId: await guest.userId() },
      data: { sealedRecoveryKey: null, recoverySeenAt: pages.clock.now() },
    });
    expect(await guest.text('/recovery')).toContain(t.state.lostLead);
    expect(await guest.text('/')).not.toContain('kept: you confirmed');
  });

  it('is nobody else’s to see, to prove or to renew', async () => {
    const key = await shown();
    for (const other of [await pages.consented(), await pages.newPerson({ roles: ['operator'] })]) {
      expect((await other.post('/recovery')).status).toBe(404);
      const [, , third = '', , fifth = ''] = (key ?? '').split('-');
      expect((await other.post('/recovery/kept', { third, fifth })).status).toBe(404);
      expect((await other.post('/recovery/reissue', { sure: 'yes' })).status).toBe(404);
    }
    expect(await shown()).toBe(key);
  });
});

describe.each([
  ['are to be erased now', () => pages.clock.now()],
  ['are being erased', () => new Date(0)],
])('while the snapshots %s', (_, eraseAt) => {
  const posts = [
    ['/recovery', {}],
    ['/recovery/kept', { third: 'aaaaa', fifth: 'bbbbb' }],
    ['/recovery/remove', { key: 'ab' }],
    ['/recovery/reissue', { sure: 'yes' }],
    ['/recovery/adopt', { folder: 'a folder', key: 'a key' }],
  ] as const;
  beforeEach(async () => {
    await shown();
    const { id } = await row();
    await pages.resources.database.repository.update({ where: { id }, data: { eraseAt: eraseAt() } });
  });

  it.each(['/recovery', '/recovery/adopt'])('%s says so, and offers nothing', async (path) => {
    const page = await guest.text(path);
    expect(page).toContain(texts.retention.erasing);
    for (const [action] of posts) expect(page).not.toContain(`action="${action}"`);
    for (const said of [t.none, t.adopt.has, t.adopt.link]) expect(page).not.toContain(said);
  });

  it.each(posts)('a form that was sent to %s all the same changes nothing, and leads there', async (path, fields) => {
    const before = await row();
    const answer = await guest.post(path, fields);
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      path === '/recovery/adopt' ? path : '/recovery',
    ]);
    expect(await row()).toEqual(before);
  });

  it('home and the snapshots say so, and home asks for no proof of the key', async () => {
    const [home, snapshots] = [await guest.text('/'), await guest.text('/snapshots')];
    expect(home).toContain(texts.retention.erasing);
    expect(home).not.toContain(texts.holding.keyProve);
    expect(snapshots).toContain(texts.retention.erasing);
  });
});
