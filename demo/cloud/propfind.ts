import { SaxesParser } from 'saxes';
import type { ShareName } from './shares.ts';
import { type CloudNode, etagOf, type Path, sizeOf } from './tree.ts';

const dav = 'DAV:';
const owncloud = 'http://owncloud.org/ns';
const calDav = 'urn:ietf:params:xml:ns:caldav';
const cardDav = 'urn:ietf:params:xml:ns:carddav';
const calendarServer = 'http://calendarserver.org/ns/';

/** A property by namespace and local name. */
interface PropertyName {
  readonly namespace: string;
  readonly name: string;
}

/** What a PROPFIND asks for: some properties by name, all of them, or only their names. */
type Question = { readonly named: readonly PropertyName[] } | 'all' | 'names';

/** Reads the body of a PROPFIND (RFC 4918, section 14.20); an empty one asks for all. Throws where it is malformed. */
export function readQuestion(body: string): Question {
  if (body.trim() === '') return 'all';
  const parser = new SaxesParser({ xmlns: true });
  const named: PropertyName[] = [];
  const open: string[] = [];
  let question: Question = { named };
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('No document types here.');
  });
  parser.on('opentag', ({ uri, local }) => {
    if (open.length === 1 && uri === dav && local === 'allprop') question = 'all';
    if (open.length === 1 && uri === dav && local === 'propname') question = 'names';
    if (open.length === 2 && open[1] === 'prop') named.push({ namespace: uri, name: local });
    open.push(local);
  });
  parser.on('closetag', () => open.pop());
  parser.write(body).close();
  return question;
}

/** Something in a share, or that which names the homes of a person: the prefix and their principal. */
export type Told = { readonly href: string; readonly username: string } & (
  | { readonly share: ShareName; readonly path: Path; readonly node: CloudNode }
  | { readonly isPrincipal: boolean }
);

/** A 207 body (RFC 4918, section 13) with the requested properties of each resource; missing ones as 404. */
export function multistatus(resources: readonly Told[], question: Question): string {
  const responses = resources.map((resource) => {
    const known = propertiesOf(resource);
    const asked = typeof question === 'string' ? known : question.named;
    const found = asked.map(
      (wanted) => known.find((one) => one.name === wanted.name && one.namespace === wanted.namespace) ?? wanted,
    );
    const have = found.filter((one): one is Property => 'value' in one);
    const lacks = found.filter((one) => !('value' in one));
    const told = have.map((one) => element(one, question === 'names' ? '' : one.value));
    return `<d:response><d:href>${xmlText(resource.href)}</d:href>${propstat(told, '200 OK', { evenEmpty: lacks.length === 0 })}${propstat(
      lacks.map((one) => element(one, '')),
      '404 Not Found',
    )}</d:response>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus xmlns:d="${dav}" xmlns:oc="${owncloud}">${responses.join('\n')}</d:multistatus>\n`;
}

/** The body of an error with a precondition code (RFC 4918, section 16). */
export function davError(condition: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="${dav}"><d:${condition}/></d:error>\n`;
}

/** The media type by the ending of the name. */
export function typeOf(name: string): string {
  const types: Record<string, string> = {
    txt: 'text/plain;charset=utf-8',
    md: 'text/markdown;charset=utf-8',
    csv: 'text/csv',
    png: 'image/png',
    ogg: 'audio/ogg',
    ics: 'text/calendar;charset=utf-8',
    vcf: 'text/vcard;charset=utf-8',
  };
  return types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
}

interface Property extends PropertyName {
  /** XML. */
  readonly value: string;
}

const live = (property: string, value: string): Property => ({ namespace: dav, name: property, value });
const extra = (property: string, value: string): Property => ({ namespace: owncloud, name: property, value });

function propertiesOf(told: Told): Property[] {
  if (!('node' in told)) return homesOf(told);
  const { path, node, share } = told;
  const name = path.at(-1) ?? '';
  const isHeld = share !== 'files' && node.kind === 'folder' && path.length === 1;
  const type = isHeld ? heldTypes[share] : '';
  return [
    live('resourcetype', node.kind === 'folder' ? `<d:collection/>${type}` : ''),
    live('displayname', xmlText(name)),
    ...(isHeld ? [{ namespace: calendarServer, name: 'getctag', value: etagOf(node) }] : []),
    live('getetag', `&quot;${etagOf(node)}&quot;`),
    live('getlastmodified', node.modified.toUTCString()),
    ...(node.kind === 'file'
      ? [live('getcontentlength', String(sizeOf(node))), live('getcontenttype', typeOf(name))]
      : []),
    ...(share === 'files' ? ofFiles(node) : []),
  ];
}

const heldTypes = { calendars: `<calendar xmlns="${calDav}"/>`, contacts: `<addressbook xmlns="${cardDav}"/>` };

/** What Nextcloud says of files only. */
function ofFiles(node: CloudNode): Property[] {
  return [
    extra('id', `${String(node.id).padStart(8, '0')}ocdemo`),
    extra('fileid', String(node.id)),
    extra('size', String(sizeOf(node))),
    extra('permissions', node.kind === 'folder' ? 'RGDNVCK' : 'RGDNVW'),
  ];
}

/** Who asks, and where their calendars and address books are (RFC 5397; RFC 4791, section 6.2.1; RFC 6352, section 7.1.1). */
function homesOf({ username, isPrincipal }: { username: string; isPrincipal: boolean }): Property[] {
  const href = (place: string) => `<d:href>/dav/${place}/${encodeURIComponent(username)}/</d:href>`;
  return [
    live('resourcetype', `<d:collection/>${isPrincipal ? '<d:principal/>' : ''}`),
    live('current-user-principal', href('principals')),
    ...(isPrincipal
      ? [
          { namespace: calDav, name: 'calendar-home-set', value: href('calendars') },
          { namespace: cardDav, name: 'addressbook-home-set', value: href('contacts') },
        ]
      : []),
  ];
}

function propstat(properties: string[], status: string, { evenEmpty = false } = {}): string {
  if (properties.length === 0 && !evenEmpty) return '';
  return `<d:propstat><d:prop>${properties.join('')}</d:prop><d:status>HTTP/1.1 ${status}</d:status></d:propstat>`;
}

function element({ namespace, name }: PropertyName, value: string): string {
  const prefix = namespace === dav ? 'd' : namespace === owncloud ? 'oc' : undefined;
  if (prefix) return value === '' ? `<${prefix}:${name}/>` : `<${prefix}:${name}>${value}</${prefix}:${name}>`;
  if (namespace === '') return `<${name}/>`;
  return `<x:${name} xmlns:x="${xmlText(namespace)}">${value}</x:${name}>`;
}

/** Escapes text or an attribute's value; drops characters that XML 1.0 does not allow. */
function xmlText(text: string): string {
  const references: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"]/g, (sign) => references[sign] ?? sign);
}
