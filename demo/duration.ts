const units: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** Seconds of a duration as people write it: 30d, 12h, 5m, 90s. Undefined where it is none. */
export function readDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,6})([dhms])$/.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Number(number) * (units[unit] ?? 1);
}

/** The same the other way round, in the largest unit that needs no fraction. */
export function writeDuration(seconds: number): string {
  const [unit, size] = Object.entries(units).find(([, size]) => seconds > 0 && seconds % size === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
}
