import { changeEraseAt } from '../../database/repositories/erasures.ts';
import { dayMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

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
  { clock, database }: Pick<Resources, 'clock' | 'database'>,
  { userId, choice }: { userId: string; choice: EraseChoice },
): Promise<void> {
  const at = clock.now();
  const eraseAt = eraseAtOf(choice, at);
  if (await changeEraseAt(database, { userId, eraseAt, at, by: `user:${userId}` })) return;
  throw new AppError('request/forbidden', 'Your consent has not ended, so your snapshots are kept. Withdraw it first.');
}
