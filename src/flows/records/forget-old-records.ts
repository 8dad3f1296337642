import { forgetLogouts } from '../../database/people/logouts.ts';
import { forgetWebSessions } from '../../database/people/web-sessions.ts';
import {
  forgetAudit,
  forgetEvents,
  forgetNotices,
  forgetRestores,
  forgetRuns,
  forgetUses,
  type OldRecords,
} from '../../database/records/old-records.ts';
import type { Resources } from '../../resources.ts';
import { foldAllTallies } from './fold-tallies.ts';

/** How many rows go in one transaction: so few that nobody waits for them. */
const atOnce = 1_000;
/** The latest runs of a plan that stay at least; what to believe of a server is judged by some of them. */
const leastRuns = 20;

type Needs = Pick<Resources, 'clock' | 'database' | 'log' | 'queues'> & {
  readonly config: Pick<Resources['config'], 'fullWalkNights' | 'recordsKept' | 'session'>;
};

/**
 * Deletes records that are older than the settings allow: runs, restores, notices, uses of consents, events, what the audit says about people, and
 * the queue's notes about jobs; also web sessions and logout tokens that have ended. Answers how many rows of each were deleted, except those of
 * the queue.
 */
export async function forgetOldRecords(
  { clock, config, database, log, queues }: Needs,
  { signal, limit = atOnce }: { signal?: AbortSignal; limit?: number } = {},
) {
  const at = clock.now().getTime();
  const { runsMs, usesMs, eventsMs, auditMs } = config.recordsKept;
  const before = (ms: number) => new Date(at - ms);
  const latest = Math.max(leastRuns, config.fullWalkNights);
  const all = async (forget: (old: OldRecords) => Promise<number>, ageMs: number) => {
    let gone = 0;
    for (let count = limit; count === limit && signal?.aborted !== true; gone += count)
      count = await forget({ before: before(ageMs), limit });
    return gone;
  };
  const forgotten = {
    runs: await all((old) => forgetRuns(database, { ...old, latest }), runsMs),
    restores: await all((old) => forgetRestores(database, old), runsMs),
    notices: await all((old) => forgetNotices(database, old), runsMs),
    uses: await all((old) => forgetUses(database, old), usesMs),
    events: await all((old) => forgetEvents(database, old), eventsMs),
    audit: await all((old) => forgetAudit(database, old), auditMs),
  };
  if (Object.values(forgotten).some((count) => count > 0)) log.info('records.forgotten', forgotten);
  const { idleMs } = config.session;
  await all((old) => forgetLogouts(database, old), 0);
  await all((old) => forgetWebSessions(database, { at: old.before, idleMs, limit: old.limit }), 0);
  await foldAllTallies({ clock, database });
  await queues.backUps.forgetEvents(before(eventsMs));
  return forgotten;
}
