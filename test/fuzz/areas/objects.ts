import fc from 'fast-check';
import { expect } from 'vitest';
import { readObject } from '../../../src/web/objects/person-object.ts';
import { changed, changes, property } from '../property.ts';

const texts = fc.string({ unit: 'grapheme', maxLength: 40 });
/** A text value as iCalendar and vCards write it (RFC 5545, section 3.3.11). */
const escaped = (text: string) => text.replace(/[\\,;]/g, '\\$&').replaceAll('\n', '\\n');
/** Lines of so many characters, each folded into the next. */
const folded = (line: string, width: number) =>
  Array.from(line).reduce((all, character, at) => `${all}${at > 0 && at % width === 0 ? '\r\n ' : ''}${character}`, '');
const titled = (title: string) => ({
  ics: [
    'BEGIN:VCALENDAR',
    'BEGIN:VEVENT',
    `SUMMARY:${escaped(title)}`,
    'DTSTART:20260501',
    'END:VEVENT',
    'END:VCALENDAR',
  ],
  vcf: ['BEGIN:VCARD', `FN:${escaped(title)}`, 'END:VCARD'],
  eml: ['From: a@demo.example', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', title, '--b--'],
});
const endings = ['ics', 'vcf', 'eml'] as const;

export const objects = [
  property(
    'an event and a contact have the title that was written, however its line is folded',
    fc.tuple(
      texts.filter((text) => text.trim() === text && !/[\r\0-\x1f]/.test(text)),
      fc.integer({ min: 1, max: 75 }),
    ),
    ([title, width]) => {
      for (const ending of ['ics', 'vcf'] as const) {
        const written = titled(title)[ending].map((line) => folded(line, width));
        expect(readObject(`a.${ending}`, Buffer.from(written.join('\r\n')))?.title).toBe(title);
      }
    },
  ),
  property(
    'whatever is changed in an event, a contact or a message, reading it neither fails nor finds more than was written',
    fc.tuple(
      texts,
      fc.constantFrom(...endings),
      changes('\r\n', ':', ';', '"', '\\', '=', '--b', 'BEGIN:VEVENT', 'END:', '\0'),
    ),
    ([title, ending, all]) => {
      const written = changed(titled(title)[ending].join('\r\n'), all);
      const found = readObject(`a.${ending}`, Buffer.from(written));
      expect(JSON.stringify(found ?? '').length).toBeLessThan(20 * written.length + 500);
    },
  ),
];
