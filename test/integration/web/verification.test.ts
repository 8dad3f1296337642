import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { saveReplaced } from '../../../src/database/repositories/retention.ts';
import type { Damage, DamageState } from '../../../src/domain/damage.ts';
import { raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { addRepository, addRun, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

const t = texts.verification;
const { nights } = texts.protection;
let pages: Pages;
let alice: SignedIn;
let bob: SignedIn;
let userId: string;
const damage: Damage = {
  marks: ['data 0123456789abcdef'],
  files: [
    { path: '/files/<b>secret.txt', snapshots: ['ab'.repeat(32), 'cd'.repeat(32)] },
    { path: '/files/diary/', snapshots: Array.from({ length: 9 }, (_, n) => `${n}`.repeat(64)) },
  ],
  snapshots: ['ef'.repeat(32)],
  recoveryKey: false,
};

beforeEach(async () => {
  pages = await openPages();
  alice = await pages.consented();
  bob = await pages.consented();
  userId = await alice.userId();
  await addRepository(pages, alice);
  await addRun(pages, alice);
  await pages.resources.database.run.updateMany({
    where: { plan: { userId }, state: 'partial' },
    data: { state: 'succeeded', counts: { entriesChecked: 16, entriesRestored: 14 } },
  });
});
afterEach(() => pages[Symbol.asyncDispose]());

async function found(state: DamageState | null, over: Partial<Damage> = {}): Promise<Date> {
  const at = pages.clock.now();
  const facts = { checkedAt: at, packsRead: 3, filesRead: 12, nextAt: new Date(at.getTime() + 3_600_000) };
  await pages.resources.database.verification.upsert({
    where: { userId },
    create: { userId, since: at, ...facts },
    update: { since: at, ...facts },
  });
  const { marks, files, snapshots, recoveryKey, removed = [] } = { ...damage, ...over };
  const what = { marks: [...marks], files: files.map((file) => ({ ...file, snapshots: [...file.snapshots] })) };
  await pages.resources.database.verification.update({
    where: { userId },
    data:
      state === null
        ? { verifiedAt: at, damageState: null, foundAt: null }
        : {
            damage: { ...what, snapshots: [...snapshots], recoveryKey, removed: [...removed] },
            damageState: state,
            foundAt: at,
          },
  });
  return at;
}

describe('the page on whether it can be restored', () => {
  test('says when all was last found whole, what was read for that, and when it comes next', async () => {
    expect(await alice.text('/verification')).toContain(t.never);
    await found(null);
    const page = await alice.text('/verification');
    for (const words of [
      t.verified('4 May 2026, 12:00 UTC'),
      t.what(30),
      `${t.packs}</dt><dd>3</dd>`,
      `${t.sample}</dt><dd>12</dd>`,
      `${t.compared}</dt><dd>${t.comparedIn(14, '4 May 2026, 01:02 UTC')}</dd>`,
      `${t.next}</dt><dd>4 May 2026, 13:00 UTC`,
    ])
      expect(page).toContain(words);
    expect(await alice.text('/')).toContain('<a href="/verification">4 May 2026, 12:00 UTC</a>');
    expect(await bob.text('/verification')).toContain(t.nothing);
  });

  test('tells operators of how many people nothing was verified yet, beside since when the others are', async () => {
    await found(null);
    await addRepository(pages, bob);
    await addRun(pages, bob);
    const page = await (await pages.newPerson({ roles: ['operator'] })).text('/operator');
    const { pending, verified } = texts.operator.tonight;
    expect(page).toContain(`${verified('4 May 2026, 12:00 UTC')} ${pending(1)}`);
  });

  test('says of the comparison with the server only what was done: none, or one of an earlier backup', async () => {
    await found(null);
    const { database } = pages.resources;
    await database.run.updateMany({ where: { plan: { userId } }, data: { counts: { entriesChecked: 16 } } });
    expect(await alice.text('/verification')).toContain(`${t.compared}</dt><dd>${t.comparedNever}</dd>`);
    const [earlier] = await database.run.findMany({ where: { plan: { userId } } });
    const finishedAt = new Date(pages.clock.now().getTime() - 48 * 3_600_000);
    await database.run.update({
      where: { id: earlier?.id ?? '' },
      data: { finishedAt, counts: { entriesRestored: 9 } },
    });
    expect(await alice.text('/verification')).toContain(t.comparedIn(9, '2 May 2026, 12:00 UTC'));
  });

  test.each(['lost', 'key'] as const)('offers nothing about what is %s once all is to be erased now', async (state) => {
    const { verification, repository } = pages.resources.database;
    const foundAt = await found(state);
    const wayOn = state === 'key' ? `>${texts.home.renewKey}</a>` : `>${t.looked}</button>`;
    expect(await alice.text('/verification')).toContain(wayOn);
    await repository.updateMany({ where: { userId }, data: { eraseAt: pages.clock.now() } });
    const page = await alice.text('/verification');
    expect(page).toContain(texts.retention.erasing);
    expect(page).not.toContain(wayOn);
    expect((await alice.post('/verification/looked', { found: foundAt.toISOString() })).status).toBe(303);
    expect(await verification.findFirst({ where: { userId } })).toMatchObject({ damageState: state });
  });

  test('names the files that kept the last one from being done', async () => {
    await found(null);
    const errorFiles = ['config', 'keys/0123'];
    await pages.resources.database.verification.updateMany({ data: { errorCode: 'repository/damaged', errorFiles } });
    expect(await alice.text('/verification')).toContain(
      `${t.failed}</dt><dd>${texts.operator.damaged} <code class="soft small">repository/damaged config keys/0123`,
    );
  });

  test('names what is damaged by file and snapshot to its person only; operators see how much it is', async () => {
    await found('healing');
    const page = await alice.text('/verification');
    expect(page).not.toContain(t.never);
    for (const words of [
      t.notWhole('4 May 2026, 12:00 UTC'),
      nights.damaged.happened,
      t.foundAt('4 May 2026, 12:00 UTC'),
      '<bdi>Files</bdi> / <bdi>&lt;b&gt;secret.txt</bdi>',
      '<bdi>Files</bdi> / <bdi>diary</bdi> <span class="soft">(the whole folder)</span>',
      // The run of that snapshot is on record, that of the other is not.
      '4 May 2026, 01:02 UTC',
      '<code>cdcdcdcd</code>',
      t.more(4),
      t.whole(1),
      '<code>efefefef</code>',
    ])
      expect(page).toContain(words);
    expect(page).not.toContain('<b>secret');
    expect(page).not.toContain(t.looked);
    expect(await alice.text('/')).toContain(nights.damaged.happened);
    const operator = await pages.newPerson({ roles: ['operator'] });
    const theirs = await operator.text(`/operator/people/${userId}`);
    expect(theirs).toContain(texts.operator.person.damaged(2, 1, '4 May 2026, 12:00 UTC'));
    expect(theirs).toContain(`(${texts.operator.person.damages.healing})`);
    expect(theirs).not.toMatch(/\((healing|damaged)\)/);
    expect(await operator.text('/operator')).toContain(texts.operator.tonight.damaged(1));
    for (const seen of [
      theirs,
      await operator.text('/operator'),
      await operator.text('/operator/grants'),
      await bob.text('/verification'),
    ])
      expect(seen).not.toMatch(/secret\.txt|diary/);
    expect(await operator.text('/verification')).toContain(t.nothing);
  });

  test('says since when the repository is gone, and since when damage was known before that', async () => {
    await found('gone');
    const data = { goneAt: new Date('2026-05-04T13:30Z') };
    await pages.resources.database.verification.updateMany({ where: { userId }, data });
    const page = await alice.text('/verification');
    expect(page).toContain(nights.repository_gone.happened);
    expect(page).toContain(t.foundAt('4 May 2026, 13:30 UTC'));
    expect(page).toContain(t.damagedBefore('4 May 2026, 12:00 UTC'));
    const theirs = await (await pages.newPerson({ roles: ['operator'] })).text(`/operator/people/${userId}`);
    expect(theirs).toContain(texts.operator.person.gone('4 May 2026, 13:30 UTC'));
    expect(theirs).toContain(texts.operator.person.damaged(2, 1, '4 May 2026, 12:00 UTC'));
  });

  test('keeps what is lost for good an alarm until its person has looked at just that', async () => {
    const at = await found('lost');
    expect(await alice.text('/')).toMatch(new RegExp(`href="/verification">${texts.home.look}`));
    const looked = { found: at.toISOString() };
    const state = async () =>
      (await pages.resources.database.verification.findUniqueOrThrow({ where: { userId } })).damageState;
    await bob.post('/verification/looked', looked);
    for (const other of [{ found: 'soon' }, { found: new Date(0).toISOString() }, {}])
      await alice.post('/verification/looked', other);
    expect(await state()).toBe('lost');
    const page = await alice.text('/verification');
    expect(page).toContain(`value="${at.toISOString()}"`);
    expect((await alice.post('/verification/looked', looked)).headers.get('location')).toBe('/verification');
    expect(await state()).toBe('accepted');
    const after = await alice.text('/verification');
    expect(after).toContain(t.accepted);
    await pages.resources.database.verification.updateMany({ data: { verifiedAt: at } });
    expect(await alice.text('/verification')).toContain(t.verifiedButLost('4 May 2026, 12:00 UTC'));
    expect(await alice.text('/')).toContain(`12:00 UTC</a> ${texts.home.butLost}`);
    expect(after).toContain('<bdi>diary</bdi>');
    expect(after).not.toContain(nights.lost.happened);
    expect(await alice.text('/')).not.toContain(nights.lost.happened);
    expect(await pages.resources.database.audit.findMany({ where: { act: 'losses-accepted' } })).toMatchObject([
      { userId, by: `user:${userId}`, about: '2' },
    ]);
  });

  test('says on the page of its run that a snapshot was removed from outside, and when its person looked at that', async () => {
    const { database } = pages.resources;
    const { id, snapshotId } = await database.run.findFirstOrThrow({
      where: { plan: { userId }, snapshotId: { not: null } },
    });
    const at = await found('removed', { files: [], snapshots: [], removed: snapshotId === null ? [] : [snapshotId] });
    await pages.clock.advance(3_600_000);
    const time = texts.formats.time(pages.clock.now(), 'UTC');
    expect(await alice.text(`/runs/${id}`)).not.toContain(texts.run.removed(time));
    await alice.post('/verification/looked', { found: at.toISOString() });
    const page = await alice.text(`/runs/${id}`);
    expect(page).toContain(texts.run.removed(time));
    expect(page).not.toContain(texts.run.forgotten(time));
    expect(page).not.toContain(`/snapshots/${snapshotId}/browse/`);
  });

  test('says on the page of its run that a snapshot was given up as lost, not that it went as agreed', async () => {
    const { database } = pages.resources;
    const { id, snapshotId } = await database.run.findFirstOrThrow({
      where: { plan: { userId }, snapshotId: { not: null } },
    });
    const at = pages.clock.now();
    const replaced = [{ from: snapshotId ?? '', to: null }];
    await saveReplaced(database, { userId, replaced, at, by: 'command:root@localhost' });
    const time = texts.formats.time(at, 'UTC');
    const page = await alice.text(`/runs/${id}`);
    expect(page).toContain(texts.run.lost(time));
    expect(page).not.toContain(texts.run.forgotten(time));
    expect(page).not.toContain(`/snapshots/${snapshotId}/browse/`);
  });

  test('says on the page of its run that a part of a snapshot was lost, where one without it took its place', async () => {
    const { database } = pages.resources;
    const { id, snapshotId } = await database.run.findFirstOrThrow({
      where: { plan: { userId }, snapshotId: { not: null } },
    });
    const at = pages.clock.now();
    const to = 'f'.repeat(64);
    await saveReplaced(database, {
      userId,
      replaced: [{ from: snapshotId ?? '', to }],
      at,
      by: 'command:root@localhost',
    });
    const page = await alice.text(`/runs/${id}`);
    expect(page).toContain(texts.run.repaired(texts.formats.time(at, 'UTC')));
    expect(page).toContain(`/snapshots/${to}/browse/`);
  });

  test.each(['lost', 'removed'] as const)(
    'calls nobody protected by a snapshot that was %s once that was looked at',
    async (how) => {
      const { database } = pages.resources;
      const { snapshotId } = await database.run.findFirstOrThrow({
        where: { plan: { userId }, snapshotId: { not: null } },
      });
      await found(null);
      expect(await alice.text('/')).toContain(texts.home.protected);
      const id = snapshotId ?? '';
      if (how === 'lost') {
        await saveReplaced(database, {
          userId,
          replaced: [{ from: id, to: null }],
          at: pages.clock.now(),
          by: 'command:root',
        });
      } else {
        const at = await found('removed', { files: [], snapshots: [], removed: [id] });
        await alice.post('/verification/looked', { found: at.toISOString() });
      }
      const page = await alice.text('/');
      for (const words of [texts.home.protected, texts.home.soFar, nights.complete.happened])
        expect(page).not.toContain(words);
      expect(page).toContain(`<dt>${texts.home.last}</dt><dd>${texts.home.noneLeft}`);
    },
  );

  test('leads to a new recovery key where the key is what is damaged', async () => {
    await found('key', { files: [], snapshots: [], recoveryKey: true });
    for (const address of ['/', '/verification']) {
      const page = await alice.text(address);
      expect(page).toContain(nights.key_damaged.happened);
      expect(page).toContain(`<a class="button" href="/recovery">${texts.home.renewKey}</a>`);
    }
  });

  test('says that nobody has verified it for three days, and why', async () => {
    await found(null);
    const old = new Date(pages.clock.now().getTime() - 3 * 86_400_000);
    await pages.resources.database.verification.updateMany({
      data: { errorCode: 'store/unavailable', verifiedAt: old, nextAt: old },
    });
    const page = await alice.text('/verification');
    expect(page).toContain(nights.unverified.happened);
    expect(page).toContain(`${texts.operator.causes.store_trouble} <code class="soft small">store/unavailable</code>`);
    expect(page).toContain(`${t.next}</dt><dd>${t.soon}</dd>`);
  });
});

test('promises no verification of snapshots that are to be erased, nor calls its absence a fault', async () => {
  await found(null);
  const old = new Date(pages.clock.now().getTime() - 4 * 86_400_000);
  await pages.resources.database.verification.updateMany({ data: { verifiedAt: old, checkedAt: old, nextAt: old } });
  await alice.post('/grant/withdraw', { snapshots: '90', sure: 'yes' });
  const page = await alice.text('/verification');
  expect(page).toContain(t.ended('2 Aug 2026, 12:00 UTC'));
  for (const words of [t.what(30), nights.unverified.happened, `<dt>${t.next}</dt>`]) expect(page).not.toContain(words);
});

test('damage, healing and overdue verifications are reported by mail and channel, without names, each once', async () => {
  const { database } = pages.resources;
  const config = {
    ...pages.resources.config,
    mail: { url: 'smtp://localhost', from: 'nightkeep@example.org' },
    operatorMail: 'operator@example.org',
  };
  await database.user.updateMany({ data: { email: 'somebody@example.org' } });
  const raise = async () => {
    await raiseNotices({ ...pages.resources, config });
    await raiseNotices({ ...pages.resources, config });
    const notices = await database.notice.findMany({ orderBy: { createdAt: 'asc' } });
    await database.notice.updateMany({ data: { createdAt: new Date(0) } });
    return notices
      .filter(({ createdAt }) => createdAt.getTime() > 0)
      .map(({ channel, facts }) => `${channel} ${JSON.stringify(facts)}`)
      .filter((told) => !told.includes('"digest"'))
      .sort();
  };
  await found(null);
  await raise();
  await found('healing');
  expect(await raise()).toEqual([
    expect.stringMatching(/^mail-operator .*"repositories".*"are":"damaged"|^mail-operator .*"are":"damaged"/),
    expect.stringMatching(/^mail-person .*"reason":"damaged"/),
  ]);
  await database.verification.updateMany({
    data: { damageState: null, foundAt: null, verifiedAt: pages.clock.now(), clearedAt: pages.clock.now() },
  });
  expect(await raise()).toEqual([
    expect.stringMatching(/^mail-operator .*"are":"healed"/),
    expect.stringMatching(/^mail-person .*"healed"/),
  ]);
  const all = JSON.stringify(await database.notice.findMany());
  expect(all).not.toMatch(/secret|diary/);
});

test('says of snapshots that were never verified and are to be erased only that, and in time that they are erased now', async () => {
  await found(null);
  await pages.resources.database.verification.updateMany({ data: { verifiedAt: null, checkedAt: null } });
  await alice.post('/grant/withdraw', { snapshots: '90', sure: 'yes' });
  const page = await alice.text('/verification');
  for (const words of [t.neverWas, t.ended('2 Aug 2026, 12:00 UTC')]) expect(page).toContain(words);
  expect(page).not.toContain(t.never);
  await alice.post('/grant/snapshots', { snapshots: 'now', sure: 'yes' });
  expect(await alice.text('/verification')).toContain(texts.retention.erasing);
});
