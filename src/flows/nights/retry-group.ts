import { saveAudit } from '../../database/audit.ts';
import { listPlansInTrouble, type TroubleGroup } from '../../database/nights/tonight.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { requestNewRun } from './request-run.ts';

/** How many at a time: the caller waits for them. */
const most = 200;

/**
 * Requests a run for everybody whose latest one ended, or waits, for this cause, except those whose consent has ended. Answers how many were
 * requested, and whether there are more.
 */
export async function retryGroup(
  resources: Pick<Resources, 'clock' | 'database' | 'queues'>,
  { group, by }: { group: Pick<TroubleGroup, 'state' | 'errorCode'>; by: string },
): Promise<{ asked: number; more: boolean }> {
  const { clock, database } = resources;
  const found = await listPlansInTrouble(database, { ...group, at: clock.now(), limit: most + 1 });
  let asked = 0;
  for (const planId of found.slice(0, most)) {
    try {
      if ((await requestNewRun(resources, { planId, trigger: 'operator', by })).isNew) asked += 1;
    } catch (error) {
      if (!isAppError(error, 'grant/not-usable')) throw error;
    }
  }
  const about = `${group.state} ${group.errorCode ?? 'without a code'}: ${asked}`;
  if (asked > 0) await saveAudit(database, { at: clock.now(), by, act: 'runs-retried', about });
  return { asked, more: found.length > most };
}
