import { expect, test } from 'vitest';
import { checkRowMarks } from '../../../src/doctor/checks/row-marks.ts';
import { checkRowSeals } from '../../../src/doctor/checks/row-seals.ts';

test('rows that were changed are named with whose they are, and with the cure', () => {
  expect(checkRowSeals({ broken: [], rows: 6, isAll: true }).state).toBe('ok');
  const found = checkRowSeals({ broken: ['plans: 5f', 'people: 5f'], rows: 6, isAll: true });
  expect(found).toMatchObject({ state: 'wrong', cure: expect.stringContaining('nightkeep keys confirm') });
  expect(found.finding).toContain('2 rows are not as Nightkeep left them (plans: 5f, people: 5f)');
});

test('a sample is said to be one, with the command that looks at all', () => {
  const sample = { rows: 30_000, isAll: false };
  for (const broken of [[], ['plans: 5f']]) {
    const { finding } = checkRowSeals({ broken, ...sample });
    expect(finding).toMatch(/^Of 30000 rows that were looked at, a random sample: /);
    expect(finding).toContain('nightkeep keys confirm looks at all of them');
  }
});

test('older rows that were put back are named with whose they are, and with the cure for one and for all', () => {
  expect(checkRowMarks([]).state).toBe('ok');
  const found = checkRowMarks([{ userId: '5f', older: ['people', 'repositories'] }]);
  expect(found).toMatchObject({ state: 'wrong', cure: expect.stringContaining('--all') });
  expect(found.finding).toContain('The rows of 1 person are older than they were (5f: people, repositories)');
});
