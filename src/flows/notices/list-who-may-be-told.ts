import type { Database } from '../../database/client.ts';
import {
  listChangedPeople,
  listHours,
  listMissedPeople,
  listPeopleOfMoments,
} from '../../database/notices/changed-people.ts';
import { lastWindow } from '../../domain/nights.ts';

/**
 * The people who may have to be notified since `from`, up to `to`: something happened to them, or time alone gives a reason (see
 * `listPeopleOfMoments`). The work grows with their number and, once a night, with the plans of each window that is over.
 */
export async function listWhoMayBeTold(database: Database, time: { from: Date; to: Date }): Promise<string[]> {
  const found = [await listChangedPeople(database, time.from), await listPeopleOfMoments(database, time)];
  for (const hours of await listHours(database)) {
    const { start: begunAt, end } = lastWindow(hours, time.to);
    if (end > time.from) found.push(await listMissedPeople(database, { ...hours, begunAt }));
  }
  return [...new Set(found.flat())];
}
