import { describe, expect, test } from 'vitest';
import { nameToBytes } from '../../../src/file-name.ts';
import type { WebdavOptions } from '../../../src/sources/dav/webdav.ts';
import { contentOf, memberNamed, never, openSource } from '../../support/fixtures/open-source.ts';
import {
  end,
  file,
  folder,
  type HostileNode,
  listingOf,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

/** Answers each PROPFIND with the proper listing, its hrefs changed. */
const withHrefs =
  (server: { root: HostileNode }, change: (href: string) => string): Mischief =>
  (request, response) => {
    if (request.method !== 'PROPFIND') return undefined;
    const names = request.path
      .split('/')
      .slice(2)
      .filter((name) => name !== '');
    const node = names.reduce<HostileNode | undefined>(
      (at, name) => at?.children?.get(decodeURIComponent(name)),
      server.root,
    );
    if (node === undefined) return undefined;
    const listing = listingOf(node, request);
    end(
      response,
      207,
      {},
      listing.replace(/<d:href>(.*?)<\/d:href>/g, (_, href) => `<d:href>${change(href)}</d:href>`),
    );
    return true;
  };

/** What is below a person's folder at a server that writes its hrefs in this way: paths and contents. */
async function walk(
  change: (href: string) => string,
  { home = 'Alice Ü', ...options }: Partial<WebdavOptions> & { home?: string } = {},
) {
  const tree = {
    'a.txt': file('a'),
    Alice: folder({ Alice: folder({ 'b.txt': file('b') }), 'c é.txt': file('c') }),
    empty: folder(),
  };
  await using server = await startHostileWebdav(folder({ [home]: folder(tree) }));
  server.mischief = withHrefs(server, change);
  await using source = openSource(`${server.url}${encodeURIComponent(home)}/`, options);
  const found: Record<string, string> = {};
  const visit = async (location: Parameters<typeof source.list>[0], path: string) => {
    const { members, problems, isIncomplete } = await source.list(location, never);
    expect([problems, isIncomplete]).toEqual([[], undefined]);
    for (const member of members) {
      if (member.kind === 'collection') {
        found[`${path}${member.name}/`] = '';
        await visit(member, `${path}${member.name}/`);
      } else found[path + member.name] = (await contentOf(await source.open(member, never))).toString();
    }
  };
  await visit(source.root, '');
  for (const { path } of server.heard) expect(decodeURIComponent(path)).toMatch(new RegExp(`^/dav/${home}/`));
  return found;
}

const whole = {
  'a.txt': 'a',
  'Alice/': '',
  'Alice/Alice/': '',
  'Alice/Alice/b.txt': 'b',
  'Alice/c é.txt': 'c',
  'empty/': '',
};
const own = '/dav/Alice%20%C3%9C/';

describe('the folder itself is found, and all that is in it under the address that was asked, where hrefs', () => {
  const cases: [string, (href: string) => string][] = [
    ['come without their trailing slash', (href) => (href === own ? href.slice(0, -1) : href)],
    ['come with escapes in small letters', (href) => href.replaceAll('%C3%9C', '%c3%9c')],
    ['come with more escapes than needed', (href) => href.replaceAll('/dav/A', '/%64av/%41')],
    ['come unencoded', (href) => decodeURIComponent(href)],
    ['come in the other Unicode form', (href) => encodeURI(decodeURIComponent(href).replace('Ü', 'U\u0308'))],
    [
      'come in the other Unicode form for the folder itself only',
      (href) => (href === own ? encodeURI('/dav/Alice U\u0308/') : href),
    ],
    ['come in small letters', (href) => href.replace(own, '/dav/alice%20%C3%BC/')],
    ['come in capitals for the folder itself only', (href) => (href === own ? '/DAV/ALICE%20%C3%9C/' : href)],
    ['lack a prefix that a proxy strips', (href) => href.replace('/dav/', '/')],
    ['lack all of the address', (href) => href.replace(own, '/')],
    ['have a prefix that a proxy hides', (href) => `/remote.php/webdav${href}`],
    ['have another prefix', (href) => href.replace('/dav/', '/remote.php/dav/files/')],
    ['name an inner host', (href) => `http://inner.example:8080${href}`],
    [
      'name an inner host and an inner path, with a space',
      (href) => decodeURI(`http://10.0.0.7${href.replace('/dav/', '/')}`),
    ],
    ['name another scheme and port', (href) => `https://127.0.0.1:9999${href}`],
  ];
  test.each(cases)('%s', async (_, change) => {
    expect(await walk(change)).toEqual(whole);
  });

  test('lack a prefix, and a folder has the name of the one above', async () => {
    const change = (href: string) => href.replace('/dav/Alice/', '/Alice/');
    expect(await walk(change, { home: 'Alice' })).toEqual(whole);
  });
});

describe('a listing', () => {
  const listAs = async (change: (href: string) => string) => {
    await using server = await startHostileWebdav(folder({ alice: folder({ 'a.txt': file('a') }) }));
    server.mischief = withHrefs(server, change);
    await using source = openSource(`${server.url}alice/`);
    return await source.list(source.root, never);
  };

  test.each([
    ['of another person', '/dav/bob/'],
    ['of the folder above', '/dav/'],
    ['of another person behind a proxy', 'http://inner.example/files/bob/'],
    ['of a folder with a longer name', '/dav/alice2/'],
    ['of a folder inside', '/alice/dav/'],
  ])('%s is refused, and says what was asked and what came', async (_, instead) => {
    const list = listAs((href) => href.replace('/dav/alice/', instead));
    const error = await list.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'source/malformed' });
    expect(String(error)).toContain('/dav/alice/ on 127.0.0.1');
    expect(String(error)).toContain(`It names ${instead}`);
  });

  test('that names an inner host for one thing only does not take it for a member', async () => {
    const { members, problems, isIncomplete } = await listAs((href) =>
      href.replace('/dav/alice/a', 'http://evil.example/dav/alice/a'),
    );
    expect(members).toEqual([]);
    expect(problems).toMatchObject(
      [{ path: '', code: 'source/malformed', message: /another server .*evil\.example/ }].map((one) => ({
        ...one,
        message: expect.stringMatching(one.message),
      })),
    );
    expect(isIncomplete).toBe(true);
  });

  test('of more than was asked is incomplete, and what stands in the folder is taken', async () => {
    await using server = await startHostileWebdav(folder({ sub: folder({ b: file('b') }), a: file('a') }));
    server.mischief = (request, response) => {
      const deeper =
        '<d:response><d:href>/dav/sub/b</d:href><d:propstat><d:prop/><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>';
      end(response, 207, {}, listingOf(server.root, request).replace('</d:multistatus>', `${deeper}</d:multistatus>`));
      return true;
    };
    await using source = openSource(server.url);
    const { members, problems, isIncomplete } = await source.list(source.root, never);
    expect(members.map(({ name }) => name)).toEqual(['sub', 'a']);
    expect(problems).toMatchObject([
      {
        path: '',
        code: 'source/malformed',
        message: 'The server lists more than what is directly in the folder (/dav/sub/b).',
      },
    ]);
    expect(isIncomplete).toBe(true);
  });
});

describe('one odd response costs that member only:', () => {
  const listWith = async (odd: (proper: string) => string) => {
    const children = { 'one.txt': file('1'), 'two.txt': file('2'), three: folder({}, {}) };
    await using server = await startHostileWebdav(folder(children));
    server.mischief = (request, response) => {
      const [head = '', self = '', one = '', ...rest] = listingOf(server.root, request).split(/(?=<d:response>)/);
      const body = nameToBytes([head, self, odd(one), ...rest].join(''));
      response.writeHead(207, { 'content-length': body.length }).end(body);
      return true;
    };
    await using source = openSource(server.url);
    return await source.list(source.root, never);
  };

  test.each<[string, (proper: string) => string, string[]]>([
    ['a status without a reason', (one) => one.replace('200 OK', '200'), []],
    ['no status at all', (one) => one.replace(/<d:status>.*?<\/d:status>/, ''), []],
    [
      'an entity of HTML in a property that nobody asked for',
      (one) => one.replace('<d:prop>', '<d:prop><d:displayname>T&Atilde;&copy;l</d:displayname>'),
      [],
    ],
    [
      'a control character in such a one',
      (one) => one.replace('<d:prop>', '<d:prop><d:displayname>\u0003</d:displayname>'),
      [],
    ],
    ['an ETag with a wrong character', (one) => one.replace(/(?<=getetag>).*?(?=<)/, '\u0001'), []],
    ['an empty status', (one) => one.replace(/(?<=<d:status>).*?(?=<)/, ''), ['one.txt']],
    ['a status that is none', (one) => one.replace(/(?<=<d:status>).*?(?=<)/, 'HTTP/1.1 OK'), ['one.txt']],
    ['an entity of HTML in the href', (one) => one.replace('one.txt', 'caf&eacute;.txt'), ['caf&eacute;.txt']],
    ['a character that XML does not have', (one) => one.replace('one.txt', 'one\ufffe.txt'), ['one\ufffe.txt']],
    ['a control character', (one) => one.replace('one.txt', 'one\u001b.txt'), ['one\u001b.txt']],
    ['a byte that is not UTF-8', (one) => one.replace('one.txt', 'one\udce9.txt'), ['one\udce9.txt']],
    ['no href', (one) => one.replace(/<d:href>.*?<\/d:href>/, ''), ['']],
    ['an empty href', (one) => one.replace(/(?<=<d:href>).*?(?=<)/, ' '), ['']],
    ['a href that is no address', (one) => one.replace('/dav/one.txt', 'http://[/one'), ['']],
    ['an encoded NUL', (one) => one.replace('one.txt', 'one%00.txt'), ['one\0.txt']],
  ])('%s', async (_, odd, problems) => {
    const listing = await listWith(odd);
    expect(listing.problems.map(({ path }) => path)).toEqual(problems);
    const names = ['two.txt', 'three'];
    expect(listing.members.map(({ name }) => name)).toEqual(problems.length === 0 ? ['one.txt', ...names] : names);
  });

  test('what is wrong is said with its place', async () => {
    const { problems } = await listWith((one) => one.replace('one.txt', 'one\ufffe.txt'));
    expect(problems[0]?.message).toMatch(/the character U\+FFFE, which XML does not allow, at line 2, column \d+\./);
  });

  test('what cannot be told apart makes the listing incomplete, what can does not', async () => {
    const incomplete = async (odd: (proper: string) => string) => (await listWith(odd)).isIncomplete === true;
    expect(await incomplete((one) => one.replace(/<d:href>.*?<\/d:href>/, ''))).toBe(true);
    expect(await incomplete((one) => one.replace('one.txt', 'caf&eacute;.txt'))).toBe(true);
    expect(await incomplete((one) => one.replace('one.txt', 'one\ufffe.txt'))).toBe(false);
    expect(await incomplete((one) => one.replace('one.txt', 'one\udce9.txt'))).toBe(false);
    expect(await incomplete((one) => one.replace('200 OK', ''))).toBe(false);
    expect(await incomplete((one) => one.replace('one.txt', 'one%00.txt'))).toBe(false);
  });

  test('but a listing that is no XML says where, and is none', async () => {
    const list = listWith((one) => one.replace('</d:href>', '</d:hre\u0001f>'));
    await expect(list).rejects.toMatchObject({ code: 'source/malformed' });
    await expect(list).rejects.toThrow(/the character U\+0001, which XML does not allow, at line 2, column \d+/);
  });
});

describe('the limits of a listing', () => {
  const list = async (count: number, limits: NonNullable<WebdavOptions['limits']>) => {
    const children = Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, file(`${n}`)]));
    await using server = await startHostileWebdav(folder({ many: folder(children), few: folder({ a: file('a') }) }));
    await using source = openSource(server.url, { limits });
    const top = await source.list(source.root, never);
    expect((await source.list(memberNamed(top, 'few'), never)).members).toHaveLength(1);
    return await source.list(memberNamed(top, 'many'), never);
  };

  test('of members: at it the listing is whole, one beyond it is an error of that folder', async () => {
    expect((await list(20, { members: 20 })).members).toHaveLength(20);
    await expect(list(21, { members: 20 })).rejects.toMatchObject({
      code: 'source/too-large',
      message: /too many members/,
    });
  });

  test('of bytes: at it the listing is whole, one beyond it is an error of that folder', async () => {
    const node = folder(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, file(`${n}`)])));
    const bytes = Buffer.byteLength(listingOf(node, { path: '/dav/many/', headers: {} }));
    expect((await list(20, { bytes })).members).toHaveLength(20);
    await expect(list(20, { bytes: bytes - 1 })).rejects.toMatchObject({
      code: 'source/too-large',
      message: /too many bytes/,
    });
  });
});
