import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SourceName } from '../../../src/domain/source-names.ts';
import {
  carryAgreement,
  changesSince,
  chosenOf,
  factsFor,
  factsForAnyone,
  isReworded,
  namesAgreed,
  readRecord,
  recordOf,
  sourcesAgreed,
  unpackAgreement,
  writeAgreement,
} from '../../../src/flows/consent/agreement.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { listTexts, textsFor } from '../../../src/web/texts/languages.ts';

const config = {
  filesUrl: 'https://cloud.example/{preferred_username}/',
  window: { start: '01:00', end: '05:00', zone: 'Europe/Berlin' },
  retention: { daily: 7, monthly: 12 },
};
const alice = { subject: 'a', claims: { preferred_username: 'alice', zoneinfo: 'Europe/London' } };
const plan = {
  zone: 'America/New_York',
  windowStart: '02:00',
  windowEnd: '06:00',
  sources: [{ name: 'files', url: 'https://old.example/{preferred_username}/' }],
  paused: false,
  nextDueAt: new Date(0),
  kept: { last: 3 },
};
const agreement = writeAgreement(factsFor(config, { person: alice }));
const [calendarsUrl, contactsUrl] = ['https://cal.example/', 'https://cards.example/{sub}/'];

describe('what is agreed to', () => {
  it('names the files and the time zone of the person, as far as the provider tells', () => {
    const [files, when] = agreement.sentences;
    expect(files?.says).toContain('https://cloud.example/alice/');
    expect(when?.says).toContain('between 01:00 and 05:00 (time zone Europe/London)');
    const [, unsure] = writeAgreement(
      factsFor(config, { person: { subject: 'b', claims: { zoneinfo: 'Mars/North' } } }),
    ).sentences;
    expect(unsure?.says).toContain('(time zone Europe/Berlin, or your own where your provider names it)');
  });

  it('is what the plan does, where there is one', () => {
    expect(factsFor(config, { person: alice, plan })).toEqual({
      files: 'https://old.example/alice/',
      window: { start: '02:00', end: '06:00', zone: 'America/New_York', surely: true },
      kept: 'last=3',
    });
    expect(factsFor(config, { plan: { ...plan, kept: null } }).kept).toBe('daily=7,monthly=12');
  });

  it.each([
    ['en', '2026-11-27', 'ac04c9d0d385'],
    ['de', '2026-11-26', 'cc93374513fc'],
  ])('has another version whenever its words are others: %s', (language, version, expected) => {
    const spoken = listTexts().find((texts) => texts.language === language);
    const everything = 'last=2,hourly=3,daily=1,weekly=4,monthly=12,yearly=9,within=1y2m3d4h,tag=T';
    const words = [true, false].flatMap((surely) =>
      ['all', everything].map((kept) =>
        writeAgreement({ files: 'F', window: { start: 'S', end: 'E', zone: 'Z', surely }, kept }, spoken),
      ),
    );
    const digest = createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 12);
    expect({ version: spoken?.consent.version, digest }, 'Write a new version, and its digest here.').toEqual({
      version,
      digest: expected,
    });
  });

  it.each([
    ['en', '2026-11-28', '19bbf7b511d8'],
    ['de', '2026-11-28', 'f19cdecb378a'],
  ])('of more than files has words and versions of its own: %s', (language, version, expected) => {
    const spoken = listTexts().find((texts) => texts.language === language);
    const window = { start: 'S', end: 'E', zone: 'Z', surely: true };
    const names = ['calendars', 'contacts', 'mail'] as const;
    const words = [1, 2, 3, 4, 5, 6, 7].map((chosen) => {
      const more = names.filter((_, at) => chosen & (1 << at)).map((name) => [name, name.toUpperCase()]);
      return writeAgreement({ files: 'F', ...Object.fromEntries(more), window, kept: 'all' }, spoken);
    });
    expect(words.map((one) => [one.version, isReworded(one)])).toEqual(Array(7).fill([version, false]));
    const digest = createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 12);
    expect(digest, 'Write a new version, and its digest here.').toBe(expected);
  });

  it.each([
    ['en', '2026-11-28', '12ce89ad1aef'],
    ['de', '2026-11-28', '80ee2b293c67'],
  ])('read before it is known who agrees has words and a version of its own: %s', (language, version, expected) => {
    const spoken = listTexts().find((texts) => texts.language === language);
    const window = { start: 'S', end: 'E', zone: 'Z', surely: false, unlessPlanned: true } as const;
    const words = [{}, { calendars: 'C' }].map((more) =>
      writeAgreement({ files: 'F', ...more, window, kept: 'all' }, spoken),
    );
    expect(words.map((one) => [one.version, isReworded(one)])).toEqual(Array(2).fill([version, false]));
    const digest = createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 12);
    expect(digest, 'Write a new version, and its digest here.').toBe(expected);
  });

  it('is put on record word for word, with the hours and the zone of the plan where the sentence leaves them open', () => {
    const anyone = writeAgreement(factsForAnyone(config));
    const unnamed = writeAgreement(factsFor(config));
    const settled = (read: typeof agreement) => {
      const record = readRecord(recordOf(read, plan));
      expect(record.agreement?.sentences).toEqual(read.sentences);
      expect(record.agreement && isReworded(record.agreement)).toBe(false);
      const { start, end, zone } = record.facts;
      return [start, end, zone];
    };
    expect(settled(anyone)).toEqual(['02:00', '06:00', 'America/New_York']);
    expect(settled(unnamed)).toEqual(['01:00', '05:00', 'America/New_York']);
    expect(settled(agreement)).toEqual(['01:00', '05:00', 'Europe/London']);
    expect(recordOf({ said: 'every night' }, plan)).toEqual({ said: 'every night' });
  });

  it('names what the settings name, and nothing of a plan is in it that they do not name', () => {
    const all = writeAgreement(factsFor({ ...config, calendarsUrl, contactsUrl }, { person: alice }));
    expect(all.sentences[0]?.says).toBe(
      'Your files at https://cloud.example/alice/, your calendars at https://cal.example/, and your contacts at https://cards.example/a/. They are only read; nothing there is changed.',
    );
    expect([...namesAgreed(all)]).toEqual(['files', 'calendars', 'contacts']);
    expect([...namesAgreed(agreement), ...namesAgreed({}), ...namesAgreed(null)]).toEqual(['files', 'files', 'files']);
    const named = { filesUrl: config.filesUrl, calendarsUrl, filesOrigins: [] };
    const old = [
      { name: 'files', url: 'https://cloud.example/of/{sub}/' },
      { name: 'calendars', url: 'https://gone.example/' },
      { name: 'contacts', url: contactsUrl },
    ];
    expect(sourcesAgreed(named, { method: 'browser', plan: old })).toEqual([
      { name: 'files', url: 'https://cloud.example/of/{sub}/' },
      { name: 'calendars', url: calendarsUrl },
    ]);
    expect(sourcesAgreed(named, { method: 'device', plan: old })).toEqual([
      { name: 'files', url: config.filesUrl },
      { name: 'calendars', url: calendarsUrl },
    ]);
  });

  it.each([
    ['en', '2026-11-28', '10dbdb38b772'],
    ['de', '2026-11-28', '43d983890115'],
  ])('names what was chosen, and what was left out: %s', (language, version, expected) => {
    const spoken = listTexts().find((texts) => texts.language === language);
    const offered = (['files', 'calendars', 'contacts', 'mail'] as const).map((name) => ({ name, url: name[0] ?? '' }));
    const words = Array.from({ length: 14 }, (_, index) => {
      const wanted = offered.filter((__, at) => (index + 1) & (1 << at)).map(({ name }) => name);
      const facts = factsFor(config, { person: alice, ...chosenOf(offered, wanted) });
      const read = writeAgreement(facts, spoken);
      expect([...namesAgreed(read)]).toEqual(wanted);
      expect(readRecord(read).facts.leftOut).toEqual(
        offered.map(({ name }) => name).filter((name) => !wanted.includes(name)),
      );
      expect([read.version, isReworded(read)]).toEqual([version, false]);
      expect(unpackAgreement(carryAgreement(read))).toEqual(read);
      return read.sentences.filter(({ about }) => about === spoken?.consent.what || about === spoken?.consent.leftOut);
    });
    const digest = createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 12);
    expect(digest, 'Write a new version, and its digest here.').toBe(expected);
    expect(words.every((sentences) => sentences.length === 2)).toBe(true);
  });

  it('is in plain words', () => {
    const says = (wanted: readonly SourceName[], spoken = texts) => {
      const offered = [
        { name: 'files', url: 'F' },
        { name: 'mail', url: 'M' },
      ] as const;
      return writeAgreement(factsFor(config, { ...chosenOf(offered, wanted) }), spoken)
        .sentences.slice(0, 2)
        .map((sentence) => sentence.says);
    };
    expect(says(['mail'])).toEqual([
      'Your mail at M. It is only read; nothing there is changed.',
      'Your files. Nothing of that is read unless you agree to it later.',
    ]);
    expect(says(['files'])).toEqual([
      'Your files at F. They are only read; nothing there is changed.',
      'Your mail. Nothing of that is read unless you agree to it later.',
    ]);
    expect(says(['mail'], textsFor({ person: 'de' }))).toEqual([
      'Ihre E-Mails unter M. Sie werden nur gelesen; dort wird nichts verändert.',
      'Ihre Dateien. Davon wird nichts gelesen, es sei denn, Sie willigen später darin ein.',
    ]);
  });

  it('comes back from the provider word for word, and not in words that nobody read', () => {
    const carried: unknown = JSON.parse(JSON.stringify(carryAgreement(agreement)));
    const known = carried as ReturnType<typeof carryAgreement>;
    expect(unpackAgreement(known)).toEqual(agreement);
    const others = {
      ...texts,
      consent: { ...texts.consent, keptValue: () => 'Nothing is kept.' },
    } as unknown as typeof texts;
    expect(() => unpackAgreement(known, [others])).toThrow(
      expect.objectContaining({ code: 'consent/invalid-callback' }),
    );
  });
});

describe('a language', () => {
  const german = textsFor({ person: 'de' });

  it('is that in which the words were read, whatever is spoken when they come back', () => {
    const read = writeAgreement(agreement.facts, german);
    expect(read.sentences[0]?.says).toContain('Ihre Dateien unter https://cloud.example/alice/');
    expect(unpackAgreement(carryAgreement(read))).toEqual(read);
    expect(unpackAgreement(carryAgreement(agreement))).toEqual(agreement);
  });

  it('that changes is no change of what was agreed; words that change in the same language are', () => {
    const reworded = { ...german, consent: { ...german.consent, version: '2027-01-01' } };
    const record = writeAgreement(agreement.facts, german);
    expect([isReworded(record), isReworded(agreement)]).toEqual([false, false]);
    expect([isReworded(record, [texts, reworded]), isReworded(agreement, [texts, reworded])]).toEqual([true, false]);
    expect(isReworded({ ...record, language: 'fr' })).toBe(false);
    expect(changesSince(readRecord(record).facts, agreement.facts)).toEqual([]);
  });
});

describe('a record', () => {
  it('holds the sentences themselves', () => {
    const record = readRecord(JSON.parse(JSON.stringify(agreement)));
    expect(record.agreement).toEqual(agreement);
    expect(changesSince(record.facts, agreement.facts)).toEqual([]);
  });

  it('tells what is otherwise now', () => {
    const { facts } = readRecord(agreement);
    expect(changesSince(facts, factsFor(config, { person: alice, plan }))).toEqual([
      { of: 'files', was: 'https://cloud.example/alice/', is: 'https://old.example/alice/' },
      { of: 'window', was: '01:00–05:00', is: '02:00–06:00' },
      { of: 'zone', was: 'Europe/London', is: 'America/New_York' },
      { of: 'kept', was: 'daily=7,monthly=12', is: 'last=3' },
    ]);
  });

  it.each([
    [
      { files: 'F', window: config.window, retention: {} },
      { files: 'F', start: '01:00', end: '05:00', zone: 'Europe/Berlin' },
    ],
    [{ said: 'every night', kept: 'all snapshots' }, {}],
    [{ sentences: 'none', facts: null, files: 7 }, {}],
    [null, {}],
    [[1], {}],
  ])('of an older kind gives what it has: %j', (terms, facts) => {
    expect(readRecord(terms)).toEqual({ facts });
  });
});
