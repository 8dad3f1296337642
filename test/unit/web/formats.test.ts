import { expect, test } from 'vitest';
import { nightTimesIn } from '../../../src/web/night-times.ts';
import { timesNear } from '../../../src/web/pages/operator/frame.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { listTexts } from '../../../src/web/texts/languages.ts';

const { formats } = texts;

test.each([
  ['Europe/London', '2026-05-04T12:00:00Z', '4 May 2026, 13:00 BST'],
  ['Europe/Berlin', '2026-10-25T00:30:00Z', '25 Oct 2026, 02:30 CEST'],
  ['Europe/Berlin', '2026-10-25T01:30:00Z', '25 Oct 2026, 02:30 CET'],
  ['America/New_York', '2026-01-01T03:05:00Z', '31 Dec 2025, 22:05 GMT-5'],
  ['UTC', '2026-09-01T00:00:00Z', '1 Sept 2026, 00:00 UTC'],
])('a moment is written in the zone of the person, which it names: %s', (zone, at, shown) => {
  expect(formats.time(new Date(at), zone)).toBe(shown);
});

test('no language calls the time of Greenwich by a distance from it', () => {
  for (const { formats: own, languageName } of listTexts())
    expect(own.time(new Date('2026-01-01T12:00:00Z'), 'Europe/London'), languageName).toMatch(/12:00 GMT$/);
});

test.each([
  ['Europe/Berlin', '2026-10-25T00:30:00Z', '02:30 CEST', '2026-10-25T01:30:00Z', '02:30 CET'],
  ['America/New_York', '2026-11-01T05:10:00Z', '01:10 GMT-4', '2026-11-01T06:10:00Z', '01:10 GMT-5'],
  ['Australia/Lord_Howe', '2026-04-04T14:45:00Z', '01:45 GMT+11', '2026-04-04T15:15:00Z', '01:45 GMT+10:30'],
  ['Pacific/Auckland', '2026-04-04T13:59:59Z', '02:59 GMT+13', '2026-04-04T14:59:59Z', '02:59 GMT+12'],
])(
  'of a time that clocks show twice it is said which of both it is, where no zone stands beside it: %s',
  (zone, first, shown, second, again) => {
    const { time, moment } = nightTimesIn(texts, zone);
    expect([time(first), time(second)]).toEqual([shown, again]);
    expect(moment(first)).toContain(shown);
    expect(timesNear(texts, zone, new Date(first))(new Date(second))).toBe(again);
  },
);

test('a time that clocks show once stands alone, also just before and after the hour that they show twice', () => {
  const { time } = nightTimesIn(texts, 'Europe/Berlin');
  const shown = ['2026-10-24T23:59:59Z', '2026-10-25T02:00:00Z', '2026-03-29T01:00:00Z', '2026-07-01T00:30:00Z'];
  expect(shown.map(time)).toEqual(['01:59', '03:00', '03:00', '02:30']);
});

test('no zone and no language has one time for two moments of the day on which clocks are set back', () => {
  const [hour, day] = [3_600_000, 86_400_000];
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const offset = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    const offsetAt = (at: number) => offset.format(at).split(' ')[1];
    const days = Array.from({ length: 366 }, (_, count) => Date.UTC(2026, 0, 1) + count * day);
    const offsets = days.map(offsetAt);
    for (const change of days.slice(0, -1).filter((_, index) => offsets[index] !== offsets[index + 1]))
      for (const { formats } of listTexts()) {
        const write = formats.dates({ day: 'numeric', hour: '2-digit', minute: '2-digit' }, zone);
        const shown = Array.from({ length: 108 }, (_, half) => write(change - hour + (half * hour) / 4));
        expect(new Set(shown).size, `${zone} ${shown}`).toBe(shown.length);
      }
  }
});

test('sizes go by thousands, and have a tenth where that is much of them', () => {
  const sizes = [0, 1, 999, 1_000, 9_949, 12_345, 1_500_000, 2_000_000_000, 4_321_000_000_000_000];
  expect(sizes.map(formats.bytes)).toEqual([
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1.0 KB',
    '9.9 KB',
    '12 KB',
    '1.5 MB',
    '2.0 GB',
    '4,321 TB',
  ]);
});

test('durations are written in the unit that tells most', () => {
  expect([12, 1_500, 34_000, 119_000, 120_000, 7_199_000, 7_200_000, 100_000_000].map(formats.duration)).toEqual([
    '12 ms',
    '1.5 s',
    '34 s',
    '119 s',
    '2 min',
    '120 min',
    '2.0 h',
    '27.8 h',
  ]);
});
