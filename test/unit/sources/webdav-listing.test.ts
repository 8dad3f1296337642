import { describe, expect, test } from 'vitest';
import { never, openSource } from '../../support/fixtures/open-source.ts';
import {
  end,
  file,
  folder,
  type HostileNode,
  listingOf,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

/** Lists the root of a server with these children that does this mischief. */
async function listRoot(children: Record<string, HostileNode>, mischief: Mischief = () => undefined) {
  await using server = await startHostileWebdav(folder(children));
  server.mischief = mischief;
  await using source = openSource(server.url);
  const listing = await source.list(source.root, never);
  return { ...listing, heard: server.heard };
}

/** Answers each PROPFIND with this text. */
const listingIs =
  (change: (proper: string) => string | Buffer): Mischief =>
  (request, response) => {
    const proper = listingOf(folder({ 'a.txt': file('a'), 'b.txt': file('b') }), request);
    const body = change(proper);
    response.writeHead(207, { 'content-length': body.length }).end(body);
    return true;
  };

describe('a listing', () => {
  test('is asked for with depth 1, identity encoding and the token', async () => {
    const { heard } = await listRoot({ 'a.txt': file('a') });
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({
      method: 'PROPFIND',
      path: '/dav/',
      headers: { depth: '1', authorization: 'Bearer good-token', 'accept-encoding': 'identity' },
    });
  });

  test('that is cut off, but well ended by HTTP, is malformed', async () => {
    const cut = listingIs((proper) => proper.slice(0, proper.lastIndexOf('<d:response>')));
    await expect(listRoot({}, cut)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('that the connection cuts off is asked for again, and the server is in trouble if it stays so', async () => {
    const cutOff: Mischief = (request, response) => {
      const proper = listingOf(folder({ a: file('a') }), request);
      response.writeHead(207, { 'content-length': proper.length });
      response.write(proper.slice(0, -10), () => response.destroy());
      return true;
    };
    const once: Mischief = (request, response) => (request.before === 0 ? cutOff(request, response) : undefined);
    expect((await listRoot({ a: file('a') }, once)).members).toHaveLength(1);
    await expect(listRoot({}, cutOff)).rejects.toMatchObject({
      code: 'source/unavailable',
      message: 'The listing was cut off.',
    });
  });

  test('with an XML bomb is refused', async () => {
    const bomb = listingIs((proper) =>
      proper
        .replace('<d:multistatus', '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><d:multistatus')
        .replace('a.txt', '&b;'),
    );
    await expect(listRoot({}, bomb)).rejects.toMatchObject({ code: 'source/malformed', message: /document type/ });
  });

  test('that does not name the folder itself is malformed', async () => {
    const empty = listingIs(() => '<d:multistatus xmlns:d="DAV:"></d:multistatus>');
    await expect(listRoot({}, empty)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('of what is no folder any more says that it changed', async () => {
    const aFile = listingIs((proper) => proper.replace('<d:collection/>', ''));
    await expect(listRoot({}, aFile)).rejects.toMatchObject({ code: 'source/changed' });
  });

  test('whose folder says 507 inside is not taken for whole', async () => {
    const truncated = listingIs((proper) =>
      proper.replace(
        '</d:multistatus>',
        '<d:response><d:href>/dav/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response></d:multistatus>',
      ),
    );
    await expect(listRoot({}, truncated)).rejects.toMatchObject({ code: 'source/unavailable' });
  });

  test.each(['gzip', 'br', ' Deflate'])(
    'that is compressed with %s, although that was not asked for, is told as that',
    async (coding) => {
      const compress: Mischief = (_, response) => {
        end(response, 207, { 'content-encoding': coding }, '\x1f\x8b');
        return true;
      };
      await expect(listRoot({}, compress)).rejects.toMatchObject({
        code: 'source/malformed',
        message: expect.stringContaining(`compresses the listing (${coding.trim().toLowerCase()})`),
      });
      const identity: Mischief = (_, response) => {
        response.setHeader('content-encoding', 'identity');
        return undefined;
      };
      expect((await listRoot({ 'a.txt': file('a') }, identity)).members).toHaveLength(1);
    },
  );

  test('that is a web page is malformed', async () => {
    const page: Mischief = (_, response) => {
      end(response, 200, { 'content-type': 'text/html' }, '<html>Sign in</html>');
      return true;
    };
    await expect(listRoot({}, page)).rejects.toMatchObject({
      code: 'source/malformed',
      message: /is this the right address/,
    });
  });

  test('keeps what it can, and names the rest with its reason', async () => {
    const { members, problems, isIncomplete } = await listRoot({
      good: file('good'),
      slash: file('x', { href: '/dav/a%2Fb' }),
      dots: file('x', { href: '/dav/%2e%2e' }),
      nul: file('x', { href: '/dav/a%00b' }),
      elsewhere: file('x', { href: 'https://evil.example/dav/x' }),
      other: file('x', { href: '/bob/x' }),
    });
    expect(members.map(({ name }) => name)).toEqual(['good']);
    expect(problems.map(({ path, code }) => ({ path, code }))).toEqual([
      { path: 'a/b', code: 'source/malformed' },
      { path: '..', code: 'source/malformed' },
      { path: 'a\0b', code: 'source/malformed' },
      { path: '', code: 'source/malformed' },
      { path: '', code: 'source/malformed' },
    ]);
    expect(problems[2]?.message).toBe('The server lists something that has a name with a NUL inside.');
    expect(isIncomplete).toBe(true);
  });

  test('with two things of one name keeps the first and names the second', async () => {
    const { members, problems } = await listRoot({
      'a~b': file('1', { href: '/dav/a~b' }),
      again: file('1', { href: '/dav/a~b' }),
      other: file('2', { href: '/dav/a%7Eb' }),
    });
    expect(members.map(({ name, location }) => ({ name, location }))).toEqual([{ name: 'a~b', location: '/dav/a~b' }]);
    expect(problems).toEqual([
      { path: 'a~b', code: 'source/malformed', message: 'The server lists two things of this name.' },
    ]);
  });

  test('names a member that the server itself refuses', async () => {
    const refused = listingIs((proper) =>
      proper.replace(/(a\.txt<\/d:href>).*?(<\/d:response>)/, '$1<d:status>HTTP/1.1 403 Forbidden</d:status>$2'),
    );
    const { members, problems } = await listRoot({}, refused);
    expect(members.map(({ name }) => name)).toEqual(['b.txt']);
    expect(problems).toEqual([
      {
        path: 'a.txt',
        name: 'a.txt',
        code: 'source/forbidden',
        message: 'The server does not let this be read. (HTTP 403)',
      },
    ]);
  });

  test('gives folders a validator only where the server propagates changes', async () => {
    const oc = { properties: '<oc:fileid>7</oc:fileid>', etag: '"f"' };
    const plain = await listRoot({ sub: folder({}, { etag: '"f"' }) });
    expect(plain.members[0]?.validator).toBeUndefined();
    const propagating = await listRoot({ sub: folder({}, oc) });
    expect(propagating.members[0]?.validator).toBe('"f"');
  });

  test.each([
    ['no resourcetype at all', '<d:resourcetype><d:collection/></d:resourcetype>', ''],
    [
      'a resourcetype that failed',
      '<d:resourcetype><d:collection/></d:resourcetype>',
      '</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:resourcetype/></d:prop><d:status>HTTP/1.1 500 No</d:status></d:propstat><d:propstat><d:prop>',
    ],
  ])('with %s takes what ends in a slash for a folder, itself as well', async (_, proper, bent) => {
    const untyped =
      (path: string): Mischief =>
      (request, response) => {
        if (request.method !== 'PROPFIND') return undefined;
        const body = listingOf(path === '' ? tv : folder({ TV: tv, 'a.txt': file('a') }), request);
        end(response, 207, {}, body.replaceAll(proper, bent));
        return true;
      };
    const tv = folder({ 'one.txt': file('one') });
    const { members } = await listRoot({}, untyped('TV'));
    expect(members.map(({ kind, name, location }) => ({ kind, name, location }))).toEqual([
      { kind: 'collection', name: 'TV', location: '/dav/TV/' },
      { kind: 'entry', name: 'a.txt', location: '/dav/a.txt' },
    ]);
    expect((await listRoot({}, untyped(''))).members.map(({ name }) => name)).toEqual(['one.txt']);
  });

  test('takes a version that is longer than any server writes for none', async () => {
    const etagOf = (length: number) => `"${'x'.repeat(length - 2)}"`;
    const { members } = await listRoot({
      a: file('a', { etag: etagOf(1_024) }),
      b: file('b', { etag: etagOf(1_025) }),
    });
    const validators = members.map(({ name, validator }) => [name, validator?.startsWith('"')]);
    expect(Object.fromEntries(validators)).toEqual({ a: true, b: false });
  });

  test('gives no validator to what changed within the second, whatever the server is', async () => {
    const oc = { properties: '<oc:fileid>7</oc:fileid>', etag: '"pad"' };
    const listedAt: Mischief = (_, response) => {
      response.setHeader('date', new Date('2026-11-23T01:00:02Z').toUTCString());
      return undefined;
    };
    const members = {
      fresh: file('text A', { ...oc, modified: new Date('2026-11-23T01:00:00Z') }),
      ahead: file('text A', { ...oc, modified: new Date('2999-01-01T00:00:00Z') }),
      old: file('text A', oc),
    };
    expect((await listRoot(members, listedAt)).members.map(({ name, validator }) => ({ name, validator }))).toEqual([
      { name: 'fresh', validator: undefined },
      { name: 'ahead', validator: undefined },
      { name: 'old', validator: '"pad"' },
    ]);
  });

  test('asks for the properties of ownCloud once, and no more where there are none', async () => {
    await using server = await startHostileWebdav(folder({ sub: folder() }));
    await using source = openSource(server.url);
    const { members } = await source.list(source.root, never);
    for (const member of members) await source.list(member, never);
    expect(server.heard.map(({ body }) => body.includes('fileid'))).toEqual([true, false]);
  });

  test.each<[string, string, number, string | undefined]>([
    ['says that it holds something', '<oc:fileid>7</oc:fileid><oc:size>54321</oc:size>', 2, '53.0 KiB'],
    ['says that it holds nothing', '<oc:fileid>7</oc:fileid><oc:size>0</oc:size>', 2, undefined],
    ['does not know how much it holds', '<oc:fileid>7</oc:fileid><oc:size>-1</oc:size>', 2, undefined],
    ['does not say', '<d:quota-used-bytes>54321</d:quota-used-bytes>', 1, undefined],
  ])('of nothing is one of a root that %s', async (_, properties, requests, refused) => {
    await using server = await startHostileWebdav(folder({}, { properties }));
    await using source = openSource(server.url);
    const listing = source.list(source.root, never);
    if (refused === undefined) expect(await listing).toMatchObject({ members: [], problems: [] });
    else
      await expect(listing).rejects.toMatchObject({
        code: 'source/malformed',
        message: `The server lists nothing in the folder, and says that it holds ${refused}.`,
      });
    expect(server.heard).toHaveLength(requests);
  });

  test.each([
    [403, 'source/forbidden'],
    [404, 'source/not-found'],
    [410, 'source/not-found'],
    [405, 'source/malformed'],
    [400, 'source/malformed'],
    [423, 'source/unavailable'],
    [500, 'source/unavailable'],
    [507, 'source/unavailable'],
  ])('answered with %i fails as %s', async (status, code) => {
    const refuse: Mischief = (_, response) => {
      end(response, status);
      return true;
    };
    await expect(listRoot({}, refuse)).rejects.toMatchObject({ code });
  });
});
