import { listEndingGrants, saveWarning } from '../../database/deadlines.ts';
import { warningDue } from '../../domain/deadlines.ts';
import type { Resources } from '../../resources.ts';

const aheadMs = 14 * 86_400_000;
const batch = 1_000;

/**
 * Records and logs 14, 7 and 2 days before a maximum that a consent ends: once each, whoever runs this. People read it on
 * their pages and in mails, which look for themselves.
 */
export async function warnOfEnds({
  clock,
  database,
  log,
}: Pick<Resources, 'clock' | 'database' | 'log'>): Promise<number> {
  const at = clock.now();
  let warned = 0;
  for (const grant of await listEndingGrants(database, {
    at,
    before: new Date(at.getTime() + aheadMs),
    limit: batch,
  })) {
    const days = warningDue(grant.maxDeadline, at, grant.warnedDays);
    if (days === undefined || !(await saveWarning(database, { grant, days, at }))) continue;
    log.info('grant.ends-soon', { grantId: grant.id, days });
    warned += 1;
  }
  return warned;
}
