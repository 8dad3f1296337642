import { createHash } from 'node:crypto';
import { longestValidator } from '../http/validator.ts';
import { type DavProperty, davName } from './multistatus.ts';

const calDav = 'urn:ietf:params:xml:ns:caldav';
const cardDav = 'urn:ietf:params:xml:ns:carddav';
const calendarServer = 'http://calendarserver.org/ns/';
const apple = 'http://apple.com/ns/ical/';
const infCloud = 'http://inf-it.com/ns/ab/';
const ownCloud = 'http://owncloud.org/ns';
const nextcloud = 'http://nextcloud.com/ns';

/** A property that is kept, and what of it says something: its text unless given. */
interface KeptProperty {
  readonly property: string;
  readonly what?: 'href' | 'names' | 'child';
}

/** Whose it is: somebody else's, where it is shared. */
const owner: readonly [string, KeptProperty][] = [
  ['owner', { property: davName('owner'), what: 'href' }],
  ['owner-displayname', { property: davName('owner-displayname', nextcloud) }],
];

/** Collections of one kind that a person has at a server besides files. */
export interface HeldKind {
  /** The property of a principal that names where they are. */
  readonly homeSet: string;
  /** What their resource type has besides `collection`. */
  readonly type: string;
  /** What one has instead that only names the address of something elsewhere. */
  readonly subscribed?: string;
  /** Where a server says what it knows of them (RFC 6764, section 5). */
  readonly wellKnown: string;
  /** How a new one is made: what it is, and what it may hold where that can be said. */
  readonly make: {
    readonly method: 'MKCALENDAR' | 'MKCOL';
    readonly body: (properties: string, components: string) => string;
  };
  /** The content type of one of their objects, and how its name ends, by which some servers go. */
  readonly objectType: string;
  readonly objectEnding: '.ics' | '.vcf';
  /** How many of their objects are asked for at once, and the property with the content of one. */
  readonly multiget: { readonly namespace: string; readonly report: string; readonly data: string };
  /** Their own properties, by the name under which they are kept. */
  readonly properties: ReadonlyMap<string, KeptProperty>;
  /** For people: "calendars". */
  readonly words: string;
}

/** CalDAV (RFC 4791) and CardDAV (RFC 6352). */
export const heldKinds: Readonly<Record<'calendars' | 'contacts', HeldKind>> = {
  calendars: {
    homeSet: davName('calendar-home-set', calDav),
    type: davName('calendar', calDav),
    subscribed: davName('subscribed', calendarServer),
    wellKnown: '/.well-known/caldav',
    make: {
      method: 'MKCALENDAR',
      body: (properties, components) => {
        const held =
          components && `<c:supported-calendar-component-set>${components}</c:supported-calendar-component-set>`;
        return `<c:mkcalendar xmlns="DAV:" xmlns:c="${calDav}"><set><prop>${properties}${held}</prop></set></c:mkcalendar>`;
      },
    },
    objectType: 'text/calendar; charset=utf-8',
    objectEnding: '.ics',
    multiget: { namespace: calDav, report: 'calendar-multiget', data: 'calendar-data' },
    properties: new Map([
      ['displayname', { property: davName('displayname') }],
      ['calendar-description', { property: davName('calendar-description', calDav) }],
      ['calendar-color', { property: davName('calendar-color', apple) }],
      ['calendar-order', { property: davName('calendar-order', apple) }],
      ['calendar-enabled', { property: davName('calendar-enabled', ownCloud) }],
      ['calendar-timezone', { property: davName('calendar-timezone', calDav) }],
      [
        'supported-calendar-component-set',
        { property: davName('supported-calendar-component-set', calDav), what: 'names' },
      ],
      ['schedule-calendar-transp', { property: davName('schedule-calendar-transp', calDav), what: 'child' }],
      ['source', { property: davName('source', calendarServer), what: 'href' }],
      ['refreshrate', { property: davName('refreshrate', apple) }],
      ...owner,
    ]),
    words: 'calendars',
  },
  contacts: {
    homeSet: davName('addressbook-home-set', cardDav),
    type: davName('addressbook', cardDav),
    wellKnown: '/.well-known/carddav',
    make: {
      method: 'MKCOL',
      body: (properties) =>
        `<mkcol xmlns="DAV:" xmlns:c="${cardDav}"><set><prop><resourcetype><collection/><c:addressbook/></resourcetype>${properties}</prop></set></mkcol>`,
    },
    objectType: 'text/vcard; charset=utf-8',
    objectEnding: '.vcf',
    multiget: { namespace: cardDav, report: 'addressbook-multiget', data: 'address-data' },
    properties: new Map([
      ['displayname', { property: davName('displayname') }],
      ['addressbook-description', { property: davName('addressbook-description', cardDav) }],
      ['addressbook-color', { property: davName('addressbook-color', infCloud) }],
      ['enabled', { property: davName('enabled', ownCloud) }],
      ...owner,
    ]),
    words: 'address books',
  },
};

const resourceType = davName('resourcetype');
/** Changes with whatever is in a collection; it is no standard, and all servers of calendars have it. */
const changeTag = davName('getctag', calendarServer);

/** What a listing says of a collection of such a kind. */
export interface Described {
  /** Absent where it does not say of which type it is. */
  readonly types?: readonly string[];
  /** It is of this kind. */
  readonly isOfKind: boolean;
  /** There is nothing in it: it names the address of something elsewhere. */
  readonly isSubscribed: boolean;
  /** The same for as long as nothing in it and nothing kept of it changes; absent where nothing can be relied on. */
  readonly validator?: string;
  /** Its own properties as they are kept, and their digest. */
  readonly properties: Buffer;
  readonly digest: string;
}

/** A time zone is the longest one that there is, and takes some thousand characters; a longer one is left out. */
const longestProperty = 16 * 1024;

/** Reads what a server says of one collection. */
export function describedBy(kind: HeldKind, told: ReadonlyMap<string, DavProperty>): Described {
  const types = told.get(resourceType)?.children;
  const kept = [...kind.properties].flatMap(([name, { property, what }]) => {
    const said = whatOf(told.get(property), what);
    return said?.length && JSON.stringify(said).length <= longestProperty ? [[name, said] as const] : [];
  });
  const isHeld = types?.includes(kind.type) === true;
  const isSubscribed = !isHeld && kind.subscribed !== undefined && types?.includes(kind.subscribed) === true;
  const properties = Buffer.from(`${JSON.stringify(Object.fromEntries(kept), undefined, 2)}\n`);
  const digest = createHash('sha256').update(properties).digest('hex');
  const tag = told.get(changeTag)?.text ?? '';
  const isTag = tag !== '' && tag.length <= longestValidator;
  return {
    ...(types && { types }),
    isOfKind: isHeld || isSubscribed,
    isSubscribed,
    ...(isSubscribed ? { validator: digest } : isTag && { validator: `ctag ${tag} ${digest.slice(0, 16)}` }),
    properties,
    digest,
  };
}

function whatOf(told: DavProperty | undefined, what: KeptProperty['what']): string | readonly string[] | undefined {
  if (what === 'href') return told?.hrefs?.[0] ?? told?.text;
  if (what === 'names') return told?.names?.toSorted();
  return what === 'child' ? told?.children[0]?.replace(/^\{.*\}/, '') : told?.text;
}

/** The body of a request for these properties (RFC 4918, section 14.20). */
export function propfindOf(names: Iterable<string>): string {
  const elements = Array.from(names, (name) => {
    const [, namespace = 'DAV:', local = name] = /^\{(.*)\}(.*)$/.exec(name) ?? [];
    return `<${local} xmlns="${namespace}"/>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>${elements.join('')}</prop></propfind>`;
}

/** What a new calendar or address book is to be like. */
export interface NewCollection {
  /** For people. */
  readonly displayName: string;
  /** What a calendar may hold (RFC 4791, section 5.2.3); what the server usually lets them hold where absent. */
  readonly components?: readonly string[];
}

/** The body of a request that makes one (RFC 4791, section 5.3.1; RFC 5689, section 3). */
export function creationBody({ make }: HeldKind, { displayName, components = [] }: NewCollection): string {
  const held = components.map((name) => `<c:comp name="${escaped(name)}"/>`).join('');
  return `<?xml version="1.0" encoding="utf-8"?>${make.body(`<displayname>${escaped(displayName)}</displayname>`, held)}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The body of a request for what a home holds, or for one such collection. */
export function homeBody({ properties }: HeldKind): string {
  return propfindOf([resourceType, changeTag, ...Array.from(properties.values(), ({ property }) => property)]);
}
