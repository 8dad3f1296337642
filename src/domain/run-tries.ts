import { hash } from 'node:crypto';

const minute = 60_000;
const hour = 60 * minute;

/** After each try that failed; after the last of these again and again, so that an hour without trouble is never missed. */
const pauses = [minute, 2 * minute, 4 * minute, 8 * minute, 15 * minute];
/** The last try begins so long before the end at the latest. */
const leastLeftMs = minute;
/** How long a run is tried that somebody asked for, or that comes after its window. */
const spanMs = 4 * hour;

/**
 * If this many workers in a row ended while they worked on a run, the run may well be the cause: the next worker takes it over only after a pause.
 */
export const manyLostWorkers = 5;

/** Until when a night's run is tried: the end of its window and the grace, or a span of its own where that is over already. */
export function triedUntil({ windowEnd, graceMs, at }: { windowEnd: Date; graceMs: number; at: Date }): Date {
  return at < windowEnd ? new Date(windowEnd.getTime() + graceMs) : requestedUntil(at);
}

/** Until when a run is tried that was asked for at that moment. */
export function requestedUntil(at: Date): Date {
  return new Date(at.getTime() + spanMs);
}

/** Where a run stands when a try has failed. */
export interface Failed {
  /** Tries that failed, this one included. */
  attempt: number;
  at: Date;
  /** Nothing is tried after this. */
  until: Date;
  /** The pause that the cause asks for. */
  pauseMs?: number;
}

/**
 * When a run is tried again: ever later, and once more just before its time is over where the pause would go beyond.
 * Undefined where no try fits in.
 */
export function nextTry({ attempt, at, until, pauseMs = 0 }: Failed): Date | undefined {
  const pause = Math.max(pauseMs, pauseAfter(attempt));
  const due = Math.min(at.getTime() + pause, lastTryOf(until).getTime());
  return due - at.getTime() < leastLeftMs ? undefined : new Date(due);
}

/** A run of several sources is tried so often until one of them that does not answer is left as it was. */
const triesForAll = 3;

/** Whether a run should fail, to be tried again, where one of its sources does not answer and the others do. */
export function waitsForAll(failed: Failed): boolean {
  return failed.attempt < triesForAll && nextTry(failed) !== undefined;
}

/** When the last try begins at the latest of a run that is tried until then. */
export function lastTryOf(until: Date): Date {
  return new Date(until.getTime() - leastLeftMs);
}

/** A run whose worker ended in the middle, for so many times in a row. */
interface Lost {
  id: string;
  lost: number;
  at: Date;
  /** Nothing is tried after this. */
  until: Date;
}

/**
 * When such a run goes on: at once at first, then ever later, and each run after a share of the pause of its own, so that those do not
 * come together again of which one ends the worker of all. Undefined where its time is over.
 */
export function nextAfterLostWorker({ id, lost, at, until }: Lost): Date | undefined {
  const pause = lost <= 1 ? 0 : pauseAfter(lost - 1) * (1 - shareOf(id) / 2);
  const due = Math.min(at.getTime() + pause, Math.max(at.getTime(), lastTryOf(until).getTime()));
  return due < until.getTime() ? new Date(due) : undefined;
}

/** From 0 to just under 1, always the same for an id, and evenly spread over ids, of which those of one time begin alike. */
function shareOf(id: string): number {
  return Number.parseInt(hash('sha256', id, 'hex').slice(0, 8), 16) / 2 ** 32;
}

function pauseAfter(tries: number): number {
  return pauses[Math.min(Math.max(tries, 1), pauses.length) - 1] ?? 0;
}

/** Errors that no further try mends before somebody has done something else. */
const lasting = [
  /^(config|keyring|seal)\//,
  /^grant\/(not-usable|wrong-subject)$/,
  /^source\/foreign-origin$/,
  /^repository\/(wrong-password|damaged|no-such-snapshot)$/,
];

/** Whether a run that failed with this code may go well when it is tried again. One that says when it can, may. */
export function mayPass({ code, saysWhen }: { code: string; saysWhen: boolean }): boolean {
  return saysWhen || !lasting.some((codes) => codes.test(code));
}
