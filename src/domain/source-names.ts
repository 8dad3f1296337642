/** What of a person can be backed up: each is a folder at the top of their snapshots, and each is agreed to by its name. In this order. */
export const sourceNames = ['files', 'calendars', 'contacts', 'mail'] as const;

export type SourceName = (typeof sourceNames)[number];

/** What the settings name, as templates for the addresses of people. */
export interface NamedSources {
  readonly filesUrl: string;
  readonly calendarsUrl?: string;
  readonly contactsUrl?: string;
  readonly mailUrl?: string;
  /** Origins besides theirs that plans may name. */
  readonly filesOrigins: readonly string[];
}

/** Something of a person, and the address of it: a template, or with their claims filled in. */
export interface SourceAddress {
  readonly name: string;
  readonly url: string;
}

/** What the settings name, in the order of `sourceNames`. */
export function namedSources({
  filesUrl,
  calendarsUrl,
  contactsUrl,
  mailUrl,
}: Omit<NamedSources, 'filesOrigins'>): (SourceAddress & { readonly name: SourceName })[] {
  const urls = { files: filesUrl, calendars: calendarsUrl, contacts: contactsUrl, mail: mailUrl };
  return sourceNames.flatMap((name) => {
    const url = urls[name];
    return url === undefined ? [] : [{ name, url }];
  });
}

/** The setting that names an address, for people. */
export const settingOf: Readonly<Record<SourceName, string>> = {
  files: 'FILES_URL',
  calendars: 'CALENDARS_URL',
  contacts: 'CONTACTS_URL',
  mail: 'MAIL_URL',
};

/** What there is of it, in sentences for operators. */
export const nounOf: Readonly<Record<SourceName, string>> = {
  files: 'files',
  calendars: 'calendars',
  contacts: 'contacts',
  mail: 'mailboxes',
};

/** The protocol by which it is fetched, as plans name it. */
const protocolOf: Readonly<Record<SourceName, string>> = {
  files: 'webdav',
  calendars: 'caldav',
  contacts: 'carddav',
  mail: 'imap',
};

/** One thing that a plan backs up, as it is kept. */
export type PlannedSource = { kind: string; name: string; url: string };

/** These as plans name them. */
export function plannedSources(
  sources: readonly { readonly name: SourceName; readonly url: string }[],
): PlannedSource[] {
  return sources.map(({ name, url }) => ({ kind: protocolOf[name], name, url }));
}

/** Whether something of this name can be backed up. */
export function isSourceName(name: string): name is SourceName {
  return sourceNames.some((one) => one === name);
}
