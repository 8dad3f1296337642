import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { dayMs } from '../src/durations.ts';
import { revealRecoveryKey } from '../src/flows/keys/recovery-key.ts';
import { openPersonRepository } from '../src/flows/nights/open-person-repository.ts';
import { restore } from '../src/store/restorer/restore.ts';
import { agreeAs } from './agree.ts';
import type { CloudEntry } from './cloud/cloud.ts';
import { shareNames } from './cloud/shares.ts';
import type { Demo } from './demo.ts';
import type { HeldMailboxes } from './mail/mailboxes.ts';
import { type NightRun, passTime, settledRuns } from './nights.ts';
import { alice } from './people.ts';

/** Plays the whole story without a person: a consent, a night, a change, a second night, and a restore compared byte by byte. */
export async function playOnce(demo: Demo, restoreTo: string) {
  const { cloud, resources, provider } = demo;
  const since = resources.clock.now();
  await agreeAs(demo, alice);
  const first = await settledRuns(demo, since);
  cloud.write(alice.username, 'Notes/Written between two nights.txt', Buffer.from('Good night.\n'));
  const { runs: second } = await passTime(demo, dayMs);
  const user = await resources.database.user.findFirstOrThrow({ where: { username: alice.username } });
  const { recoveryKey, location } = await revealRecoveryKey(resources, user.id);
  const restored = await restoreAndCompare(demo, user.id, restoreTo);
  const grant = await resources.database.grant.findFirstOrThrow({ where: { userId: user.id } });
  return {
    issuer: provider.issuer,
    repository: location,
    recoveryKey,
    grant: { state: grant.state, generation: grant.generation },
    runs: [...first, ...second].map(rowOf),
    restored,
  };
}

function rowOf({ night, state, snapshotId, count }: NightRun) {
  return {
    night,
    outcome: state,
    snapshot: snapshotId,
    entries: count('entries'),
    entriesRead: count('entriesRead'),
    bytesRead: count('bytesRead'),
    requests: count('requests'),
    ms: count('ms'),
  };
}

async function restoreAndCompare({ resources, cloud }: Demo, userId: string, to: string) {
  const { repository } = await openPersonRepository(resources, userId);
  await repository.loadIndex();
  const { snapshot } = await repository.findSnapshot('latest');
  const report = await restore(repository, snapshot, to);
  let same = report.problems.length === 0;
  for (const share of shareNames) same &&= await isSame(join(to, share), cloud.contents(alice.username, share));
  same &&= await isSameMail(join(to, 'mail'), cloud.mailboxes(alice.username));
  return { entries: report.files, identical: same };
}

/** Whether a folder holds just what was in the cloud, besides what Nightkeep keeps of each calendar and address book. */
async function isSame(folder: string, wanted: ReadonlyMap<string, CloudEntry>): Promise<boolean> {
  const found = await readdir(folder, { recursive: true });
  const isKept = (path: string) => !wanted.has(path) && basename(path) === 'properties.json';
  let same = found.filter((path) => !isKept(path)).length === wanted.size;
  for (const [path, item] of wanted) {
    if (item.kind !== 'file') continue;
    same &&= await readFile(join(folder, path)).then(
      (bytes) => bytes.equals(item.bytes),
      () => false,
    );
  }
  return same;
}

/** Whether a folder holds just the messages of these mailboxes, besides what Nightkeep keeps of each. */
async function isSameMail(folder: string, mailboxes: HeldMailboxes): Promise<boolean> {
  const found = await readdir(folder);
  let same = found.length === mailboxes.size;
  for (const [name, { messages }] of mailboxes) {
    const files = await readdir(join(folder, name)).catch(() => []);
    const restored = files
      .filter((file) => file.endsWith('.eml'))
      .map((file) => readFile(join(folder, name, file), 'latin1'));
    const wanted = messages.map(({ content }) => content.toString('latin1'));
    same &&= isDeepStrictEqual((await Promise.all(restored)).toSorted(), wanted.toSorted());
  }
  return same;
}

/** Whether both nights succeeded, the second read only what changed, and the restore is identical. */
export function isGood({ runs, restored, grant }: Awaited<ReturnType<typeof playOnce>>): boolean {
  const nights = runs.every(({ outcome, snapshot }) => outcome === 'succeeded' && snapshot !== null);
  return (
    nights &&
    runs.length === 2 &&
    runs[1]?.entriesRead === 1 &&
    restored.identical &&
    grant.state === 'active' &&
    grant.generation > 1
  );
}
