import { Hono } from 'hono';
import { eachGrant } from '../../../src/database/custody/deadlines.ts';
import { claimNextRuns, listRunsToGiveWay } from '../../../src/database/nights/turns.ts';
import { listPeople } from '../../../src/database/people/people.ts';
import { listCardsDue, saveCardsOfOtherKeysDue } from '../../../src/database/repositories/cards.ts';
import { beforeAllPruneDue, listPruneDue } from '../../../src/database/repositories/retention.ts';
import { eachGoneRepository } from '../../../src/database/repositories/verification-views.ts';
import { listVerificationsDue } from '../../../src/database/repositories/verifications.ts';
import type { Check } from '../../../src/doctor/check.ts';
import { deadlines } from '../../../src/doctor/checks/deadlines.ts';
import { grants } from '../../../src/doctor/checks/grants.ts';
import { protection } from '../../../src/doctor/checks/protection.ts';
import { retention } from '../../../src/doctor/checks/retention.ts';
import { rowSeals } from '../../../src/doctor/checks/row-seals.ts';
import { runs } from '../../../src/doctor/checks/runs.ts';
import { verification } from '../../../src/doctor/checks/verification.ts';
import type { Installation } from '../../../src/doctor/installation.ts';
import { dayMs, minuteMs } from '../../../src/durations.ts';
import { warnOfEnds } from '../../../src/flows/consent/warn-of-ends.ts';
import { batchesDue } from '../../../src/flows/custody/keep-alive.ts';
import { finishErasedPeople } from '../../../src/flows/erasure/erase-person.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { heal } from '../../../src/flows/heal.ts';
import { continueRotation } from '../../../src/flows/keys/rotate-keys.ts';
import { eachProtectionByName, listProtectionsOf } from '../../../src/flows/nights/find-protection.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { raiseNights } from '../../../src/flows/notices/raise-nights.ts';
import { raiseAlarms, raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { forgetOldRecords } from '../../../src/flows/records/forget-old-records.ts';
import type { Resources } from '../../../src/resources.ts';
import { createApp } from '../../../src/web/app.ts';
import { startSession } from '../../../src/web/session.ts';

/** Something that is done again and again, however many plans there are. */
export interface StandingWork {
  readonly name: string;
  /** How often a worker does it, in seconds; absent: whenever somebody looks. */
  readonly everySeconds?: number;
  readonly work: () => Promise<unknown>;
}

const metricsToken = 'a-token-of-more-than-32-characters~+/=';

/**
 * What workers do on time, but for what they ask of providers, servers and stores: of keep-alive, of pruning, of verifying and
 * of cards only how they find what is due.
 */
export function duties(resources: Resources): readonly StandingWork[] {
  const { clock, config, database, holder } = resources;
  const later = (ms: number) => new Date(clock.now().getTime() + ms);
  const { signal } = new AbortController();
  const due = () => ({ quietUntil: later(15 * minuteMs), limit: 20 });
  return [
    { name: 'planner', everySeconds: 60, work: () => openNight(resources) },
    { name: 'keep-alive sweep', everySeconds: 60, work: () => sweep(resources) },
    { name: 'heal', everySeconds: 600, work: () => heal(resources) },
    {
      name: 'give way',
      everySeconds: 1,
      work: () =>
        listRunsToGiveWay(database, {
          holder,
          at: clock.now(),
          concurrency: 2,
          heavyRuns: 2,
          turnMs: config.turnMs,
          heldUp: [],
        }),
    },
    {
      name: 'next run',
      work: () =>
        claimNextRuns(database, {
          holder,
          at: clock.now(),
          concurrency: 2,
          heavyRuns: 2,
          turnMs: 60_000,
          wanted: 1,
        }),
    },
    { name: 'alarms', everySeconds: 60, work: () => raiseAlarms(resources) },
    { name: 'night notices', everySeconds: 60, work: () => raiseNights(resources) },
    { name: 'notices', everySeconds: 600, work: () => raiseNotices(resources) },
    { name: 'warnings', everySeconds: 3600, work: () => warnOfEnds(resources) },
    {
      name: 'retention planning',
      everySeconds: 1800,
      work: () => listPruneDue(database, { prunedBefore: later(-7 * dayMs), ...due(), after: beforeAllPruneDue }),
    },
    {
      name: 'verification planning',
      everySeconds: 600,
      work: () => listVerificationsDue(database, { at: clock.now(), ...due() }),
    },
    { name: 'gone repositories', everySeconds: 300, work: () => Array.fromAsync(eachGoneRepository(database)) },
    {
      name: 'erasing',
      everySeconds: 5,
      work: async () => [await eraseRepositories(resources, { signal }), await finishErasedPeople(resources)],
    },
    { name: 'cards planning', everySeconds: 600, work: () => listDueCards(resources) },
    { name: 'key rotation', everySeconds: 600, work: () => continueRotation(resources, { signal }) },
    { name: 'old records', everySeconds: 3600, work: () => forgetOldRecords(resources) },
  ];
}

async function sweep(resources: Resources): Promise<void> {
  for await (const _due of batchesDue(resources, { endsAccessTokens: true }));
}

async function listDueCards({ clock, database, keyring }: Resources): Promise<void> {
  await saveCardsOfOtherKeysDue(database, keyring.newest);
  for (let after = { cardDueAt: new Date(-1), id: '00000000-0000-0000-0000-000000000000' }; ; ) {
    const rows = await listCardsDue(database, { at: clock.now(), after, limit: 500 });
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

/** What is asked for: the pages of operators, what monitors ask for, and the page of one person. Somebody with this id is signed in. */
export async function pagesToLookAt(resources: Resources, userId: string): Promise<readonly StandingWork[]> {
  const config = { ...resources.config, metricsToken };
  const cookie = await signIn(resources, userId);
  const get = (name: string, path: string): StandingWork => ({
    name,
    work: async () => {
      const headers = { cookie, authorization: `Bearer ${metricsToken}` };
      const answer = await createApp({ ...resources, config }).request(new URL(path, config.publicUrl), { headers });
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}.`);
      await answer.text();
    },
  });
  return [
    get('/metrics', '/metrics'),
    get('/status.json', '/status.json'),
    get('a person: /', '/'),
    get('a person: /nights', '/nights'),
    get('/operator', '/operator'),
    get('/operator/grants', '/operator/grants'),
    get('/operator/grants, search', '/operator/grants?person=person1234'),
    get('/operator/grants, ended', '/operator/grants?state=needs_consent'),
    get('/operator/grants, next page', `/operator/grants?after=${userId}`),
    get('/operator/people/…', `/operator/people/${userId}`),
    get('/operator/queues', '/operator/queues'),
    get('/operator/audit', '/operator/audit'),
    get('/operator/audit, one act', '/operator/audit?act=consent-given'),
  ];
}

/** Of the doctor, and of commands for operators, what looks at everybody. */
export function commandsToLookAt(resources: Resources): readonly StandingWork[] {
  const { clock, config, database, keyring } = resources;
  const settings = { ...config, ...config.provider };
  const installation = {
    ...{ clock, keyring: () => keyring, records: async () => database },
    ...{
      setting: (key: keyof typeof settings) => settings[key],
      option: (key: keyof typeof settings) => settings[key],
    },
  } as unknown as Installation;
  const checks: readonly Check[] = [protection, verification, grants, deadlines, runs, retention, rowSeals];
  return [
    ...checks.map((check) => ({ name: `doctor: ${check.name}`, work: () => check.run(installation) })),
    {
      name: 'nightkeep grants',
      work: async () => {
        for await (const found of eachGrant(database, {}))
          await listProtectionsOf(
            resources,
            found.map(({ user }) => user.id),
          );
      },
    },
    { name: 'nightkeep users', work: () => listPeople(database, { limit: 10_000 }) },
    {
      name: 'nightkeep protection',
      work: async () => {
        for await (const people of eachProtectionByName(resources)) if (people.length === 0) return;
      },
    },
  ];
}

async function signIn(resources: Resources, userId: string): Promise<string> {
  const entrance = new Hono();
  entrance.get('/', async (c) => {
    await startSession(c, resources, { userId, operator: true, authenticatedAt: null, sid: undefined });
    return c.text('');
  });
  const answer = await entrance.request(resources.config.publicUrl);
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}
