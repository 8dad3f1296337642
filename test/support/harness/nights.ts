import { randomUUID } from 'node:crypto';
import type { Database } from '../../../src/database/client.ts';
import { openRunProgress } from '../../../src/database/nights/run-progress.ts';
import { openRunWatch } from '../../../src/database/nights/run-watch.ts';
import { openRunClaims } from '../../../src/database/nights/turns.ts';
import { silentLog } from '../../../src/log.ts';
import { openMeters } from '../../../src/meters.ts';
import type { BackUpRequest } from '../../../src/queues/jobs.ts';
import type { Resources } from '../../../src/resources.ts';
import { type ManualClock, manualClock } from '../fixtures/manual-clock.ts';
import { rememberingQueues } from '../fixtures/remembering-queues.ts';
import { openDatabaseFixture } from './database.ts';

export type NightResources = Pick<
  Resources,
  'database' | 'holder' | 'log' | 'meters' | 'queues' | 'runClaims' | 'runProgress' | 'runWatch'
> & {
  clock: ManualClock;
  config: { concurrency: number; heavyRuns: number; turnMs: number; windowGraceMs: number };
};

/** What keeps the nights, on a database of its own, with a clock that stands still and a queue that only remembers. */
export interface NightFixture extends AsyncDisposable {
  readonly resources: NightResources;
  /** The same Nightkeep from another process. */
  other(holder: string): NightResources;
  /** What was put into the queue since this was last asked. */
  taken(): BackUpRequest[];
}

const midnight = '2026-05-01T00:00:00.000Z';

export async function openNightFixture(): Promise<NightFixture> {
  await using opened = new AsyncDisposableStack();
  const { database } = opened.use(await openDatabaseFixture());
  const clock = manualClock(midnight);
  const requests: BackUpRequest[] = [];
  const enter = (holder: string): NightResources => ({
    clock,
    config: { concurrency: 4, heavyRuns: 4, turnMs: 60_000, windowGraceMs: 3_600_000 },
    database,
    holder,
    log: silentLog,
    meters: openMeters(),
    queues: rememberingQueues(requests),
    runClaims: openRunClaims(database),
    runProgress: openRunProgress({ clock, database, log: silentLog }),
    runWatch: openRunWatch({ clock, database, log: silentLog }),
  });
  const closing = opened.move();
  return {
    resources: enter('first'),
    other: enter,
    taken: () => requests.splice(0),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

interface PlanOptions {
  paused?: boolean;
  grant?: 'active' | 'suspect' | 'needs_consent' | 'withdrawn';
  nextNight?: string;
  nextDueAt?: string;
}

/** Somebody with a plan that is due at midnight, or what the options say. Answers the plan's id. */
export async function savePlan(database: Database, options: PlanOptions = {}): Promise<string> {
  const [planId = ''] = await savePlans(database, 1, options);
  return planId;
}

/** So many of them. */
export async function savePlans(database: Database, count: number, options: PlanOptions = {}): Promise<string[]> {
  const rows = Array.from({ length: count }, () => rowsOfPlan(options));
  await database.user.createMany({ data: rows.map(({ user }) => user) });
  await database.grant.createMany({ data: rows.map(({ grant }) => grant) });
  await database.plan.createMany({ data: rows.map(({ plan }) => plan) });
  return rows.map(({ plan }) => plan.id);
}

function rowsOfPlan(options: PlanOptions) {
  const at = new Date(midnight);
  const [userId, grantId, planId] = [randomUUID(), randomUUID(), randomUUID()];
  const who = { issuer: 'https://idp.example', subject: userId };
  const user = { id: userId, ...who, createdAt: at };
  const grant = {
    id: grantId,
    userId,
    ...who,
    clientId: 'nightkeep',
    scope: 'openid',
    state: options.grant ?? 'active',
    lastExchangedAt: at,
    idleDeadline: at,
    nextExchangeAt: at,
    createdAt: at,
  };
  const plan = {
    id: planId,
    userId,
    grantId,
    sources: [],
    zone: 'Europe/Berlin',
    windowStart: '01:00',
    windowEnd: '05:00',
    retention: {},
    paused: options.paused ?? false,
    nextNight: options.nextNight ?? '2026-05-01',
    nextDueAt: new Date(options.nextDueAt ?? midnight),
    createdAt: at,
  };
  return { user, grant, plan };
}
