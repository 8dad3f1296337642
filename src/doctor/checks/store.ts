import { listRepositoryLocations } from '../../database/inspect-runs.ts';
import { type FolderFacts, inspectFolder } from '../../store/backend/local-folder.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';
import { bytesWords, countWords, sentences } from '../words.ts';

const name = 'store';
const leastFree = 2 * 1024 ** 3;
const leastShare = 0.05;
const slowMs = 1_000;

export const store: Check = {
  name,
  run: async ({ clock, records, setting }) => {
    const facts = await inspectFolder(setting('storeFolder'), clock.elapsed);
    const database = await records().catch(() => undefined);
    const locations = database && (await listRepositoryLocations(database, clock.now()));
    return checkStore(facts, locations?.length);
  },
};

/** The folder that holds the repositories; `expected` says how many it must hold already. */
export function checkStore(facts: FolderFacts, expected: number | undefined): Finding {
  const { folder, exists, fault, freeBytes = 0, totalBytes = 0, tripMs = 0 } = facts;
  if (!exists && expected !== undefined && expected > 0)
    return wrong(
      name,
      `There is no folder ${folder}, but it must hold ${countWords(expected, 'repository', 'repositories')}.`,
      'Mount the disk, or correct STORE_URL, before the next night begins new repositories there.',
    );
  if (!exists) return unknown(name, `There is no folder ${folder} yet: the first run makes it.`);
  if (fault !== undefined) return wrong(name, ...sentences(`The folder ${folder} ${fault}.`));
  if (freeBytes < leastFree || freeBytes < totalBytes * leastShare)
    return warn(
      name,
      `Only ${bytesWords(freeBytes)} of ${bytesWords(totalBytes)} are free in ${folder}.`,
      'Make room, or point STORE_URL to a larger disk before a night fails.',
    );
  if (tripMs > slowMs)
    return warn(
      name,
      `A small file took ${tripMs} ms through ${folder}.`,
      'Look at the disk: each night writes many files.',
    );
  return ok(name, `${folder} takes files (${tripMs} ms each) and has ${bytesWords(freeBytes)} free.`);
}
