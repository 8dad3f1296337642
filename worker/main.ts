import { writeCards } from '../src/flows/adoption/keep-card.ts';
import { warnOfEnds } from '../src/flows/consent/warn-of-ends.ts';
import { keepAlive } from '../src/flows/custody/keep-alive.ts';
import { finishErasedPeople } from '../src/flows/erasure/erase-person.ts';
import { eraseRepositories } from '../src/flows/erasure/erase-repositories.ts';
import { heal } from '../src/flows/heal.ts';
import { continueRotation } from '../src/flows/keys/rotate-keys.ts';
import { backUp } from '../src/flows/nights/back-up.ts';
import { giveWay } from '../src/flows/nights/give-way.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import type { PersonRepository } from '../src/flows/nights/open-person-repository.ts';
import { steerNextRun } from '../src/flows/nights/steer-run.ts';
import { raiseNights } from '../src/flows/notices/raise-nights.ts';
import { raiseAlarms, raiseNotices } from '../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../src/flows/notices/send-notices.ts';
import { rememberFirstKeys, rememberKeys } from '../src/flows/provider/remember-keys.ts';
import { foldRecentTallies } from '../src/flows/records/fold-tallies.ts';
import { forgetOldRecords } from '../src/flows/records/forget-old-records.ts';
import { pruneDue } from '../src/flows/retention/prune-due.ts';
import { retain } from '../src/flows/retention/retain.ts';
import { exportWhereDue } from '../src/flows/state/export-into-store.ts';
import { lookAgain } from '../src/flows/verification/look-again.ts';
import { verifyDue } from '../src/flows/verification/verify-due.ts';
import type { Resources } from '../src/resources.ts';
import { type Duty, startDuties } from './duties.ts';
import { workOn } from './work-on.ts';

export interface RunningWorker {
  /** Begins nothing new, gives running work and duties `graceMs` to end, and returns the rest to the queue. */
  close(graceMs: number): Promise<void>;
}

const healing: Duty = ['*/10 * * * *', 'heal.failed', (resources) => heal(resources)];
/** What a worker does besides its runs. */
export const duties: readonly Duty[] = [
  healing,
  ['* * * * * *', 'give-way.failed', (resources, signal) => giveWay(resources, signal)],
  ['* * * * *', 'tick.failed', (resources) => openNight(resources)],
  ['* * * * *', 'keep-alive.failed', (resources, signal) => keepAlive(resources, { signal })],
  [
    '*/5 * * * * *',
    'erase.failed',
    async (resources, signal) => {
      await eraseRepositories(resources, { signal });
      await finishErasedPeople(resources);
    },
  ],
  ['7 * * * *', 'warn-of-ends.failed', (resources) => warnOfEnds(resources)],
  ['* * * * *', 'notices.alarms-failed', (resources) => raiseAlarms(resources)],
  ['* * * * *', 'notices.nights-failed', (resources) => raiseNights(resources)],
  ['3-59/10 * * * *', 'notices.raise-failed', (resources) => raiseNotices(resources)],
  ['30 * * * * *', 'notices.send-failed', (resources) => sendNotices(resources)],
  ['17,47 * * * *', 'prune.failed', (resources, signal) => pruneDue(resources, { signal })],
  ['*/10 * * * *', 'verify.failed', (resources, signal) => verifyDue(resources, { signal })],
  ['4-59/5 * * * *', 'verify.look-failed', (resources, signal) => lookAgain(resources, { signal })],
  ['5-59/10 * * * *', 'cards.failed', (resources, signal) => writeCards(resources, { signal })],
  ['9-59/10 * * * *', 'state.export-failed', (resources, signal) => exportWhereDue(resources, { signal })],
  ['15 * * * * *', 'tallies.failed', (resources) => foldRecentTallies(resources)],
  ['27 * * * *', 'records.failed', (resources, signal) => forgetOldRecords(resources, { signal })],
  ['41 * * * *', 'provider.keys-failed', (resources) => rememberKeys(resources)],
  ['20 * * * * *', 'provider.keys-failed', (resources) => rememberFirstKeys(resources)],
  ['8-59/10 * * * *', 'keyring.rotate-failed', (resources, signal) => continueRotation(resources, { signal })],
];

/** Works on runs, and on duties at their times. First it mends what a crash left behind. */
export async function startWorker(resources: Resources, onTime: readonly Duty[] = duties): Promise<RunningWorker> {
  const { clock, config, log, queues } = resources;
  const work = await workOn(
    queues.connection,
    // A job is one turn, and the table says whose it is.
    async (_, signal) => {
      let opened: PersonRepository | undefined;
      const onOpened = (own: PersonRepository) => {
        opened = own;
      };
      const done = await steerNextRun(resources, signal, (input) => backUp(resources, { ...input, onOpened }));
      if (done !== undefined) await retain(resources, { ...done, signal, opened });
    },
    { concurrency: config.concurrency, clock, log },
  );
  const started = await startDuties(resources, healing, onTime);
  return {
    close: async (graceMs) => {
      await Promise.all([work.close(graceMs), started.close(graceMs)]);
    },
  };
}
