import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Route, routes } from '../../../src/web/routes.ts';
import { serve, type WebServer } from '../../../src/web/server.ts';
import { randomNumbers } from '../../support/fixtures/random-numbers.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, addRun, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

let pages: Pages;
let server: WebServer;
beforeAll(async () => {
  pages = await openPages();
  const config = { ...pages.resources.config, host: '127.0.0.1', port: 0 };
  server = await serve({ ...pages.resources, config });
});
afterAll(async () => {
  await server.close(0);
  await pages[Symbol.asyncDispose]();
});

/** The status of each answer that comes back on one connection for these bytes. */
async function statusesFor(bytes: string): Promise<number[]> {
  const socket = connect(Number(server.url.port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  const text = Buffer.concat(await Array.fromAsync(socket)).toString('latin1');
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}

const usual = 'Host: localhost\r\nConnection: close\r\n';
const form = `${usual}Content-Type: application/x-www-form-urlencoded\r\n`;

describe('a request that is malformed on the wire gets one answer, and is never taken for two', () => {
  it.each<[string, string, number]>([
    ['two Host headers', `GET / HTTP/1.1\r\nHost: localhost\r\n${usual}\r\n`, 400],
    ['two different Host headers', `GET /livez HTTP/1.1\r\nHost: evil.example\r\n${usual}\r\n`, 400],
    ['no Host header', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['no Host header in HTTP/1.0', 'GET /livez HTTP/1.0\r\n\r\n', 400],
    ['an empty Host', 'GET /livez HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 400],
    ['a Host with spaces', 'GET /livez HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
    ['a Host with a user', 'GET /livez HTTP/1.1\r\nHost: u@evil.example\r\nConnection: close\r\n\r\n', 400],
    ['a Host with a path', 'GET /livez HTTP/1.1\r\nHost: evil.example/x\r\nConnection: close\r\n\r\n', 400],
    ['a proper Host', 'GET /livez HTTP/1.1\r\nHost: [::1]:3000\r\nConnection: close\r\n\r\n', 200],
    [
      'length and chunks, with a request inside',
      `POST /language HTTP/1.1\r\n${form}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n${usual}\r\n`,
      400,
    ],
    ['two lengths', `POST /language HTTP/1.1\r\n${form}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`, 400],
    ['a length that is no number', `POST /language HTTP/1.1\r\n${form}Content-Length: +5\r\n\r\nabcde`, 400],
    ['an unknown transfer', `POST /language HTTP/1.1\r\n${form}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['chunks that are none', `POST /language HTTP/1.1\r\n${form}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`, 400],
    ['a header over lines', `GET /livez HTTP/1.1\r\nX: a\r\n b\r\n${usual}\r\n`, 400],
    ['a header with a space in its name', `GET /livez HTTP/1.1\r\nX : a\r\n${usual}\r\n`, 400],
    ['a carriage return alone', `GET /livez HTTP/1.1\r\nX: a\rY: b\r\n${usual}\r\n`, 400],
    ['a zero in a header', `GET /livez HTTP/1.1\r\nX: a\0b\r\n${usual}\r\n`, 400],
    ['a header of 20,000 bytes', `GET /livez HTTP/1.1\r\n${usual}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['cookies of 20,000 bytes', `GET /grant HTTP/1.1\r\n${usual}Cookie: a=${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['cookies of 12,000 bytes', `GET /grant HTTP/1.1\r\n${usual}Cookie: a=${'x'.repeat(12_000)}\r\n\r\n`, 303],
    ['4,000 headers', `GET /livez HTTP/1.1\r\n${usual}${'a: b\r\n'.repeat(4_000)}\r\n`, 431],
    ['an address with a backslash', `GET /a\\b HTTP/1.1\r\n${usual}\r\n`, 400],
    ['an address with a space', `GET /a b HTTP/1.1\r\n${usual}\r\n`, 400],
    ['an address that is no UTF-8', `GET /\xe9 HTTP/1.1\r\n${usual}\r\n`, 400],
    ['an address without a path', `OPTIONS * HTTP/1.1\r\n${usual}\r\n`, 400],
    ['an address of another site', `GET http://evil.example/grant HTTP/1.1\r\n${usual}\r\n`, 303],
    ['TRACE', `TRACE / HTTP/1.1\r\n${usual}Cookie: a=b\r\n\r\n`, 405],
    ['a method that there is not', `BREW / HTTP/1.1\r\n${usual}\r\n`, 400],
    ['a method in small letters', `get / HTTP/1.1\r\n${usual}\r\n`, 400],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['an expectation', `POST /language HTTP/1.1\r\n${form}Expect: everything\r\nContent-Length: 0\r\n\r\n`, 417],
    ['no HTTP at all', '\x16\x03\x01\x02\0\x01\0', 400],
  ])('%s', async (_, bytes, status) => {
    expect(await statusesFor(bytes)).toEqual([status]);
  });

  it.each(['/grant%00', '/grant?returnTo=%00', '/snapshots/abcdef12/browse/a%00b'])('NUL: %s', async (path) => {
    expect(await statusesFor(`GET ${path} HTTP/1.1\r\n${usual}\r\n`)).toEqual([400]);
  });

  it('CONNECT', async () => {
    expect(await statusesFor(`CONNECT evil.example:443 HTTP/1.1\r\n${usual}\r\n`)).toEqual([]);
  });
});

/** Kept by browsers: at most 4,096 bytes of a cookie. */
function expectSafeCookies(answer: Response): void {
  for (const line of answer.headers.getSetCookie()) {
    expect(line.length).toBeLessThan(4_096);
    expect(line).toMatch(/^__Host-nightkeep[\w-]*=[\w-]*; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  }
}

describe('a body that is not what it says it is', () => {
  const multipart = 'multipart/form-data; boundary=x';
  it.each<[string, string, string | Uint8Array, number]>([
    ['multipart without a part', multipart, 'abc', 400],
    ['multipart without a boundary', 'multipart/form-data', 'abc', 400],
    ['multipart that is cut', multipart, '--x\r\nContent-Disposition: form-data; name="language"\r\n\r\nde', 400],
    ['multipart with a header that is none', multipart, '--x\r\nnothing\r\n\r\nde\r\n--x--\r\n', 400],
    ['multipart without names', multipart, '--x\r\nContent-Type: a/b\r\n\r\nde\r\n--x--\r\n', 400],
    ['multipart that holds multipart', 'multipart/mixed; boundary=x', '--x--', 415],
    ['JSON that is cut', 'application/json', '{"language":', 415],
    ['JSON', 'application/json', '{"language":"de"}', 415],
    ['XML', 'text/xml', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 415],
    ['text', 'text/plain', 'language=de', 415],
    ['a type that is none', ';;;', 'language=de', 415],
    ['a form that is compressed', 'application/x-www-form-urlencoded', new Uint8Array(gzipSync('language=de')), 400],
    ['a form with NUL', 'application/x-www-form-urlencoded', 'language=d%00e', 400],
    ['a form with NUL in a name', 'application/x-www-form-urlencoded', 'a%00b=c&language=de', 400],
    [
      'a form in UTF-16',
      'application/x-www-form-urlencoded; charset=utf-16',
      new Uint8Array([0xff, 0xfe, 0x6c, 0]),
      400,
    ],
    ['a form without a body', 'application/x-www-form-urlencoded', '', 400],
    ['the same field twice', 'application/x-www-form-urlencoded', 'language=tlh&language=de', 303],
    ['a field as a list', 'application/x-www-form-urlencoded', 'language[]=de&language[]=de', 400],
    ['a field of the prototype', 'application/x-www-form-urlencoded', '__proto__=x&constructor=y&language=de', 303],
    ['a charset that there is not', 'application/x-www-form-urlencoded; charset=klingon', 'language=de', 303],
    ['17 KB', 'application/x-www-form-urlencoded', `language=de&x=${'x'.repeat(17_000)}`, 400],
  ])('%s', async (_, type, body, status) => {
    const headers = { origin: 'http://localhost:3000', 'content-type': type };
    const answer = await openVisitor(pages.resources).send('/language', { method: 'POST', body, headers });
    expect(answer.status).toBe(status);
  });
});

/** A small generator with a seed, so that what fails once fails again. */
function openDice(seed: number) {
  const next = randomNumbers(seed);
  return {
    chance: (share: number) => next() < share,
    one: <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T,
  };
}

const odd = [
  ...[
    '',
    ' ',
    '0',
    '-1',
    '1e999',
    'NaN',
    'null',
    '[object Object]',
    '%',
    '%zz',
    '..',
    '../../etc/passwd',
    '/',
    '//',
    '\\',
  ],
  ...[
    "' OR 1=1 --",
    '{{7*7}}',
    '<script>',
    '"><b>',
    '\r\nSet-Cookie: a=b',
    '\n',
    '\0',
    '\u202e',
    '\ufffd',
    '\u{1f319}',
    '{}',
    '[]',
  ],
  ...[
    '9999-99-99',
    '0000-00-00',
    '0000-01-01',
    '2026-02-30',
    '24:00',
    '99:99',
    '-271821-04-20T00:00:00Z',
    '+275760-09-13T00:00:00Z',
  ],
  ...[
    'constructor',
    '__proto__',
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    'offline_access',
  ],
  ...[
    '99999999999999999999',
    '00000000-0000-4000-8000-000000000000',
    'ffffffffffffffff',
    'yes',
    'de',
    'now',
    'UTC',
    'Mars/Base',
  ],
  ...['x'.repeat(900), '\u{1f319}'.repeat(700), 'a,'.repeat(500)],
];
const parameters = [
  ...[
    'after',
    'answer',
    'before',
    'code',
    'day',
    'fresh',
    'from',
    'in',
    'more',
    'night',
    'page',
    'person',
    'q',
    'retried',
  ],
  ...[
    'returnTo',
    'scope',
    'since',
    'sort',
    'state',
    'told',
    'until',
    'versions',
    'what',
    'who',
    'id_token',
    'iss',
    'error',
  ],
];
const fields = [
  ...[
    'act',
    'code',
    'end',
    'fifth',
    'found',
    'language',
    'logout_token',
    'mail',
    'mail[]',
    'read',
    'reason',
    'returnTo',
    'rule',
  ],
  ...['session', 'snapshots', 'start', 'state', 'sure', 'third', 'token', 'until', 'word', 'zone'],
];
const headers = [
  ...[
    'accept-language',
    'if-modified-since',
    'if-none-match',
    'if-range',
    'range',
    'user-agent',
    'traceparent',
    'x-forwarded-for',
  ],
  ...['content-length', 'accept', 'accept-encoding', 'last-event-id', 'sec-fetch-site', 'origin', 'x-xsrf-token'],
];
const timesEach = 3;

describe('the route table', () => {
  let alice: SignedIn;
  let operator: SignedIn;
  const real: Record<string, string> = {};
  beforeAll(async () => {
    [alice, operator] = [await pages.consented(), await pages.newPerson({ roles: ['operator'] })];
    const snapshot = await writeSnapshot(await addRepository(pages, alice), {
      folder: { 'a.txt': Buffer.from('hers') },
    });
    Object.assign(real, {
      ':id': snapshot.id,
      ':person': await alice.userId(),
      ':night': '2026-05-04',
      run: await addRun(pages, alice),
    });
  });

  /** The address with something odd, or something of alice's, in place of what varies in it. */
  function addressOf({ path }: Route, { chance, one }: ReturnType<typeof openDice>): string {
    const of = (name: string) => (path.startsWith('/runs') && name === ':id' ? real.run : real[name]) ?? '';
    const filled = path
      .replaceAll(/:\w+/g, (name) => (chance(0.5) ? of(name) : encodeURIComponent(one(odd))))
      .replace('*', chance(0.3) ? 'folder/a.txt' : [one(odd), one(odd)].map(encodeURIComponent).join('/'));
    const asked = parameters.filter(() => chance(0.3)).flatMap((name) => (chance(0.1) ? [name, name] : [name]));
    const query = asked.map((name) => `${name}=${chance(0.05) ? '%zz' : encodeURIComponent(one(odd))}`).join('&');
    return `${filled}?${query}`;
  }

  function bodyOf({ chance, one }: ReturnType<typeof openDice>, csrf: string) {
    const sent = new URLSearchParams({ csrf });
    // Signing out and withdrawing would leave less to ask of.
    for (const name of fields.filter((field) => field !== 'sure' && chance(0.4)))
      for (let times = chance(0.1) ? 2 : 1; times > 0; times--) sent.append(name, one(odd));
    if (chance(0.2)) sent.append('csrf', one(odd));
    return sent;
  }

  function headersOf({ chance, one }: ReturnType<typeof openDice>): Headers {
    const sent = new Headers();
    for (const name of headers.filter(() => chance(0.1))) {
      const value = one(odd);
      if (!/[\0\r\n]|[^\0-\xff]/.test(value)) sent.set(name, value);
    }
    return sent;
  }

  test.each(
    routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/logout')
      .map((route, index) => [route.method, route.path, route, index] as const),
  )(
    'answers whatever is asked, without an error of its own, and sets no cookie that browsers would drop: %s %s',
    async (_method, _path, route, index) => {
      const who =
        route.who === 'operator' ? operator : await (route.path.includes('sessions') ? pages.newPerson() : alice);
      const csrf = await who.csrf();
      const dice = openDice(index);
      for (let time = 0; time < timesEach; time++) {
        const address = addressOf(route, dice);
        const init =
          route.method === 'POST'
            ? { method: 'POST', body: bodyOf(dice, csrf), headers: headersOf(dice) }
            : { headers: headersOf(dice) };
        const answer = await who.send(address, init);
        const asked = `${address} ${init.body ?? ''}`;
        expect(answer.status, asked).toBeLessThan(500);
        expect(answer.headers.get('content-security-policy'), asked).not.toBeNull();
        expect(answer.headers.get('x-content-type-options'), asked).toBe('nosniff');
        if (answer.headers.has('location'))
          expect(answer.headers.get('location'), asked).toMatch(/^(\/(?![/\\])|https:\/\/id\.example\/)/);
        expectSafeCookies(answer);
        await answer.body?.cancel();
      }
    },
  );

  test.each([...new Set(routes.filter(({ method }) => method !== 'ALL').map(({ path }) => path))])(
    'says which methods it takes to the others: %s',
    async (path) => {
      const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
      const taken = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
      const address = path.replaceAll(/:\w+/g, () => randomUUID()).replace('*', 'x');
      for (const method of ['OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'GET', 'POST'].filter(
        (one) => !taken.includes(one),
      )) {
        const answer = await operator.send(address, { method });
        expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, taken.join(', ')]);
      }
    },
  );

  it('answers HEAD as GET, without a body', async () => {
    for (const path of ['/', '/grant', '/nights', '/settings/data.json', '/no-such-page', '/livez']) {
      const [head, get] = [await alice.send(path, { method: 'HEAD' }), await alice.send(path)];
      expect([head.status, head.headers.get('content-type')]).toEqual([get.status, get.headers.get('content-type')]);
      expect(await head.text()).toBe('');
    }
  });
});
