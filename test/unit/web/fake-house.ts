import { randomUUID } from 'node:crypto';
import type { RunView } from '../../../src/database/views.ts';
import { AppError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import type { House } from '../../../src/web/house.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

const alice = randomUUID();
export const bob = randomUUID();
export const aliceRun = randomUUID();

const run: RunView = {
  id: aliceRun,
  night: '2026-05-04',
  trigger: 'schedule',
  state: 'partial',
  queuedAt: new Date('2026-05-04T01:00:00Z'),
  startedAt: new Date('2026-05-04T01:00:01Z'),
  finishedAt: new Date('2026-05-04T01:02:00Z'),
  snapshotId: 'ab'.repeat(32),
  counts: { entries: 7, bytesRead: 2048 },
  problems: [{ path: '<script>alert(1)</script>', code: 'source/forbidden', message: 'Not allowed.' }],
  problemCount: 1,
  message: null,
  plan: { zone: 'UTC' },
};

const plan = {
  id: randomUUID(),
  zone: 'UTC',
  windowStart: '01:00',
  windowEnd: '05:00',
  nextDueAt: new Date('2026-05-05T02:00:00Z'),
  paused: false,
};

const transaction = { purpose: 'sign-in', state: 's', nonce: 'n', verifier: 'v', scope: 'openid', returnTo: '/' };

/** A house of alice, who is backed up, and bob, who has nothing. Whoever signs in is `signsIn`. */
export function fakeHouse(overrides: Partial<House> = {}) {
  const clock = manualClock('2026-05-04T12:00:00Z');
  const asked: string[] = [];
  const who = { signsIn: alice };
  const noRepository = () => Promise.reject(new AppError('repository/not-found', 'Nothing has been backed up yet.'));
  const house: House = {
    publicUrl: new URL('http://localhost:3000'),
    providerOrigin: 'https://id.example',
    termsFor: async () => ({
      files: 'https://cloud.example/',
      window: { zone: 'UTC', start: '01:00', end: '05:00' },
      retention: { daily: 7, weekly: 4, monthly: 12 },
    }),
    clock,
    log: silentLog,
    operatorRole: 'operator',
    sealCookie: (kind, text) => Buffer.from(`${kind} ${text}`).toString('base64url'),
    openCookie: (kind, sealed) => {
      const text = Buffer.from(sealed, 'base64url').toString();
      return text.startsWith(`${kind} `) ? text.slice(kind.length + 1) : undefined;
    },
    ready: async () => undefined,
    publicKeys: async () => ({ keys: [{ kty: 'EC', kid: 'newest' }] }),
    beginSignIn: async (returnTo) => ({
      url: new URL('https://id.example/auth'),
      transaction: { ...transaction, returnTo },
    }),
    finishSignIn: async () => ({
      userId: who.signsIn,
      name: 'Somebody',
      roles: [],
      provider: { issuer: 'https://id.example', subject: `subject of ${who.signsIn}`, sid: 'sid' },
    }),
    isSessionEnded: async () => false,
    endSession: async (token) => void asked.push(`end ${token}`),
    beginConsent: async (userId) => {
      asked.push(`consent ${userId}`);
      return {
        url: new URL('https://id.example/auth?consent'),
        transaction: { ...transaction, purpose: 'consent', terms: {}, agreedAt: '2026-05-04T12:00:00Z' },
      };
    },
    finishConsent: async (userId) => void asked.push(`consented ${userId}`),
    withdrawConsent: async (userId, snapshots) => void asked.push(`withdraw ${userId} ${snapshots}`),
    askAgain: async (userId) => void asked.push(`ask again ${userId}`),
    chooseErasure: async (userId, snapshots) => void asked.push(`erase ${userId} ${snapshots}`),
    requestRun: async () => aliceRun,
    findHome: async (userId) =>
      userId === alice
        ? {
            grant: { state: 'active' },
            plan,
            repository: { location: "/store/alice's", recoverySeenAt: null },
            runs: [run],
            lastGood: run,
          }
        : { grant: null, plan: null, repository: null, runs: [], lastGood: null },
    findRun: async (userId, runId) => (userId === alice && runId === aliceRun ? run : null),
    findGrant: async () => null,
    listExchanges: async () => [],
    openShelf: noRepository,
    revealRecoveryKey: async () => ({ recoveryKey: 'AAAA-BBBB', location: '/store' }),
    reissueRecoveryKey: async () => ({ recoveryKey: 'CCCC-DDDD', location: '/store' }),
    ...overrides,
  };
  return { house, clock, asked, who };
}
