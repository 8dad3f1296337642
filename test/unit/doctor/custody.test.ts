import { describe, expect, test } from 'vitest';
import type { GrantCount, RotationFacts, WindowFacts } from '../../../src/database/custody/inspect-custody.ts';
import type { RunFacts } from '../../../src/database/nights/inspect-runs.ts';
import { checkCircuits } from '../../../src/doctor/checks/circuits.ts';
import { checkDeadlines } from '../../../src/doctor/checks/deadlines.ts';
import { checkGrants } from '../../../src/doctor/checks/grants.ts';
import { checkKeyring } from '../../../src/doctor/checks/keyring.ts';
import { checkOfflineIdle } from '../../../src/doctor/checks/offline-idle.ts';
import { checkOfflineMaximum } from '../../../src/doctor/checks/offline-maximum.ts';
import { checkTokens } from '../../../src/doctor/checks/offline-tokens.ts';
import { checkProtection } from '../../../src/doctor/checks/protection.ts';
import { checkRetention } from '../../../src/doctor/checks/retention.ts';
import { checkRotation } from '../../../src/doctor/checks/rotation.ts';
import { checkRuns } from '../../../src/doctor/checks/runs.ts';
import { checkStateExports } from '../../../src/doctor/checks/state-exports.ts';
import { checkVerification } from '../../../src/doctor/checks/verification.ts';
import { checkWithdrawals } from '../../../src/doctor/checks/withdrawals.ts';
import { readTokenFacts } from '../../../src/doctor/custody-facts.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { addToTally, newTally } from '../../../src/domain/people-tally.ts';

const [hour, day] = [3_600_000, 86_400_000];
const at = new Date('2030-01-01T00:00:00Z');
const words = ({ state, finding, cure }: Finding) => `${state}: ${finding} → ${cure}`;

describe('tokens', () => {
  const issuer = new URL('https://id.example/');
  const claims = { iss: 'https://id.example', typ: 'Offline' };

  test.each([
    [[], 0, /^unknown: There are none yet/],
    [[claims, claims], 0, /^ok: Opened the latest 2: offline tokens of this provider/],
    [[undefined], 0, /^ok: Opened the latest 1: only the provider can read them/],
    [[claims, { ...claims, typ: 'Refresh' }], 0, /^warn: Opened the latest 2: only 1 of 2 that can be read say/],
    [[claims], 2, /^wrong: Of the latest 3 tokens 2 did not open/],
    [
      [claims, { ...claims, iss: 'https://old.example' }],
      0,
      /^wrong: .*issued by https:\/\/old\.example, which is not OIDC_ISSUER/,
    ],
  ])('%j and %d that do not open', (some, shut, pattern) =>
    expect(words(checkTokens(readTokenFacts(issuer, some, shut)))).toMatch(pattern),
  );

  const none: RotationFacts = { exchanges: 0, renewed: 0, takenAgain: 0, lost: 0, refusedAsUsed: 0 };
  const rotation = (facts: Partial<RotationFacts>, some: readonly (Record<string, unknown> | undefined)[]) =>
    words(checkRotation({ ...none, ...facts }, readTokenFacts(issuer, some, 0)));

  test.each([
    [{}, [], /^unknown: No token has been exchanged yet/],
    [{}, [{ ...claims, reuse_id: 'x' }], /^warn: .*Revoke Refresh Token.* → Set Refresh Token Max Reuse to 1/],
    [{ exchanges: 9, renewed: 9, lost: 2 }, [{ ...claims, reuse_id: 'x' }], /^warn: .*2 answers were lost/],
    [{ exchanges: 9, renewed: 9, refusedAsUsed: 1 }, [claims], /^warn: /],
    [
      { exchanges: 9, renewed: 9, takenAgain: 1 },
      [{ ...claims, reuse_id: 'x' }],
      /^ok: .*but again if the answer was lost/,
    ],
    [{ exchanges: 9, renewed: 9 }, [claims], /^ok: Of 9 exchanges each brought a new token, and older ones stay valid/],
    [{ exchanges: 9, renewed: 4 }, [undefined], /^ok: Of 9 exchanges 4 brought a new token\. Whether an older one/],
    [{ exchanges: 9 }, [undefined], /^ok: No exchange of 9 brought a new token/],
  ])('rotation %j', (facts, some, pattern) => expect(rotation(facts, some)).toMatch(pattern));
});

describe('offline windows', () => {
  const none: WindowFacts = {
    idleSeconds: null,
    maxSeconds: null,
    tokens: 5,
    withEnd: 0,
    takenAfterSeconds: null,
    gone: 0,
    goneAfterSeconds: null,
  };
  const gone = { gone: 2, goneAfterSeconds: 9 * 86_400 };

  test.each([
    [{ tokens: 0 }, /^unknown: .*no token to compare/],
    [{}, /^unknown: .*do not say when they end without use\. Compare/],
    [{ takenAfterSeconds: 86_400 }, /^unknown: .*One was taken after 1d/],
    [{ idleSeconds: 30 * 86_400 }, /^ok: .*tokens say 30d/],
    [{ idleSeconds: 60 * 86_400 }, /^ok: .*tokens say 60d/],
    [{ idleSeconds: 14 * 86_400 }, /^warn: .*end after 14d without use.* → Set OFFLINE_IDLE to 14d/],
    [gone, /^warn: .*2 sessions were gone after 9d or more/],
    [{ ...gone, gone: 1 }, /^unknown: /],
    [{ ...gone, takenAfterSeconds: 10 * 86_400 }, /^unknown: /],
    [{ ...gone, goneAfterSeconds: 40 * 86_400 }, /^unknown: /],
  ])('idle %j', (facts, pattern) => expect(words(checkOfflineIdle(30 * day, { ...none, ...facts }))).toMatch(pattern));

  test.each([
    [{ tokens: 0 }, undefined, /^unknown: OFFLINE_MAX is not set/],
    [{}, undefined, /^ok: OFFLINE_MAX is not set, and tokens name no end/],
    [{ withEnd: 5 }, undefined, /^ok: .*no token says otherwise/],
    [
      { withEnd: 5, maxSeconds: 60 * 86_400 },
      undefined,
      /^warn: OFFLINE_MAX is not set, but tokens end 60d after consent/,
    ],
    [{ withEnd: 5, maxSeconds: 60 * 86_400 }, 60 * day, /^ok: OFFLINE_MAX is 60d/],
    [{ withEnd: 5, maxSeconds: 60 * 86_400 }, 90 * day, /^warn: .* → Set OFFLINE_MAX to 60d/],
  ])('maximum %j with %s', (facts, offlineMaxMs, pattern) =>
    expect(words(checkOfflineMaximum(offlineMaxMs, { ...none, ...facts }))).toMatch(pattern),
  );
});

describe('grants', () => {
  const row = (state: GrantCount['state'], reason: string | null, count: number): GrantCount => ({
    state,
    reason,
    count,
  });
  const active = row('active', null, 40);

  test.each([
    [[], /^ok: Nobody has consented yet/],
    [[active, row('withdrawn', 'withdrawn here', 3)], /^ok: 40 active; 3 withdrawn\. →/],
    [
      [active, row('needs_consent', 'withdrawn_at_provider', 2)],
      /^ok: 40 active; 2 needs_consent: withdrawn_at_provider 2/,
    ],
    [[active, row('needs_consent', 'lost_rotation', 1)], /^wrong: 1 token was lost by Nightkeep.*consent again/],
    [[active, row('withdrawn', 'lost_rotation', 1)], /^ok: /],
    [
      [active, row('suspect', 'permission_missing', 2)],
      /^warn: 2 people may no longer give offline access.*role offline_access/,
    ],
    [[active, row('suspect', 'account_disabled', 1)], /^warn: 1 account is disabled or gone/],
    [[active, row('needs_consent', 'signed_out', 9)], /^warn: 9 people were signed out by an administrator/],
    [[active, row('suspect', 'ended_at_provider', 1)], /^warn: The provider has recently refused 1 token/],
  ])('%j', (counts, pattern) => expect(words(checkGrants(counts))).toMatch(pattern));

  test('circuits tell trouble with the client from a jump of refusals', () => {
    const circuit = { issuer: 'https://id.example', open: true, reason: 'invalid_client', openedAt: at };
    expect(words(checkCircuits([circuit]))).toMatch(
      /^wrong: .*\(invalid_client, since 2030-01-01T.* → Correct what the line about the client/,
    );
    expect(words(checkCircuits([{ ...circuit, reason: 'refusals' }]))).toMatch(/circuits --trust ISSUER/);
    expect(checkCircuits([{ ...circuit, open: false }]).state).toBe('ok');
  });

  test.each([
    [{ living: 0 }, /^ok: There is nothing/],
    [{}, /^ok: Every grant of 10 is kept alive\. The first would end unused in 20d\. →/],
    [{ nearMax: 2 }, /^ok: .*2 grants reach their maximum within 14d; the people read it on their pages/],
    [{ overdue: 3 }, /^wrong: Of 10 grants 3 should have been exchanged 1h ago or earlier/],
    [{ nearIdle: 1, overdue: 3 }, /^wrong: Of 10 grants 1 used up more than three quarters/],
  ])('deadlines %j', (change, pattern) => {
    const facts = {
      living: 10,
      overdue: 0,
      nearIdle: 0,
      nearMax: 0,
      nextIdle: new Date(at.getTime() + 20 * day),
      ...change,
    };
    expect(words(checkDeadlines(facts, { overdueMs: hour, nearMaxMs: 14 * day }, at))).toMatch(pattern);
  });
});

test.each([
  [{ tokens: 0, repositories: 0 }, /^ok: After withdrawals, no token has waited/],
  [{ tokens: 2, repositories: 0 }, /^warn: The provider has not ended 2 tokens of consents that were withdrawn/],
  [{ tokens: 0, repositories: 1 }, /^warn: 1 repository should have been erased.*repository\.erase-failed/],
])('withdrawals %j', (facts, pattern) => expect(words(checkWithdrawals(facts))).toMatch(pattern));

describe('the keyring', () => {
  const seals = {
    id: 'two',
    state: 'sealing' as const,
    since: new Date(at.getTime() - 10 * day),
    sealed: { 'offline tokens': 3 },
  };
  const opens = { id: 'one', state: 'opening' as const, sealed: { 'repository passwords': 4 } };

  test.each([
    [{ uses: [seals, opens] }, /^ok: Every key opens what it sealed: two seals \(3 sealed\), one opening \(4 sealed\)/],
    [{ uses: [seals], broken: ['one'] }, /^wrong: .*: one is missing or has changed/],
    [{ uses: [seals, { ...opens, state: 'missing' as const }], broken: ['one'] }, /^wrong: .*: one is missing/],
    [{ uses: [seals], fresh: true }, /^ok: .*nothing is sealed with it yet/],
    [
      { uses: [{ ...seals, since: new Date(at.getTime() - 800 * day) }] },
      /^warn: .*two seals for 800d now.*keys rotate/,
    ],
  ])('%j', (change, pattern) =>
    expect(words(checkKeyring({ broken: [], fresh: false, ...change }, at))).toMatch(pattern),
  );
});

describe('protection', () => {
  const well = { verdict: 'protected', reason: 'complete', by: 'nobody' } as const;
  const first = { verdict: 'not', reason: 'run_waits', by: 'nobody' } as const;
  const underWay = { verdict: 'late', reason: 'run_under_way', by: 'nobody' } as const;
  const partial = { verdict: 'partly', reason: 'unreadable', by: 'person' } as const;
  const broken = { verdict: 'late', reason: 'store_trouble', by: 'operator' } as const;

  test.each([
    [[], /^ok: There is nobody to protect yet/],
    [[well, well, first], /^ok: Of 3 people: 2 protected, 1 not\. → undefined/],
    [[well, partial], /^warn: Of 2 people: 1 protected, 1 partly \(1 unreadable\)\. → None of it waits for you\. See/],
    [
      [well, broken, broken, partial],
      /^warn: Of 4 people: 1 protected, 1 partly, 2 late \(2 store_trouble, 1 unreadable\)\. → You can mend it for 2\. See/,
    ],
    [
      [{ ...broken, reason: 'paused_until', by: 'nobody' }, broken],
      /^warn: Of 2 people: 1 late, 1 paused with an older backup \(1 paused_until, 1 store_trouble\)/,
    ],
    [
      [well, underWay, broken],
      /^warn: Of 3 people: 1 protected, 2 late \(1 with a backup under way\) \(1 store_trouble\)\. → You can mend it for 1\./,
    ],
    [[well, underWay], /^ok: Of 2 people: 1 protected, 1 late \(1 with a backup under way\)\. → undefined/],
    [[{ ...well, reason: 'server_away' }], /^warn: Of 1 person: 1 protected \(1 server_away\)/],
  ] as const)('%j', (people, pattern) => {
    const tally = newTally();
    for (const { verdict, reason, by } of people) {
      const restorable = {
        verifiedAt: null,
        isPending: false,
        isOverdue: false,
        damage: null,
        damagedSince: null,
        healedAt: null,
      };
      const rest = {
        consent: 'living',
        mend: 'nothing',
        until: null,
        retry: null,
        pausedSince: null,
        since: null,
        runId: null,
      } as const;
      addToTally(tally, { ...rest, verdict, reason, by, restorable });
    }
    expect(words(checkProtection(tally))).toMatch(pattern);
  });

  test('of figures that are kept it is said when they were counted', () => {
    const tally = { ...newTally(), verdicts: { protected: 2, partly: 0, late: 0, not: 0 } };
    expect(words(checkProtection(tally, at))).toMatch(/^ok: As of 2030-01-01 00:00 UTC: of 2 people: 2 protected\./);
  });
});

describe('runs', () => {
  const none: RunFacts = {
    running: 0,
    lapsed: 0,
    waiting: 0,
    unopened: 0,
    ended: 0,
    partial: 0,
    failed: 0,
    errorCode: null,
  };
  test.each([
    [{}, /^ok: None ended in a day, and none is stuck\. →/],
    [{ ended: 5, running: 1 }, /^ok: Of 5 runs in a day all succeeded, and none is stuck\. 1 under way/],
    [{ ended: 5, partial: 2 }, /^ok: Of 5 runs in a day 2 were partial/],
    [
      { ended: 5, failed: 1, errorCode: 'source/forbidden' },
      /^warn: Of 5 runs in a day 1 failed, most often by source\/forbidden/,
    ],
    [{ waiting: 7, running: 2 }, /^ok: /],
    [{ waiting: 7 }, /^wrong: 7 runs are waiting and none is in progress/],
    [{ lapsed: 2, running: 1 }, /^wrong: 2 runs were left by a worker that is gone, and nobody took them over/],
    [{ unopened: 3, waiting: 1 }, /^wrong: 3 nights should have been opened by now: no worker is doing that/],
  ])('%j', (change, pattern) => expect(words(checkRuns({ ...none, ...change }))).toMatch(pattern));
});

test.each([
  [[], /^ok: Snapshots are removed as people agreed/],
  [
    [{ user: 'alice', what: 'snapshots', reason: 'alarm' } as const],
    /^warn: .*the rule of 1 person could not be applied to their snapshots \(alice: alarm\).*look at a great loss/,
  ],
  [
    Array.from({ length: 7 }, (_, n) => ({ user: `u${n}`, what: 'snapshots', reason: 'repository/damaged' }) as const),
    /^warn: .*7 people .*u4: repository\/damaged and 2 more\)/,
  ],
  [
    [
      { user: 'alice', what: 'snapshots', reason: 'alarm' } as const,
      { user: 'bob', what: 'data', reason: 'repository/locked' } as const,
    ],
    /snapshots \(alice: alarm\), and data that no snapshot of 1 person needs could not be removed \(bob: repository\/locked\).*restic unlock removes it/,
  ],
])('retention %j', (held, pattern) => expect(words(checkRetention(held))).toMatch(pattern));

const now = new Date('2026-05-04T12:00:00Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const made = { madeAt: hoursAgo(9), errorCode: null, bytes: 1, kept: 7, overdue: 0 };
test.each([
  [{ kept: 0, record: { ...made, madeAt: hoursAgo(99) } }, /^ok: STATE_EXPORTS is 0/],
  [{ since: null }, /^ok: There is none yet/],
  [{ since: hoursAgo(35) }, /^ok: There is none yet/],
  [{ since: hoursAgo(37) }, /^warn: .*not been exported.*a day and a half\. There is none yet.*Start a worker/],
  [{ record: { ...made, errorCode: 'store/unavailable' } }, /^ok: The last one is from 2026-05-04T03:00.*has 7/],
  [
    { record: { ...made, madeAt: hoursAgo(37), errorCode: 'store/unavailable' } },
    /^warn: .*half \(store\/unavailable\)\. The last one is from 2026-05-02/,
  ],
  [
    { record: { ...made, overdue: 2 } },
    /^warn: .*2 older exports should have been removed.*may not delete.*--to-store/,
  ],
])('state exports %j', (changes, pattern) =>
  expect(words(checkStateExports({ kept: 7, record: null, since: hoursAgo(999), now, ...changes }))).toMatch(pattern),
);

const whole = { user: 'alice', damage: null, isOverdue: false, files: 0, errorCode: null };
test.each<[Parameters<typeof checkVerification>[0], RegExp]>([
  [[], /^ok: Each repository was found intact/],
  [[whole, { ...whole, damage: 'accepted', files: 3 }], /^ok: /],
  [
    [whole, { ...whole, user: 'bob', damage: 'healing', files: 2, isOverdue: true }, { ...whole, damage: 'key' }],
    /^wrong: Data is damaged for 1 person: bob \(2 files\)\. → .*The next night reads again.*\nwrong: The recovery key no longer opens anything for 1 person: alice\. → .*new recovery key/,
  ],
  [
    [{ ...whole, damage: 'gone' }],
    /^wrong: The repository is not there, or nothing opens it, for 1 person: alice\. → Mount its disk/,
  ],
  [
    [
      { ...whole, damage: 'gone' },
      { ...whole, user: 'bob', damage: 'mending' },
      { ...whole, user: 'carol', damage: 'gone' },
    ],
    /^wrong: The repository is not there, .* for 2 people: alice, carol\. → .*\nwrong: Something is damaged, .* for 1 person: bob\. → .*nightkeep repair --user NAME/,
  ],
  [[{ ...whole, damage: 'removed' }], /^wrong: Snapshots are gone .*: alice\. → Find out who can delete/],
  [
    [
      { ...whole, damage: 'lost', files: 3 },
      { ...whole, user: 'bob', isOverdue: true },
    ],
    /^wrong: Data is damaged that the source .*: alice \(3 files\)\. → .*\nwarn: Not verified .*1 person \(bob\)/,
  ],
  [
    [whole, { ...whole, user: 'bob', damage: 'superseded' }],
    /^ok: .*1 person \(bob\) there are still damaged packs, which no snapshot needs/,
  ],
  [
    [
      { ...whole, isOverdue: true },
      { ...whole, user: 'bob', isOverdue: true, errorCode: 'store/unavailable' },
    ],
    /^warn: Not verified .*the snapshots of 2 people \(alice, bob: store\/unavailable\)/,
  ],
  [
    [whole, { ...whole, user: 'bob', damage: 'accepted', files: 2 }],
    /^ok: Each .* or is new, except for what is lost or was removed of 1 person \(bob\), which they have looked at\./,
  ],
])('verification %j', (people, pattern) => {
  const found = checkVerification(people);
  expect(found.map(words).join('\n')).toMatch(pattern);
  // Each is read at a terminal.
  for (const { cure = '' } of found) expect(cure.length).toBeLessThan(300);
});
