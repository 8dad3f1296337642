import { AppError } from '../../errors.ts';
import { findBrokenRows, type RowNeeds, wordsOfBroken } from './broken-rows.ts';
import { replayed, type StoreNeeds } from './marks.ts';
import { findReplayedRows } from './replayed-rows.ts';

/**
 * Throws `seal/broken` where a row of this person is not as Nightkeep left it: whose something is, and where it goes, is then not known, and nothing is
 * done or sent for them.
 */
export async function requireWholeRows(needs: RowNeeds & StoreNeeds, userId: string): Promise<void> {
  const broken = await findBrokenRows(needs, userId);
  if (broken.length > 0) throw new AppError('seal/broken', wordsOfBroken(userId, broken));
  for await (const { older } of findReplayedRows(needs, [userId])) throw replayed(userId, older);
}
