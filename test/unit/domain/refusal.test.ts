import { describe, expect, test } from 'vitest';
import { hintOf } from '../../../src/domain/hint.ts';
import { afterLostAnswer, afterRefusal, type Refusable } from '../../../src/domain/refusal.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';

const start = Date.parse('2026-03-01T02:00:00Z');
const at = (ms: number) => new Date(start + ms);

const alive: Refusable = {
  state: 'active',
  reason: null,
  refusals: 0,
  suspectSince: null,
  idleDeadline: at(30 * dayMs),
  maxDeadline: null,
  nextExchangeAt: at(7 * dayMs),
};
const said = { errorCode: 'invalid_grant', meaning: 'ended' as const, hint: undefined, lostBefore: 0, credible: true };
const pauses = (grant: Refusable, changes: object = {}) => {
  const change = afterRefusal(grant, { ...said, at: at(0), ...changes });
  return { ...change, nextExchangeAt: change.nextExchangeAt && change.nextExchangeAt.getTime() - start };
};

/** Asks whenever it may be asked, and is always refused. */
function refuseForEver(changes: object = {}) {
  const story: { state: string; reason: string | null; hours: number }[] = [];
  let grant = alive;
  let now = at(0);
  while (story.length < 100) {
    grant = { ...grant, ...afterRefusal(grant, { ...said, at: now, ...changes }) };
    story.push({ state: grant.state, reason: grant.reason, hours: (now.getTime() - start) / hourMs });
    if (grant.nextExchangeAt === null) return story;
    now = grant.nextExchangeAt;
  }
  return story;
}

describe('invalid_grant', () => {
  test('condemns by five refusals over three hours, and by neither alone', () => {
    const stateAfter = (refusals: number, hours: number) =>
      pauses({ ...alive, state: 'suspect', refusals: refusals - 1, suspectSince: at(-hours * hourMs) }).state;
    expect(stateAfter(4, 30)).toBe('suspect');
    expect(stateAfter(5, 2.99)).toBe('suspect');
    expect(stateAfter(5, 3)).toBe('needs_consent');
  });

  test('makes suspect first, condemns at the fifth time over three hours, and is asked again until the window has passed', () => {
    const story = refuseForEver();
    expect(story.slice(0, 6).map(({ state, hours }) => [state, hours])).toEqual([
      ['suspect', 0],
      ['suspect', 0.25],
      ['suspect', 0.75],
      ['suspect', 1.75],
      ['needs_consent', 3.75],
      ['needs_consent', 27.75],
    ]);
    expect(story.at(-1)?.hours).toBeGreaterThan(20 * 24);
    expect(story.at(-1)?.hours).toBeLessThan(30 * 24);
  });

  test('never condemns while it is not credible, and goes on asking', () => {
    const story = refuseForEver({ credible: false });
    expect(new Set(story.map(({ state }) => state))).toEqual(new Set(['suspect']));
    expect(story).toHaveLength(100);
  });

  test('five times within minutes is no proof', () => {
    expect(pauses({ ...alive, state: 'suspect', refusals: 4, suspectSince: at(-60_000) }).state).toBe('suspect');
  });

  test.each([
    ['nothing said', {}, {}, 'ended_at_provider'],
    ['the provider hinted', {}, { hint: 'signed_out' }, 'signed_out'],
    ['an answer was lost before', {}, { lostBefore: 1 }, 'lost_rotation'],
    ['the same, as the provider hints', {}, { hint: 'token_reused', lostBefore: 1 }, 'lost_rotation'],
    [
      'an answer was lost before, and the account is disabled',
      {},
      { hint: 'account_disabled', lostBefore: 2 },
      'account_disabled',
    ],
    ['an answer was lost before, and all were signed out', {}, { hint: 'signed_out', lostBefore: 1 }, 'signed_out'],
    ['answers were lost until the idle window had passed', { idleDeadline: at(-1) }, { lostBefore: 5 }, 'expired_idle'],
    ['answers were lost until the maximum had passed', { maxDeadline: at(-1) }, { lostBefore: 5 }, 'expired_maximum'],
    [
      'we lost it, and its window has passed since',
      { reason: 'lost_rotation', idleDeadline: at(-1) },
      {},
      'lost_rotation',
    ],
    ['the idle window has passed', { idleDeadline: at(-1) }, { hint: 'withdrawn_at_provider' }, 'expired_idle'],
    ['the maximum has passed', { idleDeadline: at(-1), maxDeadline: at(-1) }, {}, 'expired_maximum'],
    ['we lost it once and are refused again', { reason: 'lost_rotation', state: 'suspect' }, {}, 'lost_rotation'],
  ] as const)('says why: %s', (_, grant, changes, reason) => {
    expect(pauses({ ...alive, ...grant }, changes).reason).toBe(reason);
  });
});

describe('a refusal of which nobody can tell whether a dead token or the client is meant', () => {
  test('condemns over nights only, and never while no other grant goes well', () => {
    const story = refuseForEver({ meaning: 'unclear', errorCode: 'http-400' });
    const condemned = story.find(({ state }) => state === 'needs_consent');
    expect(condemned?.hours).toBeGreaterThanOrEqual(36);
    expect(condemned?.hours).toBeLessThan(40);
    const doubted = refuseForEver({ meaning: 'unclear', errorCode: 'http-400', credible: false });
    expect(new Set(doubted.map(({ state }) => state))).toEqual(new Set(['suspect']));
  });
});

test('whoever must act at the provider reads that, whatever was lost before', () => {
  const change = pauses(alive, { meaning: 'interaction', errorCode: 'login_required', lostBefore: 1 });
  expect(change).toMatchObject({ state: 'suspect', reason: 'interaction_required' });
});

describe('a missing permission', () => {
  test('in the scope is asked about daily, and condemns nobody', () => {
    expect(pauses(alive, { errorCode: 'invalid_scope', meaning: 'permission' })).toMatchObject({
      state: 'suspect',
      reason: 'permission_missing',
      refusals: 0,
      nextExchangeAt: dayMs,
    });
  });

  test('in the role is asked about only shortly before the end: some versions use the token up in that refusal', () => {
    expect(pauses(alive, { errorCode: 'not_allowed', meaning: 'permission' }).nextExchangeAt).toBe(29 * dayMs);
    expect(
      pauses({ ...alive, idleDeadline: at(hourMs) }, { errorCode: 'not_allowed', meaning: 'permission' })
        .nextExchangeAt,
    ).toBe(dayMs);
  });
});

test('one lost answer changes nothing, the second leaves the provider in peace for an hour', () => {
  expect(afterLostAnswer(alive, { at: at(0), lostBefore: 0 })).toBeUndefined();
  expect(afterLostAnswer(alive, { at: at(0), lostBefore: 1 })).toEqual({
    state: 'active',
    reason: 'lost_answers',
    refusals: 0,
    suspectSince: null,
    nextExchangeAt: at(hourMs),
  });
});

describe('while a run needs the grant', () => {
  const next = (change: { nextExchangeAt: Date | null } | undefined) =>
    ((change?.nextExchangeAt?.getTime() ?? Number.NaN) - start) / minuteMs;
  const afterLost = (lastTry: number) =>
    next(afterLostAnswer(alive, { at: at(0), lostBefore: 3, lastTry: at(lastTry) }));

  test('lost answers let no hour go by, and leave the last try to it', () => {
    expect([4 * hourMs, 51 * minuteMs, 20 * minuteMs, 2 * minuteMs].map(afterLost)).toEqual([50, 50, 20, 2]);
  });

  test('a run whose last try has been changes nothing', () => {
    expect([0, -hourMs].map(afterLost)).toEqual([60, 60]);
  });

  test('refusals let no hour go by, and leave the last try to it; consent is condemned no sooner than after three hours', () => {
    const story = refuseForEver({ lastTry: at(5 * hourMs) });
    const minutes = story.slice(0, 7).map(({ state, hours }) => [state, Math.round(hours * 60)]);
    expect(minutes).toEqual([
      ['suspect', 0],
      ['suspect', 15],
      ['suspect', 45],
      ['suspect', 95],
      ['suspect', 145],
      ['needs_consent', 195],
      ['needs_consent', 195 + 2 * 24 * 60],
    ]);
    const third = { ...alive, state: 'suspect' as const, refusals: 2, suspectSince: at(-45 * minuteMs) };
    expect(next(afterRefusal(third, { ...said, at: at(0), lastTry: at(20 * minuteMs) }))).toBe(20);
  });
});

test.each([
  ['Offline session invalid because offline access not granted anymore', 'permission_missing'],
  ['Offline tokens not allowed for the user or client', 'permission_missing'],
  ['User disabled', 'account_disabled'],
  ['Stale token', 'signed_out'],
  ['Maximum allowed refresh token reuse exceeded', 'token_reused'],
  ['Offline user session not found', 'withdrawn_at_provider'],
  ['something new', undefined],
  [42, undefined],
])('%s hints at %s', (description, hint) => {
  expect(hintOf(description)).toBe(hint);
});
