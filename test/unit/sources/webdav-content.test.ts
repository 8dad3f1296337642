import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { find, openSource, read } from '../../support/fixtures/open-source.ts';
import {
  breakAfter,
  end,
  file,
  folder,
  type Heard,
  type HostileNode,
  longAgo,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

const later = new Date('2020-01-02T00:00:00Z');
const small = file('0123456789', { etag: '"v1"' });
const page = '<!doctype html><title>Sign in</title><form><input name="password"></form>';

/** Reads the file as often as another reading may tell more, of a server that does this mischief. */
async function readOut(node: HostileNode, mischief: Mischief = () => undefined, name = 'file.bin') {
  await using server = await startHostileWebdav(folder({ [name]: node }));
  await using source = openSource(server.url);
  const entry = await find(source, name);
  server.mischief = mischief;
  const { reading, content } = await read(source, entry);
  const count = (method: string) => server.heard.slice(1).filter((heard) => heard.method === method).length;
  return {
    text: content.toString(),
    content,
    validator: reading.validator,
    size: reading.size,
    asked: { GET: count('GET'), HEAD: count('HEAD'), PROPFIND: count('PROPFIND') },
  };
}

/** Answers each GET so. */
const giving =
  (status: number, headers: Record<string, string>, body: string | Buffer = ''): Mischief =>
  ({ method }, response) => {
    if (method !== 'GET') return undefined;
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
    return true;
  };

/** Answers GETs and HEADs in chunks, without a length. */
const chunked =
  (headers: Record<string, string>, bodyOf: (heard: Heard) => string | Buffer): Mischief =>
  (heard, response) => {
    if (heard.method === 'PROPFIND') return undefined;
    response.writeHead(200, headers);
    if (heard.method === 'GET') response.write(bodyOf(heard));
    response.end();
    return true;
  };

/** The first so many GETs get this mischief. */
const first =
  (count: number, mischief: Mischief): Mischief =>
  (request, response) =>
    request.method === 'GET' && request.before < count ? mischief(request, response) : undefined;

const listedType = (type: string): Partial<HostileNode> => ({
  properties: `<d:getcontenttype>${type}</d:getcontenttype>`,
});

describe('what is not the whole file is asked for once more, and never passes for it', () => {
  const shorter: Mischief = ({ method }, response) => {
    if (method === 'GET') breakAfter(4, small, response);
    return method === 'GET' ? true : undefined;
  };
  const withoutLength: Mischief = ({ method }, response) => {
    if (method !== 'GET') return undefined;
    response.socket?.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ncut');
    return true;
  };
  const signIn: Mischief = ({ method, path }, response) => {
    if (method === 'PROPFIND') return undefined;
    if (path === '/login') end(response, 200, { 'content-type': 'text/html' }, page);
    else end(response, 302, { location: '/login' });
    return true;
  };
  const byteranges = { 'content-type': 'Multipart/ByteRanges; boundary=x' };
  const parts = '--x\r\nContent-Range: bytes 0-9/10\r\n\r\n0123456789\r\n--x--\r\n';
  const html = { 'content-type': 'text/html; charset=utf-8' };
  const samePage = file('x'.repeat(page.length), { etag: '"v2"' });
  const { etag: _, ...noEtag } = small;
  const cases: [string, HostileNode, Mischief][] = [
    ['a part that nobody asked for', small, giving(206, { 'content-range': 'bytes 0-4/10', etag: '"v1"' }, '01234')],
    ['a part that is the whole', small, giving(206, { 'content-range': 'bytes 0-9/10', etag: '"v1"' }, '0123456789')],
    ['parts with status 200', small, giving(200, { ...byteranges, etag: '"v1"' }, parts)],
    ['parts of no listed length', { ...small, hideSize: true }, giving(200, { ...byteranges, etag: '"v1"' }, parts)],
    ['parts of the listed length', file('x'.repeat(parts.length), { etag: '"v1"' }), giving(200, byteranges, parts)],
    ['parts in chunks', { ...small, hideSize: true }, chunked({ ...byteranges, etag: '"v1"' }, () => parts)],
    ['parts with status 206', small, giving(206, byteranges, parts)],
    [
      'a part with status 200',
      { ...small, hideSize: true },
      giving(200, { 'content-range': 'bytes 5-9/10', etag: '"v1"' }, '56789'),
    ],
    ['an empty answer', small, giving(204, {})],
    ['a multistatus', small, giving(207, { 'content-type': 'application/xml' }, '<d:multistatus xmlns:d="DAV:"/>')],
    ['an empty body', small, giving(200, {})],
    ['an empty body under the listed ETag', small, giving(200, { etag: '"v1"' })],
    ['an empty body in chunks', small, chunked({ etag: 'W/"v1"' }, () => '')],
    ['a sign-in page', small, giving(200, html, page)],
    ['a sign-in page of the listed length', samePage, giving(200, html, page)],
    ['a sign-in page of no listed length', { ...small, hideSize: true }, giving(200, html, page)],
    ['a sign-in page of XHTML', noEtag, giving(200, { 'content-type': 'application/xhtml+xml' }, page)],
    ['a sign-in page in chunks', { ...small, hideSize: true }, chunked(html, () => page)],
    ['a page with an ETag of its own', { ...small, hideSize: true }, giving(200, { ...html, etag: '"page"' }, page)],
    ['a page that a redirect leads to', small, signIn],
    ['a page that a redirect leads to, of no listed length', { ...small, hideSize: true }, signIn],
    [
      'a message in place of what is listed as something else',
      { ...small, ...listedType('application/pdf'), hideSize: true },
      giving(200, { 'content-type': 'application/json' }, '{"error":"token expired"}'),
    ],
    ['a message of another length', small, giving(200, { 'content-type': 'text/plain' }, 'Access denied')],
    ['another length, always the same, that nothing names', small, giving(200, {}, '01234')],
    ['another length of an older version', small, giving(200, { etag: '"v0"' }, '01234')],
    ['another length in chunks', small, chunked({}, () => '01234')],
    ['an unknown compression', small, giving(200, { 'content-encoding': 'lzma' }, 'xyz')],
    ['gzip twice', small, giving(200, { 'content-encoding': 'gzip, gzip', etag: '"v1"' }, gzipSync(gzipSync('x')))],
    ['what is no gzip', small, giving(200, { 'content-encoding': 'gzip', etag: '"v1-gzip"' }, 'xyz')],
    [
      'gzip that is cut off',
      small,
      chunked({ 'content-encoding': 'gzip', etag: '"v1-gzip"' }, () => gzipSync('0123456789').subarray(0, -9)),
    ],
    ['a body whose end nobody can tell', { ...small, hideSize: true }, withoutLength],
  ];
  test.each(cases)('%s', async (_, node, mischief) => {
    await expect(readOut(node, mischief)).rejects.toMatchObject({ code: 'source/malformed', retry: undefined });
    expect((await readOut(node, first(1, mischief))).text).toBe(node.content?.toString());
  });

  test.each([
    ['a message', { 'content-type': 'application/json' }, '{"error":"token expired"}'],
    ['a line of text', { 'content-type': 'text/plain' }, 'Quota exceeded'],
    ['a page without a type', {}, ' <!doctype html><title>Sign in</title>'],
    ['a page as if it were the file', { 'content-type': 'application/pdf' }, page],
  ])(
    '%s in place of what is listed with neither size nor version, where its name says otherwise',
    async (_, type, body) => {
      const bare: HostileNode = { content: Buffer.from('%PDF-1.7') };
      const listed = { ...bare, hideSize: true };
      const answer = giving(200, type, body);
      for (const name of ['will.pdf', 'photo.JPG', 'letter.docx'])
        await expect(readOut(listed, answer, name)).rejects.toMatchObject({ code: 'source/malformed' });
      for (const name of ['notes', 'data.json', 'page.html']) {
        const ofItAlone: Mischief = (request, response) =>
          request.path === `/dav/${name}` ? answer(request, response) : undefined;
        expect((await readOut(listed, ofItAlone, name)).text).toBe(body);
        await expect(readOut(listed, answer, name)).rejects.toMatchObject({ code: 'source/malformed' });
      }
    },
  );

  test('what a server sends for anything that is requested is not taken for what it says nothing of', async () => {
    const listed: HostileNode = { content: Buffer.from('{}'), hideSize: true };
    const json = { 'content-type': 'application/json' };
    let ids = 0;
    const anything: Mischief = (request, response) =>
      giving(200, json, `{"error":"expired","id":${ids++}}`)(request, response);
    for (const [type, name] of [
      ['application/json', 'data.json'],
      ['text/plain', 'README'],
      ['text/xml', 'a'],
    ] as const) {
      const answer = giving(200, { 'content-type': type }, '<error/>');
      await expect(readOut(listed, answer, name)).rejects.toMatchObject({ code: 'source/malformed', retry: undefined });
      const once = await readOut(listed, first(1, answer), name);
      expect(once.text).toBe('{}');
    }
    await expect(readOut(listed, anything, 'data.json')).rejects.toMatchObject({ code: 'source/malformed' });
    const etag = '"v1"';
    expect((await readOut({ ...listed, etag }, giving(200, { ...json, etag }, '{"a":1}'), 'data.json')).asked.GET).toBe(
      1,
    );
  });

  test('a body shorter than announced', async () => {
    await expect(readOut(small, shorter)).rejects.toMatchObject({ code: 'source/unavailable' });
  });

  test('a bomb, and of an honest file of the same kind all that is listed', async () => {
    const zeros = Buffer.alloc(20_000_000);
    const bomb = chunked({ 'content-encoding': 'gzip', etag: '"v1-gzip"' }, () => gzipSync(zeros));
    await expect(readOut(small, bomb)).rejects.toMatchObject({ message: /without limit/ });
    const honest = await readOut(file(zeros, { etag: '"v1"' }), bomb);
    expect(honest.content.equals(zeros)).toBe(true);
    expect(honest.validator).toBe('"v1"');
  });
});

describe('what looks odd and is the file', () => {
  test.each<[string, string, HostileNode, Record<string, string>]>([
    ['a page by name', 'index.html', { content: Buffer.from(page), modified: longAgo, etag: '"v1"' }, {}],
    ['a page by its listed type', 'notes', { ...file(page, { etag: '"v1"' }), ...listedType('text/html') }, {}],
    ['a page by its ETag', 'notes', file(page, { etag: '"v1"' }), { etag: 'W/"v1"' }],
    ['text that is listed as such', 'a', { ...file('plain'), ...listedType('text/plain; charset=utf-8') }, {}],
  ])('%s', async (_, name, node, headers) => {
    const type = node.content?.toString() === page ? 'text/html' : 'text/plain';
    const honest = giving(200, { 'content-type': type, ...headers }, node.content);
    expect((await readOut(node, honest, name)).text).toBe(node.content?.toString());
  });

  test('a file that is empty, and is listed so', async () => {
    expect(await readOut(file('', { etag: '"v1"' }), giving(200, { etag: '"v1"' }))).toMatchObject({
      text: '',
      validator: '"v1"',
      asked: { GET: 1, PROPFIND: 0 },
    });
  });

  test.each(['"e1"', 'W/"e1"'])('what never is as long as listed, read twice alike under %s', async (etag) => {
    const encrypted = file('x'.repeat(9000), { etag: '"e1"' });
    const whole = giving(200, { etag }, 'the real content');
    const { text, validator, asked } = await readOut(encrypted, whole);
    expect({ text, validator }).toEqual({ text: 'the real content', validator: '"e1"' });
    expect(asked.GET).toBe(2);
    const torn: Mischief = (request, response) => giving(200, { etag }, `cut at ${request.before}`)(request, response);
    await expect(readOut(encrypted, torn)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('what ends in chunks at the same byte each time, unless the server has more of it', async () => {
    const cut = chunked({ etag: '"v1"' }, () => '01234');
    const withoutRanges = await readOut(small, cut);
    expect(withoutRanges).toMatchObject({ text: '01234', validator: '"v1"' });
    const withRanges: Mischief = (request, response) =>
      request.headers.range === undefined ? cut(request, response) : undefined;
    await expect(readOut(small, withRanges)).rejects.toMatchObject({
      code: 'source/malformed',
      message: 'The server sent only the beginning of it.',
    });
    const ended: Mischief = (request, response) => {
      if (request.headers.range === undefined) return cut(request, response);
      end(response, 416, { 'content-range': 'bytes */5' });
      return true;
    };
    expect(await readOut(small, ended)).toMatchObject({ text: '01234', validator: '"v1"' });
  });

  test('a large file that never is as long as listed', async () => {
    const content = Buffer.alloc(400_000, 'encrypted at rest');
    const larger = file(Buffer.concat([content, Buffer.alloc(8192)]), { etag: '"e1"' });
    const proper: Mischief = (request, response) => {
      if (request.method === 'PROPFIND') return undefined;
      response.writeHead(200, { etag: '"e1"', 'content-length': content.length });
      response.end(request.method === 'HEAD' ? undefined : content);
      return true;
    };
    const done = await readOut(larger, proper);
    expect(done.content.equals(content)).toBe(true);
    expect(done).toMatchObject({ validator: '"e1"', asked: { GET: 2 } });
  });
});

describe('what was compressed on the way', () => {
  const json = file(JSON.stringify(Array.from({ length: 500 }, (_, row) => ({ row }))), { etag: '"j1"' });
  const plain = json.content ?? Buffer.alloc(0);
  test.each<[string, Mischief]>([
    ['gzip in chunks', chunked({ 'content-encoding': 'gzip', etag: '"j1-gzip"' }, () => gzipSync(plain))],
    ['gzip with its length', giving(200, { 'content-encoding': 'GZIP', etag: 'W/"j1"' }, gzipSync(plain))],
    ['gzip under the same ETag', giving(200, { 'content-encoding': 'x-gzip', etag: '"j1"' }, gzipSync(plain))],
    ['brotli', giving(200, { 'content-encoding': 'br', etag: '"j1-br"' }, brotliCompressSync(plain))],
  ])('is decoded: %s', async (_, mischief) => {
    const { content, validator, size } = await readOut(json, mischief, 'index.json');
    expect(content.equals(plain)).toBe(true);
    expect({ validator, size }).toEqual({ validator: '"j1"', size: undefined });
  });

  test('is decoded where no size is listed', async () => {
    const { content } = await readOut(
      { ...json, hideSize: true },
      chunked({ 'content-encoding': 'gzip', etag: '"j1-gzip"' }, () => gzipSync(plain)),
      'index.json',
    );
    expect(content.equals(plain)).toBe(true);
  });

  const stored = file(gzipSync('select 1'), { etag: '"z1"' });
  const storedBytes = stored.content ?? Buffer.alloc(0);
  test.each<[string, Mischief]>([
    ['with its length', giving(200, { 'content-encoding': 'x-gzip', etag: '"z1"' }, storedBytes)],
    ['in chunks', chunked({ 'content-encoding': 'gzip', etag: '"z1"' }, () => storedBytes)],
  ])('stays as it is where it is stored so: %s', async (_, mischief) => {
    const { content, validator } = await readOut(stored, mischief, 'dump.sql.gz');
    expect(content.equals(storedBytes)).toBe(true);
    expect(validator).toBe('"z1"');
  });

  test('on top of being stored so is taken off once', async () => {
    const twice = chunked({ 'content-encoding': 'gzip', etag: '"z1-gzip"' }, () => gzipSync(storedBytes));
    expect((await readOut(stored, twice, 'dump.sql.gz')).content.equals(storedBytes)).toBe(true);
  });
});

describe('a file that grows while it is read', () => {
  /** Longer by a line at each request, as its ETag and time say. */
  function growing(lines: number, line: string, { announced = false, appends = true } = {}) {
    let count = lines;
    const textOf = (n: number) => (appends ? line.repeat(n) : `${n} `.repeat(n * 20));
    const node = file(textOf(count), { etag: `"g${count}"` });
    const grow: Mischief = ({ method }, response) => {
      count++;
      const body = textOf(count);
      Object.assign(node, { content: Buffer.from(body), etag: `"g${count}"`, modified: new Date() });
      if (method === 'PROPFIND') return undefined;
      const headers = { etag: `"g${count}"`, 'last-modified': new Date().toUTCString() };
      response.writeHead(200, { ...headers, ...(announced && { 'content-length': body.length }) });
      if (method !== 'HEAD') response.write(body.slice(0, 20));
      response.end(method === 'HEAD' ? undefined : body.slice(20));
      return true;
    };
    return { node, grow };
  }

  test.each([
    ['in chunks', 10, 'line\n', {}],
    ['in many chunks', 2000, 'a long line of a log that never ends, as it seems; '.repeat(3), {}],
    ['with a length', 10, 'line\n', { announced: true }],
    [
      'and is long, with a length',
      2000,
      'a long line of a log that never ends, as it seems; '.repeat(3),
      { announced: true },
    ],
  ])('%s is good as it was at one moment, and is read again next time', async (_, lines, line, how) => {
    const { node, grow } = growing(lines, line, how);
    const { text, validator } = await readOut(node, grow, 'app.log');
    expect(text).toBe(line.repeat(text.length / line.length));
    expect(text.length / line.length).toBeGreaterThan(lines);
    expect(validator).toBeUndefined();
  });

  test('is refused where it changes otherwise than by growing', async () => {
    const { node, grow } = growing(10, '', { appends: false });
    await expect(readOut(node, grow, 'app.log')).rejects.toMatchObject({ code: 'source/changed', retry: undefined });
  });
});

describe('the validator of a reading', () => {
  test('is that of the listing, also where the listing has no ETag', async () => {
    const node: HostileNode = { content: Buffer.from('abc'), modified: longAgo };
    const otherForm = giving(200, { etag: '"5e0be100-3"', 'last-modified': longAgo.toUTCString() }, 'abc');
    expect(await readOut(node, otherForm)).toMatchObject({
      validator: `mtime ${longAgo.getTime()} size 3`,
      asked: { GET: 1, PROPFIND: 0 },
    });
  });

  test.each<[string, Record<string, string>]>([
    ['gives no ETag', {}],
    ['gives an ETag of another form', { etag: '"inode-size-mtime"' }],
  ])('is that of the listing where the GET %s, after the entry was asked again', async (_, headers) => {
    expect(await readOut(small, giving(200, headers, '0123456789'))).toMatchObject({
      validator: '"v1"',
      asked: { GET: 1, PROPFIND: 1 },
    });
  });

  test.each<[string, (node: HostileNode) => void]>([
    ['has another ETag', (node) => Object.assign(node, { etag: '"v2"' })],
    ['has another length', (node) => Object.assign(node, { content: Buffer.from('01234567890') })],
    ['is gone', (node) => Object.assign(node, { content: undefined })],
    ['has none any more', (node) => Object.assign(node, { etag: undefined, modified: undefined })],
  ])('is absent where the GET gives none and the entry by then %s', async (_, change) => {
    const node = { ...small };
    const meanwhile: Mischief = (request, response) => {
      const given = giving(200, {}, '0123456789')(request, response);
      if (request.method === 'GET') change(node);
      return given;
    };
    expect(await readOut(node, meanwhile)).toMatchObject({ text: '0123456789', validator: undefined });
  });

  test('is absent where the server lists no entry by itself', async () => {
    const refusing: Mischief = (request, response) => {
      if (request.method !== 'PROPFIND') return giving(200, {}, '0123456789')(request, response);
      end(response, 405);
      return true;
    };
    expect(await readOut(small, refusing)).toMatchObject({ text: '0123456789', validator: undefined });
  });

  test('is absent where neither a size is listed nor an ETag given', async () => {
    const unsized = { ...small, hideSize: true };
    const ofItAlone: Mischief = (request, response) =>
      request.path.endsWith('/file.bin') ? giving(200, {}, 'anything')(request, response) : undefined;
    expect(await readOut(unsized, ofItAlone)).toMatchObject({ text: 'anything', validator: undefined });
  });

  test('is the newer one where the entry changed between listing and reading, and is listed so by now', async () => {
    const node = { ...small };
    const changed: Mischief = ({ method }) => {
      if (method === 'GET') Object.assign(node, { content: Buffer.from('abcd'), etag: '"v2"', modified: later });
      return undefined;
    };
    expect(await readOut(node, changed)).toMatchObject({ text: 'abcd', size: 4, validator: '"v2"' });
  });

  test('is absent where the GET is of a later version than is listed even by then', async () => {
    const headers = { etag: '"v2"', 'last-modified': later.toUTCString() };
    expect(await readOut(small, giving(200, headers, 'abcd'))).toMatchObject({ text: 'abcd', validator: undefined });
  });

  test('is the own one of a GET where the listing came too soon after a change', async () => {
    const racy = file('pad', { etag: '"p1"', modified: new Date('2999-01-01T00:00:00Z') });
    const old = { etag: '"p1"', 'last-modified': longAgo.toUTCString() };
    expect((await readOut(racy, giving(200, old, 'pad'))).validator).toBe('"p1"');
    expect((await readOut(racy)).validator).toBeUndefined();
  });
});

test('what is listed as parts, and what says that it is all of them, is taken as it is', async () => {
  const stored = { ...small, ...listedType('multipart/byteranges') };
  expect((await readOut(stored, giving(200, { 'content-type': 'multipart/byteranges' }, '0123456789'))).text).toBe(
    '0123456789',
  );
  const whole = { 'content-range': 'bytes 0-9/10', etag: '"v1"' };
  expect((await readOut(small, giving(200, whole, '0123456789'))).text).toBe('0123456789');
});
