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

/** What is wrong with repositories, a line for each kind, with what mends that. */
const damages: Readonly<Record<AlarmingDamage, readonly [what: string, cure: string]>> = {
  gone: [
    'The repository is not there, or nothing opens it,',
    'Mount its disk, or bring back what is missing from a copy of the store (a key file also by nightkeep repair keys and the recovery key). If it is lost for good: nightkeep store lost.',
  ],
  lost: [
    'Data is damaged that the source no longer has,',
    'Look at the disk or the bucket. The person sees what it is on the page “Can it be restored?”, and confirms there that they have looked. As long as a snapshot cannot be read or is incomplete, nothing is pruned: nightkeep repair snapshots --forget removes it.',
  ],
  removed: [
    'Snapshots are gone that retention did not remove,',
    'Find out who can delete in the store. The person confirms on the page “Can it be restored?” that they have looked.',
  ],
  healing: [
    'Data is damaged',
    'Look at the disk or the bucket. The next night reads again what the source still has; there is none while nights are paused or once the consent has ended.',
  ],
  key: [
    'The recovery key no longer opens anything',
    'Look at the disk or the bucket. The person makes a new recovery key on the page Recovery.',
  ],
  mending: [
    'Something is damaged, but nothing is lost,',
    'Look at the disk or the bucket. nightkeep repair --user NAME repairs it, which verifications could not (somebody else used it, or the key in STORE_KEYS may not delete); of what it cannot, such as a key file, it says what does.',
  ],
};

type AlarmingDamage = Exclude<DamageState, 'superseded' | 'accepted'>;

/** Whether every repository was found whole within the last days: which ones not, and how much of them is damaged. */
export function checkVerification(people: readonly Verified[]): readonly Finding[] {
  const by = Object.groupBy(people, ({ damage }) => damage ?? 'none');
  const damaged = typedKeys(damages).flatMap((state) => {
    const these = by[state] ?? [];
    const [what, cure] = damages[state];
    const who = `${countWords(these.length, 'person', 'people')}: ${someOf(these.map(damageOf))}`;
    return these.length === 0 ? [] : [wrong(name, `${what} for ${who}.`, cure)];
  });
  const overdue = people.filter(({ damage, isOverdue }) => isOverdue && !isAlarming(damage));
  const late =
    overdue.length === 0
      ? []
      : [
          warn(
            name,
            `Not verified for three days or more: the snapshots of ${countWords(overdue.length, 'person', 'people')} (${someOf(overdue.map(({ user, errorCode }) => (errorCode === null ? user : `${user}: ${errorCode}`)))}).`,
            'Workers verify each repository once a day when no run and no other program is using it. Start a worker, and look for verify.failed in its log.',
          ),
        ];
  const found = [...damaged, ...late];
  return found.length > 0 ? found : [intact(people)];
}

function intact(people: readonly Verified[]): Finding {
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

const typedKeys = <Key extends string>(record: Readonly<Record<Key, unknown>>) => Object.keys(record) as Key[];

/** Of what is lost, how much. */
function damageOf({ user, damage, files }: Verified): string {
  return damage === 'lost' || damage === 'healing' ? `${user} (${countUpTo(files, mostNames, 'file')})` : user;
}
