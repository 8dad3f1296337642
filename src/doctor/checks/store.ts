import { bytesWords, countWords } from '../../count-words.ts';
import { listMadeRepositories } from '../../database/nights/inspect-runs.ts';
import { isOpenToListeners } from '../../domain/addresses.ts';
import type { RestAddress, S3Address } from '../../domain/store-address.ts';
import { type BackendFacts, inspectBackend } from '../../store/backend/inspect-backend.ts';
import { type FolderFacts, inspectFolder } from '../../store/backend/local-folder.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, unknown, warn, wrong } from '../finding.ts';
import { sentences } from '../words.ts';

const name = 'store';
const leastFree = 2 * 1024 ** 3;
const leastShare = 0.05;
const slowMs = 1_000;
/** Where the file goes that is taken through a store on a server. */
const trialLocation = 'nightkeep-doctor';

export const store: Check = {
  name,
  run: async ({ clock, records, setting, store: open }) => {
    const address = setting('store');
    if (address.kind !== 'folder') {
      const finding = checkRemote(await inspectBackend(open(trialLocation, null), clock.elapsed));
      return finding.state === 'ok' ? (checkPrivacy(address) ?? finding) : finding;
    }
    const facts = await inspectFolder(address.folder, clock.elapsed);
    const database = await records().catch(() => undefined);
    const made = database && (await listMadeRepositories(database, clock.now()));
    return checkFolder(facts, made?.filter(({ store }) => store === null).length);
  },
};

/** A REST server gets the password itself with every request; nothing of an S3 key goes over the way. */
export function checkPrivacy(address: S3Address | RestAddress): Finding | undefined {
  if (address.kind === 's3' || address.user === '') return undefined;
  const server = new URL(address.origin);
  if (!isOpenToListeners(server)) return undefined;
  return warn(
    name,
    `The password is sent to ${server.hostname} without TLS: anybody on the way can read and use it.`,
    'Let the server speak TLS, write https in STORE_URL, and name its authority in STORE_CA if it is your own.',
  );
}

/** The bucket or REST server that holds the repositories. */
export function checkRemote({ location, fault, tripMs = 0, mayDelete }: BackendFacts): Finding {
  if (fault !== undefined) return wrong(name, ...sentences(fault, 'Bring the server back, or correct STORE_URL.'));
  if (mayDelete === false)
    return warn(
      name,
      `${location} accepts files, but the key may not even delete locks: each night leaves some behind.`,
      'Allow the key to delete below locks/ of each repository, or remove old locks with another key (restic unlock).',
    );
  if (tripMs > slowMs)
    return warn(
      name,
      `A small file took ${tripMs} ms through ${location}.`,
      'Check the connection to the server: each night writes many files.',
    );
  return ok(name, `${location} accepts files (a small one took ${tripMs} ms).`);
}

/** The folder that holds the repositories; `expected` says how many it must hold already. */
export function checkFolder(facts: FolderFacts, expected: number | undefined): Finding {
  const { folder, exists, fault, freeBytes = 0, totalBytes = 0, tripMs = 0 } = facts;
  if (!exists && expected !== undefined && expected > 0)
    return wrong(
      name,
      `There is no folder ${folder}, but it should hold ${countWords(expected, 'repository', 'repositories')}.`,
      'Mount the disk, or correct STORE_URL, before the next night begins new repositories there.',
    );
  if (!exists) return unknown(name, `There is no folder ${folder} yet: the first run creates it.`);
  if (fault !== undefined) return wrong(name, ...sentences(`The folder ${folder} ${fault}.`));
  if (freeBytes < leastFree || freeBytes < totalBytes * leastShare)
    return warn(
      name,
      `Only ${bytesWords(freeBytes)} of ${bytesWords(totalBytes)} are free in ${folder}.`,
      'Make room there, or give it a larger disk, before a night fails.',
    );
  if (tripMs > slowMs)
    return warn(
      name,
      `A small file took ${tripMs} ms through ${folder}.`,
      'Look at the disk: each night writes many files.',
    );
  return ok(name, `${folder} accepts files (${tripMs} ms each) and has ${bytesWords(freeBytes)} free.`);
}
