import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { dayMs } from '../../../src/durations.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { contentOf } from '../../support/fixtures/archive-night.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { end, file, folder, type HostileNode } from '../../support/servers/hostile-webdav.ts';

let fixture: ConsentFixture;
let planId: string;
beforeEach(async () => {
  fixture = await openConsentFixture();
  await (await signInAs(fixture, alice)).consent();
  planId = (await fixture.resources.database.plan.findFirstOrThrow()).id;
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** As a server that says of folders whether anything below them changed. */
const oc = (node: HostileNode, etag: string) => ({
  ...node,
  etag,
  properties: `<oc:fileid>${etag.slice(1, -1)}</oc:fileid>`,
});
/** A share on an external storage: what changes in it moves no ETag of a folder. */
const files = (share: Record<string, HostileNode>) => {
  const plain = many(30, 'own');
  const inner = oc(folder({ 'deep.txt': oc(file('deep'), '"d1"') }), '"inner-1"');
  fixture.files.root.children = folder({
    own: oc(folder(plain), '"own-1"'),
    share: oc(folder({ ...share, inner }), '"share-1"'),
  }).children as Map<string, HostileNode>;
  Object.assign(fixture.files.root, oc({}, '"root-1"'));
};
const many = (count: number, text: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.txt`, oc(file(`${text} ${n}`), `"${text}-${n}"`)]));

async function night({ nights = 1, random = notTheShare() }: { nights?: number; random?: () => number } = {}) {
  fixture.custody.pass(nights * dayMs);
  const from = fixture.files.heard.length;
  const run = await fixture.backUp(planId, fixture.resources, random);
  const heard = fixture.files.heard.slice(from);
  const of = (method: string) => heard.filter((one) => one.method === method).map(({ path }) => path);
  return { run, counts: Object(run.counts), listed: [...new Set(of('PROPFIND'))], read: of('GET') };
}
const owner = () => fixture.resources.database.plan.findUniqueOrThrow({ where: { id: planId } });
async function newest() {
  const { repository } = await openPersonRepository(fixture.resources, (await owner()).userId);
  await repository.loadIndex();
  const { id, snapshot } = await repository.findSnapshot('latest');
  const content = await contentOf(repository, snapshot.tree);
  return { repository, id, snapshot, text: (path: string) => content.get(path)?.toString() };
}
const share1 = { 'share.txt': oc(file('share version 1'), '"s1"') };
/** Draws the first sixteen files of these, and so nothing of the share. */
function notTheShare(filesThere = 32): () => number {
  let drawn = 0;
  return () => (drawn + 0.5) / (filesThere - 15 + drawn++);
}

describe('a file on an external storage that moves no ETag of a folder', () => {
  test('is found at the latest in the seventh night, and then everything is read', async () => {
    files(share1);
    expect((await night({ nights: 0 })).counts).toMatchObject({ foldersPassedOver: 0, entriesRead: 32 });
    files({ 'share.txt': oc(file('share version TWO, changed'), '"s2"'), 'new.txt': oc(file('a new file'), '"n1"') });
    for (let nights = 1; nights <= 6; nights++) {
      const { run, counts, listed } = await night({ random: notTheShare() });
      expect(run).toMatchObject({ state: 'succeeded', unreliableRoots: [] });
      expect(counts).toMatchObject({ foldersPassedOver: 1, entriesChecked: 16, entriesUnchanged: 32 });
      expect(listed).toEqual(['/dav/', '/dav/own/']);
    }
    expect((await newest()).text('files/share/share.txt')).toBe('share version 1');
    const seventh = await night({ random: notTheShare() });
    expect(seventh.run).toMatchObject({ state: 'succeeded', unreliableRoots: ['files'] });
    expect(seventh.counts).toMatchObject({ entriesRead: 33, filesNew: 1, filesChanged: 1, foldersPassedOver: 0 });
    const { text } = await newest();
    expect([text('files/share/share.txt'), text('files/share/new.txt')]).toEqual([
      'share version TWO, changed',
      'a new file',
    ]);
  });

  test('is found on the first night on which the sample meets it; short cuts are off until seven nights found nothing', async () => {
    files(share1);
    await night();
    files({ 'share.txt': oc(file('share version TWO, changed'), '"s2"') });
    const { run } = await night({ random: () => 0.999_999 });
    expect(run).toMatchObject({ state: 'succeeded', unreliableRoots: ['files'] });
    expect((await newest()).text('files/share/share.txt')).toBe('share version TWO, changed');
    const page = await (await signInAs(fixture, alice)).text(`/runs/${run.id}`);
    expect(page).toContain(texts.run.unreliable);
    for (let nights = 1; nights <= 7; nights++) {
      const { counts, run: clean } = await night();
      expect(counts).toMatchObject({ entriesRead: 32, entriesUnchanged: 0, foldersPassedOver: 0 });
      expect(clean.unreliableRoots).toEqual([]);
    }
    expect((await night()).counts).toMatchObject({ entriesRead: 0, entriesUnchanged: 32 });
    expect(await (await signInAs(fixture, alice)).text(`/runs/${run.id}`)).toContain(texts.run.unreliable);
  });

  test('keeps the short cuts off though the run that found it fails', async () => {
    files(share1);
    await night();
    files({ 'share.txt': oc(file('share version TWO, changed'), '"s2"') });
    fixture.files.mischief = ({ method, path, before }, response) => {
      if (method !== 'PROPFIND' || path !== '/dav/' || before < 4) return undefined;
      end(response, 403);
      return true;
    };
    const failing = await night({ random: () => 0.999_999 });
    expect(failing.run).toMatchObject({ state: 'queued', snapshotId: null, unreliableRoots: ['files'] });
    fixture.files.mischief = () => undefined;
    expect((await night()).counts).toMatchObject({ entriesRead: 32 });
  });
});

describe('content that changes behind its own validator', () => {
  test('is found by the sample, read in that run, and told', async () => {
    fixture.files.root.children = folder(many(3, 'pad')).children as Map<string, HostileNode>;
    await night();
    Object.assign(fixture.files.root.children.get('1.txt') ?? {}, { content: Buffer.from('PAD 1') });
    Object.assign(fixture.files.root.children.get('2.txt') ?? {}, { content: Buffer.from('PAD 2') });
    const { run, counts } = await night();
    expect(run).toMatchObject({ state: 'succeeded', unreliableRoots: ['files'] });
    expect(counts).toMatchObject({ entriesRead: 3, filesChanged: 2 });
    expect((await newest()).text('files/2.txt')).toBe('PAD 2');
  });

  test('in the second in which it was listed is read again the next night', async () => {
    const within = {
      modified: new Date('2026-11-20T01:00:00Z'),
      etag: '"pad"',
      properties: '<oc:fileid>8</oc:fileid>',
    };
    fixture.files.mischief = (_, response) => {
      response.setHeader('date', within.modified.toUTCString());
      return undefined;
    };
    fixture.files.root.children = folder({ 'pad.md': file('text AAAA', within) }).children as Map<string, HostileNode>;
    await night();
    fixture.files.root.children = folder({ 'pad.md': file('text BBBB', within) }).children as Map<string, HostileNode>;
    const { run, read } = await night();
    expect(read).toEqual(['/dav/pad.md']);
    expect(run.unreliableRoots).toEqual([]);
    expect((await newest()).text('files/pad.md')).toBe('text BBBB');
  });
});

describe('the snapshot before', () => {
  test('that no run is on record for is walked over whole, as one that was altered is', async () => {
    files(share1);
    await night();
    expect((await night()).counts).toMatchObject({ foldersPassedOver: 1 });
    const { repository, id, snapshot } = await newest();
    const altered = await repository.saveSnapshot({ ...snapshot, original: id });
    for await (const { id: other } of repository.listSnapshots())
      if (other !== altered) await repository.forgetSnapshot(other);
    const { counts, listed } = await night();
    expect(counts).toMatchObject({ foldersPassedOver: 0, entriesRead: 0, entriesUnchanged: 32 });
    expect(listed).toHaveLength(4);
  });
});

describe('the sample', () => {
  test('costs no more than sixteen requests where nothing changed', async () => {
    fixture.files.root.children = folder(many(100, 'plain')).children as Map<string, HostileNode>;
    await night();
    const { counts, listed, read } = await night({ random: Math.random });
    expect(counts).toMatchObject({ entries: 100, entriesRead: 0, entriesUnchanged: 100, entriesChecked: 16 });
    expect([listed.length, read.length]).toEqual([1, 16]);
  });
});
