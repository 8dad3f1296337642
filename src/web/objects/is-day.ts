/** Whether there is such a day, "YYYY-MM-DD": to `Date.parse` alone, 31 February is 3 March. */
export function isDay(day: string): boolean {
  const ms = Date.parse(day);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(`${day}T`);
}
