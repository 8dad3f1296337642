import { countDamaged, countUnverified } from '../../database/repositories/verification-views.ts';
import type { DamagedPeople } from '../../domain/notices.ts';
import { aDayBefore, type TalliedPeople } from '../../domain/people-tally.ts';
import { overdueMs } from '../../domain/protection.ts';
import type { Resources } from '../../resources.ts';
import { keepFigure } from './keep-figure.ts';

type Needs = Pick<Resources, 'clock' | 'database'>;

/** Of how many people repositories are damaged or gone, were lately healed or are lately back, or were not verified for too long: however many people there are, found by indexes of those. */
export async function tallyRepositories({ clock, database }: Needs): Promise<DamagedPeople & { unverified: number }> {
  const at = clock.now();
  const before = new Date(at.getTime() - overdueMs);
  const [damaged, unverified] = await Promise.all([
    countDamaged(database, { after: aDayBefore(at) }),
    // Where nobody verifies, these are many.
    keepFigure({ clock, database }, { name: 'unverified', of: 'everybody' }, () =>
      countUnverified(database, { before }),
    ),
  ]);
  return { ...damaged, unverified: unverified.value };
}

/** How far repositories are known to be whole, in figures. */
export interface VerificationFigures {
  /** Since when the one whose snapshots were found whole the longest ago were, as people were counted last. */
  readonly oldestAt: Date | null;
  /** People with snapshots that nobody has verified yet, by the last count of people. */
  readonly pending: number;
  /** People in whose repository something is damaged … */
  readonly damaged: number;
  /** … or whose repository is not there, or nothing opens it. */
  readonly gone: number;
  /** People whose repository was not verified for too long. */
  readonly unverified: number;
}

/** The same with what is known of all of them, which is as old as the count of people. */
export async function viewVerification(needs: Needs, { tally }: TalliedPeople): Promise<VerificationFigures> {
  const { oldestVerified, pending } = tally.repositories;
  const { damaged, gone, unverified } = await tallyRepositories(needs);
  const oldestAt = oldestVerified === null ? null : new Date(oldestVerified);
  return { oldestAt, pending, damaged, gone, unverified };
}
