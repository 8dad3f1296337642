import { findGrantOfPerson, listExchangesOfPerson } from '../../database/consent/grant-views.ts';
import { askGrantAgain } from '../../database/custody/deadlines.ts';
import { minuteMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { resumeRun } from '../nights/request-run.ts';
import type { Needs as ExchangeNeeds } from './needs.ts';
import { exchangeNow, waitForHolderMs } from './obtain-access.ts';

type Needs = ExchangeNeeds & Pick<Resources, 'queues'>;

/** A person makes the provider be asked no more often than this. */
const pauseForPeopleMs = minuteMs;

/**
 * Exchanges a refused grant at once, for when somebody says that what was missing at the provider is there again: its waiting run then
 * continues. Waits for a process that is already asking, since that answer may be older than the cure. Throws what `exchangeToken` throws
 * if the grant still cannot be used. `words` say why, for the audit. False, without a request, where somebody has just done this and waits
 * for the answer.
 */
export async function askAgain(
  resources: Needs,
  { grantId, by, words }: { grantId: string; by: string; words?: string | undefined },
): Promise<boolean> {
  if (!(await askGrantAgain(resources.database, { grantId, at: resources.clock.now(), by, words }))) return false;
  await exchangeNow(resources, grantId, { waitMs: waitForHolderMs });
  await resumeRun(resources, { grantId, by });
  return true;
}

/**
 * The same, by the person whose consent the provider refused; the result is shown on their page. Does nothing if it was done within the last
 * minute. Throws `provider/…` if the provider gives no answer.
 */
export async function askAgainForPerson(resources: Needs, { userId }: { userId: string }): Promise<void> {
  const { database, clock } = resources;
  const grant = await findGrantOfPerson(database, { userId });
  if (grant?.state !== 'suspect' && grant?.state !== 'needs_consent') return;
  const [latest] = await listExchangesOfPerson(database, { userId, limit: 1 });
  if (latest && clock.now().getTime() - latest.startedAt.getTime() < pauseForPeopleMs) return;
  try {
    await askAgain(resources, { grantId: grant.id, by: `user:${userId}` });
  } catch (error) {
    if (!isAppError(error, 'grant/not-usable')) throw error;
  }
}
