import { claimVerification, listVerificationsDue, saveNotVerified } from '../../database/repositories/verifications.ts';
import { hourMs, minuteMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import { leaseMs } from './follow-reading.ts';
import { tellIfGone } from './tell-if-gone.ts';
import { type VerificationNeeds, verifyRepository } from './verify-repository.ts';

/** How much later a verification that could not be done is tried again. */
const againMs = hourMs;
/** No verification begins where a run is due so soon. */
const quietMs = 15 * minuteMs;
const atOnce = 20;

/**
 * Verifies each repository once a day, one after the other until none is due, except those that a run is using or will use soon. One that somebody
 * else uses, or that a run has begun to use meanwhile, is due again an hour later, and so is one that failed.
 */
export async function verifyDue(
  resources: VerificationNeeds,
  { signal, random = Math.random }: { signal: AbortSignal; random?: () => number },
): Promise<void> {
  const { clock, database } = resources;
  const due = () => {
    const at = clock.now();
    return listVerificationsDue(database, { at, quietUntil: new Date(at.getTime() + quietMs), limit: atOnce });
  };
  for (let userIds = await due(); userIds.length > 0; userIds = await due())
    for (const userId of userIds) {
      if (signal.aborted) return;
      await verifyOne(resources, { userId, signal, random });
    }
}

async function verifyOne(
  resources: VerificationNeeds,
  { userId, signal, random }: { userId: string; signal: AbortSignal; random: () => number },
): Promise<void> {
  const { clock, database } = resources;
  const log = resources.log.with({ userId });
  const at = clock.now();
  const claimed = await claimVerification(database, { userId, at, leaseUntil: new Date(at.getTime() + leaseMs) });
  if (claimed === null) return;
  const postpone = (errorCode: string | null, byMs: number, errorFiles: readonly string[] = []) =>
    saveNotVerified(database, { userId, errorCode, errorFiles, nextAt: new Date(clock.now().getTime() + byMs) });
  try {
    const { damage, ...figures } = await verifyRepository(resources, { claimed, signal, random });
    if (damage === undefined) log.info('verify.done', figures);
    else log.warn('verify.damage-found', { ...figures, ...damage });
  } catch (error) {
    if (signal.aborted) return postpone(null, 0);
    if (isAppError(error, 'repository/locked')) return postpone(null, againMs);
    log.warn('verify.failed', { error });
    await tellIfGone({ ...resources, log }, { userId, by: 'schedule', error });
    await postpone(isAppError(error) ? error.code : 'internal', againMs, filesIn(error));
  }
}

/** The files of the repository that an error names. */
function filesIn(error: unknown): string[] {
  const files = isAppError(error) ? error.detail.files : undefined;
  return Array.isArray(files) ? files.filter((name) => typeof name === 'string') : [];
}
