import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DavResponse, davName, multistatusParser } from '../../../src/sources/dav/multistatus.ts';

const listing = `<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:oc="http://owncloud.org/ns">
  <D:response xmlns:lp1="DAV:">
    <D:href>/dav/caf%C3%A9 &amp; more/</D:href>
    <D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype><lp1:getetag><![CDATA["1-a"]]></lp1:getetag>
      <oc:fileid>17</oc:fileid></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
    <D:propstat><D:prop><D:getcontentlength/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
  </D:response>
  <x:response xmlns:x="urn:other"><D:href>/not-a-response</D:href></x:response>
  <response xmlns="DAV:"><href>/dav/locked</href><status>HTTP/1.1 403 Forbidden</status><error><x xmlns="urn:x"/></error></response>
</D:multistatus>`;

function parse(
  text: string | Buffer,
  cut = Number.POSITIVE_INFINITY,
  limits?: Parameters<typeof multistatusParser>[1],
) {
  const responses: DavResponse[] = [];
  const parser = multistatusParser((response) => responses.push(response), limits);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += cut) parser.write(bytes.subarray(at, Math.min(bytes.length, at + cut)));
  parser.end();
  return responses;
}

describe('a multistatus', () => {
  test('with more properties of one thing than any server sends keeps the first of them, in however many groups', () => {
    const group = (at: number, status: string) =>
      `<propstat><prop><a${at}/><b${at}/></prop><status>HTTP/1.1 ${status}</status></propstat>`;
    const groups = Array.from({ length: 500 }, (_, at) => group(at, '200 OK') + group(at, '404 Not Found'));
    const [one] = parse(
      `<multistatus xmlns="DAV:"><response><href>/a</href>${groups.join('')}</response></multistatus>`,
    );
    expect([one?.properties.size, one?.refused.size]).toEqual([256, 256]);
    expect(one?.properties.has('a0')).toBe(true);
  });

  test('is read with whatever prefixes, CDATA, entities and unknown elements it has', () => {
    const [folder, locked, ...more] = parse(listing);
    expect(more).toEqual([]);
    expect(folder?.href).toBe('/dav/caf%C3%A9 & more/');
    expect([...(folder?.refused ?? [])]).toEqual([['getcontentlength', 404]]);
    expect(Object.fromEntries(folder?.properties ?? [])).toEqual({
      resourcetype: { text: '', children: ['collection'] },
      getetag: { text: '"1-a"', children: [] },
      [davName('fileid', 'http://owncloud.org/ns')]: { text: '17', children: [] },
    });
    expect(locked).toMatchObject({ href: '/dav/locked', status: 403 });
  });

  test('is read the same in whatever pieces it arrives', () => {
    const text = listing.replace('more', 'Grüße 🌙');
    const whole = parse(text);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (cut) => {
        expect(parse(text, cut)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test('that is cut off anywhere is malformed, never short', () => {
    for (let end = 0; end < listing.length; end++) {
      expect(() => parse(listing.slice(0, end))).toThrow(expect.objectContaining({ code: 'source/malformed' }));
    }
  });

  test.each([
    ['a document type', `<!DOCTYPE x [<!ENTITY a "aaaa">]>${listing.slice(39)}`, /document type/],
    [
      'an entity of its own in an attribute',
      listing.replace('"urn:x"', '"&lol;"'),
      /not well-formed: .*&lol;.* at line 10/,
    ],
    ['something after its end', `${listing}<x/>`, /not well-formed/],
    ['HTML', '<html><body>Sign in</body></html>', /did not answer with a listing/],
    ['another encoding', listing.replace('utf-8', 'iso-8859-1'), /not UTF-8/],
    ['nothing', '', /cut off/],
  ])('with %s is malformed', (_, text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'source/malformed', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    ['an item without a name', listing.replace(/<D:href>.*<\/D:href>/, ''), { href: '' }],
    [
      'a status that is none',
      listing.replace('HTTP/1.1 200 OK', 'fine'),
      { flaw: /status that cannot be read: "fine"/ },
    ],
    ['an entity of its own', listing.replace('&amp;', '&lol;'), { flaw: /&lol;.* at line 4/, isUncertain: true }],
    [
      'a wrong character',
      listing.replace('more', 'm\u0007re'),
      { flaw: /U\+0007/, href: '/dav/caf%C3%A9 & m\u0007re/' },
    ],
    [
      'a byte that is not UTF-8',
      Buffer.from(listing.replace('more', 'm\u00f6re'), 'latin1'),
      { flaw: /the byte F6, which is not UTF-8, at line 4, column 35/, href: '/dav/caf%C3%A9 & m\udcf6re/' },
    ],
  ])('with %s is read, all but that', (_, text, expected) => {
    for (const cut of [1, 7, 10_000]) {
      const [first, second] = parse(text, cut);
      const { flaw, ...rest } = expected as { flaw?: RegExp };
      expect(first).toMatchObject({ ...rest, ...(flaw && { flaw: expect.stringMatching(flaw) }) });
      expect(second).toMatchObject({ href: '/dav/locked', status: 403 });
    }
  });

  test('names several things in one response', () => {
    const several = listing.replace('<href>/dav/locked</href>', '<href>/dav/locked</href><href>/dav/closed</href>');
    expect(parse(several).slice(1)).toMatchObject([
      { href: '/dav/locked', status: 403 },
      { href: '/dav/closed', status: 403 },
    ]);
  });

  test('that is not text at all is malformed', () => {
    const bytes = Buffer.concat([Buffer.from('<multistatus xmlns="DAV:">'), Buffer.alloc(5_000, 0xff)]);
    expect(() => parse(bytes, 500)).toThrow(
      expect.objectContaining({ code: 'source/malformed', message: 'The listing is not UTF-8.' }),
    );
  });

  const limits = { token: 1000, depth: 10 };
  test.each([
    ['of one endless text', `<multistatus xmlns="DAV:"><response><href>${'a'.repeat(50_000)}`],
    ['of one endless attribute', `<multistatus xmlns="DAV:" a="${'a'.repeat(50_000)}`],
    ['of one endless comment', `<multistatus xmlns="DAV:"><!--${'a'.repeat(50_000)}`],
    ['of one endless document type', `<!DOCTYPE a [${'<!ENTITY a "a">'.repeat(5000)}`],
    ['nested without end', `<multistatus xmlns="DAV:">${'<a>'.repeat(5000)}`],
  ])('%s is given up long before memory is', (_, text) => {
    expect(() => parse(text, 500, limits)).toThrow(expect.objectContaining({ code: 'source/malformed' }));
  });
});
