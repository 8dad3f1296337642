import type { DeadlineFacts, EndingFacts, GrantCount } from '../database/inspect-custody.ts';
import { type Finding, ok, warn, wrong } from './finding.ts';
import { countWords, durationWords, someOf } from './words.ts';

const name = 'grants';
const sum = (counts: readonly GrantCount[]) => counts.reduce((total, { count }) => total + count, 0);

/** Grants by state, the worst of it first: what was lost by us, what an administrator must mend, what is doubted. */
export function judgeGrants(counts: readonly GrantCount[]): Finding {
  const because = (...reasons: string[]) =>
    sum(counts.filter(({ reason, state }) => reason !== null && state !== 'withdrawn' && reasons.includes(reason)));
  const story = wordsOf(counts);
  const lost = because('lost_rotation');
  if (lost > 0)
    return wrong(
      name,
      `${countWords(lost, 'token')} ${lost === 1 ? 'was' : 'were'} lost by us: an answer of the provider never arrived (${story}).`,
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
      'Enable them there if that was not meant: their consent comes back by itself.',
    );
  const signedOut = because('signed_out');
  if (signedOut > 0)
    return warn(
      name,
      `${countWords(signedOut, 'person', 'people')} ${signedOut === 1 ? 'was' : 'were'} signed out by an administrator or a not-before policy (${story}).`,
      'Take the policy back if that was not meant (Keycloak: Sessions, Revocation); else they must consent again.',
    );
  const doubted = sum(counts.filter(({ state }) => state === 'suspect'));
  if (doubted > 0)
    return warn(
      name,
      `The provider refuses ${countWords(doubted, 'token')} of late (${story}).`,
      'Nightkeep asks again by itself. See: nightkeep grants --state suspect',
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

/** Trouble with the provider or with our client, during which nobody is asked. */
export function judgeCircuits(
  circuits: readonly { issuer: string; open: boolean; reason: string; openedAt: Date }[],
): Finding {
  const about = 'circuits';
  const open = circuits.filter((circuit) => circuit.open);
  if (open.length === 0) return ok(about, 'None is open: every provider is asked as usual.');
  const words = open.map(({ issuer, reason, openedAt }) => `${issuer} (${reason}, since ${openedAt.toISOString()})`);
  return wrong(
    about,
    `Only one exchange a minute is tried at ${words.join(', ')}.`,
    open.some(({ reason }) => reason === 'refusals')
      ? 'Many consents were refused at once: look what happened at the provider. If they have truly ended: nightkeep circuits --trust ISSUER'
      : 'Mend what the line about the client says; the circuit closes by itself within a minute.',
  );
}

export interface DeadlineLimits {
  overdueMs: number;
  nearMaxMs: number;
}

/** Whether keep-alive does its work, and what ends soon. */
export function judgeDeadlines(facts: DeadlineFacts, { overdueMs, nearMaxMs }: DeadlineLimits, at: Date): Finding {
  const about = 'deadlines';
  const { living, overdue, nearIdle, nearMax, nextIdle } = facts;
  if (living === 0) return ok(about, 'There is nothing that could end.');
  const cure = 'Let a worker run (nightkeep start --roles worker) and look at its log for keep-alive.';
  if (nearIdle > 0)
    return wrong(
      about,
      `Of ${countWords(living, 'grant')} ${nearIdle} used up more than three quarters of the time that a token lives unused.`,
      cure,
    );
  if (overdue > 0)
    return wrong(
      about,
      `Of ${countWords(living, 'grant')} ${overdue} should have been exchanged ${durationWords(overdueMs)} ago or earlier to stay alive.`,
      cure,
    );
  const first =
    nextIdle === null ? '' : ` The first would end unused in ${durationWords(nextIdle.getTime() - at.getTime())}.`;
  const max =
    nearMax === 0
      ? ''
      : ` ${countWords(nearMax, 'grant')} ${nearMax === 1 ? 'reaches its' : 'reach their'} maximum within ${durationWords(nearMaxMs)}; the people are told.`;
  return ok(about, `Every grant of ${living} is kept alive.${first}${max}`);
}

/** Whether what people took back has come to its end. */
export function judgeEndings({ tokens, repositories }: EndingFacts): Finding {
  const about = 'withdrawals';
  if (tokens > 0)
    return warn(
      about,
      `The provider has not ended ${countWords(tokens, 'token')} of consents that were withdrawn here an hour ago or earlier.`,
      'A worker tries again every ten minutes. See to discovery and client; these people can also remove the access at the provider.',
    );
  if (repositories > 0)
    return warn(
      about,
      `${countWords(repositories, 'repository', 'repositories')} should have been erased an hour ago or earlier.`,
      'Let a worker run, and look at its log for erase.failed.',
    );
  return ok(about, 'Nothing that people took back is left over.');
}
