import { changeEraseAt } from '../../database/erasures.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';

/** What a person may choose for their snapshots when consent ends: how many days they stay, or that they go at once. */
export const eraseChoices = [30, 90, 365, 'now'] as const;
export type EraseChoice = (typeof eraseChoices)[number];
export const usualEraseChoice: EraseChoice = 90;

const dayMs = 86_400_000;

/** When the snapshots go. */
export function eraseAtOf(choice: EraseChoice, now: Date): Date {
  return choice === 'now' ? now : new Date(now.getTime() + choice * dayMs);
}

/** Another choice after consent has ended. Throws `request/forbidden` while it lives. */
export async function chooseErasure(
  { clock, database }: Pick<Resources, 'clock' | 'database'>,
  { userId, choice }: { userId: string; choice: EraseChoice },
): Promise<void> {
  const at = clock.now();
  const eraseAt = eraseAtOf(choice, at);
  if (await changeEraseAt(database, { userId, eraseAt, at, by: `user:${userId}` })) return;
  throw new AppError('request/forbidden', 'Your consent is alive, so your snapshots stay. Withdraw it first.');
}
