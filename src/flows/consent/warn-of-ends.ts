import { listGrantsToWarn, saveWarnings } from '../../database/custody/deadlines.ts';
import { warningDue } from '../../domain/deadlines.ts';
import type { Resources } from '../../resources.ts';

const batch = 1_000;

/** Records and logs the fixed end of a consent 14, 7 and 2 days ahead: once each, whoever runs this. Pages and mails do not depend on it. */
export async function warnOfEnds({
  clock,
  database,
  log,
}: Pick<Resources, 'clock' | 'database' | 'log'>): Promise<number> {
  const at = clock.now();
  let warned = 0;
  for (let before = -1; before < warned; ) {
    before = warned;
    const due = (await listGrantsToWarn(database, { at, limit: batch })).flatMap((grant) => {
      const days = warningDue(grant.maxDeadline, at, grant.warnedDays);
      return days === undefined ? [] : [{ ...grant, days }];
    });
    const saved = due.length === 0 ? [] : await saveWarnings(database, { warned: due, at });
    for (const { id: grantId, days } of saved) log.info('grant.ends-soon', { grantId, days });
    warned += saved.length;
  }
  return warned;
}
