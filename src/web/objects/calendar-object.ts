import { dayMs } from '../../durations.ts';
import { type ContentLine, contentLines, textOf } from './content-lines.ts';
import { isDay } from './is-day.ts';

/** A day or a moment of a calendar (RFC 5545, sections 3.3.4 and 3.3.5). */
export type CalendarTime =
  /** A day alone, "YYYY-MM-DD". */
  | { readonly day: string }
  /** RFC 3339. */
  | { readonly at: string }
  /** Local time, written as if it were UTC, in the zone that is named; without one, wherever the reader is. */
  | { readonly clock: string; readonly zone: string | undefined };

/** What people look for in an event, a task or a journal entry. */
export interface CalendarObject {
  readonly kind: 'event' | 'task' | 'journal';
  readonly title: string;
  readonly start: CalendarTime | undefined;
  /** The last day of an event of whole days. */
  readonly end: CalendarTime | undefined;
  readonly due: CalendarTime | undefined;
  readonly place: string;
  readonly repeats: boolean;
  readonly notes: string;
}

const kinds = new Map<string, CalendarObject['kind']>([
  ['VEVENT', 'event'],
  ['VTODO', 'task'],
  ['VJOURNAL', 'journal'],
]);

/** What an iCalendar object says; of something that repeats, what holds for all its times. Undefined where the text is none. */
export function readCalendarObject(text: string): CalendarObject | undefined {
  let found: CalendarObject | undefined;
  let own: { kind: CalendarObject['kind']; lines: Map<string, ContentLine> } | undefined;
  let depth = 0;
  for (const line of contentLines(text)) {
    if (line.name === 'BEGIN') {
      depth += 1;
      const kind = kinds.get(line.value.trim().toUpperCase());
      if (depth === 2 && kind !== undefined) own = { kind, lines: new Map() };
    } else if (line.name === 'END') {
      depth -= 1;
      if (depth !== 1 || own === undefined) continue;
      if (!own.lines.has('RECURRENCE-ID')) return objectOf(own);
      found ??= objectOf(own);
      own = undefined;
    } else if (depth === 2 && own !== undefined && !own.lines.has(line.name)) own.lines.set(line.name, line);
  }
  return found ?? (own && objectOf(own));
}

function objectOf({
  kind,
  lines,
}: {
  kind: CalendarObject['kind'];
  lines: ReadonlyMap<string, ContentLine>;
}): CalendarObject {
  const text = (name: string) => textOf(lines.get(name)?.value ?? '');
  const time = (name: string) => timeOf(lines.get(name));
  const end = time('DTEND');
  return {
    kind,
    title: text('SUMMARY'),
    start: time('DTSTART'),
    end: end !== undefined && 'day' in end ? { day: dayBefore(end.day) } : end,
    due: time('DUE'),
    place: text('LOCATION'),
    repeats: lines.has('RRULE') || lines.has('RDATE'),
    notes: text('DESCRIPTION'),
  };
}

/** Undefined where it is none. */
function timeOf(line: ContentLine | undefined): CalendarTime | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(line?.value.trim() ?? '');
  if (match === null) return undefined;
  const [, year, month, date, hours, minutes, seconds, utc] = match;
  const day = `${year}-${month}-${date}`;
  if (!isDay(day)) return undefined;
  if (hours === undefined) return { day };
  const at = `${day}T${hours}:${minutes}:${seconds}Z`;
  if (Number.isNaN(Date.parse(at))) return undefined;
  return utc === 'Z' ? { at } : { clock: at, zone: line?.parameters.get('TZID')?.slice(0, longestZone) };
}

/** Pages show the name of a zone beside each event, and anything may have been written there. */
const longestZone = 60;

/** An event of whole days ends on the day after its last one (RFC 5545, section 3.6.1). */
function dayBefore(day: string): string {
  return new Date(Date.parse(day) - dayMs).toISOString().slice(0, 10);
}
