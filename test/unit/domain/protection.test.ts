import { describe, expect, test } from 'vitest';
import { judgeProtection, type Protection } from '../../../src/domain/protection.ts';
import type { ProtectionFacts } from '../../../src/domain/protection-facts.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';

/** Between two windows of 01:00 to 05:00 in Berlin, which is two hours ahead of UTC. */
const now = new Date('2026-05-10T10:00:00Z');
const lastNight = new Date('2026-05-09T23:30:00Z');
const nightBefore = new Date('2026-05-08T23:30:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);

type Consent = NonNullable<ProtectionFacts['consent']>;
type UnderWay = NonNullable<ProtectionFacts['underWay']>;

const consent: Consent = {
  state: 'active',
  reason: null,
  idleDeadline: later(30 * dayMs),
  maxDeadline: null,
  nextExchangeAt: later(7 * dayMs),
};
const plan = {
  zone: 'Europe/Berlin',
  windowStart: '01:00',
  windowEnd: '05:00',
  paused: false,
  pausedUntil: null,
  nextDueAt: new Date('2026-05-10T23:40:00Z'),
  sources: 1,
};
const well: ProtectionFacts = {
  consent,
  circuitOpen: false,
  plan,
  complete: { id: 'complete', endedAt: lastNight },
  partial: null,
  failed: null,
  underWay: null,
  workersUntil: null,
  nightPausedAt: null,
  alarm: null,
  verification: null,
};
const sound = {
  since: later(-30 * dayMs),
  verifiedAt: later(-dayMs),
  checkedAt: later(-dayMs),
  damage: null,
  damagedSince: null,
  healedAt: null,
};
const queued: UnderWay = {
  id: 'next',
  state: 'queued',
  dueAt: later(minuteMs),
  leaseUntil: null,
  errorCode: null,
  triedUntil: later(dayMs / 8),
};
const running: UnderWay = { ...queued, state: 'running', dueAt: later(-minuteMs), leaseUntil: later(minuteMs) };
const failed = (errorCode: string | null, endedAt = later(-minuteMs)) => ({ id: 'failed', endedAt, errorCode });
const judge = (over: Partial<ProtectionFacts> = {}, at = now) => judgeProtection({ ...well, ...over }, at);
const suspect = (reason: string, nextExchangeAt = later(minuteMs)): Consent => ({
  ...consent,
  state: 'suspect',
  reason,
  nextExchangeAt,
});
const ended = (reason: string | null): Consent => ({ ...consent, state: 'needs_consent', reason });

describe('a person is', () => {
  test('protected by a complete run in the last window, until the next one has passed without', () => {
    expect(judge()).toEqual({
      verdict: 'protected',
      reason: 'complete',
      mend: 'nothing',
      by: 'nobody',
      consent: 'living',
      until: null,
      retry: null,
      pausedSince: null,
      since: lastNight,
      runId: null,
      restorable: {
        verifiedAt: null,
        isPending: false,
        isOverdue: false,
        damage: null,
        damagedSince: null,
        healedAt: null,
      },
    });
    const end = new Date('2026-05-11T03:00:00Z');
    expect(judge({}, new Date(end.getTime() - 1)).verdict).toBe('protected');
    expect(judge({}, end).verdict).toBe('late');
  });

  test('late as soon as the window of the plan has passed in its own zone, however long or short that is', () => {
    const tokyo = { ...plan, zone: 'Asia/Tokyo', windowStart: '22:00', windowEnd: '02:00' };
    const complete = { id: 'complete', endedAt: new Date('2026-05-09T12:59:00Z') };
    expect(judge({ plan: tokyo, complete }, new Date('2026-05-09T16:59:00Z')).verdict).toBe('protected');
    expect(judge({ plan: tokyo, complete }, new Date('2026-05-09T17:00:00Z')).verdict).toBe('late');
    const allDay = { ...plan, windowStart: '12:00', windowEnd: '12:00' };
    expect(
      judge({ plan: allDay, complete: { id: 'complete', endedAt: new Date('2026-05-09T10:01:00Z') } }).verdict,
    ).toBe('protected');
    expect(
      judge({ plan: allDay, complete: { id: 'complete', endedAt: new Date('2026-05-09T09:59:00Z') } }).verdict,
    ).toBe('late');
  });

  test('protected again by a run that caught up after the window', () => {
    expect(
      judge({ complete: { id: 'complete', endedAt: later(-minuteMs) }, failed: failed('internal', lastNight) }),
    ).toMatchObject({
      verdict: 'protected',
      reason: 'complete',
    });
  });

  test.each([
    ['healing', 'damaged', 'mend_service', 'operator'],
    ['mending', 'repository_damaged', 'mend_service', 'operator'],
    ['lost', 'lost', 'look', 'person'],
    ['removed', 'snapshots_removed', 'look', 'person'],
    ['key', 'key_damaged', 'renew_key', 'person'],
  ] as const)(
    'partly protected where damage is known and %s, whatever the last night was',
    (damage, reason, mend, by) => {
      const verification = { ...sound, verifiedAt: null, damage, damagedSince: lastNight };
      const restorable = { damage, damagedSince: lastNight, isOverdue: false };
      expect(judge({ verification })).toMatchObject({
        verdict: 'partly',
        reason,
        mend,
        by,
        since: lastNight,
        restorable,
      });
      const alarm = { id: 'alarm', endedAt: lastNight, kind: 'loss' as const };
      expect(judge({ verification, alarm })).toMatchObject({ verdict: 'partly', reason, runId: null });
      expect(judge({ verification, complete: { id: 'complete', endedAt: nightBefore } }).verdict).toBe('late');
      expect(judge({ verification, consent: null }).verdict).toBe('not');
    },
  );

  test.each(['accepted', 'superseded'] as const)('protected where what is damaged is %s', (damage) => {
    expect(judge({ verification: { ...sound, damage, damagedSince: lastNight } })).toMatchObject({
      verdict: 'protected',
      reason: 'complete',
    });
  });

  test('not protected where the repository is gone, until a night has opened it and brought a snapshot', () => {
    const verification = { ...sound, damage: 'gone' as const, damagedSince: lastNight };
    expect(judge({ verification })).toMatchObject({
      ...{ verdict: 'not', reason: 'repository_gone', mend: 'mend_service', by: 'operator', consent: 'living' },
      since: lastNight,
    });
    expect(
      judge({ verification, complete: { id: 'complete', endedAt: new Date(lastNight.getTime() + 1) } }),
    ).toMatchObject({
      verdict: 'protected',
      reason: 'complete',
    });
    expect(judge({ verification, complete: null }).reason).toBe('repository_gone');
    expect(judge({ verification: { ...verification, damagedSince: null } }).verdict).toBe('not');
  });

  test('not protected where there is nothing to fetch, and told that their consent lives', () => {
    for (const nothing of [null, { ...plan, sources: 0 }])
      expect(judge({ plan: nothing })).toMatchObject({
        ...{ verdict: 'not', reason: 'nothing_to_fetch', by: 'operator', consent: 'living' },
      });
  });

  test('told of an end of their consent from fourteen days before it on', () => {
    const ending = (ms: number) => judge({ consent: { ...consent, maxDeadline: later(ms) } });
    expect(ending(14 * dayMs + 1).reason).toBe('complete');
    expect(ending(14 * dayMs)).toMatchObject({
      ...{ verdict: 'protected', reason: 'consent_ends', mend: 'renew', by: 'person', until: later(14 * dayMs) },
    });
  });

  test.each([
    ['account_disabled', 'account_disabled', 'provider'],
    ['permission_missing', 'permission_missing', 'provider'],
    ['ended_at_provider', 'consent_refused', 'nobody'],
    ['a word of a later version', 'consent_refused', 'nobody'],
  ] as const)('protected so far, where a consent that is asked again was refused: %s', (word, reason, by) => {
    expect(judge({ consent: suspect(word) })).toMatchObject({ verdict: 'protected', reason, by, consent: 'living' });
  });

  test('told why runs fail while none is being worked on, also where a worker left one', () => {
    const faults = { failed: failed('store/unavailable') };
    expect(judge({ ...faults, underWay: running }).reason).toBe('complete');
    expect(judge({ ...faults, underWay: { ...running, leaseUntil: now } }).reason).toBe('store_trouble');
    expect(judge({ ...faults, underWay: { ...running, leaseUntil: null } }).reason).toBe('store_trouble');
  });

  test('told when a run that failed is tried again, and not of one that only waits', () => {
    const waiting = { ...queued, errorCode: 'source/unavailable' };
    expect(judge({ underWay: waiting }).retry).toEqual({ at: queued.dueAt, until: queued.triedUntil });
    expect(judge({ underWay: queued }).retry).toBe(null);
    expect(judge({ underWay: { ...waiting, dueAt: now } }).retry).toBe(null);
    expect(judge({ underWay: { ...running, errorCode: 'source/unavailable' } }).retry).toBe(null);
  });

  test('told that their snapshots are still to be verified, once there are some and as long as nobody ever looked', () => {
    const never = { ...sound, verifiedAt: null, checkedAt: null };
    const isPending = (facts: Partial<ProtectionFacts>) => judge(facts).restorable.isPending;
    expect(isPending({ verification: never })).toBe(true);
    expect(isPending({ verification: never, complete: null })).toBe(false);
    expect(isPending({ verification: { ...never, checkedAt: lastNight } })).toBe(false);
    expect(isPending({ verification: { ...never, verifiedAt: lastNight } })).toBe(false);
  });

  test('told of known damage alone, and not that nobody has verified it since', () => {
    const verification = {
      ...sound,
      damage: 'healing' as const,
      damagedSince: later(-9 * dayMs),
      checkedAt: later(-9 * dayMs),
    };
    expect(judge({ verification }).restorable).toMatchObject({ damage: 'healing', isOverdue: false });
  });

  test('told, though protected, that nobody has verified it for three days, counted from its beginning where nobody ever did', () => {
    const verdictAfter = (verifiedAt: Date | null, since: Date) =>
      judge({ verification: { ...sound, since, verifiedAt } });
    expect(verdictAfter(later(-3 * dayMs + 1), later(-90 * dayMs)).reason).toBe('complete');
    expect(verdictAfter(later(-3 * dayMs), later(-90 * dayMs))).toMatchObject({
      ...{ verdict: 'protected', reason: 'unverified', mend: 'mend_service', by: 'operator' },
      restorable: { isOverdue: true },
    });
    expect(verdictAfter(null, later(-3 * dayMs + 1)).reason).toBe('complete');
    expect(verdictAfter(null, later(-3 * dayMs)).reason).toBe('unverified');
    const verification = { ...sound, verifiedAt: null };
    expect(judge({ verification, complete: null }).restorable.isOverdue).toBe(false);
  });

  test.each(['accepted', 'superseded'] as const)(
    'told that nobody has verified it for three days also where what is damaged is %s, counted from the last time that somebody did',
    (damage) => {
      const known = { ...sound, damage, damagedSince: later(-9 * dayMs), verifiedAt: later(-9 * dayMs) };
      const reasonOf = (checkedAt: Date) => judge({ verification: { ...known, checkedAt } }).reason;
      expect(reasonOf(later(-3 * dayMs + 1))).toBe('complete');
      expect(reasonOf(later(-3 * dayMs))).toBe('unverified');
    },
  );

  test('partly protected since the last complete run where the newest could not read everything', () => {
    const partial = { id: 'partial', endedAt: lastNight };
    const complete = { id: 'complete', endedAt: nightBefore };
    expect(judge({ partial, complete })).toMatchObject({
      verdict: 'partly',
      reason: 'unreadable',
      mend: 'look',
      by: 'person',
      since: nightBefore,
      runId: 'partial',
    });
    expect(judge({ partial, complete: null })).toMatchObject({ verdict: 'partly', since: null });
    expect(judge({ partial: { ...partial, endedAt: nightBefore } })).toMatchObject({ verdict: 'protected' });
  });

  test('partly protected after a great loss or change until somebody has looked, also when later runs went well', () => {
    const alarm = { id: 'alarm', endedAt: nightBefore, kind: 'loss' as const };
    expect(judge({ alarm })).toMatchObject({
      verdict: 'partly',
      reason: 'great_loss',
      by: 'person',
      since: nightBefore,
      runId: 'alarm',
    });
    expect(judge({ alarm: { ...alarm, kind: 'change' } }).reason).toBe('great_change');
    expect(judge({ alarm: { ...alarm, kind: 'root' } }).reason).toBe('root_gone');
  });

  test('not protected before the first snapshot, which may be under way, waiting or failed', () => {
    const none = { complete: null, partial: null };
    expect(judge({ ...none, underWay: running })).toMatchObject({
      verdict: 'not',
      reason: 'run_under_way',
      by: 'nobody',
    });
    expect(judge({ ...none, underWay: queued })).toMatchObject({ reason: 'run_waits', until: queued.dueAt });
    expect(judge({ ...none, failed: failed('source/not-found') })).toMatchObject({
      verdict: 'not',
      reason: 'address_wrong',
      by: 'operator',
      runId: 'failed',
    });
    expect(judge({ ...none })).toMatchObject({ verdict: 'not', reason: 'no_run', mend: 'back_up', since: null });
  });

  test.each([
    [null, 'no_consent', 'person'],
    [ended('signed_out'), 'signed_out', 'person'],
    [ended('account_disabled'), 'account_disabled', 'provider'],
    [ended('permission_missing'), 'permission_missing', 'provider'],
    [ended('a word of a later version'), 'consent_ended', 'person'],
    [ended(null), 'consent_ended', 'person'],
    [{ ...consent, state: 'withdrawn', reason: 'withdrawn' }, 'withdrawn', 'person'],
    [{ ...consent, state: 'withdrawn', reason: 'back_channel_logout' }, 'back_channel_logout', 'person'],
    [suspect('expired_idle'), 'expired_idle', 'person'],
    [suspect('interaction_required'), 'interaction_required', 'person'],
    [{ ...consent, maxDeadline: now }, 'expired_maximum', 'person'],
  ] as const)('not protected any longer once consent is gone: %j', (gone, reason, by) => {
    expect(judge({ consent: gone })).toMatchObject({
      verdict: 'not',
      reason,
      by,
      since: lastNight,
      consent: gone === null ? 'none' : 'ended',
    });
  });

  test.each([
    ['source/unavailable', 'server_away', 'nobody'],
    ['source/too-slow', 'server_away', 'nobody'],
    ['source/forbidden', 'server_refuses', 'operator'],
    ['source/malformed', 'address_wrong', 'operator'],
    ['source/foreign-origin', 'address_refused', 'operator'],
    ['source/refused-redirect', 'address_wrong', 'operator'],
    ['config/invalid', 'address_wrong', 'operator'],
    ['grant/not-usable', 'consent_refused', 'nobody'],
    ['grant/busy', 'consent_in_use', 'nobody'],
    ['provider/unavailable', 'provider_away', 'nobody'],
    ['provider/refused-client', 'provider_trouble', 'operator'],
    ['repository/locked', 'repository_locked', 'nobody'],
    ['store/unavailable', 'store_trouble', 'operator'],
    ['store/full', 'store_full', 'operator'],
    ['run/out-of-time', 'time_over', 'nobody'],
    ['internal', 'service_trouble', 'operator'],
    [null, 'service_trouble', 'operator'],
  ] as const)('late, or protected so far, because of a run that failed: %s', (code, reason, by) => {
    const until = by === 'nobody' ? plan.nextDueAt : null;
    const late = { complete: { id: 'complete', endedAt: nightBefore }, failed: failed(code, lastNight) };
    expect(judge(late)).toMatchObject({ verdict: 'late', reason, by, until, since: nightBefore, runId: 'failed' });
    expect(judge({ failed: failed(code) })).toMatchObject({ verdict: 'protected', reason, by, until });
    const waiting = { ...queued, errorCode: code ?? 'internal', dueAt: later(2 * minuteMs) };
    expect(judge({ underWay: waiting })).toMatchObject({ reason, until: by === 'nobody' ? waiting.dueAt : null });
  });
});

describe('where several things are wrong, what wins is', () => {
  const late = { complete: { id: 'complete', endedAt: nightBefore } };
  const everything: Partial<ProtectionFacts> = {
    ...late,
    circuitOpen: true,
    plan: { ...plan, paused: true, nextDueAt: later(-dayMs) },
    partial: { id: 'partial', endedAt: new Date(nightBefore.getTime() - dayMs) },
    failed: failed('store/unavailable'),
    alarm: { id: 'alarm', endedAt: nightBefore, kind: 'loss' },
  };
  const unused = { ...suspect('ended_at_provider'), idleDeadline: later(-minuteMs) };
  const unpaused = { ...plan, nextDueAt: later(-dayMs) };

  test.each([
    ['consent that is gone', { ...everything, consent: ended('signed_out') }, 'signed_out'],
    ['a pause', everything, 'paused'],
    ['a pause while refusals prove nothing', { ...everything, consent: unused }, 'paused'],
    [
      'a refusal, which no end of a pause mends',
      { ...everything, circuitOpen: false, consent: unused },
      'consent_refused',
    ],
    [
      'a consent that nobody keeps alive in a pause',
      { ...everything, circuitOpen: false, consent: { ...unused, state: 'active', reason: null } },
      'consent_unused',
    ],
    ['trouble with the provider', { ...everything, plan: unpaused, consent: unused }, 'provider_trouble'],
    ['a refusal', { ...everything, plan: unpaused, circuitOpen: false, consent: unused }, 'consent_refused'],
    [
      'a consent that nobody keeps alive',
      { ...everything, plan: unpaused, circuitOpen: false, consent: { ...unused, state: 'active', reason: null } },
      'consent_unused',
    ],
    ['the fault of the last run', { ...everything, plan: unpaused, circuitOpen: false }, 'store_trouble'],
    ['a worker that is missing', { ...late, plan: unpaused }, 'no_worker'],
    ['a run that nobody takes', { ...late, underWay: { ...queued, dueAt: later(-15 * minuteMs) } }, 'no_worker'],
    [
      'a run whose worker is gone',
      { ...late, underWay: { ...running, leaseUntil: later(-15 * minuteMs) } },
      'no_worker',
    ],
    ['a run under way', { ...late, failed: failed('store/unavailable'), underWay: running }, 'run_under_way'],
  ] as const)('%s', (_, facts, reason) => {
    expect(judge(facts).reason).toBe(reason);
  });

  test('a pause that the person asked for promises nights again only where their consent lasts as long', () => {
    const paused = { ...plan, paused: true, pausedUntil: later(30 * dayMs) };
    const until = (maxDeadline: Date) => judge({ plan: paused, consent: { ...consent, maxDeadline } });
    expect(until(later(31 * dayMs))).toMatchObject({ reason: 'paused_until', by: 'nobody', until: later(30 * dayMs) });
    const before = { reason: 'paused_beyond_consent', mend: 'renew', by: 'person', until: later(29 * dayMs) };
    expect(until(later(29 * dayMs))).toMatchObject({ verdict: 'protected', ...before });
  });

  test('a worker that is missing over a fault that passes by itself: nobody is told of a moment that is over', () => {
    const away = { ...late, failed: failed('source/unavailable') };
    const trying = { ...queued, errorCode: 'source/unavailable' };
    expect(judge({ ...away, plan: unpaused })).toMatchObject({ reason: 'no_worker', by: 'operator', until: null });
    expect(judge({ ...away, plan: { ...plan, nextDueAt: later(-minuteMs) } })).toMatchObject({
      reason: 'server_away',
      until: null,
    });
    const silent = { ...trying, dueAt: later(-15 * minuteMs) };
    expect(judge({ ...late, underWay: silent })).toMatchObject({ reason: 'no_worker', until: null, retry: null });
    expect(judge({ ...late, underWay: silent, workersUntil: later(minuteMs) })).toMatchObject({
      reason: 'server_away',
      until: null,
      retry: null,
    });
    expect(judge({ consent: suspect('unclear', later(-minuteMs)) })).toMatchObject({
      reason: 'consent_refused',
      until: null,
    });
  });

  test('nothing, where a run waits behind those that workers are busy with: it has its turn soon', () => {
    const waiting = { ...queued, dueAt: later(-4 * hourMs) };
    const busy = { underWay: waiting, workersUntil: later(minuteMs) };
    expect(judge(busy)).toMatchObject({ verdict: 'protected', reason: 'complete' });
    expect(judge({ ...late, ...busy })).toMatchObject({ reason: 'run_waits', mend: 'wait', until: null });
    expect(judge({ ...busy, workersUntil: now }).reason).toBe('no_worker');
    expect(judge({ plan: unpaused, workersUntil: later(minuteMs) }).reason).toBe('no_worker');
    const left = { ...running, leaseUntil: later(-15 * minuteMs) };
    expect(judge({ underWay: left, workersUntil: later(minuteMs) }).reason).toBe('no_worker');
  });

  test('a night that operators paused for everybody, of what is due meanwhile: over a missing or busy worker, and faults of runs', () => {
    const since = later(-12 * hourMs);
    const due = { ...queued, dueAt: later(-minuteMs) };
    for (const facts of [
      { plan: { ...plan, nextDueAt: now } },
      { plan: unpaused },
      { underWay: due },
      { underWay: due, workersUntil: later(minuteMs) },
      { underWay: { ...due, errorCode: 'source/unavailable' } },
      { underWay: due, failed: failed('store/full') },
      { underWay: { ...running, leaseUntil: later(-minuteMs) } },
    ]) {
      const told = { reason: 'paused_for_all', by: 'operator', until: null, runId: null, pausedSince: since };
      expect(judge({ ...late, ...facts, nightPausedAt: since })).toMatchObject({ verdict: 'late', ...told });
      expect(judge({ ...facts, complete: null, nightPausedAt: since })).toMatchObject({ verdict: 'not', ...told });
    }
  });

  test.each([
    ['a run under way', { ...late, underWay: running }, 'run_under_way'],
    ['a run that is not due yet', { ...late, underWay: queued }, 'run_waits'],
    ['that no run is due', late, 'no_run'],
    ['a fault of a run that is not due yet', { ...late, failed: failed('store/full') }, 'store_full'],
    ['trouble with the provider', { ...late, plan: unpaused, circuitOpen: true }, 'provider_trouble'],
    ['a pause of their own nights', everything, 'paused'],
    ['a complete backup, while none is due', {}, 'complete'],
  ] as const)('over a night that operators paused: %s', (_, facts, reason) => {
    expect(judge({ ...facts, nightPausedAt: nightBefore })).toMatchObject({ reason, pausedSince: null });
  });

  test('being late, over a snapshot in part or a great loss', () => {
    const partial = { id: 'partial', endedAt: nightBefore };
    expect(judge({ ...late, partial, alarm: { ...partial, kind: 'loss' } })).toMatchObject({ verdict: 'late' });
  });

  test('a great loss, over what could not be read', () => {
    const partial = { id: 'partial', endedAt: later(-minuteMs) };
    expect(judge({ partial, alarm: { ...partial, kind: 'loss' } })).toMatchObject({ reason: 'great_loss' });
  });

  test('what hinders the next night, over an end of consent that is still to come', () => {
    const ending = { ...consent, maxDeadline: later(3 * dayMs) };
    expect(judge({ consent: ending })).toMatchObject({
      verdict: 'protected',
      reason: 'consent_ends',
      mend: 'renew',
      by: 'person',
      until: ending.maxDeadline,
    });
    expect(judge({ consent: { ...consent, maxDeadline: later(15 * dayMs) } }).reason).toBe('complete');
    expect(judge({ consent: ending, circuitOpen: true }).reason).toBe('provider_trouble');
  });
});

/** From well to ill. */
const consents: (Consent | null)[] = [
  consent,
  { ...consent, maxDeadline: later(dayMs) },
  { ...consent, reason: 'lost_answers' },
  ...['account_disabled', 'lost_answers', 'expired_idle', 'ended_at_provider'].map((reason) => suspect(reason)),
  { ...consent, idleDeadline: now },
  { ...consent, maxDeadline: now },
  ...['account_disabled', null].map(ended),
  { ...consent, state: 'withdrawn', reason: 'withdrawn' },
  null,
];
const ages = [null, nightBefore, lastNight];
const run = (id: string, endedAt: Date | null) => (endedAt === null ? null : { id, endedAt });

function* combinations(): Generator<ProtectionFacts> {
  const plans = [plan, { ...plan, paused: true }, { ...plan, nextDueAt: later(-dayMs) }, null];
  const waiting = [
    null,
    queued,
    { ...queued, errorCode: 'source/unavailable' },
    running,
    { ...running, leaseUntil: nightBefore },
  ];
  const failures = [null, failed('store/full', nightBefore), failed('source/unavailable')];
  const alarms = [null, { id: 'alarm', endedAt: lastNight, kind: 'loss' as const }];
  for (const each of consents)
    for (const circuitOpen of [false, true])
      for (const own of plans)
        for (const complete of ages)
          for (const partial of [null, nightBefore, later(-2 * minuteMs)])
            for (const failure of failures)
              for (const underWay of waiting)
                for (const alarm of alarms)
                  yield {
                    consent: each,
                    circuitOpen,
                    plan: own,
                    failed: failure,
                    underWay,
                    workersUntil: null,
                    nightPausedAt: null,
                    alarm,
                    verification: each === null ? null : { ...sound, verifiedAt: complete },
                    complete: run('complete', complete),
                    partial: run('partial', partial),
                  };
}

/** One thing more that goes wrong. */
const faults: Record<string, (facts: ProtectionFacts) => ProtectionFacts> = {
  'consent is refused': (facts) =>
    facts.consent?.state === 'active'
      ? { ...facts, consent: { ...facts.consent, state: 'suspect', reason: null } }
      : facts,
  'consent ends': (facts) => ({ ...facts, consent: facts.consent && { ...facts.consent, state: 'needs_consent' } }),
  'there is no consent': (facts) => ({ ...facts, consent: null }),
  'its maximum has come': (facts) => ({ ...facts, consent: facts.consent && { ...facts.consent, maxDeadline: now } }),
  'it was not used': (facts) => ({ ...facts, consent: facts.consent && { ...facts.consent, idleDeadline: now } }),
  'the circuit opens': (facts) => ({ ...facts, circuitOpen: true }),
  'the plan pauses': (facts) => ({ ...facts, plan: facts.plan && { ...facts.plan, paused: true } }),
  'operators pause the night': (facts) => ({ ...facts, nightPausedAt: nightBefore }),
  'nobody plans': (facts) => ({ ...facts, plan: facts.plan && { ...facts.plan, nextDueAt: nightBefore } }),
  'the complete run is another night older': (facts) => ({
    ...facts,
    complete: facts.complete && { ...facts.complete, endedAt: new Date(facts.complete.endedAt.getTime() - dayMs) },
  }),
  'the complete run was partial': (facts) => ({ ...facts, complete: null, partial: facts.complete ?? facts.partial }),
  'a run fails': (facts) => ({ ...facts, failed: failed('internal', later(-1)) }),
  'damage is found': ({ verification, ...facts }) => ({
    ...facts,
    verification: verification && { ...verification, damage: 'healing', damagedSince: now },
  }),
  'nobody verifies': ({ verification, ...facts }) => ({
    ...facts,
    verification: verification && { ...verification, verifiedAt: null },
  }),
  'a loss is found': (facts) => ({ ...facts, alarm: { id: 'alarm', endedAt: later(-1), kind: 'loss' } }),
};

const order = ['protected', 'partly', 'late', 'not'];
/** From 0, green without a word, upwards. */
const badness = ({ verdict, reason }: Protection) => (reason === 'complete' ? 0 : 1 + order.indexOf(verdict));

test('every combination of facts gets one verdict, and no fault more makes any of them better', () => {
  const known = new Map<string, number>();
  let count = 0;
  const judged = (facts: ProtectionFacts, at: Date) => {
    const protection = judgeProtection(facts, at);
    if (!order.includes(protection.verdict)) throw new Error(`No verdict of ${JSON.stringify(facts)}`);
    if ((protection.by === 'nobody') !== ['wait', 'nothing'].includes(protection.mend)) throw new Error('Who waits?');
    return badness(protection);
  };
  for (const facts of combinations()) {
    count++;
    const before = judged(facts, now);
    known.set(judgeProtection(facts, now).reason, before);
    for (const [fault, add] of Object.entries(faults))
      if (judged(add(facts), now) < before) throw new Error(`${fault}, and it is better: ${JSON.stringify(facts)}`);
    if (judged(facts, later(dayMs)) < before)
      throw new Error(`A day passes, and it is better: ${JSON.stringify(facts)}`);
  }
  expect(count).toBeGreaterThan(25_000);
  expect(known.size).toBeGreaterThan(20);
});
