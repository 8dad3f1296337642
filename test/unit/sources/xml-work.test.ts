import { describe, expect, test } from 'vitest';
import { multistatusParser } from '../../../src/sources/dav/multistatus.ts';
import { openXmlReader } from '../../../src/sources/dav/xml-reader.ts';
import { countWork } from '../../support/fixtures/counted-work.ts';

const size = 5_000;
const many = (text: string) => text.repeat(Math.ceil(size / text.length));
const prefixes = Array.from({ length: 300 }, (_, at) => ` xmlns:p${at}="urn:${at}"`).join('');

/** What made readers read the same characters again and again. */
const documents: readonly (readonly [what: string, document: string])[] = [
  ['a value full of ">"', `<a x="${many('>')}"/>`],
  ['a value that never ends', `<a x="${many('>')}`],
  ['quotes in turn', `<a x="${many("'")}" y='${many('"')}'/>`],
  ['many attributes', `<a${Array.from({ length: size / 8 }, (_, at) => ` a${at}=">"`).join('')}/>`],
  ['a long comment', `<a><!--${many('- >')}--></a>`],
  ['a long section', `<a><![CDATA[${many(']] ]>')}]]></a>`],
  ['a long instruction', `<a><?b ${many('? >')}?></a>`],
  ['a long end', `<a></a${many(' ')}>`],
  ['a text after "&"', `<a>&${many('x')}</a>`],
  ['a text full of "&"', `<a>${many('&')}</a>`],
  ['a text full of "]"', `<a>${many('] ')}${many(']')}</a>`],
  ['a text full of line ends', `<a>${many('\r')}</a>`],
  ['many texts with a wrong reference', `<a>${many('<b>&x;</b>\n')}</a>`],
  ['a text with many wrong references', `<a>${many('&x;\n')}</a>`],
  ['a text of wrong characters', `<a>${many('\u0001')}</a>`],
  ['prefixes upon prefixes', `<a>${many(`<b${prefixes}>`.repeat(20) + '</b>'.repeat(20))}</a>`],
  ['tags that are all new', `<a>${Array.from({ length: size / 8 }, (_, at) => `<b${at}/>`).join('')}</a>`],
];

/** Of each character: ends are looked for in what is new with the few characters before it. */
const mostLooks = 60;

describe('the work of reading a listing grows with its characters, whatever the parts', () => {
  test.each(documents)('%s', (_, document) => {
    for (const cut of [1, 5, 1_000, document.length]) {
      const reader = openXmlReader({
        open: () => {},
        close: () => {},
        text: () => {},
        flaw: () => {},
        encoding: () => {},
      });
      const work = countWork(mostLooks * document.length, () => {
        for (let at = 0; at < document.length; at += cut) reader.write(document.slice(at, at + cut));
      });
      expect(work).toBeGreaterThanOrEqual(document.length);
    }
  });

  test('a listing of ordinary members', () => {
    const member =
      '<response><href>/a</href><propstat><prop><getetag>"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>\n';
    const bytes = Buffer.from(`<multistatus xmlns="DAV:">${many(member)}</multistatus>`);
    for (const cut of [1, 1_000]) {
      const parser = multistatusParser(() => {});
      const work = countWork(mostLooks * bytes.length, () => {
        for (let at = 0; at < bytes.length; at += cut) parser.write(bytes.subarray(at, at + cut));
        parser.end();
      });
      expect(work).toBeGreaterThanOrEqual(bytes.length);
    }
  });
});
