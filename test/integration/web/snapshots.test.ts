import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const download = (range?: string) =>
  alice.send(`/snapshots/${id}/file/folder/a%20b.html`, range === undefined ? {} : { headers: { range } });

describe('snapshots', () => {
  it('are listed, and there are none before the first run', async () => {
    expect(await alice.text('/snapshots')).toContain(`/snapshots/${id}/browse/`);
    expect(await (await pages.consented()).text('/snapshots')).toContain('There is no snapshot yet.');
  });

  it('link folders and files by addresses that lead to them', async () => {
    const text = await alice.text(`/snapshots/${id}/browse/folder`);
    expect(text).toContain(`/snapshots/${id}/browse/folder/50%25%20%3F%23`);
    expect(text).toContain(`/snapshots/${id}/file/folder/a%20b.html`);
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

describe('a large folder', () => {
  let large: string;
  let reader: SignedIn;
  beforeAll(async () => {
    reader = await pages.consented();
    const files = Array.from({ length: 1_201 }, (_, index) => [`file ${String(index).padStart(4, '0')}`, []]);
    const snapshot = await writeSnapshot(await addRepository(pages, reader), { folder: Object.fromEntries(files) });
    large = `/snapshots/${snapshot.id}/browse/folder`;
  });

  it.each([
    ['', 'file 0000', 'file 0499', 'Entries 1 to 500 of 1,201', ['?page=2']],
    ['?page=2', 'file 0500', 'file 0999', 'Entries 501 to 1000 of 1,201', ['?page=1', '?page=3']],
    ['?page=3', 'file 1000', 'file 1200', 'Entries 1001 to 1201 of 1,201', ['?page=2']],
  ])('comes 500 entries at a time: %s', async (query, first, last, words, links) => {
    const text = await reader.text(large + query);
    const names = [...text.matchAll(/>(file \d+)</g)].map(([, name]) => name);
    expect([names[0], names.at(-1)]).toEqual([first, last]);
    expect(text).toContain(words);
    expect([...text.matchAll(/href="(\?page=\d+)"/g)].map(([, link]) => link)).toEqual(links);
  });

  it.each(['0', '4', '-1', '1.5', 'x', '99999999999'])('has no page %s', async (number) => {
    expect((await reader.send(`${large}?page=${number}`)).status).toBe(404);
  });

  it('is sent compressed to a browser that takes it so', async () => {
    const answer = await reader.send(large, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(gunzipSync(bytes).toString()).toContain('file 0499');
    expect(bytes.length).toBeLessThan(12_000);
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
