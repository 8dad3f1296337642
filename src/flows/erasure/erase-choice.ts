import { changeEraseAt } from '../../database/repositories/erasures.ts';
import { dayMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { erasureSealing } from '../../vault/row-seals.ts';
import { markErasure } from '../keys/marks.ts';

/** What a person may choose for their snapshots when consent ends: how many days they are kept, or to erase them at once. */
export const eraseChoices = [30, 90, 365, 'now'] as const;
export type EraseChoice = (typeof eraseChoices)[number];
/** The days for which snapshots stay after a withdrawal, unless chosen otherwise. */
export const usualEraseChoice: EraseChoice = 90;

/** When the snapshots are erased. */
export function eraseAtOf(choice: EraseChoice, now: Date): Date {
  return choice === 'now' ? now : new Date(now.getTime() + choice * dayMs);
}

/** Changes the choice after consent has ended. Throws `request/forbidden` before that. */
export async function chooseErasure(
  resources: Pick<Resources, 'clock' | 'database' | 'keyring' | 'log' | 'marks' | 'store'>,
  { userId, choice }: { userId: string; choice: EraseChoice },
): Promise<void> {
  const { clock, database, keyring } = resources;
  const at = clock.now();
  const eraseAt = eraseAtOf(choice, at);
  const sealing = erasureSealing(keyring);
  if (!(await changeEraseAt(database, { userId, eraseAt, sealing, at, by: `user:${userId}` })))
    throw new AppError(
      'request/forbidden',
      'Your consent has not ended, so your snapshots are kept. Withdraw it first.',
    );
  await markErasure(resources, userId);
}
