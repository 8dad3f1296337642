import fc from 'fast-check';
import { expect } from 'vitest';
import { XmlError } from '../../../src/sources/dav/xml-error.ts';
import { openXmlReader } from '../../../src/sources/dav/xml-reader.ts';
import { countWork } from '../../support/fixtures/counted-work.ts';
import { documents, markup, told, toldBySaxes } from '../../support/fixtures/xml-told.ts';
import { changed, changes, cutInto, cuts, property } from '../property.ts';

/** Of some names the general parser is no judge: it takes what is none, in instructions (`<?xmlx?` too) and after a colon. */
const judged = documents.filter((document) => !document.includes('<?target'));
const isJudged = (text: string) => text.isWellFormed() && !/:[-.\d]|<\?/.test(text.replace(/^<\?xml(?=\s)/, ''));

/** Documents of a grammar of their own, sound and unsound. */
const { document: grown } = fc.letrec<{ document: string; element: string; content: string }>((tie) => ({
  document: fc
    .tuple(
      fc.constantFrom('', '<?xml version="1.0"?>', ' ', '<!-- c -->'),
      tie('element'),
      fc.constantFrom('', '\n', '<!---->'),
    )
    .map((parts) => parts.join('')),
  element: fc
    .tuple(
      fc.constantFrom('a', 'D:b', 'p:c', 'é', 'x.y-1'),
      fc.array(
        fc.tuple(
          fc.constantFrom('x', 'xmlns', 'xmlns:D', 'xmlns:p', 'D:y', 'p:x', 'xml:lang'),
          fc.constantFrom('"DAV:"', "'urn:x'", '"a>b"', "'\"'", '"&amp;&#65;"', '""', '"<"', '"\n"'),
        ),
        { maxLength: 4 },
      ),
      fc.array(tie('content'), { maxLength: 4 }),
    )
    .map(([name, attributes, content]) => {
      const tag = name + attributes.map(([key, value]) => ` ${key}=${value}`).join('');
      return content.length === 0 ? `<${tag}/>` : `<${tag}>${content.join('')}</${name}>`;
    }),
  content: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('t', '&lt;', '&#x1F319;', '\r\n', ']', '<![CDATA[<&]]>', '<!-- > -->', '🌙', ' '),
    fc.string({ maxLength: 3 }),
    tie('element'),
  ),
}));

const repeated = fc.array(
  fc.tuple(
    fc.constantFrom(...markup, '<a x="', '<a>', 'xmlns:p', `<b${' xmlns:q="u"'}>`, '</b>', '<!--', '&', 'x'),
    fc.integer({ min: 1, max: 300 }),
  ),
  { minLength: 1, maxLength: 6 },
);

/** Looks at each character, as in the unit tests of the same; the rest is for what any document costs. */
const most = (characters: number) => 60 * characters + 2_000;

export const xml = [
  property(
    'XML is told, and refused, as by a general parser that gets the same pieces',
    fc.tuple(fc.oneof(fc.constantFrom(...judged), grown), changes(...markup), cuts),
    ([document, all, lengths]) => {
      const text = changed(document, all);
      fc.pre(isJudged(text));
      const pieces = [...cutInto(text, lengths)];
      expect({ text, told: told(text, pieces) }).toEqual({ text, told: toldBySaxes(text, pieces) });
    },
  ),
  property(
    'XML is told the same in whatever pieces it comes',
    fc.tuple(fc.oneof(fc.constantFrom(...documents), grown), changes(...markup), cuts),
    ([document, all, lengths]) => {
      const text = changed(document, all);
      expect({ text, told: told(text, cutInto(text, lengths)) }).toEqual({ text, told: told(text) });
    },
  ),
  property(
    'XML costs work that grows with its characters, whatever they are and in whatever pieces',
    fc.tuple(repeated, cuts),
    ([parts, lengths]) => {
      const text = `<r>${parts.map(([piece, times]) => piece.repeat(times)).join('')}`;
      const nothing = () => {};
      const reader = openXmlReader({ open: nothing, close: nothing, text: nothing, flaw: nothing, encoding: nothing });
      const pieces = [...cutInto(text, lengths)];
      countWork(most(text.length), () => {
        try {
          for (const piece of pieces) reader.write(piece);
        } catch (error) {
          if (!(error instanceof XmlError)) throw error;
        }
      });
    },
  ),
];
