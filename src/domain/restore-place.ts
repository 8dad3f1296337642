import type { NamedSources } from './source-names.ts';

/** What a part of a snapshot becomes where it is restored to the source: a new folder among files, a new calendar or a new address book. */
export type RestorePlace = 'files' | 'calendars' | 'contacts';

/** Where Nightkeep keeps the properties of a calendar or address book beside its objects. */
export const propertiesName = 'properties.json';

/**
 * What the part at this path becomes. A calendar or address book by itself, or an object of one, becomes a new one, if the settings say where
 * they are; everything else a folder.
 */
export function restorePlaceOf(path: string, { calendarsUrl, contactsUrl }: Partial<NamedSources>): RestorePlace {
  const [top, collection, object, ...deeper] = path.split('/').filter((name) => name !== '');
  if (collection === undefined || deeper.length > 0 || object === propertiesName) return 'files';
  if (top === 'calendars' && calendarsUrl !== undefined) return 'calendars';
  return top === 'contacts' && contactsUrl !== undefined ? 'contacts' : 'files';
}
