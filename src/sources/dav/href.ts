import { nameFromBytes, nameToBytes } from '../../file-name.ts';

/**
 * Hrefs of a listing (RFC 4918, section 8.3): absolute or relative, percent-encoded in more than one way or not at all, with or
 * without a trailing slash. Names are bytes: what is encoded is decoded once, and need not be UTF-8.
 */

/** A href, taken apart. Paths are as they are to be sent and have no trailing slash: '' is the root of the server. */
export interface Href {
  /** Of an absolute href. */
  readonly hostname: string | undefined;
  readonly path: string;
  /** It is written with a trailing slash, as those of collections are. */
  readonly hasSlash: boolean;
}

/** Takes a href of the listing of `collectionPath` apart; undefined where its host is none. */
export function parseHref(href: string, collectionPath: string): Href | undefined {
  const absolute = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)(.*)$/is.exec(href);
  if (absolute !== null) {
    const hostname = URL.parse(`http://${absolute[1]}`)?.hostname;
    return hostname === undefined ? undefined : { hostname, ...partsOf(absolute[2] ?? '') };
  }
  const path = href.startsWith('/') ? href : collectionPath + href.replace(/^(\.\/)+/, '');
  return { hostname: undefined, ...partsOf(path) };
}

/** The path without its trailing slash, and whether it had one. */
export function partsOf(text: string): Pick<Href, 'path' | 'hasSlash'> {
  const path = encodeRest(text);
  return path.endsWith('/') ? { path: path.slice(0, -1), hasSlash: true } : { path, hasSlash: path === '' };
}

/** The path of what lists this path. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The last segment of the path, encoded. */
export function segmentOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The names of a path, decoded. */
export function namesOf(path: string): string[] {
  return path === '' ? [] : path.slice(1).split('/').map(decodeSegment);
}

/** The name that a segment encodes; bytes that are not UTF-8 as in file-name.ts, Unicode forms and case as they are. */
export function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    const bytes = segment.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return nameFromBytes(Buffer.from(bytes, 'latin1'));
  }
}

/** The names of a path below the root's path, joined by '/', for people to read. */
export function pathForPeople(path: string, rootPath: string): string {
  const below = path.startsWith(rootPath) ? path.slice(rootPath.length) : path;
  return below
    .replace(/^\/|\/$/g, '')
    .split('/')
    .map(decodeSegment)
    .join('/');
}

/** The path of a collection, which ends with a slash (RFC 4918, section 5.2). */
export function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

const plainPath = /^(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9a-fA-F]{2})*$/;
const notPlain = /%(?![0-9a-fA-F]{2})|[^\w\-.~!$&'()*+,;=:@/%]+/g;

/**
 * Characters that are not allowed in a path are encoded (servers send some raw, a name with `?` or `#` among them, and a `%`
 * that begins no escape); what is encoded stays as it is.
 */
function encodeRest(path: string): string {
  return plainPath.test(path) ? path : path.replace(notPlain, encodeBytes);
}

function encodeBytes(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text);
  return Array.from(nameToBytes(text), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
