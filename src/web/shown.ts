/** Writes moments in one zone, which they name: "4 May 2026, 13:00 BST". For many moments make one of these: it is slow to make. */
export function timesIn(zone: string): (at: Date) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone: zone,
  });
  return (at) => format.format(at);
}

/** A moment in the zone of the person whom it concerns. */
export function shownTime(at: Date, zone = 'UTC'): string {
  return timesIn(zone)(at);
}

/** A night by its date: "Saturday, 14 November 2026", or shorter "Sat, 14 Nov 2026". */
export function shownNight(night: string, length: 'long' | 'short' = 'short'): string {
  return nightFormats[length].format(new Date(`${night}T12:00Z`));
}

const nightFormats = {
  long: dates({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
  short: dates({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }),
};

function dates(parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', { ...parts, timeZone: 'UTC' });
}

/** The day of a moment seen from another: today, tomorrow, or its date. */
export function shownDay(at: Date, now: Date, zone: string): string {
  const day = (date: Date) => new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: zone }).format(date);
  const daysAhead = Math.round((Date.parse(day(at)) - Date.parse(day(now))) / 86_400_000);
  if (daysAhead <= 0) return 'tonight';
  return daysAhead === 1 ? 'the coming night' : `the night of ${day(at)}`;
}

export function shownBytes(bytes: number): string {
  const units = [bytes === 1 ? 'byte' : 'bytes', 'KB', 'MB', 'GB', 'TB'];
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

export function shownDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}
