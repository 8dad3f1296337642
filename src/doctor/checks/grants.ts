import { countWords } from '../../count-words.ts';
import { countGrants, type GrantCount } from '../../database/custody/inspect-custody.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'grants';

export const grants: Check = {
  name,
  run: async ({ records }) => checkGrants(await countGrants(await records())),
};

const sum = (counts: readonly GrantCount[]) => counts.reduce((total, { count }) => total + count, 0);

/** Grants by state, the worst of it first: tokens that Nightkeep lost, what an administrator must fix, what is doubted. */
export function checkGrants(counts: readonly GrantCount[]): Finding {
  const because = (...reasons: string[]) =>
    sum(counts.filter(({ reason, state }) => reason !== null && state !== 'withdrawn' && reasons.includes(reason)));
  const story = wordsOf(counts);
  const lost = because('lost_rotation');
  if (lost > 0)
    return wrong(
      name,
      `${countWords(lost, 'token')} ${lost === 1 ? 'was' : 'were'} lost by Nightkeep: an answer of the provider never arrived (${story}).`,
      'Set Refresh Token Max Reuse of the provider to 1, and ask these people to consent again.',
    );
  const without = because('permission_missing');
  if (without > 0)
    return warn(
      name,
      `${countWords(without, 'person', 'people')} may no longer give offline access (${story}).`,
      'Give them the role for it back (Keycloak: the realm role offline_access), then: nightkeep grants --ask-again --user NAME',
    );
  const disabled = because('account_disabled');
  if (disabled > 0)
    return warn(
      name,
      `${countWords(disabled, 'account')} ${disabled === 1 ? 'is' : 'are'} disabled or gone at the provider (${story}).`,
      'Enable them there if that was not intended: their consent then works again by itself.',
    );
  const signedOut = because('signed_out');
  if (signedOut > 0)
    return warn(
      name,
      `${countWords(signedOut, 'person', 'people')} ${signedOut === 1 ? 'was' : 'were'} signed out by an administrator or a not-before policy (${story}).`,
      'Reset the policy if that was not intended (Keycloak: Sessions, Revocation); otherwise they must consent again.',
    );
  const doubted = sum(counts.filter(({ state }) => state === 'suspect'));
  if (doubted > 0)
    return warn(
      name,
      `The provider has recently refused ${countWords(doubted, 'token')} (${story}).`,
      'Nightkeep asks again automatically. See: nightkeep grants --state suspect',
    );
  return ok(name, counts.length === 0 ? 'Nobody has consented yet.' : `${story}.`);
}

function wordsOf(counts: readonly GrantCount[]): string {
  const states = Map.groupBy(counts, ({ state }) => state);
  const words = [...states].map(([state, rows]) => {
    const reasons = rows.filter(({ reason }) => reason !== null && state !== 'withdrawn');
    const why = reasons.map(({ reason, count }) => `${reason} ${count}`);
    return `${sum(rows)} ${state}${why.length === 0 ? '' : `: ${someOf(why)}`}`;
  });
  return words.join('; ');
}
