import {
  beginErasingPerson,
  findErasureReceipt,
  finishErasingPerson,
  listGrantsToEnd,
  listHalfErasedPeople,
  mayFinishErasing,
} from '../../database/people/person-erasures.ts';
import { findRunningRestore } from '../../database/repositories/restores.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { erasureSealing, personSealing, planSealing } from '../../vault/row-seals.ts';
import { revokeWithdrawn } from '../consent/revoke-tokens.ts';
import { endConsentHere, type WithdrawalNeeds } from '../consent/withdraw-consent.ts';
import { removeMark } from '../keys/marks.ts';
import { letGoOf } from '../snapshots/let-go.ts';

/**
 * Erases all that Nightkeep holds of a person. Their consent ends, here and at the provider, and their records are deleted at once. Their
 * snapshots are left to a worker, and tokens that cannot be revoked now are tried again. A restore to the source that is under way is
 * stopped, and waited for as long as it may take to notice.
 *
 * Answers the id of the receipt (`receipt`, where that is free), which says what is done and what is still to come; if asked twice, that of the first. Throws
 * `request/forbidden` where consent was given again meanwhile, `request/not-found` where nothing is left of the person.
 */
export async function erasePerson(
  resources: WithdrawalNeeds & Pick<Resources, 'histories' | 'repositoryKeys'>,
  { userId, receipt: wanted }: { userId: string; receipt?: string | undefined },
): Promise<string> {
  const { clock, database, keyring, log } = resources;
  const grantIds = await listGrantsToEnd(database, userId);
  for (const grantId of grantIds)
    await endConsentHere(resources, { grantId, by: `user:${userId}`, eraseAt: clock.now() });
  const seals = {
    person: personSealing(keyring),
    plan: planSealing(keyring),
    erasure: erasureSealing(keyring),
  };
  const receipt = await beginErasingPerson(database, { userId, receipt: wanted, seals, at: clock.now() });
  if (receipt === null)
    throw new AppError('request/forbidden', 'You gave consent again meanwhile, so nothing was erased. Start again.');
  if (receipt === undefined && wanted !== undefined && (await findErasureReceipt(database, wanted)) !== null)
    return wanted;
  if (receipt === undefined)
    throw new AppError('request/not-found', 'Everything about this person has already been erased.');
  letGoOf(resources, userId);
  log.info('person.erasing', { userId });
  await untilNothingIsRestored(resources, userId);
  // What fails here a worker does later, and the receipt says so.
  await endAtProvider(resources, grantIds).catch((error: unknown) => log.warn('person.erase.later', { userId, error }));
  return receipt;
}

/** Whoever writes a restore asks every two seconds whether it shall go on, and then breaks off. */
const longestWaitMs = 10_000;
const lookEveryMs = 250;

async function untilNothingIsRestored(
  { clock, database }: Pick<Resources, 'clock' | 'database'>,
  userId: string,
): Promise<void> {
  const end = clock.elapsed() + longestWaitMs;
  while (clock.elapsed() < end && (await findRunningRestore(database, { userId, now: clock.now() })) !== null)
    await clock.sleep(lookEveryMs);
}

async function endAtProvider(resources: WithdrawalNeeds, grantIds: readonly string[]): Promise<void> {
  for (const grantId of grantIds) await revokeWithdrawn(resources, { grantId });
  await finishErasedPeople(resources);
}

/** Finishes the erasures that wait for nothing any more, and answers how many. */
export async function finishErasedPeople(
  resources: Pick<Resources, 'clock' | 'database' | 'log' | 'store'>,
): Promise<number> {
  const { clock, database, log } = resources;
  let finished = 0;
  for (const userId of await listHalfErasedPeople(database)) {
    // Without its mark an older row is not noticed: a row that says that somebody is erased must not take it.
    if (!(await mayFinishErasing(database, { userId, at: clock.now() }))) continue;
    const isGone = await removeMark(resources, userId).then(
      () => true,
      (error: unknown) => log.warn('person.erase.later', { userId, error }),
    );
    if (!isGone) continue;
    if (!(await finishErasingPerson(database, { userId, at: clock.now() }))) continue;
    finished += 1;
    log.info('person.erased', { userId });
  }
  return finished;
}
