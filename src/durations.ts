/** Lengths of time. A day is 24 hours here; days of a calendar, which may be longer or shorter, are in src/domain/nights.ts. */
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export const daySeconds = dayMs / 1_000;
