import { expect, test } from 'vitest';
import { checkRowSeals } from '../../../src/doctor/checks/row-seals.ts';

test('rows that were changed are named with whose they are, and with the cure', () => {
  expect(checkRowSeals([]).state).toBe('ok');
  const found = checkRowSeals(['plans: 5f', 'people: 5f']);
  expect(found).toMatchObject({ state: 'wrong', cure: expect.stringContaining('nightkeep keys confirm') });
  expect(found.finding).toContain('2 rows are not as Nightkeep left them (plans: 5f, people: 5f)');
});
