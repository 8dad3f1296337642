import { countWords } from '../../count-words.ts';
import { type FolderFacts, inspectFolder } from '../../store/backend/local-folder.ts';
import { openSpoolBelow } from '../../vault/spool.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { sentences } from '../words.ts';

const name = 'spool';

/** Where it is to be made at need, its parent is looked at. */
export const spool: Check = {
  name,
  run: async ({ clock, setting }) => {
    const dataDir = setting('dataDir');
    const opened = openSpoolBelow(dataDir);
    const own = await inspectFolder(opened.folder, clock.elapsed);
    const facts = own.exists ? own : await inspectFolder(dataDir, clock.elapsed);
    return checkSpool(facts, facts.fault === undefined ? (await opened.list()).length : 0);
  },
};

/** Answers of the provider on this machine's disk: here for a moment while an exchange is saved, and else for `heal`. */
function checkSpool(facts: FolderFacts, waiting: number): Finding {
  if (facts.fault !== undefined) return wrong(name, ...sentences(`The folder ${facts.folder} ${facts.fault}.`));
  if (waiting > 0)
    return warn(
      name,
      `${countWords(waiting, 'token')} ${waiting === 1 ? 'is' : 'are'} on this disk only, until the database has ${waiting === 1 ? 'it' : 'them'}.`,
      'If that does not change, run: nightkeep heal. Keep the folder, whatever happens.',
    );
  return ok(name, 'No token waits on this disk for the database.');
}
