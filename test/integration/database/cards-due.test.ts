import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  findCardRow,
  listCardsDue,
  saveCardSeen,
  saveCardsOfOtherKeysDue,
} from '../../../src/database/repositories/cards.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { type NightFixture, openNightFixture } from '../../support/harness/nights.ts';

const at = new Date('2026-05-04T01:00:00Z');
const later = new Date('2026-05-11T01:00:00Z');

let fixture: NightFixture;
let mine: { id: string; userId: string };
beforeAll(async () => {
  fixture = await openNightFixture();
  const { database } = fixture.resources;
  for (const statement of fillWithPlans({ plans: 3, nights: 1, at })) await database.$executeRawUnsafe(statement);
  mine = await database.repository.findFirstOrThrow({ where: { user: { subject: '2' } } });
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  await fixture.resources.database.repository.updateMany({ data: { cardDueAt: later } });
});

async function due(moment = at): Promise<string[]> {
  const after = { cardDueAt: new Date(-1), id: '00000000-0000-0000-0000-000000000000' };
  const rows = await listCardsDue(fixture.resources.database, { at: moment, after, limit: 10 });
  return rows.map(({ id }) => id);
}
const change = (statement: string) =>
  fixture.resources.database.$executeRawUnsafe(statement.replaceAll('$person', `'${mine.userId}'`));
const ofPerson = 'WHERE plan_id IN (SELECT id FROM plans WHERE user_id = $person)';

describe('the card of a person is due, and nobody else’s, once', () => {
  test.each([
    `UPDATE users SET issuer = 'https://moved.example' WHERE id = $person`,
    `UPDATE users SET subject = 'other' WHERE id = $person`,
    `UPDATE users SET username = 'other' WHERE id = $person`,
    `UPDATE users SET username = NULL WHERE id = $person`,
    `UPDATE repositories SET created_at = created_at - interval '1 day' WHERE user_id = $person`,
    `UPDATE repositories SET location = 'elsewhere' WHERE user_id = $person`,
    `UPDATE repositories SET store = 's3://other' WHERE user_id = $person`,
    `UPDATE repositories SET sealed_password = decode('01', 'hex') WHERE user_id = $person`,
    `UPDATE repositories SET recovery_key_file = 'other' WHERE user_id = $person`,
    `UPDATE repositories SET recovery_kept_at = NULL WHERE user_id = $person`,
    `UPDATE repositories SET erase_at = '2199-01-01' WHERE user_id = $person`,
    `UPDATE repositories SET former_plan = '{"zone": "UTC"}' WHERE user_id = $person`,
    `UPDATE repositories SET card_digest = NULL WHERE user_id = $person`,
    `UPDATE plans SET zone = 'Europe/Berlin' WHERE user_id = $person`,
    `UPDATE plans SET window_start = '05:00' WHERE user_id = $person`,
    `UPDATE plans SET window_end = '06:00' WHERE user_id = $person`,
    `UPDATE plans SET retention = '{"daily": 1}' WHERE user_id = $person`,
    `UPDATE plans SET retention_agreed_at = NULL WHERE user_id = $person`,
    `UPDATE runs SET alarm = 'loss' ${ofPerson}`,
    `UPDATE runs SET snapshot_id = 'other' ${ofPerson}`,
    `UPDATE runs SET held_snapshot_id = 'other' ${ofPerson}`,
    `UPDATE runs SET alarm_seen_at = now() ${ofPerson}`,
    `DELETE FROM runs ${ofPerson}`,
    `INSERT INTO runs (id, plan_id, night, trigger, state, alarm, due_at, queued_at)
      SELECT gen_random_uuid(), id, '2026-05-09', 'schedule', 'partial', 'loss', now(), now() FROM plans WHERE user_id = $person`,
    'DELETE FROM plans WHERE user_id = $person',
    `INSERT INTO plans (id, user_id, grant_id, sources, zone, window_start, window_end, retention, next_night, next_due_at, created_at)
      SELECT gen_random_uuid(), user_id, id, '[]', 'UTC', '01:00', '05:00', '{}', '2026-05-05', now(), now() FROM grants WHERE user_id = $person`,
  ])('%s', async (statement) => {
    expect(await due()).toEqual([]);
    expect(await change(statement)).toBeGreaterThan(0);
    expect(await due()).toEqual([mine.id]);
  });
});

test.each([
  `UPDATE users SET email = 'other@example.org', last_signed_in_at = now()`,
  `UPDATE plans SET next_night = '2026-05-09', next_due_at = now(), paused = true`,
  `UPDATE runs SET state = 'running', snapshot_id = 'another', finished_at = now() WHERE alarm IS NULL`,
  'UPDATE repositories SET pruned_at = now(), retained_at = now(), checkpoint = NULL',
])('what it does not say makes none due: %s', async (statement) => {
  expect(await change(statement)).toBeGreaterThan(0);
  expect(await due()).toEqual([]);
});

test('it is due again a while after somebody saw it', async () => {
  expect(await due(new Date(later.getTime() - 1))).toEqual([]);
  expect(await due(later)).toHaveLength(3);
});

test('it stays due where something was changed between reading and writing', async () => {
  const { database } = fixture.resources;
  const row = await findCardRow(database, mine.id);
  if (row === null) throw new Error('There is none.');
  await change(`UPDATE users SET username = 'meanwhile' WHERE id = $person`);
  await saveCardSeen(database, { row, dueAt: later });
  expect(await due()).toEqual([mine.id]);
});

test('cards of other keys are due, and only those', async () => {
  const { database } = fixture.resources;
  await saveCardsOfOtherKeysDue(database, 'one');
  expect(await due()).toEqual([]);
  await database.repository.update({ where: { id: mine.id }, data: { cardKeyId: 'zero' } });
  await saveCardsOfOtherKeysDue(database, 'one');
  expect(await due()).toEqual([mine.id]);
  await saveCardsOfOtherKeysDue(database, 'zero');
  expect(await due()).toHaveLength(3);
});
