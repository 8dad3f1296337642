import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scrub } from '../../../src/log.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { texts } from '../../../src/web/texts/en.ts';
import type { MemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let alice: SignedIn;
let id: string;
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
  const folder = { '50% ?#': {}, 'a b.html': Buffer.from('0123456789') };
  id = (await writeSnapshot(await addRepository(pages, alice), { folder })).id;
});
afterAll(() => pages[Symbol.asyncDispose]());

/** An id as addresses have it. */
const short = (whole: string) => whole.slice(0, 16);

const download = (range?: string) =>
  alice.send(`/snapshots/${id}/file/folder/a%20b.html`, range === undefined ? {} : { headers: { range } });

describe('snapshots', () => {
  it('are listed, and there are none before the first run', async () => {
    for (const page of ['/snapshots', '/snapshots/nights']) {
      expect(await alice.text(page)).toContain(`/snapshots/${short(id)}/browse/`);
    }
    expect(await (await pages.consented()).text('/snapshots')).toContain('There is no snapshot.');
  });

  it('say which of them another program made', async () => {
    const bob = await pages.consented();
    const repository = await addRepository(pages, bob);
    const { tree } = await writeSnapshot(repository, { note: Buffer.from('of a laptop') });
    const foreign = () =>
      bob.text('/snapshots/nights').then((text) => text.split(texts.retention.reasons.foreign).length - 1);
    expect(await foreign()).toBe(1);
    await repository.saveSnapshot({ time: '2026-01-03T03:04:05Z', tree, paths: ['/files'], hostname: 'nightkeep' });
    expect(await foreign()).toBe(1);
  });

  it('show the last night first, not one that a wrong clock dated into the future, where there is another', async () => {
    const reader = await pages.consented();
    const repository = await addRepository(pages, reader);
    const { id: wrong } = await writeSnapshot(repository, { a: Buffer.from('wrong') }, '2028-01-04T12:00:00Z');
    expect(await reader.text('/snapshots')).toContain(`/snapshots/${short(wrong)}/`);
    const { id: right } = await writeSnapshot(repository, { b: Buffer.from('right') }, '2026-05-04T01:00:00Z');
    await pages.clock.advance(1000);
    const page = await reader.text('/snapshots');
    expect(page).toContain(`/snapshots/${short(right)}/view/`);
    expect(page).not.toContain(`/snapshots/${short(wrong)}/view/`);
  });

  it('say before a download which names not every system can hold, and where not all were looked at', async () => {
    const reader = await pages.consented();
    const repository = await addRepository(pages, reader);
    const { odd, notes } = texts.snapshots;
    const lead = odd.lead.replaceAll("'", '&#39;');
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`${n}*`, Buffer.of()]));
    const far = Object.fromEntries(Array.from({ length: 1_600 }, (_, n) => [`${n}`, { [`${n}`]: Buffer.of() }]));
    const folder = { 'A.txt': Buffer.from('A'), 'a.txt': Buffer.from('a') };
    const { id } = await writeSnapshot(repository, { folder, plain: { b: Buffer.of() }, many, far });
    const browse = (path: string) => reader.text(`/snapshots/${id}/browse/${path}`);
    const page = await browse('folder');
    expect(page).toContain(odd.count(1));
    expect(page).toContain(lead);
    expect(page.replaceAll(/<\/?bdi>/g, '')).toContain(`<li>a.txt: ${notes.odd.why.case} A.txt</li>`);
    expect(await browse('plain')).not.toContain(lead);
    const all = await browse('many');
    expect(all).toContain(odd.count(11));
    expect(all).toContain(`<li>${odd.more('1')}</li>`);
    expect(await browse('far')).toContain(odd.unknown);
    expect(page).not.toContain(odd.unknown);
  });

  it('link folders and files by addresses that lead to them', async () => {
    const text = await alice.text(`/snapshots/${id}/browse/folder`);
    expect(text).toContain(`/snapshots/${short(id)}/browse/folder/50%25%20%3F%23`);
    expect(text).toContain(`/snapshots/${short(id)}/view/folder/a%20b.html`);
    expect(await alice.text(`/snapshots/${id}/browse/folder/50%25%20%3F%23`)).toContain('This folder is empty.');
  });

  it.each(['browse/elsewhere', 'browse/folder/a%20b.html', 'file/folder', 'file/', 'zip/elsewhere'])(
    'know what is not there: %s',
    async (path) => expect((await alice.send(`/snapshots/${id}/${path}`)).status).toBe(404),
  );

  it('refuse an address that is not spelled right', async () => {
    expect((await alice.send(`/snapshots/${id}/browse/%E0%A4%A`)).status).toBe(400);
  });
});

describe('a repository that was made and cannot be opened', () => {
  const config = 'config';
  it.each<[string, (files: MemoryBackend['files']) => unknown]>([
    ['is gone', (files) => files.clear()],
    ['has an empty config', (files) => files.set(config, { type: config, name: '', bytes: Buffer.of() })],
    [
      'has no key file',
      (files) => [...files.keys()].filter((path) => path.startsWith('keys/')).map((path) => files.delete(path)),
    ],
  ])('%s: no page says that there are no snapshots, or that one of them is damaged', async (_, spoil) => {
    const reader = await pages.consented();
    const repository = await addRepository(pages, reader);
    const userId = await reader.userId();
    await pages.resources.database.repository.update({ where: { userId }, data: { recoveryKeyFile: '0'.repeat(64) } });
    const { id: snapshotId } = await writeSnapshot(repository, { 'a.txt': Buffer.from('hers') });
    spoil((repository.backend as MemoryBackend).files);
    const { title, happened, act } = texts.errors.told['repository/not-usable'];
    for (const address of [
      '/snapshots',
      '/snapshots/nights',
      '/retention',
      '/snapshots/find?q=a',
      `/snapshots/${snapshotId}/browse/`,
    ]) {
      const answer = await reader.send(address);
      expect([address, answer.status]).toEqual([address, 500]);
      const text = await answer.text();
      for (const words of [title, happened ?? '', act ?? '']) expect(text).toContain(words);
      expect(text).not.toContain(repository.backend.location);
    }
  });
});

describe('snapshots whose files are damaged', () => {
  const spoil = async (repository: Repository, id: string) => {
    const bytes = await repository.backend.load('snapshot', id);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await repository.backend.remove('snapshot', id);
    await repository.backend.save('snapshot', id, bytes);
  };

  it('are missed in words, among those that can be read and where none can', async () => {
    const reader = await pages.consented();
    const repository = await addRepository(pages, reader);
    const [first, second] = [
      await writeSnapshot(repository, { folder: { 'a.txt': Buffer.from('1') } }),
      await writeSnapshot(repository, { folder: { 'a.txt': Buffer.from('2') } }, '2026-01-03T03:04:05+01:00'),
    ];
    await spoil(repository, second.id);
    for (const page of ['/snapshots', '/snapshots/nights', `/snapshots/${first.id}/browse/`])
      expect(await reader.text(page)).toContain(texts.snapshots.damagedSnapshots(1));
    await spoil(repository, first.id);
    await pages.clock.advance(5 * 60_000);
    for (const page of ['/snapshots', '/snapshots/nights']) {
      const text = await reader.text(page);
      expect(text).toContain(texts.snapshots.damagedSnapshots(2));
      expect(text).not.toContain(texts.snapshots.none);
    }
  });
});

describe('a large folder', () => {
  let large: string;
  let reader: SignedIn;
  beforeAll(async () => {
    reader = await pages.consented();
    const files = Array.from({ length: 1_201 }, (_, index) => [`file ${index}`, Buffer.alloc(index)]);
    const snapshot = await writeSnapshot(await addRepository(pages, reader), { folder: Object.fromEntries(files) });
    large = `/snapshots/${snapshot.id}/browse/folder`;
  });

  it.each([
    ['', 'file 0', 'file 199', 'Entries 1 to 200 of 1,201', ['?page=2']],
    ['?page=2', 'file 200', 'file 399', 'Entries 201 to 400 of 1,201', ['?page=1', '?page=3']],
    ['?page=7', 'file 1200', 'file 1200', 'Entries 1,201 to 1,201 of 1,201', ['?page=6']],
    [
      '?page=2&sort=size',
      'file 1000',
      'file 801',
      'Entries 201 to 400 of 1,201',
      ['?page=1&sort=size', '?page=3&sort=size'],
    ],
  ])('comes 200 entries at a time: %s', async (query, first, last, words, links) => {
    const text = await reader.text(large + query);
    const names = [...text.matchAll(/>(file \d+)</g)].map(([, name]) => name);
    expect([names[0], names.at(-1)]).toEqual([first, last]);
    expect(text).toContain(words);
    expect(text).toContain('1,201 entries, ');
    expect([...text.matchAll(/href="(\?page=[^"]+)"/g)].map(([, link]) => link)).toEqual(links);
  });

  it.each(['0', '8', '-1', '1.5', 'x', '99999999999'])('has no page %s', async (number) => {
    expect((await reader.send(`${large}?page=${number}`)).status).toBe(404);
  });

  it('is sent compressed to a browser that takes it so', async () => {
    const answer = await reader.send(large, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(gunzipSync(bytes).toString()).toContain('file 199');
    expect(bytes.length).toBeLessThan(12_000);
  });
});

describe('a folder of hostile names', () => {
  it('shows what turns them round, in the title too, and stays under 100 KB', async () => {
    const reader = await pages.consented();
    const long = () => randomBytes(120).toString('base64url').slice(0, 150) + 'é日'.repeat(21);
    const names = ['evil\u202efdp.exe', '<img src=x onerror=alert(1)>', ...Array.from({ length: 400 }, long)];
    const files = Object.fromEntries(names.map((name) => [name, Buffer.from('x')]));
    const deep = { '\u202egnp.exe': { [long()]: { [long()]: files } } };
    const repository = await addRepository(pages, reader);
    const empty = { '\u202egnp.exe': {} };
    for (const day of ['01', '02']) await writeSnapshot(repository, { files: empty }, `2026-01-${day}T02:00:00Z`);
    const { id } = await writeSnapshot(repository, { files: deep }, '2026-01-03T02:00:00Z');
    const above = await reader.text(`/snapshots/${id}/browse/files/%E2%80%AEgnp.exe`);
    expect(above).toMatch(/<title>‹U\+202E›gnp\.exe ·/);
    const [, folder = ''] = /href="(\/snapshots\/[^"]+gnp\.exe\/[^"]+)"/.exec(above) ?? [];
    const [, within = ''] = /href="(\/snapshots\/[^"]+gnp\.exe\/[^"/]+\/[^"]+)"/.exec(await reader.text(folder)) ?? [];
    const [, inside = ''] = /\/browse\/(.*)/.exec(within) ?? [];
    const file = /href="([^"]*\/view\/[^"]+)"/.exec(await reader.text(within))?.[1] ?? '';
    const others = [`/snapshots/${id}/changes/${inside}`, `/snapshots/find?q=${encodeURIComponent('日')}`, file];
    for (const page of [within, `${within}?page=2`, `${within}?page=3`, ...others]) {
      const answer = await reader.send(page, { headers: { 'accept-encoding': 'gzip' } });
      expect(answer.status).toBe(200);
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(bytes.length).toBeLessThan(100_000);
      expect(/[\u202a-\u202e]|<img/u.test(gunzipSync(bytes).toString())).toBe(false);
    }
  });
});

describe('the way through the nights', () => {
  let reader: SignedIn;
  let ids: string[];
  beforeAll(async () => {
    reader = await pages.consented();
    const repository = await addRepository(pages, reader);
    const taken = ['2026-01-05T02:00:00Z', '2026-01-06T02:00:00Z', '2026-01-07T02:00:00Z', '2026-01-07T09:00:00Z'];
    ids = [];
    for (const [index, time] of taken.entries()) {
      const files = {
        same: { 'a.txt': Buffer.from('a') },
        ...(index > 0 && { late: { 'b.txt': Buffer.from(`${index}`) } }),
      };
      ids.push((await writeSnapshot(repository, { files }, time)).id);
    }
  });

  it('leaves out the folder that all lies in', async () => {
    const text = await reader.text(`/snapshots/${ids[0]}/browse/`);
    expect(text).toContain(`href="/snapshots/${short(ids[0] ?? '')}/browse/files/same"`);
    expect(text).not.toMatch(/<bdi>files<\/bdi>/);
    expect(text).toContain('1 entry, 1 byte');
  });

  it('shows in which nights a folder changed, and where it is not there', async () => {
    const labels = async (path: string) =>
      [
        ...(await reader.text(`/snapshots/${ids[2]}/browse/${path}`)).matchAll(/aria-label="[^":]*:\d\d: ([^"]+)"/g),
      ].map(([, state]) => state);
    expect(await labels('files/same')).toEqual(['new', ...Array(3).fill('as the night before')]);
    expect(await labels('files/late')).toEqual(['not there', 'new', 'changed', 'changed']);
  });

  it('leads to the nearest nights in which the folder was another', async () => {
    const ways = async (night: number, path: string) =>
      [
        ...(await reader.text(`/snapshots/${ids[night]}/browse/${path}`)).matchAll(
          /rel="(prev|next)" href="\/snapshots\/(\w+)\//g,
        ),
      ].map(([, rel, id]) => [rel, ids.findIndex((one) => one.startsWith(id ?? '-'))]);
    expect(await ways(2, 'files/late')).toEqual([
      ['prev', 1],
      ['next', 3],
    ]);
    expect(await ways(1, 'files/late')).toEqual([['next', 2]]);
    expect(await ways(1, 'files/same')).toEqual([]);
  });

  it.each([
    ['2026-01-06', 1],
    ['2026-01-07', 3],
    ['2027-05-05', 3],
    ['2020-01-01', 0],
  ])('goes to the last snapshot of a day or before it: %s', async (day, night) => {
    const answer = await reader.send(`/snapshots/${ids[2]}/browse/files/same?night=${day}`);
    expect(answer.headers.get('location')).toBe(`/snapshots/${short(ids[night] ?? '')}/browse/files/same`);
  });

  it('writes no name of a file into the log', async () => {
    const lines: string[] = [];
    const { log } = pages.resources;
    const info = vi
      .spyOn(log, 'info')
      .mockImplementation((event, fields) => lines.push(JSON.stringify([event, scrub(fields)])));
    expect((await reader.send(`/snapshots/${ids[0]}/browse/files/my%20secret%20folder`)).status).toBe(404);
    expect((await reader.send(`/snapshots/${ids[0]}/file/files/my%20secret%20file`)).status).toBe(404);
    info.mockRestore();
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toMatch(/secret/);
  });
});

describe('downloads', () => {
  it('hand a file out as something to keep, never to show', async () => {
    const answer = await download();
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('0123456789');
    expect(answer.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''a%20b.html");
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=5-99', '56789', 'bytes 5-9/10'],
  ])('give the range %s', async (range, part, told) => {
    const answer = await download(range);
    expect(answer.status).toBe(206);
    expect(await answer.text()).toBe(part);
    expect(answer.headers.get('content-range')).toBe(told);
    expect(answer.headers.get('content-length')).toBe(String(part.length));
  });

  it.each(['bytes=10-', 'bytes=-0', 'bytes=99-100'])('refuse the range %s', async (range) => {
    const answer = await download(range);
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe('bytes */10');
  });

  it.each(['bytes=1-2,4-5', 'lines=1-2', 'bytes=4-2', 'bytes=-'])('give the whole file for %s', async (range) => {
    expect((await download(range)).status).toBe(200);
  });

  it('give a folder as a zip', async () => {
    const answer = await alice.send(`/snapshots/${id}/zip/`);
    expect(answer.headers.get('content-disposition')).toContain(`snapshot-${id.slice(0, 8)}.zip`);
    expect(
      Buffer.from(await answer.arrayBuffer())
        .subarray(0, 2)
        .toString(),
    ).toBe('PK');
  });
});
