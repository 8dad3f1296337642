/**
 * Whose turn it is to be worked on. Each run that waits has a moment, its turn, and the earliest goes first, so that whoever waits long
 * enough comes before everybody who came later. What is asked for besides the nights comes after everybody's night of that day, and a run that
 * has had a worker for long comes later for it.
 */

const hour = 3_600_000;

/** How much later than it is due, in milliseconds, the turn of a run comes, by who asked for it. What is not here comes when it is due. */
const laterMs: Readonly<Record<string, number>> = { person: 24 * hour, operator: -24 * hour };

/** When it is the turn of a run that nobody has worked on yet. */
export function turnOf({ trigger, dueAt }: { trigger: string; dueAt: Date }): Date {
  return new Date(dueAt.getTime() + (laterMs[trigger] ?? 0));
}

/** For how many times as long as it was worked on, a run lets others go first … */
const patience = 9;
/** … and this long at most. */
const longestWaitMs = 2 * hour;

/** What is usual: so much of all runs takes no longer. In a busy hour runs that are alike differ, and the longer half of them is not to let others go first for that. */
export const usualPart = 0.75;
/** How much longer than that a run has a worker before it lets others go first. */
const leeway = 1.125;
/** What a run has at least before it lets others go first, as a part of the most: to go on later costs it something. */
const leastPart = 1 / 30;
/** A run that let others go first had a turn, though it be a little less than one is today. */
const nearlyATurn = 0.9;

/**
 * How long a run has a worker before it lets others go first, in milliseconds: a little more than is usual (`usualMs`, of
 * everybody's last runs; null where too few are known), so that those who take much more take little from the others in their first night already; `turnMs` at most.
 */
export function lengthOfTurn({ usualMs, turnMs }: { usualMs: number | null; turnMs: number }): number {
  return Math.min(turnMs, Math.max(leastTurn(turnMs), (usualMs ?? turnMs) * leeway));
}

/** The shortest that a turn ever is. */
export function leastTurn(turnMs: number): number {
  return turnMs * leastPart;
}

/** How many of so many runs at a time may be such that have had a turn before: a quarter of the places is kept for others, where there are two or more. */
export function placesAfterTurn(concurrency: number): number {
  return Math.max(1, concurrency - Math.ceil(concurrency / 4));
}

/**
 * When it is the turn of a night: when it is due, or later where one of the last nights had a worker for a whole turn, or longer, since this one will hardly be
 * shorter.
 */
export function turnOfNight({ dueAt, lengthMs, latelyMs }: { dueAt: Date; lengthMs: number; latelyMs: number }): Date {
  if (latelyMs <= nearlyATurn * lengthMs) return dueAt;
  return turnAfterWork({ trigger: 'schedule', dueAt, workedMs: latelyMs, others: 0 });
}

/** A night that has had a worker for so much less time than another, by this factor, goes first of the two, whatever their turns are. */
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
 * When it is the turn again of a run that was worked on for so long. All of these together get a tenth of one slot as long as others wait who had less, however
 * many they are.
 */
export function turnAfterWork({ trigger, dueAt, workedMs, others }: Worked): Date {
  const from = Math.max(dueAt.getTime(), turnOf({ trigger, dueAt }).getTime());
  return new Date(from + Math.min(longestWaitMs, patience * workedMs * (others + 1)));
}
