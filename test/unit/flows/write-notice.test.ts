import { describe, expect, test } from 'vitest';
import type { ProtectionReason, ProtectionVerdict } from '../../../src/domain/protection-reasons.ts';
import { writeNotice } from '../../../src/flows/notices/write-notice.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts as english } from '../../../src/web/texts/en.ts';
import { listTexts } from '../../../src/web/texts/languages.ts';

const url = new URL('https://nightkeep.example/');

describe.each(listTexts().map((texts) => [texts.languageName, texts] as const))(
  'a mail to a person in %s',
  (_, texts) => {
    const { person, healed } = texts.notices;
    const written = (verdict: ProtectionVerdict, reason: ProtectionReason) =>
      writeNotice(texts, { kind: 'person', verdict, reason }, url);

    test('of a night without a backup does not say that none comes any more: they may have cancelled it, or been paused', () => {
      const { subject, text } = written('late', 'no_run');
      expect(subject).toBe(person.subject.late);
      expect(subject).not.toMatch(/do not go on|gehen nicht weiter/);
      expect(text).toContain(texts.protection.nights.no_run.happened);
    });

    test.each(['damaged', 'unverified'] as const)(
      'leads to what is known of it, not to what they could mend: %s',
      (reason) => {
        const { text } = written('protected', reason);
        expect(text).toContain(healed.more(url.href));
        expect(text).not.toContain(person.more(url.href));
      },
    );

    test.each(['lost', 'key_damaged', 'unreadable', 'no_run'] as const)('leads to what they can mend: %s', (reason) => {
      expect(written('partly', reason).text).toContain(person.more(url.href));
    });
  },
);

test.each(listTexts().map((texts) => [texts.languageName, texts] as const))(
  'a forecast says in %s how long the windows need and are, when, and what helps',
  (_, texts) => {
    const figures = { plans: 480, neededMs: 4.2 * 3_600_000, windowMs: 4 * 3_600_000, by: 'workers' as const };
    const [from, to] = ['2026-05-05T01:00:00Z', '2026-05-05T05:00:00Z'];
    const { forecast } = texts.operator.tonight;
    const short = writeNotice(texts, { kind: 'forecast', from, to, ...figures, holds: false }, url);
    expect(short.subject).toBe(texts.notices.forecast.tooShort);
    for (const part of [forecast.title(figures.neededMs, figures.windowMs), forecast.mend.workers, forecast.how])
      expect(short.text).toContain(part);
    expect(short.text).toContain(texts.operator.zone('UTC'));
    expect(short.text).toContain('480');
    const holding = writeNotice(texts, { kind: 'forecast', from, to, ...figures, holds: true }, url);
    expect(holding.subject).toBe(texts.notices.forecast.holds);
    expect(holding.text).toContain(forecast.holds);
  },
);

test('a digest quotes what people read as their language does', () => {
  const verdicts = { protected: 0, partly: 0, late: 1, not: 0 };
  const { text } = writeNotice(german, { kind: 'digest', verdicts, reasons: { no_run: 1 } }, url);
  expect(text).toContain(`1 × „${german.protection.nights.no_run.happened}“ (no_run)`);
});

test.each([
  [english, 'Late: 1. Not protected: 0. Paused, with an older backup: 2.'],
  [german, 'Verspätet: 1. Nicht geschützt: 0. Pausiert, mit einer älteren Sicherung: 2.'],
])('whoever paused their nights is not called late (%#)', (texts, words) => {
  const none = { protected: 0, partly: 0, late: 0, not: 0 };
  const verdicts = { ...none, late: 3 };
  const paused = { ...none, late: 2 };
  for (const kind of [{ kind: 'digest' }, { kind: 'night_over', night: '2026-05-03' }] as const) {
    expect(writeNotice(texts, { ...kind, verdicts, paused, reasons: { no_run: 1 } }, url).text).toContain(words);
    // As the version before put them on record, and where nobody has paused.
    for (const facts of [{ verdicts }, { verdicts, paused: none }]) {
      const { text } = writeNotice(texts, { ...kind, ...facts, reasons: { no_run: 1 } }, url);
      expect(text).toContain(words.slice(0, words.indexOf('Pau')).trim().replace('1', '3'));
      expect(text).not.toContain('Pau');
    }
  }
});

test.each([
  [english, 'Late: 3 (1 with a backup under way). Not protected'],
  [german, 'Verspätet: 3 (bei 1 läuft die Sicherung noch). Nicht geschützt'],
])('whoever is late and has a backup under way is told apart (%#)', (texts, words) => {
  const none = { protected: 0, partly: 0, late: 0, not: 0 };
  const figures = { verdicts: { ...none, late: 4 }, paused: { ...none, late: 1 }, reasons: { run_under_way: 1 } };
  for (const kind of [{ kind: 'digest' }, { kind: 'night_over', night: '2026-05-03' }] as const) {
    const textOf = (more: object) => writeNotice(texts, { ...kind, ...figures, ...more }, url).text;
    expect(textOf({ lateUnderWay: 1 })).toContain(words);
    for (const more of [{}, { lateUnderWay: 0 }]) expect(textOf(more)).toContain(words.replace(/ \(.*\)/, ''));
  }
});

test('a mail holds no hyphens that are for pages alone', () => {
  const { text } = writeNotice(german, { kind: 'person', verdict: 'partly', reason: 'key_damaged' }, url);
  expect(text).toContain('Der Wiederherstellungsschlüssel, den Sie bekommen haben');
});
