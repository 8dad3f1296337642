import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WebdavOptions } from '../../../src/sources/dav/webdav.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { never, openSource } from '../../support/fixtures/open-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import {
  end,
  file,
  folder,
  type HostileNode,
  type HostileWebdav,
  listingOf,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

/** Nights of the WebDAV source: what a server lists, or does not, and what is in the snapshot then. */
let server: HostileWebdav;
let repository: Repository;
beforeEach(async () => {
  server = await startHostileWebdav();
  repository = await newRepository(openMemoryBackend());
});
afterEach(() => server[Symbol.asyncDispose]());

async function night(
  children: Record<string, HostileNode>,
  mischief: Mischief = () => undefined,
  options: Partial<WebdavOptions> & { url?: string } = {},
) {
  server.root.children = folder(children).children ?? new Map();
  server.mischief = mischief;
  await using source = openSource(options.url ?? server.url, options);
  const { tree, problems, seen } = await archiveNight(repository, [source]);
  const texts = Object.fromEntries(
    [...(await contentOf(repository, tree))].map(([path, bytes]) => [path.replace(/^files\//, ''), bytes.toString()]),
  );
  return { texts, problems, seen };
}

const answering =
  (paths: RegExp, status: number): Mischief =>
  ({ path }, response) => {
    if (!paths.test(path)) return undefined;
    end(response, status);
    return true;
  };

const withStatus = (status: string) => (href: string) =>
  `<d:response><d:href>${href}</d:href><d:status>HTTP/1.1 ${status}</d:status></d:response>`;
const withPropStatus = (status: string) => (href: string) =>
  `<d:response><d:href>${href}</d:href><d:propstat><d:prop><d:resourcetype/><d:getetag/></d:prop><d:status>HTTP/1.1 ${status}</d:status></d:propstat></d:response>`;

describe('a member that the server lists with a status', () => {
  const statuses = [
    ['425 Too Early', 'source/unavailable'],
    ['403 Forbidden', 'source/forbidden'],
    ['404 Not Found', 'source/not-found'],
    ['410 Gone', 'source/not-found'],
    ['423 Locked', 'source/unavailable'],
    ['500 Internal Server Error', 'source/unavailable'],
    ['503 Service Unavailable', 'source/unavailable'],
    ['507 Insufficient Storage', 'source/unavailable'],
    ['508 Loop Detected', 'source/loop'],
    ['302 Found', 'source/malformed'],
  ] as const;
  const kinds = ['file', 'asked file', 'folder', 'asked folder'];
  const names = statuses.flatMap(([status]) => kinds.map((kind) => `${kind} ${status}`));

  test('keeps its copy, a folder with all below it, and is named', async () => {
    const whole = { other: file('1') };
    for (const name of names) {
      const node = name.includes('file') ? file(`old ${name}`) : folder({ deep: folder({ c: file(`in ${name}`) }) });
      Object.assign(whole, { [name]: node });
    }
    await night(whole);
    const bent = { other: file('two', { etag: '"new"' }) };
    for (const name of names) {
      const response = (name.includes('asked') ? withPropStatus : withStatus)(name.replace(/^[a-z ]+/, ''));
      Object.assign(bent, { [name]: { ...(name.includes('file') ? file('new') : folder()), response } });
    }
    const { texts, problems, seen } = await night(bent);
    const expected = statuses.flatMap(([status, code]) => kinds.map((kind) => [`${kind} ${status}`, code, true]));
    expect(problems.map(({ path, code, kept }) => [path, code, kept])).toEqual(expected);
    for (const name of names)
      expect(texts).toHaveProperty(
        name.includes('file') ? [name] : [`${name}/deep/c`],
        `${name.includes('file') ? 'old' : 'in'} ${name}`,
      );
    expect(texts.other).toBe('two');
    expect(seen).toMatchObject({ read: 1, kept: names.length, gone: 0 });
    expect((await night(whole)).problems).toEqual([]);
  });

  test('for one of its properties only is taken where its kind is known', async () => {
    const lost =
      '</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:getetag/></d:prop><d:status>HTTP/1.1 503 Later</d:status></d:propstat><d:propstat><d:prop>';
    const { texts, problems } = await night({ a: file('a', { properties: lost }) });
    expect(problems).toEqual([]);
    expect(texts).toMatchObject({ a: 'a' });
  });

  test('for its kind, so that a folder would look like a file, is a problem', async () => {
    await night({ sub: folder({ a: file('a') }), ok: file('ok') });
    const response = (href: string) =>
      `<d:response><d:href>${href}</d:href><d:propstat><d:prop><d:getetag>"1"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>` +
      '<d:propstat><d:prop><d:resourcetype/></d:prop><d:status>HTTP/1.1 500 Oops</d:status></d:propstat></d:response>';
    const { texts, problems } = await night({
      sub: folder({ a: file('a') }, { response, href: '/dav/sub' }),
      ok: file('ok'),
    });
    expect(problems).toMatchObject([{ path: 'sub', code: 'source/unavailable', kept: true }]);
    expect(texts).toMatchObject({ 'sub/a': 'a' });
  });
});

describe('what is listed and not found when it is asked for', () => {
  test.each([404, 410])(
    'by %i keeps its copy while the folder still names it: a mount that is away, a file',
    async (status) => {
      await night({ mount: folder({ a: file('in the mount') }), f: file('1'), ok: file('ok') });
      const before = server.heard.length;
      const { texts, problems } = await night(
        { mount: folder({ a: file('x') }), f: file('two', { etag: '"2"' }), ok: file('ok') },
        answering(/mount|f$/, status),
      );
      expect(problems.map(({ path, code, kept }) => [path, code, kept]).sort()).toEqual([
        ['f', 'source/not-found', true],
        ['mount', 'source/not-found', true],
      ]);
      expect(texts).toMatchObject({ 'mount/a': 'in the mount', f: '1' });
      expect(server.heard.slice(before).filter(({ path }) => path === '/dav/')).toHaveLength(2);
    },
  );

  test('that was a folder keeps its copy where the folder, asked again, has another one that may be the same', async () => {
    const plans = () => folder({ 'a.txt': file('plan') });
    await night({ plans: plans(), 'x.txt': file('x') });
    const renaming: Mischief = ({ path }, response) => {
      if (!path.startsWith('/dav/plans')) return undefined;
      server.root.children?.delete('plans');
      server.root.children?.set('projects', plans());
      end(response, 404);
      return true;
    };
    const { texts, problems, seen } = await night({ plans: plans(), 'x.txt': file('x') }, renaming);
    expect(problems).toMatchObject([{ path: 'plans', code: 'source/changed', kept: true }]);
    expect(problems[0]?.message).toContain('It was moved, renamed or deleted while the backup ran.');
    expect([texts['plans/a.txt'], seen.gone]).toEqual(['plan', 0]);
    const next = await night({ projects: plans(), 'x.txt': file('x') });
    expect(next).toMatchObject({ problems: [], texts: { 'projects/a.txt': 'plan' }, seen: { gone: 1 } });
  });

  test('is gone where the folder, asked again, no longer names it', async () => {
    await night({ sub: folder({ a: file('a') }), f: file('1'), g: file('g') });
    const vanish: Mischief = ({ path }) => {
      if (path === '/dav/f') server.root.children?.delete('f');
      if (path === '/dav/sub/') server.root.children?.delete('sub');
      return undefined;
    };
    const { texts, problems, seen } = await night(
      { sub: folder({ a: file('a') }), f: file('two', { etag: '"2"' }), g: file('g') },
      vanish,
    );
    expect(problems).toEqual([]);
    expect(Object.keys(texts).sort()).toEqual(['', 'g']);
    expect(seen).toMatchObject({ gone: 2 });
  });
});

describe('a listing in pages', () => {
  const all = Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`note ${n}`, file(`note ${n}`)]));
  /** Ten members a page; the further ones are at `?from=`, with or without the folder itself. */
  const paged =
    (link: (next: number) => string, { withSelf = true } = {}): Mischief =>
    ({ method, path, headers }, response) => {
      if (method !== 'PROPFIND') return undefined;
      const from = Number(/\?from=(\d+)/.exec(path)?.[1] ?? 0);
      const members = [...(server.root.children ?? [])].slice(from, from + 10);
      const listing = listingOf(folder(Object.fromEntries(members)), { path: '/dav/', headers });
      const body = withSelf || from === 0 ? listing : listing.replace(/<d:response>.*?<\/d:response>/, '');
      end(response, 207, from + 10 < 25 ? { link: link(from + 10) } : {}, body);
      return true;
    };

  test.each([
    ['an absolute address', (next: number) => `<${server.url}?from=${next}>; rel="next"`, true],
    ['a path', (next: number) => `</dav/?from=${next}>; rel=next`, true],
    [
      'a query, other links before it',
      (next: number) => `</x>; rel="up", <?from=${next}>; title="more"; rel="last next"`,
      true,
    ],
    ['pages without the folder itself', (next: number) => `<?from=${next}>; rel="next"`, false],
  ])('is read to its end: %s', async (_, link, withSelf) => {
    server.root.children = folder(all).children ?? new Map();
    server.mischief = paged(link, { withSelf });
    await using source = openSource(server.url);
    const { members, problems, isIncomplete } = await source.list(source.root, never);
    expect(members.map(({ name }) => name)).toEqual(Object.keys(all));
    expect([problems, isIncomplete]).toEqual([[], undefined]);
  });

  test('that leads elsewhere or comes back is no listing: the copy is kept, and named', async () => {
    const links: Record<string, [(next: number) => string, RegExp]> = {
      server: [() => '<https://evil.example/dav/server/?from=10>; rel="next"', /on another server/],
      port: [() => '<http://127.0.0.1:1/dav/port/?from=10>; rel="next"', /on another server/],
      itself: [() => '</dav/itself/>; rel="next"', /never ends/],
      circle: [(next) => `<?from=${next === 10 ? 10 : 0}>; rel="next"`, /never ends/],
    };
    const folders = (content: Record<string, HostileNode>) =>
      Object.fromEntries(Object.keys(links).map((name) => [name, folder(content)]));
    await night({ ...folders(all), ok: file('ok') });
    const { texts, problems } = await night({ ...folders({}), ok: file('ok') }, ({ path, headers }, response) => {
      const [link] = links[path.split('/')[2] ?? ''] ?? [];
      if (link === undefined) return undefined;
      const from = Number(/\?from=(\d+)/.exec(path)?.[1] ?? 0);
      end(response, 207, { link: link(from + 10) }, listingOf(folder(), { path: path.replace(/\?.*/, ''), headers }));
      return true;
    });
    for (const [path, [, message]] of Object.entries(links)) {
      const code = 'source/malformed';
      expect(problems).toContainEqual({
        root: 'files',
        path,
        code,
        message: expect.stringMatching(message),
        kept: true,
        folder: true,
      });
      expect(Object.keys(texts).filter((each) => each.startsWith(`${path}/`))).toHaveLength(26);
    }
    expect(problems).toHaveLength(4);
  });

  test('has a limit of pages: at it the listing is whole, one beyond it is a problem', async () => {
    const link = (next: number) => `<?from=${next}>; rel="next"`;
    server.root.children = folder(all).children ?? new Map();
    server.mischief = paged(link);
    const list = async (pages: number) => {
      await using source = openSource(server.url, { limits: { pages } });
      return await source.list(source.root, never);
    };
    expect((await list(3)).members).toHaveLength(25);
    await expect(list(2)).rejects.toMatchObject({ code: 'source/too-large' });
  });
});

test('a listing that is too large, or odd, or of something else, keeps the copy of its folder, and the rest goes on', async () => {
  const notes = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`note ${n}`, file(`note ${n}`)]));
  const names = ['large', 'page', 'empty', 'cut off', 'no XML', 'truncated', 'other', 'infinite', 'nameless', 'moved'];
  const tree = (ok: string) => ({
    ...Object.fromEntries(names.map((name) => [name, folder(notes)])),
    ok: file(ok, { etag: `"${ok}"` }),
  });
  await night(tree('one'));
  const response = (href: string, status = '200 OK') =>
    `<d:response><d:href>${href}</d:href><d:status>HTTP/1.1 ${status}</d:status></d:response>`;
  const bend: Record<string, (proper: string, path: string) => string> = {
    large: (proper) => proper,
    page: () => '<html><body>Sign in</body></html>',
    empty: () => '<d:multistatus xmlns:d="DAV:"/>',
    'cut off': (proper) => `${proper.slice(0, 400)}<?xml version="1.0"?><d:error xmlns:d="DAV:"/>`,
    'no XML': (proper) => proper.replace('<d:prop>', '<d:prop>\n<\u0002'),
    truncated: (proper, path) =>
      proper.replace('<d:response>', `${response(path, '507 Insufficient Storage')}<d:response>`),
    other: (proper) => proper.replaceAll('/dav/other/', '/dav/another/'),
    infinite: (proper, path) => proper.replace('</d:multistatus>', `${response(`${path}x/y`)}</d:multistatus>`),
    nameless: (proper) => proper.replace('</d:multistatus>', `${response('')}</d:multistatus>`),
  };
  const fewer = { 'note 0': file('note 0') };
  const bent = { ...tree('two'), infinite: folder(fewer), nameless: folder(fewer) };
  const { texts, problems } = await night(
    bent,
    (request, answer) => {
      const name = decodeURIComponent(request.path.split('/')[2] ?? '');
      if (name === 'moved') end(answer, 301, { location: 'https://elsewhere.example/dav/moved/' });
      else if (bend[name] === undefined) return undefined;
      else {
        const members = name === 'large' ? { ...notes, ...tree('') } : (bent[name as 'infinite'].children ?? new Map());
        const node = folder(members instanceof Map ? Object.fromEntries(members) : members);
        end(answer, 207, {}, bend[name](listingOf(node, request), request.path));
      }
      return true;
    },
    { limits: { members: 15 } },
  );
  for (const name of names)
    expect(Object.keys(texts).filter((path) => path.startsWith(`${name}/note`))).toHaveLength(5);
  expect(texts.ok).toBe('two');
  const folders = problems.filter(({ path }) => !path.includes('/'));
  const kept = (path: string) => !['infinite', 'nameless'].includes(path);
  expect(folders.map(({ path, code, kept }) => [path, code, kept]).sort()).toEqual(
    names
      .map((path) => {
        const codes: Record<string, string> = {
          large: 'source/too-large',
          truncated: 'source/unavailable',
          moved: 'source/refused-redirect',
        };
        return [path, codes[path] ?? 'source/malformed', kept(path)];
      })
      .sort(),
  );
  expect(problems.filter(({ path }) => path.includes('/note')).map(({ kept }) => kept)).toEqual(Array(8).fill(true));
  expect(folders.find(({ path }) => path === 'no XML')?.message).toMatch(/U\+0002, .* at line 3, column 2/);
});
