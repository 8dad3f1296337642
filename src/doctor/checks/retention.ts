import { countWords } from '../../count-words.ts';
import { listHeldRetentions } from '../../database/repositories/retention.ts';
import { heldTooLongMs } from '../../domain/retention/held.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'retention';

export const retention: Check = {
  name,
  run: async ({ clock, records }) => {
    const held = await listHeldRetentions(await records(), new Date(clock.now().getTime() - heldTooLongMs));
    return checkRetention(held.map(({ username, subject, hold }) => ({ user: username ?? subject, hold: hold ?? '' })));
  },
};

/** Whether snapshots go as people agreed: for whom not, for three days or more, and why. */
export function checkRetention(held: readonly { user: string; hold: string }[]): Finding {
  if (held.length === 0) return ok(name, 'Snapshots are removed as people agreed, if they have agreed to it.');
  const whose = someOf(held.map(({ user, hold }) => `${user}: ${hold}`));
  const people = countWords(held.length, 'person', 'people');
  return warn(
    name,
    `For three days or more the rule of ${people} could not be applied to their snapshots (${whose}).`,
    'alarm: somebody has to look at a great loss or change first (nightkeep protection). store/may-not-delete: the key in STORE_KEYS may not delete, so whoever holds one that may must run nightkeep forget and prune with it. Anything else: nightkeep forget --user NAME says why, and nightkeep check --user NAME what is damaged.',
  );
}
