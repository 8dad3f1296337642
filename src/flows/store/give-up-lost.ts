import { mustHaveFiles, saveLost } from '../../database/repositories/lost-repositories.ts';
import type { RepositoryPlace } from '../../database/repositories/repository-moves.ts';
import { noticeOfLostSnapshots } from '../../domain/notices.ts';
import type { Resources } from '../../resources.ts';
import { contentsOf } from '../../store/repository/clear-place.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'store'> & { readonly config: Pick<Resources['config'], 'mail'> };

/** What became of a repository: it was given up, or would be, or why not. */
export type GivenUp = 'lost' | 'is there' | 'not made yet' | 'an old copy is there';

/**
 * Gives up a repository whose store lists no file of it, if the operator says that it is lost: no program can tell that from a disk that is not
 * mounted. Its person keeps consent and plan; what is left of it in a former store is not touched.
 */
export async function giveUpLost(
  { clock, config, database, store }: Needs,
  { id, userId, location, ...place }: RepositoryPlace,
  { dryRun, by }: { dryRun: boolean; by: string },
): Promise<GivenUp> {
  if (!(await mustHaveFiles(database, id))) return 'not made yet';
  if ((await contentsOf(store(location, place.store))).files > 0) return 'is there';
  for (const other of [place.formerStore, place.movingTo])
    if (other !== null && (await contentsOf(store(location, other))).snapshots > 0) return 'an old copy is there';
  if (dryRun) return 'lost';
  const at = clock.now();
  const notice = { ...noticeOfLostSnapshots({ userId, at }), userId, channel: 'mail-person' as const };
  const telling = config.mail === undefined ? [] : [notice];
  await saveLost(database, { id, userId, location, at, by, telling });
  return 'lost';
}
