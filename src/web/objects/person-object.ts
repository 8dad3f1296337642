import { type CalendarObject, readCalendarObject } from './calendar-object.ts';
import { type Contact, readContact } from './contact.ts';
import { type Message, readMessage } from './message.ts';

/** An event, a task, a contact or a message, as the file that holds it says it. */
export type PersonObject = CalendarObject | Contact | Message;

const utf8 = new TextDecoder();

/** Whether a file of this name may hold one. */
export function mayBeObject(name: string): boolean {
  return /\.(ics|vcf|eml)$/i.test(name);
}

/** What a file of this name says, of which `content` is the beginning, or all if `isWhole`; undefined where it is something else. */
export function readObject(name: string, content: Uint8Array, { isWhole = true } = {}): PersonObject | undefined {
  const ending = /\.(ics|vcf|eml)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === 'ics') return readCalendarObject(utf8.decode(content));
  if (ending === 'vcf') return readContact(utf8.decode(content));
  return ending === 'eml' ? readMessage(content, { isWhole }) : undefined;
}
