import { countWords } from '../../count-words.ts';
import { type HeldRetention, listHeldRetentions } from '../../database/repositories/retention.ts';
import { heldTooLongMs } from '../../domain/retention/held.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'retention';

export const retention: Check = {
  name,
  run: async ({ clock, records }) => {
    const held = await listHeldRetentions(await records(), new Date(clock.now().getTime() - heldTooLongMs));
    return checkRetention(held.map(({ username, subject, ...why }) => ({ user: username ?? subject, ...why })));
  },
};

type Held = { user: string } & Pick<HeldRetention, 'what' | 'reason'>;

/** Whether snapshots, and the data that these no longer need, go as people agreed: for whom not, for three days or more, and why. */
export function checkRetention(held: readonly Held[]): Finding {
  if (held.length === 0) return ok(name, 'Snapshots are removed as people agreed, if they have agreed to it.');
  const { snapshots = [], data = [] } = Object.groupBy(held, ({ what }) => what);
  const people = (some: readonly Held[]) => countWords(some.length, 'person', 'people');
  const whose = (some: readonly Held[]) => someOf(some.map(({ user, reason }) => `${user}: ${reason}`));
  const parts = [
    ...(snapshots.length === 0
      ? []
      : [`the rule of ${people(snapshots)} could not be applied to their snapshots (${whose(snapshots)})`]),
    ...(data.length === 0
      ? []
      : [`data that no snapshot of ${people(data)} needs could not be removed (${whose(data)})`]),
  ];
  return warn(
    name,
    `For three days or more ${parts.join(', and ')}.`,
    'repository/locked: nightkeep prune --user NAME names who holds a lock; if that program is dead, restic unlock removes it. alarm: somebody has to look at a great loss or change first (nightkeep protection). store/may-not-delete: the key in STORE_KEYS may not delete, so whoever holds one that may must run nightkeep forget and prune with it. Anything else: nightkeep forget --user NAME and nightkeep prune --user NAME say why, and nightkeep check --user NAME what is damaged.',
  );
}
