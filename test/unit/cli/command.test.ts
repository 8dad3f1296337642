import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  limitOf,
  type Options,
  type Output,
  printPages,
  printTable,
  shownOf,
  sinceOf,
} from '../../../src/cli/command.ts';
import { statusWords } from '../../../src/cli/status.ts';
import type { Status } from '../../../src/flows/nights/view-status.ts';

let complaints: string[];
beforeEach(() => {
  complaints = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => complaints.push(String(line)) > 0);
});
afterEach(() => void vi.restoreAllMocks());

interface Row {
  readonly who: string;
}
const columns = [{ name: 'WHO', of: ({ who }: Row) => who, stretches: true }];

async function* inParts(parts: readonly (readonly Row[])[]) {
  yield* parts;
}

async function printed(print: (output: Output) => Promise<void> | void, terminal?: number): Promise<string[]> {
  const lines: string[] = [];
  await print({ line: (text) => lines.push(text), columns: terminal });
  return lines;
}

const none = 'Nobody.';
const [one, two, three] = [{ who: 'one' }, { who: 'two' }, { who: 'three' }];

test.each<[name: string, parts: Row[][], json: boolean, lines: string[]]>([
  ['nothing', [], false, [none]],
  ['nothing, as JSON', [], true, ['[]']],
  ['empty pages', [[], []], false, [none]],
  ['empty pages, as JSON', [[], []], true, ['[]']],
  ['a page', [[one, two]], false, ['WHO', 'one', 'two']],
  ['pages between empty ones', [[], [one], [], [two, three], []], false, ['WHO', 'one', 'two', 'three']],
  ['the same as JSON', [[], [one], [], [two, three], []], true, ['[{"who":"one"},', '{"who":"two"},{"who":"three"}]']],
])(
  'a list that comes a page at a time is printed once, whatever its pages are: %s',
  async (_, parts, isJson, lines) => {
    const options: Options = isJson ? { json: true } : {};
    const said = await printed((output) => printPages(output, options, { pages: inParts(parts), columns, none }));
    expect(said).toEqual(lines);
    if (isJson) expect(JSON.parse(said.join('\n'))).toEqual(parts.flat());
  },
);

test('a terminal that has no column is as good as none: nothing is broken', async () => {
  const rows = [{ who: 'somebody with a name of several words' }];
  for (const terminal of [0, undefined])
    expect(await printed((output) => printTable(output, {}, { rows, columns, none }), terminal)).toEqual([
      'WHO',
      'somebody with a name of several words',
    ]);
  expect(await printed((output) => printTable(output, {}, { rows, columns, none }), 20)).toHaveLength(3);
});

test('control characters are escapes in JSON too, and it says the same', async () => {
  const rows = [{ who: 'a\u007fb\u009b31mc\u001b[0m' }];
  const [said = ''] = await printed((output) => printTable(output, { json: true }, { rows, columns, none }));
  expect(said).toMatch(/^[\u0020-\u007e]+$/);
  expect(JSON.parse(said)).toEqual(rows);
});

test('a limit is a number from 1 to 999999, and 100 where none is given', () => {
  expect(limitOf({})).toBe(100);
  for (const [text, count] of [
    ['1', 1],
    ['007', 7],
    ['999999', 999_999],
  ] as const)
    expect(limitOf({ limit: text })).toBe(count);
  for (const text of ['0', '000', '-1', '1.5', '1e3', '1000000', '', ' 5', 'all'])
    expect(() => limitOf({ limit: text }), text).toThrow(/--limit is/);
});

test('of more rows than are wanted it is said that there are more, of as many nothing', () => {
  expect(shownOf([one, two], 2)).toEqual([one, two]);
  expect(complaints).toEqual([]);
  expect(shownOf([one, two], 1)).toEqual([one]);
  expect(complaints.join('')).toContain('Only 1 is shown, and there are more');
});

test('a span of days or hours is counted back from now', () => {
  const now = new Date('2026-05-04T12:00:00Z');
  expect(sinceOf({}, now)).toBeUndefined();
  expect(sinceOf({ since: '36h' }, now)).toEqual(new Date('2026-05-03T00:00:00Z'));
  expect(sinceOf({ since: '2d' }, now)).toEqual(new Date('2026-05-02T12:00:00Z'));
  for (const text of ['2', 'd', '2w', '-2d', '2d ', '123456h', '1.5d'])
    expect(() => sinceOf({ since: text }, now), text).toThrow(/--since is/);
});

const at = new Date('2026-05-04T12:00:00Z');
const status = {
  ...{ version: '0.1.0', at, lastSuccessAt: null, oldestDueAt: null, rotationsLost: 0, openCircuits: [] },
  people: { protected: 2, partly: 0, late: 0, not: 1 },
  paused: { protected: 1, partly: 0, late: 0, not: 0 },
  lateUnderWay: 0,
  peopleAt: at,
  grants: { active: 3 },
  runs: { queued: 0, running: 0 },
  verification: { oldestAt: null, damaged: 0, gone: 0, unverified: 0, pending: 0 },
  ...{ forecast: null, operatorsTold: null },
} as unknown as Status;

function lineOf(over: Partial<Record<keyof Status, unknown>>, begin: string): string | undefined {
  return statusWords({ ...status, ...over } as Status).find((line) => line.startsWith(begin));
}

test.each([
  [{}, 'nobody yet'],
  [{ pending: 4 }, 'nobody yet'],
  [{ oldestAt: at }, "everybody's since 2026-05-04 12:00 UTC"],
  [{ oldestAt: at, pending: 4 }, 'not yet 4; those of others since 2026-05-04 12:00 UTC'],
  [{ oldestAt: at, damaged: 1, unverified: 2 }, "everybody's since 2026-05-04 12:00 UTC; damaged 1; overdue 2"],
  [{ oldestAt: at, damaged: 1, gone: 3 }, "everybody's since 2026-05-04 12:00 UTC; damaged 1; gone 3"],
])('the status says whose snapshots were verified: %j', (over, words) => {
  const verification = { ...status.verification, ...over };
  expect(lineOf({ verification }, 'Verified')).toBe(`Verified              ${words}`);
});

test('the status says how many of those who are late have a backup under way', () => {
  const people = { protected: 2, partly: 0, late: 3, not: 1 };
  const paused = { protected: 0, partly: 0, late: 1, not: 0 };
  const begin = 'People                protected 2, partly 0, late 2';
  expect(lineOf({ people, paused }, 'People')).toContain(`${begin}, not 1, paused`);
  expect(lineOf({ people, paused, lateUnderWay: 1 }, 'People')).toContain(
    `${begin} (1 with a backup under way), not 1, paused`,
  );
});

test('the status says when people were counted, if that was a minute ago or more', () => {
  const people = (peopleAt: string) => lineOf({ peopleAt: new Date(peopleAt) }, 'People');
  expect(people('2026-05-04T11:59:01Z')).not.toContain('as of');
  expect(people('2026-05-04T11:59:00Z')).toMatch(/ \(as of 2026-05-04 11:59 UTC\)$/);
});

test('the status does not call anybody late whose nights are paused', () => {
  expect(lineOf({}, 'People')).toBe('People                protected 2, partly 0, late 0, not 1');
  const figures = { people: { ...status.people, late: 5 }, paused: { ...status.paused, late: 3 } };
  expect(lineOf(figures, 'People')).toBe(
    'People                protected 2, partly 0, late 2, not 1, paused with an older backup 3',
  );
});

test.each(['provider', 'workers'] as const)('the status says that the busiest hours need the %s', (by) => {
  const to = new Date('2026-05-04T16:00:00Z');
  const forecast = { from: at, to, plans: 1, neededMs: 19_000_000, windowMs: 14_400_000, by };
  expect(lineOf({ forecast }, 'Busiest')).toBe(
    `Busiest hours to come 2026-05-04 12:00 UTC to 2026-05-04 16:00 UTC, 1 backup (nights still paused then not counted): 5.3 h needed by the ${by}, 4.0 h there`,
  );
  expect(lineOf({}, 'Busiest')).toBeUndefined();
});
