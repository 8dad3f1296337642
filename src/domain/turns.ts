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

/**
 * When it is the turn of a night: when it is due, or later where one of the last nights had a worker for longer than `turnMs`, since this one will hardly be
 * shorter.
 */
export function turnOfNight({ dueAt, turnMs, latelyMs }: { dueAt: Date; turnMs: number; latelyMs: number }): Date {
  if (latelyMs <= turnMs) return dueAt;
  return turnAfterWork({ trigger: 'schedule', dueAt, workedMs: latelyMs, others: 0 });
}

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
