import { hash } from 'node:crypto';
import { hourMs, minuteMs } from '../durations.ts';

/** After each try that failed; after the last of these again and again, so that an hour without trouble is never missed. */
const pauses = [minuteMs, 2 * minuteMs, 4 * minuteMs, 8 * minuteMs, 15 * minuteMs];
/** The last try begins at least this long before the end. */
const leastLeftMs = minuteMs;
/** For how long a run is tried that somebody asked for, or that comes after its window. */
const spanMs = 4 * hourMs;

/**
 * If this many workers in a row ended while they worked on a run, the run may well be the cause: the next worker takes it over only after a pause.
 */
export const manyLostWorkers = 5;

/** Until when a night's run is tried: the end of its window and the grace, or a span of its own where that is over already. */
export function triedUntil({ windowEnd, graceMs, at }: { windowEnd: Date; graceMs: number; at: Date }): Date {
  return at < windowEnd ? new Date(windowEnd.getTime() + graceMs) : requestedUntil(at);
}

/** Until when a run that was asked for at that moment is tried. */
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

/** How often a run of several sources is tried before one that does not answer is left as it was. */
const triesForAll = 3;

/** Whether a run should fail, to be tried again, where one of its sources does not answer and the others do. */
export function waitsForAll(failed: Failed): boolean {
  return failed.attempt < triesForAll && nextTry(failed) !== undefined;
}

/** When the last try must begin of a run that is tried until then. */
export function lastTryOf(until: Date): Date {
  return new Date(until.getTime() - leastLeftMs);
}

/** A run whose worker died during it, `lost` times in a row. */
interface Lost {
  id: string;
  lost: number;
  at: Date;
  /** Nothing is tried after this. */
  until: Date;
}

/**
 * When such a run is tried again: at once at first, then ever later, each run after a share of the pause that is its own. So the runs that
 * one of them brought down together do not meet again in one worker. Undefined where its time is over.
 */
export function nextAfterLostWorker({ id, lost, at, until }: Lost): Date | undefined {
  const pause = lost <= 1 ? 0 : pauseAfter(lost - 1) * (1 - shareOf(id) / 2);
  const due = Math.min(at.getTime() + pause, Math.max(at.getTime(), lastTryOf(until).getTime()));
  return due < until.getTime() ? new Date(due) : undefined;
}

/** From 0 to just under 1, always the same for an id. Hashed, since ids that were made at about the same time begin alike. */
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
