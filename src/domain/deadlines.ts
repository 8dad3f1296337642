import { dayMs, minuteMs } from '../durations.ts';

/** What the provider said of a token, where it can be read. */
export interface TokenLife {
  issuedAt: Date | null;
  /** The token's own `exp`. */
  endsAt: Date | null;
}

export interface OfflineWindows {
  /** Milliseconds that a token lives unused, by the settings. */
  offlineIdleMs: number;
  /** Milliseconds that a grant lives from consent, by the settings; absent where it is not limited. */
  offlineMaxMs?: number | undefined;
}

export interface Known {
  consentedAt: Date;
  idleSeconds: number | null;
  maxDeadline: Date | null;
  /** The token that was sent; absent for the first of a consent. */
  previous?: TokenLife | undefined;
}

export interface Deadlines {
  /** When the token ends if nobody uses it. */
  idleDeadline: Date;
  /** When the grant ends whatever is done; null where nothing says so. */
  maxDeadline: Date | null;
  /** Seconds that a token lives unused, once the provider's tokens have shown it. */
  idleSeconds: number | null;
  /** When keep-alive exchanges it at the latest: a quarter of the idle window. */
  nextExchangeAt: Date;
}

/** Two ends that differ by no more than this are the same: `exp` and `iat` are whole seconds. */
const sameMs = 2_000;

/**
 * The deadlines after an exchange, or after consent. Settings say them at first; a token with `exp` says them better:
 * an end that moves on with each token is the idle window, one that stands still is the maximum. An end that moves back shows that the
 * provider shortened one of them, and the next token which. `exp` never says that a grant lives longer than the settings do, and no `exp`
 * says nothing at all.
 */
export function deadlinesAfter(known: Known, token: TokenLife, at: Date, windows: OfflineWindows): Deadlines {
  const configuredMax = windows.offlineMaxMs === undefined ? null : after(known.consentedAt, windows.offlineMaxMs);
  const stands = standsStill(known.previous, token);
  const shortened = movesBack(known.previous, token);
  const tellsIdle = !stands && !shortened && !lags(known.previous, token);
  const learned = stands && isOfMaximum(known) ? null : known.idleSeconds;
  const idleSeconds = (tellsIdle ? lifeOf(token) : undefined) ?? learned;
  const learnedMax = stands ? token.endsAt : token.endsAt === null ? null : later(known.maxDeadline, token.endsAt);
  const idleMs = Math.min(windows.offlineIdleMs, idleSeconds === null ? Number.POSITIVE_INFINITY : idleSeconds * 1000);
  const maxDeadline = configuredMax === null ? learnedMax : sooner(configuredMax, learnedMax);
  const idleDeadline = sooner(after(at, idleMs), token.endsAt);
  const unusedMs = shortened ? idleDeadline.getTime() - at.getTime() : idleMs;
  return { idleDeadline, maxDeadline, idleSeconds, nextExchangeAt: sooner(after(at, unusedMs / 4), idleDeadline) };
}

/** Whether the new token ends when the old one did, although it was issued later. */
function standsStill(previous: TokenLife | undefined, token: TokenLife): boolean {
  if (!previous?.endsAt || !previous.issuedAt || !token.endsAt || !token.issuedAt) return false;
  const issuedLater = token.issuedAt.getTime() - previous.issuedAt.getTime();
  return issuedLater > sameMs && isSameEnd(previous.endsAt, token.endsAt);
}

/** Whether the new token ends sooner than the old one did. */
function movesBack(previous: TokenLife | undefined, token: TokenLife): boolean {
  if (!previous?.endsAt || !token.endsAt) return false;
  return previous.endsAt.getTime() - token.endsAt.getTime() > sameMs;
}

/** Tokens that were issued so soon after consent are its first ones; clocks may be apart. */
const firstMs = 5 * minuteMs;

/** Whether only the first tokens of the consent named an idle window, and what they named turned out to be the maximum. */
function isOfMaximum({ consentedAt, idleSeconds, previous }: Known): boolean {
  if (!previous?.issuedAt || idleSeconds === null || lifeOf(previous) !== idleSeconds) return false;
  return previous.issuedAt.getTime() - consentedAt.getTime() < firstMs;
}

/** Whether the new token's end moved on by less than its issue: something else than the idle window ends it. */
function lags(previous: TokenLife | undefined, token: TokenLife): boolean {
  if (!previous?.endsAt || !previous.issuedAt || !token.endsAt || !token.issuedAt) return false;
  const issuedLater = token.issuedAt.getTime() - previous.issuedAt.getTime();
  const endsLater = token.endsAt.getTime() - previous.endsAt.getTime();
  return endsLater >= 0 && issuedLater - endsLater > sameMs;
}

/** Whether both moments are one end, as far as tokens can tell. */
export function isSameEnd(one: Date, other: Date): boolean {
  return Math.abs(one.getTime() - other.getTime()) <= sameMs;
}

function lifeOf({ issuedAt, endsAt }: TokenLife): number | undefined {
  if (issuedAt === null || endsAt === null) return undefined;
  return Math.max(1, Math.round((endsAt.getTime() - issuedAt.getTime()) / 1000));
}

/** A maximum that was learned is forgotten when a token outlives it: the realm was changed. */
function later(known: Date | null, endsAt: Date): Date | null {
  return known !== null && known.getTime() - endsAt.getTime() >= -sameMs ? known : null;
}

function sooner(one: Date, other: Date | null): Date {
  return other !== null && other < one ? other : one;
}

function after(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}

/** How many days before a maximum the person is warned. */
export const warnings = [2, 7, 14] as const;

/** When the person is warned before a maximum. */
export function warningsBefore(maxDeadline: Date): { days: 14 | 7 | 2; at: Date }[] {
  return warnings.map((days) => ({ days, at: after(maxDeadline, -days * dayMs) }));
}

/** The warning that is due (14, 7 or 2 days), where the person has not had it or a later one yet. */
export function warningDue(maxDeadline: Date, at: Date, warnedDays: number | null): 14 | 7 | 2 | undefined {
  const leftMs = maxDeadline.getTime() - at.getTime();
  if (leftMs <= 0) return undefined;
  const due = warnings.find((days) => leftMs <= days * dayMs);
  return due !== undefined && (warnedDays === null || due < warnedDays) ? due : undefined;
}

/** Days left until an end, a day that has begun counted whole. */
export function daysUntil(end: Date, at: Date): number {
  return Math.ceil((end.getTime() - at.getTime()) / dayMs);
}
