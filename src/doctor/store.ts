import type { FolderFacts } from '../store/backend/local-folder.ts';
import { type Finding, ok, unknown, warn, wrong } from './finding.ts';
import { bytesWords, countWords, someOf } from './words.ts';

const name = 'store';
const leastFree = 2 * 1024 ** 3;
const leastShare = 0.05;
const slowMs = 1_000;

/** The folder that holds the repositories; `expected` says how many it must hold already. */
export function judgeStore(facts: FolderFacts, expected: number | undefined): Finding {
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

/** Whether every repository of the table is where it must be. */
export function judgeRepositories({ known, missing }: { known: number; missing: readonly string[] }): Finding {
  const about = 'repositories';
  if (missing.length > 0)
    return wrong(
      about,
      `${countWords(missing.length, 'repository', 'repositories')} of ${known} ${missing.length === 1 ? 'has' : 'have'} no config in the store: ${someOf(missing)}.`,
      'Mount the right disk or correct STORE_URL; if they are truly gone, bring them back from a copy of the store.',
    );
  return ok(about, known === 0 ? 'There are none yet.' : `Each of ${known} is where it must be.`);
}

/** Answers of the provider on this machine's disk: here for a moment while an exchange is saved, and else for `heal`. */
export function judgeSpool(facts: FolderFacts, waiting: number): Finding {
  const about = 'spool';
  if (facts.fault !== undefined) return wrong(about, ...sentences(`The folder ${facts.folder} ${facts.fault}.`));
  if (waiting > 0)
    return warn(
      about,
      `${countWords(waiting, 'token')} ${waiting === 1 ? 'is' : 'are'} on this disk only, until the database has ${waiting === 1 ? 'it' : 'them'}.`,
      'If it stays so, run: nightkeep heal. Keep the folder, whatever happens.',
    );
  return ok(about, 'No token waits on this disk for the database.');
}

/** What is wrong, and the cure after it. */
function sentences(text: string): [finding: string, cure: string] {
  const end = text.indexOf('. ');
  if (end === -1) return [text, 'Look at the disk, and at the rights of the user that Nightkeep runs as.'];
  return [text.slice(0, end + 1), text.slice(end + 2)];
}
