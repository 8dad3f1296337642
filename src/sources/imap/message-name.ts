import { minuteMs } from '../../durations.ts';
import { unseen } from '../../file-name.ts';
import { cutToBytes } from './mailbox-name.ts';

/** Most bytes of the subject in a name: the rest of 255 is for date, number and ending. */
const longestSubject = 180;

export interface NamedMessage {
  readonly uid: number;
  readonly receivedAt: Date | undefined;
  readonly subject: string;
}

/**
 * The name of a message, by which its person finds it: the day on which it was received, in UTC, its subject, and its number in the mailbox, as in
 * `2026-11-28 Minutes of the meeting [123].eml`. Of the subject what no file system minds.
 */
export function messageName({ uid, receivedAt, subject }: NamedMessage): string {
  const words = [receivedAt?.toISOString().slice(0, 10), plain(subject), `[${uid}]`].filter(Boolean);
  return `${words.join(' ')}.eml`;
}

function plain(subject: string): string {
  const seen = subject.toWellFormed().normalize('NFC').replace(unseen, '');
  const allowed = seen.replace(/[\0-\x1f\x7f-\x9f]+/g, ' ').replace(/[/\\:*?"<>|]/g, '_');
  return cutToBytes(allowed.replace(/ +/g, ' ').trim(), longestSubject).trimEnd();
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** An INTERNALDATE, as ` 1-Nov-2026 08:05:00 +0100`; undefined where it is none. */
export function parseInternalDate(text: string): Date | undefined {
  const match = /^ ?(\d{1,2})-([a-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/i.exec(text);
  if (match === null) return undefined;
  const [, day, month = '', year, hours, minutes, seconds, sign, zoneHours, zoneMinutes] = match;
  const local = Date.UTC(
    Number(year),
    months.indexOf(month.toLowerCase()),
    Number(day),
    Number(hours),
    Number(minutes),
    Number(seconds),
  );
  const offsetMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * minuteMs;
  const date = new Date(sign === '-' ? local + offsetMs : local - offsetMs);
  return months.includes(month.toLowerCase()) && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** The same to be sent, in UTC; undefined for a time that none can say. */
export function writeInternalDate(at: Date): string | undefined {
  const year = at.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) return undefined;
  const [, day, month, , time] = at.toUTCString().split(' ');
  return `${day}-${month}-${String(year).padStart(4, '0')} ${time} +0000`;
}
