const units: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** The seconds of a duration written as 30d, 12h, 5m or 90s. Undefined where it is not one. */
export function readDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,6})([dhms])$/.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Number(number) * (units[unit] ?? 1);
}

/** Writes seconds as a duration, in the largest unit that needs no fraction. */
export function writeDuration(seconds: number): string {
  const [unit, size] = Object.entries(units).find(([, size]) => seconds > 0 && seconds % size === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
}
