import { describe, expect, test } from 'vitest';
import type { Texts } from '../../../src/web/texts/en.ts';
import { texts as english } from '../../../src/web/texts/en.ts';
import { listTexts, textsFor } from '../../../src/web/texts/languages.ts';
import { type ReadOut, readOut } from '../../support/fixtures/texts-read-out.ts';

/** What says nothing on purpose: an ordinary way to agree needs no word. */
const silent = ['grant.methods.browser'];
/** Words that are the same in several languages: names, and what stands between numbers. */
const isName = (text: string) => text.split(/\s+/).length <= 3 || !/\p{Ll}{3,} \p{L}{2,}/u.test(text);

/** Words behind a number that are the same of one and of many, or no nouns. */
const sameOfMany = new Set(['is', 'was', 'refuses', 'Nightkeep', 'Uhr', 'Worker', 'Ordner']);

describe.each(listTexts().map((texts) => [texts.languageName, texts] as const))('%s', (_, texts: Texts) => {
  test('says something everywhere, and nothing that is none', () => {
    for (const { at, text } of readOut(texts)) {
      if (!silent.includes(at)) expect(text.trim(), at).not.toBe('');
      expect(text, at).not.toMatch(/undefined|NaN|\[object|null\b| {2}/);
    }
  });

  test('needs no nought hours for a night', () => {
    const { title } = texts.operator.tonight.forecast;
    const [none, some] = [texts.formats.hours(0), texts.formats.hours(360_000)];
    for (const ms of [0, 20_000, 179_000])
      expect(title(ms, 14_400_000)).toMatch(new RegExp(`^\\p{Lu}.* ${some} (?!.*${none})`, 'u'));
    expect(title(180_000, 14_400_000)).toMatch(new RegExp(`^${some} `));
  });

  test('groups the digits of numbers', () => {
    const counting = ['operator.tonight.nightOf', 'notices.digest.sum', 'recovery.reissue.stays'];
    const read = readOut(texts).filter(
      ({ at }) => counting.includes(at) || (at.startsWith('setup.') && /ackups/.test(at)),
    );
    expect(new Set(read.map(({ at }) => at)).size).toBeGreaterThan(counting.length);
    expect(read.filter(({ text }) => text.includes('12345'))).toEqual([]);
  });

  test('says of one what it says of one', () => {
    const following = (count: string, { text }: ReadOut) =>
      [...text.matchAll(new RegExp(String.raw`(?<![\d.,:–-])\b${count} (\p{L}+)`, 'gu'))].map(([, word = '']) => word);
    const isNoun = texts.language === 'de' ? /^\p{Lu}/u : /s$/;
    const wrong = [...Map.groupBy(readOut(texts), ({ at }) => at)].flatMap(([at, rows]) => {
      const ofMany = new Set(rows.flatMap((row) => following('2', row)));
      const ofOne = rows.flatMap((row) => following('1', row));
      return ofOne
        .filter((word) => ofMany.has(word) && isNoun.test(word) && !sameOfMany.has(word))
        .map((word) => [at, word]);
    });
    expect(wrong).toEqual([]);
  });
});

const others = listTexts().filter(({ language }) => language !== 'en');
describe.each(others.map((texts) => [texts.languageName, texts] as const))('%s', (_, texts: Texts) => {
  test('says nothing in English', () => {
    const spoken = new Set(readOut(english).map(({ text }) => text));
    const same = readOut(texts).filter(({ text }) => spoken.has(text) && !isName(text));
    expect(same).toEqual([]);
  });

  test('writes numbers as such where English does, and the other way round', () => {
    const numbered = (own: Texts) => {
      const written = readOut(own).filter(({ text }) => text.includes(own.formats.number(12_345)));
      return [...new Set(written.map(({ at }) => at))].toSorted();
    };
    expect(numbered(texts)).toEqual(numbered(english));
  });

  test('tells of every error what happened, since errors speak English', () => {
    for (const [code, { happened }] of Object.entries({ ...texts.errors.told, unexpected: texts.errors.unexpected }))
      expect(happened, code).toBeDefined();
  });
});

test('German has one word for one thing, and the dative where it belongs', () => {
  const wrong = /Anbieter|Provider|Backup|Zustimmung|\b(aus|in|mit|nach|seit|von|vor) \d[\d.]* (Tage|Monate|Jahre)\b/u;
  const read = readOut(textsFor({ person: 'de' }));
  expect(read.filter(({ text }) => wrong.test(text))).toEqual([]);
  expect(read.filter(({ at, text }) => !at.startsWith('operator.') && /\bWorkern?\b/.test(text))).toEqual([]);
});

test('numbers, sizes, moments and nights are written as the language has them', () => {
  const german = textsFor({ person: 'de' }).formats;
  const at = new Date('2026-03-04T13:05:00Z');
  expect([
    german.number(12_345),
    german.bytes(1_500_000),
    german.bytes(1),
    german.duration(1_500),
    german.time(at, 'Europe/Berlin'),
    german.night('2026-03-04', 'long'),
  ]).toEqual(['12.345', '1,5 MB', '1 Byte', '1,5 s', '4. März 2026, 14:05 MEZ', 'Mittwoch, 4. März 2026']);
});

describe('the language of somebody', () => {
  test.each([
    [{ person: 'de', browser: 'en', accepted: 'en' }, 'de'],
    [{ person: null, browser: 'de', accepted: 'en' }, 'de'],
    [{ browser: 'tlh', accepted: 'de' }, 'de'],
    [{ accepted: 'de-AT,de;q=0.9,en;q=0.8' }, 'de'],
    [{ accepted: 'en-GB, de;q=0.9' }, 'en'],
    [{ accepted: 'de;q=0.3, en;q=0.7' }, 'en'],
    [{ accepted: 'fr, DE;q=0.1' }, 'de'],
    [{ accepted: 'de;q=0, en;q=0.1' }, 'en'],
    [{ accepted: 'fr, *;q=0.5' }, 'en'],
    [{ accepted: ';;,q=,de;q=x' }, 'en'],
    [{}, 'en'],
  ] as const)('of %j is %s', (wishes, language) => {
    expect(textsFor(wishes).language).toBe(language);
  });
});
