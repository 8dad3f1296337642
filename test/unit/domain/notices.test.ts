import { describe, expect, test } from 'vitest';
import {
  asOf,
  digestOf,
  idOfNight,
  nextAttempt,
  noticeOfCircuit,
  noticeOfClosedCircuit,
  noticeOfNightOver,
  noticesForPerson,
  noticesOfRepositories,
  tellsTheSame,
} from '../../../src/domain/notices.ts';
import type { Protection } from '../../../src/domain/protection.ts';
import { tallyOf } from '../../support/fixtures/tally-of.ts';

const now = new Date('2026-05-04T12:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);

const protection = (changes: Partial<Protection> = {}): Protection => ({
  verdict: 'not',
  reason: 'ended_at_provider',
  mend: 'agree',
  by: 'person',
  consent: 'ended',
  until: null,
  retry: null,
  pausedSince: null,
  since: inDays(-3),
  runId: null,
  restorable: {
    verifiedAt: null,
    isPending: false,
    isOverdue: false,
    damage: null,
    damagedSince: null,
    healedAt: null,
  },
  ...changes,
});
const noticesOf = (changes: Partial<Protection> = {}, maxDeadline: Date | null = null, at = now) =>
  noticesForPerson({ userId: 'alice', maxDeadline, protection: protection(changes) }, at);
const keyOf = (changes: Partial<Protection>, at = now) => noticesOf(changes, null, at)[0]?.key;

describe('a person is told', () => {
  test('what they can mend, once for each trouble', () => {
    expect(noticesOf()).toEqual([
      {
        key: `person/alice/ended_at_provider/${inDays(-3).toISOString()}`,
        facts: { kind: 'person', verdict: 'not', reason: 'ended_at_provider' },
      },
    ]);
    expect(keyOf({}, inDays(5))).toBe(keyOf({}));
    expect(keyOf({ since: inDays(9) })).not.toBe(keyOf({}));
    expect(keyOf({ since: null, reason: 'no_run', mend: 'back_up' })).toBe('person/alice/no_run/never');
  });

  test('to look at a run, by the run', () => {
    const lost = { verdict: 'partly', reason: 'great_loss', mend: 'look', runId: 'first' } as const;
    expect(keyOf(lost)).toBe('person/alice/great_loss/first');
    expect(keyOf({ ...lost, runId: 'second' })).not.toBe(keyOf(lost));
  });

  test.each([
    [20, undefined],
    [14.5, undefined],
    [13.9, 14],
    [7.1, 8],
    [7, 7],
    [2.1, 3],
    [1.5, 2],
    [0.9, 1],
    [-1, undefined],
  ])('of an end in %d days: that %s are left', (days, left) => {
    const ending = { verdict: 'protected', reason: 'consent_ends', mend: 'renew', consent: 'living' } as const;
    const told = noticesOf(ending, inDays(days)).map(({ facts }) => facts);
    const endsAt = inDays(days).toISOString();
    const facts = { kind: 'person', verdict: 'protected', reason: 'consent_ends', days: left, endsAt } as const;
    expect(told).toEqual(left === undefined ? [] : [facts]);
  });

  test('of an end also where something else is wrong, and before that', () => {
    const lost = { verdict: 'partly', reason: 'great_loss', mend: 'look', consent: 'living', runId: 'first' } as const;
    const late = {
      verdict: 'late',
      reason: 'no_worker',
      mend: 'mend_service',
      by: 'operator',
      consent: 'living',
    } as const;
    const end = `person/alice/consent_ends/${inDays(5).toISOString()}/7`;
    expect(noticesOf(lost, inDays(5)).map(({ key }) => key)).toEqual([end, 'person/alice/great_loss/first']);
    expect(noticesOf(late, inDays(5)).map(({ key }) => key)).toEqual([end]);
    expect(noticesOf({}, inDays(5)).map(({ facts }) => facts)).toMatchObject([{ reason: 'ended_at_provider' }]);
  });

  test.each([
    { by: 'nobody', mend: 'nothing', verdict: 'protected', reason: 'complete' },
    { by: 'nobody', mend: 'wait', verdict: 'late', reason: 'server_away' },
    { by: 'operator', mend: 'mend_service', verdict: 'late', reason: 'no_worker' },
    { by: 'provider', mend: 'mend_account', verdict: 'not', reason: 'account_disabled' },
    { by: 'person', mend: 'agree', verdict: 'not', reason: 'no_consent' },
    { by: 'person', mend: 'agree', verdict: 'not', reason: 'withdrawn' },
  ] as const)('nothing of $reason, which $by mends', (changes) => {
    expect(keyOf(changes)).toBeUndefined();
  });
});

describe('operators are told', () => {
  const waiting = protection({ by: 'operator', mend: 'mend_service', reason: 'server_refuses', verdict: 'late' });

  test('once a day how many people wait for them, and why', () => {
    const late = protection({ by: 'nobody', mend: 'wait', reason: 'server_away', verdict: 'late' });
    const disabled = protection({ by: 'provider', mend: 'mend_account', reason: 'account_disabled' });
    const fine = protection({ by: 'nobody', mend: 'nothing', reason: 'complete', verdict: 'protected' });
    const wanted = protection({ by: 'person', mend: 'renew', reason: 'paused_beyond_consent', verdict: 'late' });
    expect(digestOf(tallyOf([wanted]), '2026-05-03')).toBeUndefined();
    expect(digestOf(tallyOf([waiting, waiting, late, disabled, fine, protection()]), '2026-05-03')).toEqual({
      key: 'digest/2026-05-03',
      facts: {
        kind: 'digest',
        verdicts: { protected: 1, partly: 0, late: 3, not: 2 },
        paused: { protected: 0, partly: 0, late: 0, not: 0 },
        lateUnderWay: 0,
        reasons: { server_refuses: 2, server_away: 1, account_disabled: 1 },
      },
    });
  });

  test('of how many nights are paused until a day, apart from those who are late, since nobody misses their backups', () => {
    const wanted = protection({ by: 'nobody', mend: 'wait', reason: 'paused_until', verdict: 'late' });
    const renewed = protection({ by: 'person', mend: 'renew', reason: 'paused_beyond_consent', verdict: 'late' });
    const byOperator = protection({ by: 'operator', mend: 'mend_service', reason: 'paused', verdict: 'late' });
    const tally = tallyOf([wanted, renewed, byOperator, waiting]);
    expect(digestOf(tally, '2026-05-03')).toMatchObject({ facts: { verdicts: { late: 4 }, paused: { late: 2 } } });
    expect(noticeOfNightOver('2026-05-03', tally)).toMatchObject({ facts: { paused: { late: 2 } } });
  });

  test('how many of those who are late have a backup under way', () => {
    const underWay = protection({ by: 'nobody', mend: 'wait', reason: 'run_under_way', verdict: 'late' });
    const first = protection({ by: 'nobody', mend: 'wait', reason: 'run_under_way', verdict: 'not' });
    const tally = tallyOf([underWay, waiting, first]);
    const facts = { verdicts: { late: 2, not: 1 }, lateUnderWay: 1, reasons: { run_under_way: 1, server_refuses: 1 } };
    expect(digestOf(tally, '2026-05-03')).toMatchObject({ facts });
    expect(noticeOfNightOver('2026-05-03', tally)).toMatchObject({ facts });
  });

  test('of first backups that do not come, though that may pass by itself, but not of those under way', () => {
    const first = (reason: 'server_away' | 'provider_away' | 'run_under_way' | 'run_waits' | 'paused_until') =>
      protection({ by: 'nobody', mend: 'wait', reason, verdict: 'not', consent: 'living' });
    expect(
      digestOf(tallyOf([first('run_under_way'), first('run_waits'), first('paused_until')]), '2026-05-03'),
    ).toBeUndefined();
    expect(
      digestOf(tallyOf([first('server_away'), first('server_away'), first('provider_away')]), '2026-05-03'),
    ).toMatchObject({
      facts: { verdicts: { not: 3 }, reasons: { server_away: 2, provider_away: 1 } },
    });
  });

  test('nothing where everybody is well or can help themselves', () => {
    expect(digestOf(tallyOf([]), '2026-05-03')).toBeUndefined();
    expect(digestOf(tallyOf([protection()]), '2026-05-03')).toBeUndefined();
  });

  test('of each time that a circuit opens', () => {
    const keys = [now, inDays(1)].map((openedAt) => noticeOfCircuit({ issuer: 'https://id.example/', openedAt }).key);
    expect(new Set(keys).size).toBe(2);
  });
});

test('what was not delivered is tried again for a day, ever more slowly', () => {
  const pauses = [1, 2, 3, 4, 5, 6].map(
    (failures) => (nextAttempt({ kind: 'digest' }, failures, now)?.getTime() ?? 0) - now.getTime(),
  );
  expect(pauses).toEqual(pauses.toSorted((one, other) => one - other));
  expect(pauses.reduce((sum, pause) => sum + pause)).toBeGreaterThan(18 * 3_600_000);
  expect(nextAttempt({ kind: 'digest' }, 7, now)).toBeUndefined();
});

test("a night's beginning is tried twice within minutes, and not once its end may have come", () => {
  const [again, never] = [1, 2].map((failures) => nextAttempt({ kind: 'night_begun' }, failures, now));
  expect((again?.getTime() ?? 0) - now.getTime()).toBe(60_000);
  expect(never).toBeUndefined();
});

test('beginning and end of a night share a UUID, and no other night has it', () => {
  expect(idOfNight('2026-05-03')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(idOfNight('2026-05-03')).toBe(idOfNight('2026-05-03'));
  expect(idOfNight('2026-05-03')).not.toBe(idOfNight('2026-05-04'));
});

describe('damage', () => {
  const sound = {
    verifiedAt: now,
    isPending: false,
    isOverdue: false,
    damage: null,
    damagedSince: null,
    healedAt: null,
  };
  const damaged = { ...sound, damage: 'healing', damagedSince: inDays(-1) } as const;
  const partly = { verdict: 'partly', mend: 'mend_service', by: 'operator', consent: 'living' } as const;

  test('is told to its person once, though others mend it, and again once it is lost', () => {
    const found = protection({ ...partly, reason: 'damaged', restorable: damaged });
    const key = `person/alice/damaged/${inDays(-1).toISOString()}`;
    expect(keyOf(found)).toBe(key);
    expect(keyOf({ ...found, since: inDays(3) })).toBe(key);
    expect(keyOf({ ...found, restorable: { ...damaged, damagedSince: now } })).not.toBe(key);
    const lost = { ...found, mend: 'look', by: 'person', reason: 'lost' } as const;
    expect(noticesOf(lost)).toEqual([
      {
        key: `person/alice/lost/${inDays(-1).toISOString()}`,
        facts: { kind: 'person', verdict: 'partly', reason: 'lost' },
      },
    ]);
    expect(keyOf({ ...found, mend: 'renew_key', by: 'person', reason: 'key_damaged' })).toMatch(
      /^person.alice.key_damaged./,
    );
    expect(
      noticesOf({ ...partly, reason: 'repository_damaged', restorable: { ...damaged, damage: 'mending' } }),
    ).toEqual([]);
  });

  test('that was healed is told for a day, unless something else is damaged by then', () => {
    const well = { ...partly, verdict: 'protected', reason: 'complete', mend: 'nothing', by: 'nobody' } as const;
    const restorable = { ...sound, healedAt: inDays(-0.5) };
    expect(noticesOf({ ...well, restorable })).toEqual([
      { key: `person/alice/healed/${inDays(-0.5).toISOString()}`, facts: { kind: 'healed' } },
    ]);
    expect(noticesOf({ ...well, restorable }, null, inDays(0.5))).toEqual([]);
    expect(noticesOf({ ...well, restorable: { ...damaged, damage: 'accepted', healedAt: now } })).toEqual([]);
  });

  test('that nobody looked for is told to its person once, whatever else is wrong, and again only after another verification', () => {
    const overdue = { ...sound, isOverdue: true, verifiedAt: inDays(-3) };
    const well = { ...partly, verdict: 'protected', reason: 'unverified', restorable: overdue } as const;
    const facts = { kind: 'person', verdict: 'protected', reason: 'unverified' };
    expect(noticesOf(well)).toEqual([{ key: `person/alice/unverified/${inDays(-3).toISOString()}`, facts }]);
    expect(noticesOf(well, null, inDays(2))).toEqual(noticesOf(well));
    expect(noticesOf({ restorable: overdue }).map((notice) => notice.facts)).toMatchObject([
      { reason: 'ended_at_provider' },
      { reason: 'unverified' },
    ]);
    expect(keyOf({ ...well, restorable: { ...overdue, verifiedAt: now } })).not.toBe(keyOf(well));
    expect(keyOf({ ...well, restorable: { ...overdue, verifiedAt: null } })).toBe('person/alice/unverified/never');
  });

  test('of so many is told to operators with every new one, that it was healed, and each day that repositories are not verified', () => {
    const nobody = {
      ...{ damaged: 0, newestDamage: null, gone: 0, newestGone: null, healed: 0, newestHealing: null },
      ...{ back: 0, newestBack: null, backFrom: null, unverified: 0 },
    };
    const of = (some: Partial<typeof nobody> | object) => noticesOfRepositories({ ...nobody, ...some }, '2026-05-04');
    expect(of({})).toEqual([]);
    const damagedPeople = { damaged: 2, newestDamage: inDays(-1) };
    expect(of(damagedPeople)).toEqual([
      {
        key: `repositories/damaged/${inDays(-1).toISOString()}`,
        facts: { kind: 'repositories', are: 'damaged', people: 2 },
      },
    ]);
    expect(of({ damaged: 1, newestDamage: now })[0]?.key).not.toBe(of(damagedPeople)[0]?.key);
    expect(of({ healed: 1, newestHealing: now, unverified: 1 }).map(({ facts }) => facts)).toEqual([
      { kind: 'repositories', are: 'healed', people: 1 },
      { kind: 'repositories', are: 'unverified', people: 1 },
    ]);
    expect(of({ gone: 3, newestGone: now })).toEqual([
      { key: `repositories/gone/${now.toISOString()}`, facts: { kind: 'repositories', are: 'gone', people: 3 } },
    ]);
    expect(of({ unverified: 1 })[0]?.key).toBe('repositories/unverified/2026-05-04');
  });
});

test('what tells of an end says how many days are left when it is delivered, not when it was raised', () => {
  const facts = { kind: 'person', verdict: 'protected', reason: 'consent_ends', days: 2 } as const;
  const ending = { ...facts, endsAt: inDays(2).toISOString() };
  expect(asOf(ending, now)).toEqual(ending);
  expect(asOf(ending, inDays(1.2))).toEqual({ ...ending, days: 1 });
  expect(asOf(ending, inDays(2.5))).toEqual({ ...ending, days: 0 });
  expect(asOf(facts, inDays(1))).toEqual(facts);
});

test('two ends of a consent are two things to tell, and so are two troubles; the same of either is one', () => {
  const ending = (endsAt: string) =>
    ({ kind: 'person', verdict: 'protected', reason: 'consent_ends', days: 7, endsAt }) as const;
  const trouble = (reason: 'signed_out' | 'unreadable') => ({ kind: 'person', verdict: 'not', reason }) as const;
  expect(tellsTheSame(ending('2026-05-11T00:00:00Z'), ending('2026-05-11T00:00:00Z'))).toBe(true);
  expect(tellsTheSame(ending('2026-05-11T00:00:00Z'), ending('2026-08-11T00:00:00Z'))).toBe(false);
  expect(tellsTheSame(trouble('signed_out'), trouble('signed_out'))).toBe(true);
  expect(tellsTheSame(trouble('signed_out'), trouble('unreadable'))).toBe(false);
  expect(tellsTheSame({ kind: 'healed' }, { kind: 'healed' })).toBe(true);
  expect(tellsTheSame({ kind: 'healed' }, trouble('unreadable'))).toBe(false);
});

test('that a circuit closed is told beside that it opened, each once', () => {
  const circuit = { issuer: 'https://id.example', openedAt: inDays(-1) };
  const opened = noticeOfCircuit(circuit);
  const closed = noticeOfClosedCircuit({ ...circuit, closedAt: now });
  expect(closed.facts).toEqual({ kind: 'circuit', issuer: circuit.issuer, openMs: 86_400_000 });
  expect(closed.key).not.toBe(opened.key);
  expect(noticeOfClosedCircuit({ ...circuit, openedAt: inDays(-2), closedAt: now }).key).not.toBe(closed.key);
});
