import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { untilNoon } from '../../support/fixtures/noon.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';
import { end, file, folder, type HostileNode, listingOf } from '../../support/servers/hostile-webdav.ts';

const t = texts.protection;
let fixture: ConsentFixture;
let guest: Guest;
let planId: string;
beforeEach(async () => {
  fixture = await openConsentFixture();
  fixture.custody.pass(untilNoon(fixture.resources.clock.now()));
  guest = await signInAs(fixture, alice);
  await guest.consent();
  planId = (await fixture.resources.database.plan.findFirstOrThrow()).id;
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Works on a run of the plan, and where that fails once more when its time is over. */
async function night() {
  const run = await fixture.backUp(planId);
  if (run.state !== 'queued') return run;
  fixture.custody.pass(run.triedUntil.getTime() - fixture.resources.clock.now().getTime());
  guest = await signInAs(fixture, alice);
  return fixture.workOn(run.id);
}

/** Time passes with a planner at work; the person signs in again. */
async function later(ms: number): Promise<void> {
  fixture.custody.pass(ms);
  await openNight(fixture.resources);
  guest = await signInAs(fixture, alice);
}

const members = (nodes: Record<string, HostileNode>) => {
  fixture.files.root.children = folder(nodes).children ?? new Map();
};
const many = (count: number, content: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`photo-${n}.jpg`, file(`${content} ${n}`)]));
const snapshots = async () => {
  const { repository } = await openPersonRepository(fixture.resources, (await personOf()).userId);
  return Array.fromAsync(repository.listSnapshots());
};
const personOf = () => fixture.resources.database.plan.findUniqueOrThrow({ where: { id: planId } });
const home = () => guest.text('/');

describe('a root that cannot be listed', () => {
  const listing = 'multistatus xmlns="DAV:"';
  const aFile =
    '<response><href>/dav/</href><propstat><prop><resourcetype/></prop><status>HTTP/1.1 200 OK</status></propstat></response>';
  const answers = [
    [404, '', t.nights.address_wrong],
    [403, '', t.nights.server_refuses],
    [400, '', t.nights.address_wrong],
    [302, '', t.nights.address_wrong],
    [200, '<!doctype html><title>Sign in</title>', t.nights.address_wrong],
    [207, `<!DOCTYPE d><${listing}/>`, t.nights.address_wrong],
    [207, `<${listing}></multistatus>`, t.nights.address_wrong],
    [207, `<${listing}>${aFile}</multistatus>`, t.nights.address_wrong],
  ] as const;

  test('fails each night from the first on, writes no snapshot and protects nobody', async () => {
    expect(await home()).toContain(texts.home.underway);
    for (const [status, body, words] of answers) {
      fixture.files.mischief = (_, response) => {
        end(response, status, status === 302 ? { location: 'https://login.example/' } : {}, body);
        return true;
      };
      const run = await night();
      expect(run).toMatchObject({ state: 'failed', attempt: 2, snapshotId: null });
      expect(run.message).toContain(`Nothing was backed up from ${fixture.files.url}: `);
      const page = await home();
      for (const sentence of [texts.home.not, words.happened, words.act, 'none yet', `href="/runs/${run.id}"`])
        expect(page).toContain(sentence);
      expect(await guest.text(`/runs/${run.id}`)).toContain(fixture.files.url);
    }
    expect(await snapshots()).toEqual([]);
  });

  const away = (status: number, body: string) => {
    fixture.files.mischief = (_, response) => {
      end(response, status, {}, body);
      return true;
    };
  };

  test('fails as well in the first night of all where its server is away, and says so', async () => {
    away(502, '<html><h1>502 Bad Gateway</h1></html>');
    const run = await night();
    expect(run).toMatchObject({ state: 'failed', errorCode: 'source/unavailable', attempt: 2, snapshotId: null });
    const page = await home();
    for (const sentence of [texts.home.not, t.nights.server_away.happened, 'none yet', `href="/runs/${run.id}"`])
      expect(page).toContain(sentence);
    expect(await snapshots()).toEqual([]);
  });

  test('for all of a later night counts nothing as seen, and leaves the last good one what it was', async () => {
    const good = await night();
    await later(dayMs);
    away(503, '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>Maintenance</s:message></d:error>');
    expect(await night()).toMatchObject({ state: 'failed', snapshotId: null, counts: null });
    const page = await home();
    for (const words of [texts.home.late, t.nights.server_away.happened, `href="/runs/${good.id}"`])
      expect(page).toContain(words);
    expect(await snapshots()).toHaveLength(1);
  });

  test('as more than itself, though it says that it holds something, protects nobody; one that holds nothing says that it is empty', async () => {
    members({});
    fixture.files.root.properties = '<oc:fileid>1</oc:fileid><oc:size>4321</oc:size>';
    const run = await night();
    expect(run).toMatchObject({ state: 'failed', errorCode: 'source/malformed', snapshotId: null });
    expect(run.message).toContain('says that it holds 4.2 KiB');
    expect(await home()).toContain(texts.home.not);
    fixture.files.root.properties = '<oc:fileid>1</oc:fileid><oc:size>0</oc:size>';
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { entries: 0 } });
    for (const words of [texts.home.protected, texts.holding.empty]) expect(await home()).toContain(words);
  });

  test('says what was asked and what came, where a proxy takes a part of the path away', async () => {
    fixture.files.mischief = ({ method, path, headers }, response) => {
      if (method !== 'PROPFIND') return undefined;
      const body = listingOf(fixture.files.root, { path: path.replace('/dav/', '/files/'), headers });
      end(response, 207, { 'content-type': 'application/xml' }, body);
      return true;
    };
    const { state, message } = await night();
    expect(state).toBe('failed');
    expect(message).toMatch(/from http:\/\/127\.0\.0\.1:\d+\/dav\/: .* names \/files\/ instead/);
  });

  test('for a while only is listed at the next attempt, and the run says nothing of the first', async () => {
    fixture.files.mischief = (_, response) => {
      end(response, 503, {}, '<d:error xmlns:d="DAV:"/>');
      return true;
    };
    const { id, dueAt, triedUntil, ...failed } = await fixture.backUp(planId);
    expect(failed).toMatchObject({ state: 'queued', errorCode: 'source/unavailable' });
    const [next, until] = [dueAt, triedUntil].map((at) => texts.formats.time(at, 'Europe/London'));
    const { happened, act } = t.nights.server_away;
    for (const words of [happened, act(`on ${next}, and then until ${until}`, { asked: false })])
      expect(await home()).toContain(words);
    expect(await guest.text(`/runs/${id}`)).toContain(`${failed.message} ${texts.run.waits(`${next}`, `${until}`)}`);
    fixture.files.mischief = () => undefined;
    fixture.custody.pass(10 * minuteMs);
    const run = await fixture.workOn(id);
    expect(run).toMatchObject({ state: 'succeeded', attempt: 2, message: null, errorCode: null });
    expect(await guest.text(`/runs/${id}`)).not.toContain(failed.message);
    expect(await home()).toContain(texts.home.protected);
  });

  test('in a later night leaves the last good one what it was, and the person is late when the window has passed', async () => {
    const good = await night();
    expect(await home()).toContain(texts.home.protected);
    fixture.files.mischief = (_, response) => {
      end(response, 404);
      return true;
    };
    const bad = await night();
    expect(bad).toMatchObject({ state: 'failed', snapshotId: null, counts: null });
    expect(await snapshots()).toHaveLength(1);
    const page = await home();
    for (const words of [texts.home.soFar, t.nights.address_wrong.act, `href="/runs/${good.id}"`])
      expect(page).toContain(words);
    await later(11 * hourMs);
    expect(await home()).not.toContain(texts.home.late);
    await later(2 * hourMs);
    expect(await home()).toContain(texts.home.late);
    fixture.files.mischief = () => undefined;
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { entries: 2, entriesUnchanged: 2 } });
    expect(await home()).toContain(texts.home.protected);
  });
});

describe('a root that is listed, of which', () => {
  test('nothing can be read fails as well, though copies are there', async () => {
    members(many(3, 'holiday'));
    await night();
    members(many(3, 'other days'));
    fixture.files.mischief = ({ method }, response) => {
      if (method === 'PROPFIND') return undefined;
      end(response, 403);
      return true;
    };
    expect(await night()).toMatchObject({ state: 'failed', errorCode: 'source/forbidden' });
    expect(await snapshots()).toHaveLength(1);
  });

  test('some cannot be read is partial: the page says what is not protected, since when, and what is kept', async () => {
    members({ 'will.odt': file('first will'), 'notes.txt': file('notes') });
    const first = await night();
    const [taken] = await snapshots();
    await later(dayMs);
    members({ 'will.odt': file('second will'), 'notes.txt': file('notes'), 'new.odt': file('new') });
    fixture.files.mischief = ({ method, path }, response) => {
      if (method === 'PROPFIND' || !path.endsWith('.odt')) return undefined;
      end(response, 423);
      return true;
    };
    const since = new Date(taken?.snapshot.time ?? '').toISOString();
    const problems = [
      { path: 'files/new.odt', kept: false },
      { path: 'files/will.odt', kept: true, since },
    ];
    const partial = await night();
    expect(partial).toMatchObject({ state: 'partial', problemCount: 2 });
    expect(partial.counts).toMatchObject({ entries: 1, entriesRead: 0, entriesUnchanged: 1, entriesKept: 1 });
    expect(sortedByPath(partial.problems)).toMatchObject(problems);
    await later(dayMs);
    const again = await night();
    expect(sortedByPath(again.problems)).toMatchObject(problems);
    const page = await home();
    for (const words of [texts.home.butFor(2), t.nights.unreadable.happened, `href="/runs/${again.id}"`, first.id])
      expect(page).toContain(words);
    const told = await guest.text(`/runs/${again.id}`);
    for (const words of ['a copy from ', texts.run.noCopy, texts.counts.entriesKept]) expect(told).toContain(words);
    fixture.files.mischief = () => undefined;
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { entriesRead: 2, entriesKept: 0 } });
    expect(await home()).toContain(texts.home.protected);
  });
});

describe('a great loss or change', () => {
  test.each([
    ['everything is gone', {}, t.nights.great_loss, { entries: 0, entriesGone: 40 }],
    ['everything has another content', many(40, 'locked'), t.nights.great_change, { filesChanged: 40, entriesGone: 0 }],
    ['half has another name and content', locked(), t.nights.great_loss, { filesNew: 20, entriesGone: 20 }],
  ])('where %s is said until somebody has looked, and holds the snapshot before', async (_, after, words, counts) => {
    members(many(40, 'holiday'));
    const before = await night();
    expect(before).toMatchObject({ state: 'succeeded', alarm: null });
    members(after);
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', counts, heldSnapshotId: before.snapshotId });
    members(many(40, 'holiday'));
    const back = await night();
    expect(back.state).toBe('succeeded');
    await fixture.resources.database.run.update({ where: { id: back.id }, data: { alarm: null } });
    const page = await home();
    for (const sentence of [texts.home.partly, words.happened, words.act, `href="/runs/${run.id}"`])
      expect(page).toContain(sentence);
    expect(await guest.text(`/runs/${run.id}`)).toContain(texts.run.confirm);
    await guest.post(`/runs/${run.id}/looked`, {});
    expect(await guest.text(`/runs/${run.id}`)).not.toContain(texts.run.confirm);
    expect(await home()).toContain(texts.home.protected);
  });

  test('is said of the only file that somebody had', async () => {
    members({ 'thesis.odt': file('thesis') });
    const before = await night();
    members({});
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', alarm: 'loss', heldSnapshotId: before.snapshotId });
    for (const words of [texts.home.partly, t.nights.great_loss.happened]) expect(await home()).toContain(words);
    expect(await night()).toMatchObject({ alarm: null });
  });

  test.each([
    ['renamed', renamed(0, 40)],
    ['moved into a folder, some of them', { old: folder(renamed(0, 25)), ...renamed(25, 40) }],
  ])('is none where all is there, but %s', async (_, after) => {
    members(many(40, 'holiday'));
    await night();
    members(after);
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: null, counts: { entries: 40 } });
    expect(await home()).toContain(texts.home.protected);
  });

  test('is none where a few of many are gone', async () => {
    members(many(40, 'holiday'));
    await night();
    members(many(25, 'holiday'));
    expect(await night()).toMatchObject({ alarm: null, counts: { entriesGone: 15, entriesUnchanged: 25 } });
    expect(await home()).toContain(texts.home.protected);
  });
});

describe('a folder that is gone as a whole', () => {
  const share = (count: number) => folder(many(count, 'share'));
  const others = many(60, 'holiday');
  const named = (entries: number) =>
    `${texts.holding.goneFolders} <bdi>Files</bdi> / <bdi>share</bdi> (${texts.holding.goneEntries(entries)})`;

  test.each([
    ['is not there any more', others],
    ['holds nothing any more, as a share that is not mounted', { ...others, share: folder() }],
    ['is a file now', { ...others, share: file('a note') }],
    ['is there in part elsewhere', { ...others, old: folder(many(5, 'share')) }, 20],
  ])('is named and counts as a great loss, where it %s', async (_, after, entries = 25) => {
    members({ ...others, share: share(25) });
    const before = await night();
    members(after);
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', alarm: 'loss', heldSnapshotId: before.snapshotId });
    expect(run.goneFolders).toEqual([{ path: 'files/share', entries }]);
    for (const page of [await home(), await guest.text(`/runs/${run.id}`)])
      for (const words of [named(entries), t.nights.great_loss.happened]) expect(page).toContain(words);
    expect(await night()).toMatchObject({ alarm: null, goneFolders: null });
    expect(await home()).not.toContain(texts.holding.goneFolders);
  });

  test('with little in it is named until the next backup, and nobody need look', async () => {
    members({ ...others, share: share(3), other: folder({ empty: folder() }) });
    await night();
    members(others);
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', alarm: null, goneFolders: [{ path: 'files/share', entries: 3 }] });
    for (const words of [texts.home.protected, named(3)]) expect(await home()).toContain(words);
  });

  test.each([
    ['renamed', { ...others, 'my share': share(25) }],
    ['moved into another', { ...others, old: folder({ share: share(25) }) }],
    ['emptied into that above it', { ...others, ...Object.fromEntries(renamedShare()), share: folder() }],
  ])('is not one that was %s', async (_, after) => {
    members({ ...others, share: share(25) });
    await night();
    members(after);
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: null, goneFolders: null });
    expect(await home()).toContain(texts.home.protected);
  });

  test('is not one below another, nor one that cannot be listed', async () => {
    members({ ...others, work: folder({ old: share(25), new: file('new') }), share: share(25) });
    await night();
    members({ ...others, work: folder({ new: file('new') }), share: share(25) });
    fixture.files.mischief = ({ path }, response) => {
      if (!path.endsWith('/share/')) return undefined;
      end(response, 503);
      return true;
    };
    expect(await night()).toMatchObject({ state: 'partial', alarm: null, goneFolders: null });
  });

  function renamedShare(): [string, HostileNode][] {
    return Object.entries(many(25, 'share')).map(([name, node]) => [`my ${name}`, node]);
  }
});

function renamed(from: number, to: number): Record<string, HostileNode> {
  const entries = Object.entries(many(40, 'holiday')).slice(from, to);
  return Object.fromEntries(entries.map(([name, node]) => [`my ${name}`, node]));
}

function locked(): Record<string, HostileNode> {
  const entries = Object.entries(many(40, 'holiday'));
  return Object.fromEntries(
    entries.map(([name, node], n) => (n < 20 ? [`${name}.locked`, file(`locked ${n}`)] : [name, node])),
  );
}

function sortedByPath(problems: unknown): unknown[] {
  const path = (problem: unknown) => String(Object(problem).path);
  return Array.isArray(problems) ? problems.toSorted((one, other) => path(one).localeCompare(path(other))) : [];
}
