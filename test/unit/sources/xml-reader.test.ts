import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { openXmlReader, type XmlHandler } from '../../../src/sources/dav/xml-reader.ts';
import { openTagReader } from '../../../src/sources/dav/xml-tag.ts';

/** Shared by all documents here, as by those of one server: what one says must not show in another. */
const readTag = openTagReader();

/** What a reader tells of a document: its elements and texts in order; undefined when it refuses it. */
type Told = string[] | undefined;

function told(document: string, cut = document.length || 1): Told {
  const events: string[] = [];
  const handler: XmlHandler = {
    open: (uri, local) => events.push(`<${uri}|${local}>`),
    close: () => events.push('</>'),
    text: (part) => events.push(`"${part}`),
    encoding: () => undefined,
    flaw: ({ what }) => {
      throw new Error(what);
    },
  };
  const reader = openXmlReader(handler, readTag);
  try {
    for (let at = 0; at < document.length; at += cut) reader.write(document.slice(at, at + cut));
    reader.end();
  } catch {
    return undefined;
  }
  return joined(events);
}

/** The same by a general parser, proven elsewhere; a document type, which ours refuses, is refused too. */
function toldBySaxes(document: string): Told {
  const events: string[] = [];
  const parser = new SaxesParser({ xmlns: true, position: false });
  const refuse = () => {
    throw new Error('A document type.');
  };
  parser.on('doctype', refuse);
  parser.on('opentag', ({ uri, local }) => events.push(`<${uri}|${local}>`));
  parser.on('closetag', () => events.push('</>'));
  parser.on('text', (text) => events.push(`"${text}`));
  parser.on('cdata', (text) => events.push(`"${text}`));
  try {
    parser.write(document).close();
  } catch {
    return undefined;
  }
  return joined(events);
}

/** Texts may come in parts, and whether white space outside of the document is told does not matter. */
function joined(events: string[]): string[] {
  const whole: string[] = [];
  for (const event of events) {
    if (event.startsWith('"') && whole.at(-1)?.startsWith('"')) whole.push(whole.pop() + event.slice(1));
    else whole.push(event);
  }
  return whole.map((event) => event.trim()).filter((event) => event !== '"');
}

const documents = [
  '<a/>',
  '<?xml version="1.0" encoding="utf-8"?>\n<D:a xmlns:D="DAV:" xmlns="urn:x"><D:b c="1" D:d=\'2\'>t &amp; &#65;&#x1F319; u</D:b><e/></D:a>\n',
  '<a><![CDATA[<b> ]] > &amp;]]><!-- a comment - of <b> --></a>',
  '<a><?target data > ? ?></a>',
  '<a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c/></p:b><p:d x="a>b" y=\'"\'/></a >',
  '<a>one\r\ntwo\rthree &lt;&gt;&quot;&apos;</a><!-- after -->',
  '<ä xmlns="ü"><é.1-2/></ä>',
];
const pieces = [
  '<',
  '>',
  '/',
  '&',
  ';',
  '"',
  "'",
  '=',
  ' ',
  ':',
  '!',
  '-',
  '--',
  ']',
  ']]>',
  '<!--',
  '-->',
  '<![CDATA[',
]
  .concat([
    '&amp;',
    '&x;',
    '&#0;',
    '&#xD800;',
    '&#13;',
    'xmlns',
    'xmlns:p="urn:3"',
    'p:',
    'xml:',
    'xmlns:',
    '</a>',
    '<b>',
    'x="1"',
    '1',
    'a',
    '\0',
    '\r',
    '\n',
  ])
  .concat(['<!DOCTYPE a>', '<?xml version="1.0"?>', '\ufffe', '🌙', '\t']);

describe('the XML reader', () => {
  test.each(documents)('tells what a general parser tells of %j', (document) => {
    expect(told(document)).toEqual(toldBySaxes(document));
    expect(told(document)).toBeDefined();
  });

  test('accepts and refuses what a general parser does, whatever is done to a document and however it is cut', () => {
    // Of some names the general parser is no judge: it takes what is none, in instructions and after a colon.
    const asked = documents.filter((document) => !document.includes('<?target'));
    const cuts = fc.integer({ min: 1, max: 150 });
    const change = fc.tuple(fc.nat(), fc.nat({ max: 4 }), fc.constantFrom('', ...pieces));
    fc.assert(
      fc.property(
        fc.constantFrom(...asked),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        cuts,
        (document, changes, cut) => {
          const changed = changes.reduce((text, [at, length, piece]) => {
            const place = at % (text.length + 1);
            return text.slice(0, place) + piece + text.slice(place + length);
          }, document);
          fc.pre(changed.isWellFormed() && !/:[-.\d]/.test(changed));
          const expected = toldBySaxes(changed);
          expect({ changed, cut, told: told(changed, cut) }).toEqual({ changed, cut, told: expected });
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('tells the same in whatever pieces a document arrives', () => {
    for (const document of documents) {
      for (let cut = 1; cut < document.length; cut++) expect(told(document, cut)).toEqual(told(document));
    }
  });

  test.each([
    ['<a>\n  <b>x\u0001y</b></a>', 'the character U+0001, which XML does not allow, at line 2, column 7', 'x\u0001y'],
    ['<a><b>\ufffe</b></a>', 'the character U+FFFE, which XML does not allow, at line 1, column 7', '\ufffe'],
    ['<a>\r\n\n<b><![CDATA[\udce9]]></b></a>', 'the byte E9, which is not UTF-8, at line 3, column 13', '\udce9'],
    ['<a><b>T&Atilde;l</b></a>', 'the reference &Atilde;, which XML does not know, at line 1, column 8', 'T&Atilde;l'],
    ['<a><b>a & b</b></a>', 'the reference &, which XML does not know, at line 1, column 9', 'a & b'],
    ['<a><b>&#0;</b></a>', 'the reference &#0;, which XML does not know, at line 1, column 7', '&#0;'],
  ])('tells what is wrong in a text, and where, of %j', (document, what, text) => {
    for (let cut = 1; cut <= document.length; cut++) {
      const flaws: string[] = [];
      let whole = '';
      const reader = openXmlReader({
        open: () => {
          whole = '';
        },
        close: () => undefined,
        encoding: () => undefined,
        text: (part) => {
          whole += part;
        },
        flaw: (flaw) => flaws.push(flaw.what),
      });
      for (let at = 0; at < document.length; at += cut) reader.write(document.slice(at, at + cut));
      reader.end();
      expect(flaws).toEqual([what]);
      expect(whole).toBe(text);
    }
  });

  test.each([
    ['<a\u0001b/>', /the character U\+0001, which XML does not allow, at line 1, column 3/],
    ['<a>\n <!-- \u0002 --></a>', /the character U\+0002, which XML does not allow, at line 2, column 7/],
    ['<a>\n\n   <b></a>', /an end without its beginning at line 3, column 7/],
    ['<a x="&nbsp;"/>', /the reference &nbsp;, which XML does not know at line 1, column 1/],
    ['<a>\n<b', /cut off at line 2, column 3/],
  ])('says where it refuses %j', (document, message) => {
    const reader = openXmlReader({
      open: () => undefined,
      close: () => undefined,
      text: () => undefined,
      flaw: () => undefined,
      encoding: () => undefined,
    });
    const readAll = () => {
      reader.write(document);
      reader.end();
    };
    expect(readAll).toThrow(message);
  });
});
