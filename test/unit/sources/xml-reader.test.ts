import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openXmlReader } from '../../../src/sources/dav/xml-reader.ts';
import { documents, markup, told, toldBySaxes } from '../../support/fixtures/xml-told.ts';

/** The document in pieces of so many characters. */
const cutBy = (document: string, cut: number) =>
  Array.from({ length: Math.ceil(document.length / cut) }, (_, at) => document.slice(at * cut, (at + 1) * cut));

describe('the XML reader', () => {
  test.each(documents)('tells what a general parser tells of %j', (document) => {
    expect(told(document)).toEqual(toldBySaxes(document));
    expect(told(document)).toBeDefined();
  });

  test('accepts and refuses what a general parser does, whatever is done to a document and however it is cut', () => {
    // Of some names the general parser is no judge: it takes what is none, in instructions and after a colon.
    const asked = documents.filter((document) => !document.includes('<?target'));
    const cuts = fc.integer({ min: 1, max: 150 });
    const change = fc.tuple(fc.nat(), fc.nat({ max: 4 }), fc.constantFrom('', ...markup));
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
          expect({ changed, cut, told: told(changed, cutBy(changed, cut)) }).toEqual({ changed, cut, told: expected });
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('tells the same in whatever pieces a document arrives', () => {
    for (const document of documents) {
      for (let cut = 1; cut < document.length; cut++)
        expect(told(document, cutBy(document, cut))).toEqual(told(document));
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
    ['<a>one\n two ]]></a>', /the end of a section that did not begin at line 2, column 6/],
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
