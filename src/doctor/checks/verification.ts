import { countUpTo, countWords } from '../../count-words.ts';
import { eachDoubtfulRepository, listVerifications } from '../../database/repositories/verification-views.ts';
import { type DamageState, isAlarming, mostNames } from '../../domain/damage.ts';
import { overdueMs } from '../../domain/protection.ts';
import { type JudgedPerson, listProtectionsOf } from '../../flows/nights/find-protection.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'verification';

export const verification: Check = {
  name,
  run: async ({ clock, records }) => {
    const database = await records();
    const people: JudgedPerson[] = [];
    for await (const userIds of eachDoubtfulRepository(database, new Date(clock.now().getTime() - overdueMs)))
      people.push(
        ...(await listProtectionsOf({ clock, database }, userIds)).filter(
          ({ protection: { restorable } }) => restorable.damage !== null || restorable.isOverdue,
        ),
      );
    const known = await listVerifications(
      database,
      people.map(({ userId }) => userId),
    );
    return checkVerification(
      people.map(({ userId, username, subject, protection: { restorable } }) => ({
        user: username ?? subject,
        ...restorable,
        files: known.get(userId)?.files ?? 0,
        errorCode: known.get(userId)?.errorCode ?? null,
      })),
    );
  },
};

interface Verified {
  readonly user: string;
  readonly damage: DamageState | null;
  readonly isOverdue: boolean;
  /** Files and folders that cannot be restored. */
  readonly files: number;
  readonly errorCode: string | null;
}

/** Whether every repository was found whole within the last days: which ones not, and how much of them is damaged. */
export function checkVerification(people: readonly Verified[]): Finding {
  const { gone = [], damaged = [] } = Object.groupBy(
    people.filter(({ damage }) => isAlarming(damage)),
    ({ damage }) => (damage === 'gone' ? 'gone' : 'damaged'),
  );
  if (damaged.length + gone.length > 0)
    return wrong(
      name,
      [
        ...(damaged.length === 0
          ? []
          : [
              `Damage was found for ${countWords(damaged.length, 'person', 'people')}: ${someOf(damaged.map(damageOf))}.`,
            ]),
        ...(gone.length === 0
          ? []
          : [
              `The repository is gone (not there, or nothing opens it) for ${countWords(gone.length, 'person', 'people')}: ${someOf(gone.map(({ user }) => user))}.`,
            ]),
      ].join(' '),
      'Look at the disk or the bucket first. gone: the repository is not there, or nothing opens it: mount its disk, or bring back what is missing from a copy of the store (its key file also by nightkeep repair keys and the recovery key); if it is lost for good: nightkeep store lost. healing: the next night reads again what the source still has; there is none while nights are paused or once the consent has ended. lost: the person sees what it is on the page “Can it be restored?”, and confirms there that they have looked; as long as a snapshot cannot be read or is incomplete, nothing is pruned, until nightkeep repair snapshots --forget. removed: snapshots are gone although retention did not remove them: find out who can delete there; the person confirms that they have looked. key: the person makes a new recovery key on the page Recovery. mending: nothing is lost; nightkeep repair --user NAME repairs it, which verifications could not (somebody else used it, or the key in STORE_KEYS may not delete), and of what it cannot, such as a key file, it says what does.',
    );
  const overdue = people.filter(({ isOverdue }) => isOverdue);
  if (overdue.length > 0)
    return warn(
      name,
      `Not verified for three days or more: the snapshots of ${countWords(overdue.length, 'person', 'people')} (${someOf(overdue.map(({ user, errorCode }) => (errorCode === null ? user : `${user}: ${errorCode}`)))}).`,
      'Workers verify each repository once a day when no run and no other program is using it. Start a worker, and look for verify.failed in its log.',
    );
  const lost = people.filter(({ damage }) => damage === 'accepted');
  const but =
    lost.length === 0
      ? ''
      : `, except for what is lost or was removed of ${countWords(lost.length, 'person', 'people')} (${someOf(lost.map(({ user }) => user))}), which they have looked at`;
  const superseded = people.filter(({ damage }) => damage === 'superseded');
  if (superseded.length > 0)
    return ok(
      name,
      `Everything that is needed is intact${but}. In the repositories of ${countWords(superseded.length, 'person', 'people')} (${someOf(superseded.map(({ user }) => user))}) there are still damaged packs, which no snapshot needs any more and which the store's key may not delete: nightkeep repair --user NAME with one that may removes them.`,
    );
  return ok(name, `Each repository was found intact within the last days, or is new${but}.`);
}

function damageOf({ user, damage, files }: Verified): string {
  const what =
    damage === 'key' || damage === 'mending' || damage === 'removed' ? '' : `, ${countUpTo(files, mostNames, 'file')}`;
  return `${user}: ${damage}${what}`;
}
