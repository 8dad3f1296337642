import type { NamedSources } from './source-names.ts';

/** What a part of a snapshot becomes where it is restored to the source: a new folder among files, a new calendar, a new address book or a new mailbox. */
export type RestorePlace = 'files' | 'calendars' | 'contacts' | 'mail';

/** Where Nightkeep keeps the properties of a calendar or address book beside its objects. */
export const propertiesName = 'properties.json';

/** Where it keeps what there is to know of a mailbox besides its messages. */
export const recordName = 'mailbox.json';

/** The name of what Nightkeep keeps beside the entries of a collection, by the name of the source; undefined where it keeps nothing. */
export const besideEntries: Readonly<Partial<Record<string, string>>> = {
  calendars: propertiesName,
  contacts: propertiesName,
  mail: recordName,
};

/** What the record of a restore has in place of an error code where something is written, but not with everything that the snapshot has of it. */
export const writtenInPart = 'restore/written-in-part';

/** How many notes of that kind it has, at most. */
export const mostNotes = 100;

/**
 * What the part at this path becomes. A calendar or address book by itself, or an object of one, becomes a new one, and mail, a mailbox or a message a new
 * mailbox, if the settings say where they are; everything else a folder.
 */
export function restorePlaceOf(
  path: string,
  { calendarsUrl, contactsUrl, mailUrl }: Partial<NamedSources>,
): RestorePlace {
  const names = path.split('/').filter((name) => name !== '');
  const [top, collection, object, ...deeper] = names;
  if (top === 'mail' && mailUrl !== undefined) return names.at(-1) === recordName ? 'files' : 'mail';
  if (collection === undefined || deeper.length > 0 || object === propertiesName) return 'files';
  if (top === 'calendars' && calendarsUrl !== undefined) return 'calendars';
  return top === 'contacts' && contactsUrl !== undefined ? 'contacts' : 'files';
}
