import { countWords } from '../../count-words.ts';
import { type EndingFacts, inspectEndings } from '../../database/custody/inspect-custody.ts';
import { hourMs } from '../../durations.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';

const name = 'withdrawals';

export const withdrawals: Check = {
  name,
  run: async ({ clock, records }) => {
    const before = new Date(clock.now().getTime() - hourMs);
    return checkWithdrawals(await inspectEndings(await records(), { before }));
  },
};

/** Whether tokens and snapshots of withdrawn consents have ended. */
export function checkWithdrawals({ tokens, repositories }: EndingFacts): Finding {
  if (tokens > 0)
    return warn(
      name,
      `The provider has not ended ${countWords(tokens, 'token')} of consents that were withdrawn an hour ago or earlier.`,
      'A worker tries again every ten minutes. Look at the lines discovery and client; these people can also remove the access at the provider.',
    );
  if (repositories > 0)
    return warn(
      name,
      `${countWords(repositories, 'repository', 'repositories')} should have been erased an hour ago or earlier.`,
      'Run a worker whose store key may delete, and look for repository.erase-failed in its log.',
    );
  return ok(name, 'After withdrawals, no token has waited for an hour to be ended, and no snapshots to be erased.');
}
