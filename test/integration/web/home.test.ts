import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveEvent } from '../../../src/database/events.ts';
import { addDays } from '../../../src/domain/nights.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { addRepository, addRun, now, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());

interface Ended {
  state?: 'succeeded' | 'partial' | 'failed';
  slot?: string;
  problems?: object[];
  total?: number;
}

/** What home says of these problems of a last backup, once mail and calendars are left out. */
async function withoutMail(problems: readonly object[]): Promise<string> {
  const { database } = pages.resources;
  const guest = await withNights([{ state: 'partial', problems: [...problems] }]);
  await database.plan.updateMany({
    where: { userId: await guest.userId() },
    data: { sources: [{ kind: 'webdav', name: 'files', url: 'https://cloud.example/' }] },
  });
  return guest.text('/');
}

/** A person whose nights ended so, the last one this morning. */
async function withNights(ends: readonly Ended[]): Promise<SignedIn> {
  const { database } = pages.resources;
  const guest = await pages.consented();
  const plan = await database.plan.findFirstOrThrow({ where: { userId: await guest.userId() } });
  await database.run.createMany({
    data: ends.map(({ state = 'succeeded', slot = 'night', problems = [], total = 2_048 }, index) => {
      const night = addDays('2026-05-04', index + 1 - ends.length);
      const at = new Date(`${night}T01:00:00Z`);
      const held =
        state === 'failed'
          ? {}
          : {
              snapshotId: 'ab'.repeat(32),
              counts: {
                entries: 7,
                totalBytes: total,
                dataAdded: 1_000,
                filesNew: 2,
                filesChanged: 1,
                entriesGone: 0,
                entriesKept: 1,
              },
            };
      const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: new Date(at.getTime() + 60_000) };
      return {
        id: randomUUID(),
        planId: plan.id,
        night,
        slot,
        trigger: 'schedule',
        state,
        ...times,
        ...held,
        problems,
        problemCount: problems.length,
      };
    }),
  });
  return guest;
}

describe('what could not be read of something that is left out now', () => {
  const { home, holding, protection } = texts;
  const mail = { path: 'mail/', code: 'source/unauthorized', message: 'No.' };
  const event = { path: 'calendars/work/1.ics', code: 'source/unavailable', message: 'No.' };
  const file = { path: 'files/a.txt', code: 'source/unavailable', message: 'No.' };

  it('is not called missing: the next backup is without it', async () => {
    const page = await withoutMail([mail, event]);
    expect(page).toContain(home.partly);
    expect(page).toContain(home.leftOutNow('calendars and emails'));
    for (const words of [protection.nights.unreadable.happened, holding.unreadRoots('emails'), holding.which])
      expect(page).not.toContain(words);
    expect(page).not.toContain(home.butFor(1));
  });

  it('does not hide what else could not be read', async () => {
    const page = await withoutMail([mail, event, file]);
    for (const words of [
      home.butFor(1),
      home.leftOutNow('calendars and emails'),
      protection.nights.unreadable.happened,
      holding.unread(0, 1),
    ])
      expect(page).toContain(words);
    expect(page).not.toContain(holding.unreadRoots('emails'));
  });
});

describe('home', () => {
  it('shows each night with a run as a link that leads to that run', async () => {
    const guest = await withNights([{}, { state: 'failed' }, { state: 'partial' }]);
    const text = await guest.text('/');
    expect(
      [...text.matchAll(/<a href="\/nights\/([^"]+)"><title>[^<]*: (complete|failed|in part)/g)].map(
        ([, night, came]) => [night, came],
      ),
    ).toEqual([
      ['2026-05-02', 'complete'],
      ['2026-05-03', 'failed'],
      ['2026-05-04', 'in part'],
    ]);
    const way = (await guest.send('/nights/2026-05-02')).headers.get('location') ?? '';
    expect(await guest.text(way)).toContain('Saturday, 2 May 2026');
  });

  it('takes the best run of a night for what the night came to', async () => {
    const guest = await withNights([{ state: 'failed', slot: 'before' }]);
    const run = await addRun(pages, guest);
    expect(await guest.text('/')).toMatch(/"\/nights\/2026-05-04"><title>[^<]*: in part/);
    const list = await guest.text('/nights/2026-05-04');
    expect(list).toContain(`/runs/${run}`);
    expect(list.match(/<tr role="row"><td/g)).toHaveLength(3);
    expect(list).toMatch(/your consent.*the schedule/s);
  });

  it('says what is backed up, how much, and what is not: unread files and roots that are missing, whatever their names', async () => {
    const root = { path: 'Garden <b>/', code: 'source/root-gone', message: 'Gone.', kept: true };
    const guest = await withNights([
      { total: 4_096 },
      { state: 'partial', total: 8_192, problems: [root, { ...root, path: 'files/a', code: 'source/forbidden' }] },
    ]);
    const text = await guest.text('/');
    expect(text).toContain('https://cloud.example/');
    expect(text).toContain('8 entries, 8.2 KB. Since the snapshot before: 2 new, 1 changed, 0 gone.');
    expect(text).toContain('1 entry could not be read; where there is a copy from an earlier night, it is kept.');
    expect(text).toContain('<bdi>Garden &lt;b&gt;</bdi>');
    expect(text).toContain('It was 4.1 KB on Sun, 3 May 2026.');
    expect(text).not.toContain('<bdi>files');
  });

  it('counts a folder as one, and not as an entry: it says “Yes, except for” of single entries alone', async () => {
    const { home, holding } = texts;
    const folder = { path: 'files/Private', code: 'source/forbidden', message: 'No.', kept: false, folder: true };
    const entry = { path: 'files/a.txt', code: 'source/forbidden', message: 'No.', kept: false };
    const both = await (await withNights([{ state: 'partial', problems: [folder, entry, entry] }])).text('/');
    expect(both).toContain(home.partly);
    expect(both).toContain(holding.unread(1, 2));
    expect(holding.unread(1, 2)).toMatch(/^1 folder and 2 entries could not be read;/);
    const single = await (await withNights([{ state: 'partial', problems: [entry] }])).text('/');
    expect(single).toContain(home.butFor(1));
    expect(single).toContain(holding.unread(0, 1));
  });

  it('says “Only in part” where a root is no longer offered, also once that was confirmed, and calls it as elsewhere', async () => {
    const root = { path: 'files/', code: 'source/root-gone', message: 'Gone.', kept: true };
    const text = await (await withNights([{ state: 'partial', problems: [root] }])).text('/');
    for (const words of [texts.home.partly, '<bdi>Files</bdi>', texts.holding.missing]) expect(text).toContain(words);
    expect(text).not.toContain('could not be read;');
  });

  it('calls that backup the last one which ended last, whenever it was asked for', async () => {
    const guest = await withNights([{}]);
    const { database } = pages.resources;
    const plan = { userId: await guest.userId() };
    const night = await database.run.findFirstOrThrow({ where: { plan, finishedAt: { not: null } } });
    const { planId, night: date } = night;
    const [queuedAt, finishedAt] = [new Date(`${date}T00:30Z`), new Date(`${date}T02:01Z`)];
    const waited = {
      id: randomUUID(),
      planId,
      night: date,
      slot: 'waited',
      trigger: 'schedule',
      state: 'failed',
    } as const;
    await database.run.create({ data: { ...waited, dueAt: queuedAt, queuedAt, finishedAt } });
    const facts = /<dt>Last backup.*?<\/dd>/.exec(await guest.text('/'))?.[0];
    expect(facts).toMatch(/>4 May 2026, 02:01 UTC<\/a> <span class="tag bad">/);
  });

  it('tells of no snapshot before the first one, and writes numbers as elsewhere', async () => {
    const guest = await withNights([{}]);
    const userId = await guest.userId();
    const say = async (counts: object) => {
      await pages.resources.database.run.updateMany({ where: { plan: { userId } }, data: { counts } });
      return guest.text('/');
    };
    expect(await say({ entries: 3015, filesNew: 3015, totalBytes: 9 })).toContain('3,015 entries, 9 bytes. <br>');
    expect(await say({ entries: 3015, filesNew: 3015, entriesGone: 4000, totalBytes: 9 })).toContain(
      'Since the snapshot before: 3,015 new, 0 changed, 4,000 gone.',
    );
  });

  it('names the night to come by the date that its window begins on', async () => {
    const guest = await withNights([{}]);
    const { plan } = pages.resources.database;
    const userId = await guest.userId();
    const window = { windowStart: '22:00', windowEnd: '06:00' };
    const due = async (nextDueAt: string) => {
      await plan.updateMany({ where: { userId }, data: { ...window, nextDueAt: new Date(nextDueAt) } });
      return guest.text('/');
    };
    expect(await due('2026-05-05T02:00:00Z')).toContain('tonight, between 22:00 and 06:00');
    expect(await due('2026-05-06T02:00:00Z')).toContain('the coming night, between 22:00 and 06:00');
    expect(await due('2026-05-07T02:00:00Z')).toContain('the night of Wed, 6 May 2026, between 22:00 and 06:00');
  });

  it('tells of no last snapshot once all were erased', async () => {
    const guest = await withNights([{}, {}]);
    expect(await guest.text('/')).toContain('Your last snapshot holds 2.0 KB.');
    const userId = await guest.userId();
    await pages.resources.database.run.updateMany({ where: { plan: { userId } }, data: { snapshotId: null } });
    const after = await guest.text('/');
    expect(after).not.toContain('Your last snapshot holds');
    expect(after).toContain(`<dt>${texts.home.last}</dt><dd>${texts.home.noneLeft}</dd>`);
  });

  it('has one button that mends, and “Back up now” beside it only where consent lives', async () => {
    const partial = await (await withNights([{ state: 'partial', problems: [{ path: 'files/a' }] }])).text('/');
    expect(partial).toMatch(/<a class="button" href="\/runs\/.*<button class="quiet">Back up now/s);
    const stranger = await (await pages.newPerson()).text('/');
    expect(stranger).toMatch(/<a class="button" href="\/consent">/);
    expect(stranger).not.toContain('/backup-now');
  });

  it('stays small and whole after a year and more of nights, and says so only of the last year', async () => {
    const guest = await withNights(
      Array.from({ length: 500 }, (_, day) => ({
        state: day % 9 === 0 ? ('partial' as const) : ('succeeded' as const),
      })),
    );
    const text = await guest.text('/');
    expect(text.match(/<a href="\/nights\/2/g)?.length).toBe(365);
    expect(text.length).toBeLessThan(80_000);
    expect(text).not.toMatch(/\sstyle=/);
    expect(new Date(now).toISOString()).toContain('2026-05-04');
  });
});

describe('all backups', () => {
  it('are listed a page at a time, newest first, and only the person’s own', async () => {
    const guest = await withNights(Array.from({ length: 60 }, () => ({})));
    const [first, second] = [await guest.text('/nights'), await guest.text('/nights?page=2')];
    expect(first.match(/<tr role="row"><td/g)).toHaveLength(50);
    expect(second.match(/<tr role="row"><td/g)).toHaveLength(11);
    expect(first).toContain('href="?page=2" rel="next"');
    expect(second).not.toContain('rel="next"');
    for (const path of [
      '/nights?page=0',
      '/nights?page=3',
      '/nights?page=x',
      '/nights/2026-13-45',
      '/nights/x',
      '/nights/2020-01-01',
    ])
      expect((await guest.send(path)).status).toBe(404);
    expect(await (await pages.newPerson()).text('/nights')).toContain('There is no backup yet.');
  });
});

describe('after a withdrawal', () => {
  it('says until when the snapshots stay', async () => {
    const guest = await withNights([{}]);
    const { database, clock } = pages.resources;
    const userId = await guest.userId();
    await addRepository(pages, guest);
    await database.grant.updateMany({ where: { userId }, data: { state: 'withdrawn', reason: 'withdrawn' } });
    expect(await guest.text('/')).not.toContain('and then they are erased');
    const eraseAt = new Date(clock.now().getTime() + 30 * 86_400_000);
    await database.repository.updateMany({ where: { userId }, data: { eraseAt } });
    expect(await guest.text('/')).toContain(texts.withdraw.stayUntil(texts.formats.time(eraseAt, 'UTC')));
  });
});

describe('once the consent has ended', () => {
  const ended = { state: 'needs_consent', reason: 'signed_out' } as const;

  it('says what was backed up, and nothing of what else is', async () => {
    const guest = await withNights([{}]);
    const where = { userId: await guest.userId() };
    const { holding } = texts;
    const before = await guest.text('/');
    for (const words of [holding.title, holding.nothingElse]) expect(before).toContain(words);
    await pages.resources.database.grant.updateMany({ where, data: ended });
    const after = await guest.text('/');
    expect(after).toContain(holding.titleOfEnded);
    for (const words of [holding.title, holding.nothingElse]) expect(after).not.toContain(words);
  });

  it('says of nothing that it was backed up where no snapshot is left', async () => {
    const guest = await withNights([{}]);
    const { database } = pages.resources;
    const where = { userId: await guest.userId() };
    await database.grant.updateMany({ where, data: ended });
    await database.run.updateMany({ where: { plan: where }, data: { snapshotId: null } });
    const after = await guest.text('/');
    for (const words of [texts.holding.title, texts.holding.titleOfEnded]) expect(after).not.toContain(words);
  });
});

describe('a card that asks something of the person', () => {
  const cards = {
    lost: async (guest: SignedIn) => {
      const userId = await guest.userId();
      await saveEvent(pages.resources.database, 'user', userId, { to: 'snapshots lost', at: new Date(now), by: 'x' });
    },
    moved: async (guest: SignedIn) => {
      const { id } = await pages.resources.database.plan.findFirstOrThrow({ where: { userId: await guest.userId() } });
      const [from, to] = ['https://old.example/', pages.resources.config.filesUrl];
      const about = { from, to, reason: 'files moved', at: new Date(now + 60_000), by: 'x' };
      await saveEvent(pages.resources.database, 'plan', id, about);
    },
    unsent: async () => undefined,
  };
  const verdicts: Record<string, (guest: SignedIn, planId: string) => Promise<unknown>> = {
    complete: async () => undefined,
    run_under_way: (_, planId) => underWay(planId, { state: 'running', leaseUntil: new Date(now + 60_000) }),
    server_away: (_, planId) => underWay(planId, { state: 'queued', errorCode: 'source/unavailable' }),
    lost_answers: async (guest) =>
      pages.resources.database.grant.updateMany({
        where: { userId: await guest.userId() },
        data: { reason: 'lost_answers' },
      }),
  };
  const underWay = (planId: string, data: object) =>
    pages.resources.database.run.create({
      data: {
        ...{ id: randomUUID(), planId, night: '2026-05-04', slot: 'more', trigger: 'person' },
        ...{ dueAt: new Date(now + 60_000), queuedAt: new Date(now), triedUntil: new Date(now + 3_600_000) },
        ...data,
      },
    });

  it.each(Object.keys(cards).flatMap((card) => Object.keys(verdicts).map((verdict) => [card, verdict] as const)))(
    '%s is not contradicted by the verdict %s',
    async (card, verdict) => {
      const guest = await withNights([{}, verdict === 'run_under_way' ? { state: 'failed' } : {}]);
      await addRepository(pages, guest);
      const { id } = await pages.resources.database.plan.findFirstOrThrow({ where: { userId: await guest.userId() } });
      await verdicts[verdict]?.(guest, id);
      const nothing = /[Yy]ou do not have to do anything/;
      expect(await guest.text('/')).toMatch(nothing);
      await cards[card as keyof typeof cards](guest);
      const text = await guest.text(card === 'unsent' ? '/?told=unsent' : '/');
      expect(text.replace(/[Aa]part from what is said above, you do not have to do anything/g, 'this')).not.toMatch(
        nothing,
      );
      expect(text.indexOf('said above')).toBeGreaterThan(text.indexOf('class="card'));
    },
  );
});
