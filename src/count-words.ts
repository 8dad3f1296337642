import { dayMs, hourMs, minuteMs } from './durations.ts';

/** A number and what is counted, as operators read it: "1 grant", "3 grants". */
export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The same of what is counted up to `most`: "1000 files or more". */
export function countUpTo(count: number, most: number, one: string, many = `${one}s`): string {
  return `${countWords(count, one, many)}${count >= most ? ' or more' : ''}`;
}

/** A duration in the largest unit that loses less than a tenth of it, as settings are written: 30d, 36h, 90s. */
export function durationWords(ms: number): string {
  const rounded = Math.max(0, Math.round(ms / 1_000) * 1_000);
  const [unit, size] = units.find(([, unitMs]) => rounded >= unitMs && (rounded % unitMs) * 10 < rounded) ?? [
    's',
    1_000,
  ];
  return `${Math.round(rounded / size)}${unit}`;
}

/** An amount of bytes as operators read it, such as "1.5 GiB". */
export function bytesWords(bytes: number): string {
  if (bytes === 1) return '1 byte';
  const steps = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const step = Math.min(steps.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${steps[step]}`;
}

/** A moment in UTC, to the minute: "2026-05-04 13:00 UTC". */
export function minuteWords(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const units = [
  ['d', dayMs],
  ['h', hourMs],
  ['m', minuteMs],
  ['s', 1_000],
] as const;
