import { countWords } from '../../count-words.ts';
import { inspectRotation, type RotationFacts } from '../../database/custody/inspect-custody.ts';
import type { Check } from '../check.ts';
import { backMs } from '../custody-facts.ts';
import { type Finding, ok, unknown, warn } from '../finding.ts';
import type { TokenFacts } from '../installation.ts';

const name = 'rotation';

export const rotation: Check = {
  name,
  run: async ({ clock, records, tokens }) => {
    const since = new Date(clock.now().getTime() - backMs);
    return checkRotation(await inspectRotation(await records(), { since }), await tokens());
  },
};

/** How the provider renews tokens, as far as past exchanges and the tokens themselves show it. */
export function checkRotation(facts: RotationFacts, { counted, readable }: TokenFacts): Finding {
  const { exchanges, renewed, takenAgain, lost, refusedAsUsed } = facts;
  const used = counted > 0 || refusedAsUsed > 0;
  if (used && takenAgain > 0)
    return ok(name, `A token can be used once, but again if the answer was lost: ${takenAgain} were.`);
  if (used)
    return warn(
      name,
      `A token can be used once (Revoke Refresh Token), and whether it may be sent again after a lost answer cannot be seen from here. ${countWords(lost, 'answer')} ${lost === 1 ? 'was' : 'were'} lost in 30 days.`,
      'Set Refresh Token Max Reuse to 1, if it is 0: then an answer that is lost on the way costs nobody their consent.',
    );
  if (exchanges === 0) return unknown(name, 'No token has been exchanged yet.');
  if (renewed === 0)
    return ok(name, `No exchange of ${exchanges} brought a new token: the provider keeps each as it is.`);
  const seen = `Of ${countWords(exchanges, 'exchange')} ${renewed === exchanges ? 'each' : renewed} brought a new token`;
  if (readable > 0) return ok(name, `${seen}, and older ones stay valid (Revoke Refresh Token is off).`);
  return ok(name, `${seen}. Whether an older one stays valid cannot be seen from here.`);
}
