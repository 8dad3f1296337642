import { describe, expect, it, test } from 'vitest';
import { readCalendarObject } from '../../../../src/web/objects/calendar-object.ts';

const calendar = (...lines: string[]) => ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
const event = (...lines: string[]) => calendar('BEGIN:VEVENT', 'UID:1', ...lines, 'END:VEVENT');

describe('an event', () => {
  it('has a title, times, a place and notes', () => {
    const found = readCalendarObject(
      event(
        'DTSTART:20260506T080000Z',
        'DTEND;TZID=Europe/Berlin:20260506T110000',
        'SUMMARY:Dinner\\, with Ben\\; bring wine',
        'LOCATION;ALTREP="http://a.example/;x:y":At home',
        'DESCRIPTION:One\\nTwo\\\\nthree',
      ),
    );
    expect(found).toEqual({
      kind: 'event',
      title: 'Dinner, with Ben; bring wine',
      start: { at: '2026-05-06T08:00:00Z' },
      end: { clock: '2026-05-06T11:00:00Z', zone: 'Europe/Berlin' },
      due: undefined,
      place: 'At home',
      repeats: false,
      notes: 'One\nTwo\\nthree',
    });
  });

  it('is of whole days, of which the end names the one after the last', () => {
    const found = readCalendarObject(
      event('DTSTART;VALUE=DATE:20260501', 'DTEND;VALUE=DATE:20260503', 'RRULE:FREQ=YEARLY'),
    );
    expect(found).toMatchObject({ start: { day: '2026-05-01' }, end: { day: '2026-05-02' }, repeats: true });
  });

  it.each(['20260231', '20260431T100000Z', '20270229T100000', '20260010', '20261301'])(
    'has no time where there is no such day: %s',
    (written) => {
      expect(readCalendarObject(event(`DTSTART:${written}`))?.start).toBeUndefined();
    },
  );

  it('is in a zone of a short name, whatever somebody wrote there', () => {
    const { start } = readCalendarObject(event(`DTSTART;TZID=${'\u200b'.repeat(9_000)}:20260506T110000`)) ?? {};
    expect(start).toEqual({ clock: '2026-05-06T11:00:00Z', zone: '\u200b'.repeat(60) });
  });

  it('is read where its lines are folded, and its alarms and zones are not taken for it', () => {
    const text = calendar(
      ...['BEGIN:VTIMEZONE', 'TZID:X', 'BEGIN:STANDARD', 'DTSTART:19700101T000000', 'END:STANDARD', 'END:VTIMEZONE'],
      ...[
        'BEGIN:VEVENT',
        'SUMM',
        ' ARY:Long',
        '  title',
        'BEGIN:VALARM',
        'SUMMARY:Alarm',
        'DESCRIPTION:Beep',
        'END:VALARM',
      ],
      'END:VEVENT',
    );
    expect(readCalendarObject(text)).toMatchObject({ title: 'Long title', notes: '', start: undefined });
  });

  it('that repeats is told by what holds for all its times', () => {
    const text = calendar(
      ...['BEGIN:VEVENT', 'RECURRENCE-ID:20260506T080000Z', 'SUMMARY:This once', 'END:VEVENT'],
      ...['BEGIN:VEVENT', 'RRULE:FREQ=DAILY', 'SUMMARY:Every day', 'END:VEVENT'],
    );
    expect(readCalendarObject(text)?.title).toBe('Every day');
    expect(readCalendarObject(calendar('BEGIN:VEVENT', 'RECURRENCE-ID:1', 'SUMMARY:Once', 'END:VEVENT'))?.title).toBe(
      'Once',
    );
  });
});

test('tasks and journal entries are told from events', () => {
  expect(readCalendarObject(calendar('BEGIN:VTODO', 'SUMMARY:Tidy', 'DUE:20260501T120000', 'END:VTODO'))).toMatchObject(
    {
      kind: 'task',
      title: 'Tidy',
      due: { clock: '2026-05-01T12:00:00Z', zone: undefined },
    },
  );
  expect(readCalendarObject(calendar('BEGIN:VJOURNAL', 'END:VJOURNAL'))).toMatchObject({ kind: 'journal', title: '' });
});

test.each([
  ['nothing', ''],
  ['no object', 'hello\nworld'],
  ['a calendar of nothing', calendar()],
  ['only a zone', calendar('BEGIN:VTIMEZONE', 'END:VTIMEZONE')],
])('is nothing where there is none: %s', (_, text) => {
  expect(readCalendarObject(text)).toBeUndefined();
});

test.each(['20261301', '20260230T250000Z', 'soon', '2026-05-01', `${'2'.repeat(100_000)}`])(
  'is at no time where none is written: %s',
  (value) => {
    expect(readCalendarObject(event(`DTSTART:${value}`))).toMatchObject({ start: undefined });
  },
);

test.each([
  ['one line', 'x'.repeat(1_000_000)],
  ['folds', `SUMMARY:a${'\n b'.repeat(300_000)}`],
  ['parameters', `SUMMARY${';A="b"'.repeat(200_000)}:c`],
  ['open quotes', `SUMMARY;${'"'.repeat(500_001)}:c`],
  ['backslashes', `BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:${'\\'.repeat(500_000)}`],
  ['components', 'BEGIN:VEVENT\n'.repeat(80_000)],
  ['ends', 'END:VEVENT\n'.repeat(80_000)],
])('takes no more time than its length asks for: %s', (_, hostile) => {
  const begun = performance.now();
  readCalendarObject(`BEGIN:VCALENDAR\n${hostile}`);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
