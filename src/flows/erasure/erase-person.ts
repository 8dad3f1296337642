import {
  beginErasingPerson,
  finishErasingPerson,
  listGrantsToEnd,
  listHalfErasedPeople,
} from '../../database/person-erasures.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { revokeWithdrawn } from '../consent/revoke-tokens.ts';
import { endConsentHere, type WithdrawalNeeds } from '../consent/withdraw-consent.ts';

/**
 * Erases all that Nightkeep holds of a person: their consent ends, here and at the provider, and their records go at once; their
 * snapshots are left to a worker, and tokens that the provider cannot be told of now are tried again. Answers the id of the receipt,
 * which says what is done and what waits. Throws `request/forbidden` where consent was given again meanwhile.
 */
export async function erasePerson(
  resources: WithdrawalNeeds & Pick<Resources, 'histories'>,
  { userId }: { userId: string },
): Promise<string> {
  const { clock, database, histories, log } = resources;
  const grantIds = await listGrantsToEnd(database, userId);
  for (const grantId of grantIds)
    await endConsentHere(resources, { grantId, by: `user:${userId}`, eraseAt: clock.now() });
  const receipt = await beginErasingPerson(database, { userId, at: clock.now() });
  if (receipt === null)
    throw new AppError('request/forbidden', 'You gave consent again meanwhile, so nothing was erased. Start again.');
  histories.drop(userId);
  log.info('person.erasing', { userId });
  // What fails here a worker does later, and the receipt says so.
  await endAtProvider(resources, grantIds).catch((error: unknown) => log.warn('person.erase.later', { userId, error }));
  return receipt;
}

async function endAtProvider(resources: WithdrawalNeeds, grantIds: readonly string[]): Promise<void> {
  for (const grantId of grantIds) await revokeWithdrawn(resources, { grantId });
  await finishErasedPeople(resources);
}

/** Deletes what is left of people of whom nothing waits any more. Answers how many that were. */
export async function finishErasedPeople({
  clock,
  database,
  log,
}: Pick<Resources, 'clock' | 'database' | 'log'>): Promise<number> {
  let finished = 0;
  for (const userId of await listHalfErasedPeople(database)) {
    if (!(await finishErasingPerson(database, { userId, at: clock.now() }))) continue;
    finished += 1;
    log.info('person.erased', { userId });
  }
  return finished;
}
