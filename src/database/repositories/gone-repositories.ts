import { type DamageState, goneSince } from '../../domain/damage.ts';
import { type Database, inTransaction } from '../client.ts';
import { isBeingErased } from './erasures.ts';
import { saveStateEvent, type VerificationRow } from './verifications.ts';

const gone = 'gone' satisfies DamageState;

/**
 * Puts on record that a repository which was made is not there, or that nothing opens it; not where it is being erased, or is in another place by
 * now. What was known to be damaged before stays on record. The next verification that opens it says what is left of that.
 */
export async function saveGone(
  database: Database,
  { userId, id, store, at, by }: { userId: string; id: string; store: string | null; at: Date; by: string },
): Promise<void> {
  await inTransaction(database, async (transaction) => {
    const repository = await transaction.repository.findFirst({ where: { id, store }, select: { eraseAt: true } });
    if (repository === null || isBeingErased(repository)) return;
    const before = await transaction.verification.findUnique({ where: { userId } });
    if (before?.damageState === gone) return;
    const found = { damageState: gone, goneAt: at };
    await transaction.verification.upsert({
      where: { userId },
      create: { userId, since: at, nextAt: at, ...found },
      update: found,
    });
    await saveStateEvent(transaction, { userId, from: before?.damageState ?? null, to: gone, at, by });
  });
}

/**
 * Puts on record that a repository which was known to be gone is there again, in that state, and makes its verification due. False where something
 * else is known of it than `known` by now, or it is in another place.
 */
export async function saveBack(
  database: Database,
  back: { known: VerificationRow; id: string; store: string | null; state: DamageState | null; at: Date },
): Promise<boolean> {
  const { known, id, store, state, at } = back;
  const { userId, foundAt, goneAt } = known;
  return inTransaction(database, async (transaction) => {
    if ((await transaction.repository.count({ where: { id, store } })) === 0) return false;
    const { count } = await transaction.verification.updateMany({
      where: { userId, damageState: gone, foundAt, goneAt },
      data: {
        damageState: state,
        goneAt: goneSince(known),
        backAt: at,
        nextAt: at,
        errorCode: null,
        errorFiles: [],
        ...(state === null && { foundAt: null }),
      },
    });
    if (count === 0) return false;
    await saveStateEvent(transaction, { userId, from: gone, to: state, at, by: 'schedule' });
    return true;
  });
}
