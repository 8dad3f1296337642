import { dayMs, hourMs, minuteMs } from '../durations.ts';
import type { Hint } from './hint.ts';
import type { RefusalMeaning } from './refusal-meaning.ts';

/** A token that was refused is asked again after these pauses, and after the last one again and again. */
const pausesAfterRefusal = [15 * minuteMs, 30 * minuteMs, hourMs, 2 * hourMs, dayMs, 2 * dayMs, 4 * dayMs, 7 * dayMs];

/** Refusals in a row, and the time over which they came, that show that consent is gone. */
const proof = { refusals: 5, ms: 3 * hourMs };
/** Where a dead token and a refused client sound the same, they must come over nights. */
const proofWhereUnclear = { refusals: 5, ms: 36 * hourMs };

/** A provider that misses a scope is asked slowly: only an administrator can mend it. */
const pauseAfterMissingScopeMs = dayMs;
/** For how long a grant is left alone after trouble kept the provider from being asked. */
export const pauseAfterTroubleMs = minuteMs;
/** For how long the provider is not asked after a second answer in a row was lost, or could not be used. */
export const pauseAfterLostAnswersMs = hourMs;
/** While a run needs the grant, the provider is asked at least this often, so that the run does not miss an hour without trouble. */
const longestPauseOfRunMs = 50 * minuteMs;

/** Why a grant is what it is, as a word that pages turn into a sentence. */
export type Reason =
  | Hint
  | 'ended_at_provider'
  | 'expired_idle'
  | 'expired_maximum'
  | 'lost_answers'
  | 'lost_rotation'
  | 'permission_missing';

/** A grant as a refusal finds it. */
export interface Refusable {
  state: 'active' | 'suspect' | 'needs_consent';
  reason: string | null;
  refusals: number;
  suspectSince: Date | null;
  idleDeadline: Date;
  maxDeadline: Date | null;
  nextExchangeAt: Date | null;
}

/** When the last try of the run begins that needs the grant; absent where none does. */
type LastTry = Date | undefined;

/** What becomes of it. The token is kept in every case; `nextExchangeAt` null: it is never asked again. */
export interface Change {
  state: Refusable['state'];
  reason: string | null;
  refusals: number;
  suspectSince: Date | null;
  nextExchangeAt: Date | null;
}

export interface Refusal {
  at: Date;
  errorCode: string;
  meaning: Extract<RefusalMeaning, 'ended' | 'interaction' | 'permission' | 'unclear'>;
  hint: Hint | undefined;
  /** Answers in a row, just before this one, that were lost, where the provider may have rotated in one of them; else 0. */
  lostBefore: number;
  /** Whether a refusal is proof of anything just now: the circuit is closed, and others are not refused as well. */
  credible: boolean;
  lastTry?: LastTry;
}

/**
 * What follows from a refusal that is the person's, or may be. It makes the grant suspect, and five of them over three
 * hours show that consent is gone (over nights where the words are unclear); even then the token is asked again, ever more slowly, until
 * its window has passed, because a role, a disabled user or a not-before can be put right at the provider without anybody's consent.
 */
export function afterRefusal(grant: Refusable, refusal: Refusal): Change {
  const { at, meaning } = refusal;
  const suspectSince = grant.suspectSince ?? at;
  if (meaning === 'permission') {
    const nextExchangeAt = askAgainForPermission(grant, refusal);
    return {
      state: leastSuspect(grant),
      reason: 'permission_missing',
      refusals: grant.refusals,
      suspectSince,
      nextExchangeAt,
    };
  }
  const refusals = grant.refusals + 1;
  const wanted = meaning === 'unclear' ? proofWhereUnclear : proof;
  const longEnough = at.getTime() - suspectSince.getTime() >= wanted.ms;
  const proven = grant.state === 'needs_consent' || (refusals >= wanted.refusals && longEnough && refusal.credible);
  const next = proven
    ? after(at, pauseAfter(refusals))
    : inTimeForRun(at, pauseAfter(Math.min(refusals, wanted.refusals - 1)), refusal.lastTry);
  return {
    state: proven ? 'needs_consent' : 'suspect',
    reason: reasonOf(grant, refusal),
    refusals,
    suspectSince,
    nextExchangeAt: proven && next > grant.idleDeadline ? null : next,
  };
}

/** Whether an end that was known beforehand has come: a refusal then says nothing of the provider. */
export function isPastItsEnd({ idleDeadline, maxDeadline }: Pick<Refusable, 'idleDeadline' | 'maxDeadline'>, at: Date) {
  return idleDeadline <= at || (maxDeadline !== null && maxDeadline <= at);
}

/**
 * What follows when no answer came: a second one lost in a row leaves the provider in peace for a while. It is the same token
 * that is sent then, now or later, so that a run that needs it gets its last try, once the lease of this one is over.
 */
export function afterLostAnswer(
  grant: Refusable,
  { at, lostBefore, lastTry }: { at: Date; lostBefore: number; lastTry?: LastTry },
): Change | undefined {
  if (lostBefore === 0) return undefined;
  const { state, refusals, suspectSince } = grant;
  const nextExchangeAt = inTimeForRun(at, pauseAfterLostAnswersMs, lastTry);
  return { state, refusals, suspectSince, reason: grant.reason ?? 'lost_answers', nextExchangeAt };
}

/** After the pause, or with the last try of a run where the pause outlasts that, if it is still to come. */
function inTimeForRun(at: Date, pauseMs: number, lastTry: LastTry): Date {
  if (lastTry === undefined || lastTry <= at) return after(at, pauseMs);
  const next = after(at, Math.min(pauseMs, longestPauseOfRunMs));
  return next < lastTry ? next : lastTry;
}

/**
 * Some providers use a rotating token up in `not_allowed`, so it is asked once more only shortly before its idle
 * window ends, when nothing can be lost, or when somebody says that the permission is back.
 */
function askAgainForPermission({ idleDeadline }: Refusable, { at, errorCode }: Refusal): Date {
  if (errorCode !== 'not_allowed') return after(at, pauseAfterMissingScopeMs);
  const left = idleDeadline.getTime() - at.getTime();
  return after(at, Math.max(left - Math.min(dayMs, left / 10), pauseAfterMissingScopeMs));
}

function leastSuspect({ state }: Refusable): Refusable['state'] {
  return state === 'active' ? 'suspect' : state;
}

/** What the provider says of no token that it has replaced. */
const otherCauses: ReadonlySet<Hint> = new Set(['account_disabled', 'permission_missing', 'signed_out']);

/** What is known prevails over what the provider's words hint at, and these over what may have become of an answer that was lost. */
function reasonOf(grant: Refusable, { at, meaning, hint, lostBefore }: Refusal): Reason {
  if (meaning === 'interaction') return 'interaction_required';
  const wasLost = grant.reason === 'lost_rotation';
  if (!wasLost && grant.maxDeadline !== null && grant.maxDeadline <= at) return 'expired_maximum';
  if (!wasLost && grant.idleDeadline <= at) return 'expired_idle';
  return (wasLost || lostBefore > 0) && (hint === undefined || !otherCauses.has(hint))
    ? 'lost_rotation'
    : (hint ?? 'ended_at_provider');
}

/** The pauses grow: a day and more only once consent is known to be gone. */
function pauseAfter(refusals: number): number {
  return pausesAfterRefusal[Math.min(refusals, pausesAfterRefusal.length) - 1] ?? 0;
}

function after(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}
