import { dayMs, hourMs } from '../durations.ts';

/**
 * Whose turn it is to be worked on. Each waiting run has a moment, its turn, and the earliest goes first, so that a run that has waited long enough
 * comes before all that came later. What people request comes after everybody's night of that day, and a run that has had a worker for a long time
 * comes later for it.
 */

/** How much later than it is due the turn of a run comes, in milliseconds, by who requested it. Others have their turn when they are due. */
const laterMs: Readonly<Record<string, number>> = { person: dayMs, operator: -dayMs };

/** The turn of a run that nobody has worked on yet. */
export function turnOf({ trigger, dueAt }: { trigger: string; dueAt: Date }): Date {
  return new Date(dueAt.getTime() + (laterMs[trigger] ?? 0));
}

/** A run lets others go first for this many times as long as it was worked on … */
const patience = 9;
/** … but no longer than this. */
const longestWaitMs = 2 * hourMs;

/**
 * The part of all runs that takes no longer than what counts as usual. In a busy hour, similar runs take different times, and the slower half of
 * them should not have to let others go first for that.
 */
export const usualPart = 0.75;
/** How much longer than usual a run may keep a worker before it lets others go first. */
const leeway = 1.125;
/** The shortest turn as a part of the longest: continuing later has a cost. */
const leastPart = 1 / 30;
/** From this part of a turn on, a run counts as having had one: turns may have been a little shorter on the night that it ran. */
const nearlyATurn = 0.9;

/**
 * How long a run may keep a worker before it lets others go first, in milliseconds: a little more than is usual (`usualMs`, of everybody's last
 * runs; null if too few are known), so that very slow runs take little from the others even on their first night; at most `turnMs`.
 */
export function lengthOfTurn({ usualMs, turnMs }: { usualMs: number | null; turnMs: number }): number {
  return Math.min(turnMs, Math.max(leastTurn(turnMs), (usualMs ?? turnMs) * leeway));
}

/** The shortest that a turn ever is. */
export function leastTurn(turnMs: number): number {
  return turnMs * leastPart;
}

/** How many of a worker's runs may be ones that have had a turn before: a quarter of the places is kept for others, if there are two or more. */
export function placesAfterTurn(concurrency: number): number {
  return Math.max(1, concurrency - Math.ceil(concurrency / 4));
}

/**
 * The turn of a night: when it is due, or later if one of the person's last nights kept a worker for a whole turn or longer, since this one will
 * hardly be shorter.
 */
export function turnOfNight({ dueAt, lengthMs, latelyMs }: { dueAt: Date; lengthMs: number; latelyMs: number }): Date {
  if (latelyMs <= nearlyATurn * lengthMs) return dueAt;
  return turnAfterWork({ trigger: 'schedule', dueAt, workedMs: latelyMs, others: 0 });
}

/** If one night has had a worker for this many times as long as another, the other goes first, whatever their turns are. */
export const farMore = 2;

interface Worked {
  readonly trigger: string;
  /** When the work may go on. */
  readonly dueAt: Date;
  readonly workedMs: number;
  /** How many runs besides have had a worker without having ended. */
  readonly others: number;
}

/**
 * The next turn of a run that was worked on for `workedMs`. All of these runs together get a tenth of one place while others that have had less are
 * waiting, however many they are.
 */
export function turnAfterWork({ trigger, dueAt, workedMs, others }: Worked): Date {
  const from = Math.max(dueAt.getTime(), turnOf({ trigger, dueAt }).getTime());
  return new Date(from + Math.min(longestWaitMs, patience * workedMs * (others + 1)));
}
