import { getPlanZone, hastenRun, saveRequestedRun } from '../../database/nights/plans.ts';
import { dateIn } from '../../domain/nights.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'queues'>;

export type RequestedRun = { planId: string } & (
  | { trigger: 'consent' | 'person'; by?: never; words?: never }
  /** The operator who asks for it, for events and the audit, and why in their words. */
  | { trigger: 'operator'; by: string; words?: string | undefined }
);

/**
 * Queues a run besides the nightly one, or answers the id of the plan's run that is under way; one that waits to be tried again becomes due at
 * once. What a person requests comes after everybody's night, what an operator requests first (src/domain/turns.ts). Throws `grant/not-usable`
 * after consent has ended.
 */
export async function requestRun(resources: Needs, requested: RequestedRun): Promise<string> {
  return (await requestNewRun(resources, requested)).runId;
}

/** The same; `isNew`: it was not under way, or comes sooner now. */
export async function requestNewRun(
  { clock, database, queues }: Needs,
  { planId, trigger, by = trigger, words }: RequestedRun,
): Promise<{ runId: string; isNew: boolean }> {
  const zone = await getPlanZone(database, planId);
  const at = clock.now();
  const run = await saveRequestedRun(database, { planId, night: dateIn(zone, at), trigger, at, by, words });
  if (run === null)
    throw new AppError('grant/not-usable', 'The consent has ended. Consent again first; then the backup can run.');
  const { id: runId, fence, waits, isNew } = run;
  if (waits) await queues.backUps.enqueue([{ runId, attempt: fence, now: true }]);
  return { runId, isNew };
}

/** Tries the run at once that waits for a later moment, since its grant can be used again; nothing where none waits. */
export async function resumeRun(
  { clock, database, queues }: Needs,
  { grantId, by }: { grantId: string; by: string },
): Promise<void> {
  const run = await hastenRun(database, { grantId, at: clock.now(), by });
  if (run?.waits) await queues.backUps.enqueue([{ runId: run.id, attempt: run.fence, now: true }]);
}
