import { countWords } from '../../count-words.ts';
import { listMadeRepositories } from '../../database/nights/inspect-runs.ts';
import { repositoryExists } from '../../store/repository/exists.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, wrong } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'repositories';
/** Repositories that are looked for at once. */
const atOnce = 16;

export const repositories: Check = {
  name,
  run: async ({ clock, records, store }) => {
    const made = await listMadeRepositories(await records(), clock.now());
    const look = async ({ location, store: at }: (typeof made)[number]) =>
      (await repositoryExists(store(location, at))) ? [] : [location];
    const missing = await Array.fromAsync(inParallel(made, atOnce, look));
    return checkRepositories({ known: made.length, missing: missing.flat() });
  },
};

/** Whether every repository of the table is where it must be. */
export function checkRepositories({ known, missing }: { known: number; missing: readonly string[] }): Finding {
  if (missing.length > 0)
    return wrong(
      name,
      `${countWords(missing.length, 'repository', 'repositories')} of ${known} ${missing.length === 1 ? 'has' : 'have'} no config in the store: ${someOf(missing)}.`,
      'Mount the right disk or correct STORE_URL; if they are really gone, bring them back from a copy of the store, or give them up: nightkeep store lost.',
    );
  return ok(name, known === 0 ? 'There are none yet.' : `Each of ${known} is where it should be.`);
}
