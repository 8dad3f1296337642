import { html } from 'hono/html';
import { unseen } from '../../file-name.ts';
import type { Html } from '../layout.ts';
import { name } from '../names.ts';
import { type NightTimes, nightTimesIn } from '../night-times.ts';
import type { Texts } from '../texts/en.ts';
import type { CalendarObject, CalendarTime } from './calendar-object.ts';
import { timeOf } from './labels.ts';
import type { Message } from './message.ts';
import type { PersonObject } from './person-object.ts';

interface Shown {
  readonly texts: Texts;
  readonly times: NightTimes;
}

/** What an event, a contact or a message says, for a page. All of it was written by others. */
export function factsOf(object: PersonObject, shown: Shown): Html | '' {
  const { objects: t } = shown.texts;
  switch (object.kind) {
    case 'contact':
      return list([
        [t.organization, object.title === object.organization ? [] : [object.organization]],
        [t.mail, object.mails],
        [t.phone, object.phones],
        [t.address, object.addresses],
        [t.notes, words(object.notes)],
      ]);
    case 'message':
      return html`${list([
        [t.from, [object.from]],
        [t.to, [object.to]],
        [t.copies, [object.copies]],
        [t.date, [object.at === undefined ? object.date : shown.times.moment(object.at)]],
        [t.attachments, attachmentsOf(object, shown)],
      ])}${object.text === undefined ? html`<p class="soft">${t.noText}</p>` : paragraph(object.text)}`;
    default:
      return list([
        [t.when, timesOf(object, shown)],
        [t.due, object.due === undefined ? [] : [timeOf(object.due, shown)]],
        [t.where, [object.place]],
        [t.notes, words(object.notes)],
      ]);
  }
}

/** Each by name, type and size; whoever wrote the message says what they are. */
function attachmentsOf({ attachments, mayHaveMore }: Message, { texts }: Shown): Html[] {
  const { formats, objects: t } = texts;
  const lines = attachments.map(({ name: called, type, bytes }) => {
    const facts = [type, ...(bytes === undefined ? [] : [formats.bytes(bytes)])].join(', ');
    return html`${called === '' ? t.unnamed : name(called)} <span class="soft small">${facts}</span>`;
  });
  return mayHaveMore ? [...lines, html`<span class="soft">${t.attachmentsCut}</span>`] : lines;
}

function timesOf({ start, end, repeats }: CalendarObject, shown: Shown): string[] {
  const { objects: t } = shown.texts;
  const first = start === undefined ? '' : timeOf(start, shown);
  const last = end === undefined ? '' : isSameDay(start, end, shown) ? clockOf(end, shown) : timeOf(end, shown);
  const span = first && last && first !== last ? t.fromTo(first, last) : first || last || '';
  return repeats ? [span, t.repeats] : [span];
}

/** Whether both are on one day, so that it need be written only once. */
function isSameDay(start: CalendarTime | undefined, end: CalendarTime, { times }: Shown): boolean {
  if (start === undefined || 'day' in start || 'day' in end) return false;
  if ('at' in start) return 'at' in end && times.date(start.at) === times.date(end.at);
  return 'clock' in end && start.zone === end.zone && start.clock.slice(0, 10) === end.clock.slice(0, 10);
}

function clockOf(time: CalendarTime, { texts, times }: Shown): string {
  if ('day' in time) return texts.formats.night(time.day);
  return 'at' in time ? times.time(time.at) : nightTimesIn(texts, 'UTC').time(time.clock);
}

type Value = string | Html;

/** A definition list; empty values are left out. */
function list(facts: readonly (readonly [string, readonly Value[]])[]): Html | '' {
  const rows = facts.flatMap(([label, values]) => {
    const said = values.filter((value) => value !== '');
    return said.length === 0
      ? []
      : [
          html`<dt>${label}</dt>${said.map((value) => html`<dd>${typeof value === 'string' ? name(value) : value}</dd>`)}`,
        ];
  });
  return rows.length === 0 ? '' : html`<dl class="said">${rows}</dl>`;
}

function words(text: string): Value[] {
  return text === '' ? [] : [paragraph(text)];
}

/** Text with its line breaks, without control and invisible characters. */
function paragraph(text: string): Html {
  return html`<div class="words" dir="auto">${text.replace(unseen, '').replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '')}</div>`;
}
