import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

const png = Buffer.from('89504e470d0a1a0a0000', 'hex');
const markup = '<script>alert(1)</script>';

let pages: Pages;
let alice: SignedIn;
let ids: string[];
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
  const repository = await addRepository(pages, alice);
  ids = [];
  const nights = [
    { 'novel.txt': Buffer.from('chapter 1'), 'gone.txt': Buffer.from('soon') },
    { 'novel.txt': Buffer.from('chapter 1'), sub: { 'page.html': Buffer.from(markup) } },
    {
      'novel.txt': Buffer.from('chapter 1 and 2'),
      sub: { 'page.html': Buffer.from(markup), 'drawing.svg': Buffer.from(`<svg>${markup}</svg>`) },
      'photo.jpg': png,
      'long.txt': Buffer.alloc(300_000, 'x'),
      'plan.pdf': Buffer.from('%PDF-1.4 '),
      'program.exe': Buffer.from('MZ\0\0'),
      'empty.txt': Buffer.of(),
    },
  ];
  for (const [index, files] of nights.entries()) {
    ids.push((await writeSnapshot(repository, { files }, `2026-01-0${index + 5}T02:00:00Z`)).id.slice(0, 16));
  }
});
afterAll(() => pages[Symbol.asyncDispose]());

const at = (night: number, kind: string, path: string) => `/snapshots/${ids[night - 1]}/${kind}/files/${path}`;

describe('the page of a file', () => {
  it('has its versions, each with size, nights and download', async () => {
    const text = await alice.text(at(3, 'view', 'novel.txt'));
    expect(text).toContain('2 versions');
    expect(text).toContain('5 Jan 2026, 02:00 to 6 Jan 2026, 02:00');
    for (const [night, size] of [
      [3, '15 bytes'],
      [2, '9 bytes'],
    ] as const) {
      expect(text).toContain(`href="${at(night, 'file', 'novel.txt')}"`);
      expect(text).toContain(size);
    }
    expect(await (await alice.send(at(2, 'file', 'novel.txt'))).text()).toBe('chapter 1');
  });

  it.each([
    ['photo.jpg', /<img class="preview"/],
    ['plan.pdf', /<iframe class="preview" src/],
    ['novel.txt', /<iframe class="preview" sandbox src/],
    ['sub/page.html', /<iframe class="preview" sandbox src/],
    ['long.txt', /These are the first 262 KB/],
    ['program.exe', /cannot be shown here/],
    ['empty.txt', /It is empty/],
  ])('shows what can be shown: %s', async (path, what) => {
    const answer = await alice.send(at(3, 'view', path));
    const text = await answer.text();
    expect(text).toMatch(what);
    expect(text).not.toContain(markup);
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it.each(['nowhere.txt', 'sub', ''])('is not found where there is no file: %j', async (path) => {
    expect((await alice.send(at(3, 'view', path))).status).toBe(404);
    expect((await alice.send(at(3, 'preview', path))).status).toBe(404);
  });

  it('goes to another night on request', async () => {
    const answer = await alice.send(`${at(3, 'view', 'novel.txt')}?night=2026-01-05`);
    expect(answer.headers.get('location')).toBe(at(1, 'view', 'novel.txt'));
  });

  it.each(['0', '2', 'x'])('has no page %s of versions', async (number) => {
    expect((await alice.send(`${at(3, 'view', 'novel.txt')}?versions=${number}`)).status).toBe(404);
  });
});

describe('a preview', () => {
  it.each([
    ['photo.jpg', 'image/png', png.toString('latin1')],
    ['sub/page.html', 'text/plain; charset=utf-8', markup],
    ['sub/drawing.svg', 'text/plain; charset=utf-8', `<svg>${markup}</svg>`],
    ['plan.pdf', 'application/pdf', '%PDF-1.4 '],
    ['long.txt', 'text/plain; charset=utf-8', 'x'.repeat(256 * 1024)],
  ])('is sent as what it is, in a sandbox: %s', async (path, type, content) => {
    const answer = await alice.send(at(3, 'preview', path));
    const { headers } = answer;
    expect(headers.get('content-type')).toBe(type);
    expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'; frame-ancestors 'self'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-disposition')).toMatch(/^inline; filename\*/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Buffer.from(await answer.arrayBuffer()).toString('latin1')).toBe(content);
  });

  it.each(['program.exe', 'empty.txt'])('is not there of what cannot be shown: %s', async (path) => {
    expect((await alice.send(at(3, 'preview', path))).status).toBe(404);
  });
});

describe('what changed', () => {
  const lines = async (path: string, query = '') => {
    const text = await alice.text(`/snapshots/${ids[2]}/changes/${path}${query}`);
    return [...text.matchAll(/<bdi>([^<]+)<\/bdi><\/a>.*?<\/svg>(new|changed|gone)</gs)].map(
      ([, name, what]) => `${what} ${name}`,
    );
  };

  it('is told since the night before, or since another', async () => {
    expect(await lines('')).toEqual([
      'new empty.txt',
      'new long.txt',
      'changed novel.txt',
      'new photo.jpg',
      'new plan.pdf',
      'new program.exe',
      'new drawing.svg',
    ]);
    expect(await lines('', `?since=${ids[0]}`)).toContain('gone gone.txt');
    expect(await lines('', '?day=2026-01-05')).toContain('gone gone.txt');
    expect(await lines('files/sub')).toEqual(['new drawing.svg']);
  });

  it('links what is gone to the night in which it was there, and says that the first night has none before', async () => {
    expect(await alice.text(`/snapshots/${ids[2]}/changes/?since=${ids[0]}`)).toContain(
      `href="${at(1, 'view', 'gone.txt')}"`,
    );
    expect(await alice.text(`/snapshots/${ids[0]}/changes/`)).toContain('is the first night that is kept');
    const leads = (night: number) => new RegExp(`href="/snapshots/${ids[night - 1]}/changes/`);
    expect(await alice.text(`/snapshots/${ids[0]}/browse/`)).not.toMatch(leads(1));
    expect(await alice.text(`/snapshots/${ids[1]}/browse/`)).toMatch(leads(2));
    expect(await alice.text(`/snapshots/${ids[1]}/changes/?since=${ids[1]}`)).toContain('Nothing changed here.');
  });

  it('is compared with no snapshot of somebody else', async () => {
    const bob = await pages.consented();
    await writeSnapshot(await addRepository(pages, bob), { files: { 'his.txt': Buffer.from('b') } });
    expect((await bob.send(`/snapshots/${ids[2]}/changes/`)).status).toBe(404);
    const own = /\/snapshots\/(\w{16})\/browse/.exec(await bob.text('/snapshots/nights'))?.[1];
    expect((await bob.send(`/snapshots/${own}/changes/?since=${ids[0]}`)).status).toBe(404);
    expect((await bob.send(`/snapshots/find?q=novel&from=${ids[0]}`)).status).toBe(404);
    expect(await bob.text('/snapshots/find?q=txt')).not.toContain('novel');
  });
});

describe('a damaged snapshot', () => {
  it('is said to be so, and what is whole of it is shown', async () => {
    const carol = await pages.consented();
    const repository = await addRepository(pages, carol);
    const { id, packs } = await writeSnapshot(repository, { files: { 'a.txt': Buffer.from('a') } });
    const { files } = repository.backend as MemoryBackend;
    const spoil = (type: 'data' | 'tree') => {
      const pack = packs.find(({ blobs }) => blobs[0]?.type === type)?.id ?? '';
      for (const { name, bytes } of files.values()) if (name === pack) bytes.fill(0);
    };
    spoil('data');
    expect(await carol.text(`/snapshots/${id}/view/files/a.txt`)).toContain('It cannot be read in this snapshot.');
    spoil('tree');
    pages.resources.histories.drop(await carol.userId());
    const answer = await carol.send(`/snapshots/${id}/browse/files`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain('A part of this snapshot is damaged.');
  });
});

describe('the search', () => {
  it('finds a name in every night, and leads to where it was last', async () => {
    const text = await alice.text('/snapshots/find?q=GONE');
    expect(text).toContain(`href="${at(1, 'view', 'gone.txt')}"`);
    expect(text).toContain('5 Jan 2026, 02:00');
    expect(await alice.text('/snapshots/find?q=novel')).toContain('in the last night');
  });

  it('says what it looked through, and finds nothing calmly', async () => {
    expect(await alice.text('/snapshots/find?q=xyzzy')).toContain('Nothing found in 3 nights');
    expect(await alice.text(`/snapshots/find?q=gone&from=${ids[0]}`)).toContain('1 found in one night');
    const below = await alice.text('/snapshots/find?q=html&in=files%2Fsub');
    expect(below).toContain('Searched below');
    expect(below).toContain('page.html');
    expect((await alice.send('/snapshots/find?q=html&in=%25E0%25')).status).toBe(400);
  });

  it('never takes what is looked for as markup', async () => {
    const text = await (await alice.send(`/snapshots/find?q=${encodeURIComponent(`"><script>\u202e`)}`)).text();
    expect(text).not.toMatch(/"><script>/);
  });

  it('looks for the first hundred characters of a longer text, and lets nobody write more', async () => {
    const form = await (await alice.send(`/snapshots/find?q=${'n'.repeat(101)}`)).text();
    expect(form).toContain(`value="${'n'.repeat(100)}" maxlength="100"`);
  });

  it('asks for a text where there is none', async () => {
    for (const query of ['', '?q=', '?q=%20'])
      expect(await alice.text(`/snapshots/find${query}`)).toContain('type="search"');
  });
});
