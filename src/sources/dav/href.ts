/**
 * Hrefs of a listing (RFC 4918, section 8.3): absolute or relative, percent-encoded in more than one way, with or without a
 * trailing slash. A path is kept as the server wrote it, since that is what the server finds again; names are compared decoded.
 */

/** What a href of a listing stands for. */
export type Href =
  | { readonly is: 'self' }
  | { readonly is: 'member'; readonly name: string; readonly path: string }
  /** `segment`: its encoded name, empty where it has none in this collection. */
  | { readonly is: 'refused'; readonly segment: string; readonly why: string };

/** Reads the hrefs of the listing of one collection, whose path ends with a slash. */
export function hrefReader(collectionPath: string, hostname: string): (href: string) => Href {
  const own = segmentsOf(collectionPath).map(decode);
  return (href) => {
    const path = pathOf(href, collectionPath, hostname);
    if (path === undefined) return refused('', `is on another server (${href.slice(0, 200)})`);
    if (path.startsWith(collectionPath)) return memberOf(path, path.slice(collectionPath.length));
    const segments = segmentsOf(path);
    if (segments.length < own.length || !own.every((name, at) => name !== undefined && name === decode(segments[at]))) {
      return refused('', `is not in the folder that was listed (${href.slice(0, 200)})`);
    }
    return memberOf(path, segments.slice(own.length).join('/'));
  };
}

/** The decoded names of a path below the root's path, joined by '/', for people to read. */
export function pathForPeople(path: string, rootPath: string): string {
  const below = path.startsWith(rootPath) ? path.slice(rootPath.length) : path;
  return segmentsOf(below)
    .map((segment) => decode(segment) ?? segment)
    .join('/');
}

export function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

function memberOf(path: string, rest: string): Href {
  const segment = rest.endsWith('/') ? rest.slice(0, -1) : rest;
  if (rest === '') return { is: 'self' };
  if (segment.includes('/'))
    return refused('', `is not directly in the folder that was listed (${path.slice(0, 200)})`);
  const name = decode(segment);
  if (name === undefined) return refused(segment, 'has a name that is not UTF-8');
  if (name === '' || name === '.' || name === '..') return refused(segment, 'has a name that no file can have');
  if (name.includes('/') || name.includes('\0')) return refused(segment, 'has a name with a slash or a NUL inside');
  return { is: 'member', name, path };
}

function refused(segment: string, why: string): Href {
  return { is: 'refused', segment, why };
}

/**
 * The path of a href, safe to send: characters that are not allowed in a path are encoded (servers send some raw, a name with
 * `?` or `#` among them), what is encoded stays as it is. Proxies make hrefs with another scheme or port, so only the
 * host name must agree; the request goes to our own server whatever the href says.
 */
function pathOf(href: string, collectionPath: string, hostname: string): string | undefined {
  if (href.startsWith('/') && !href.startsWith('//')) return encodeRest(href);
  const absolute = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)(.*)$/is.exec(href);
  if (absolute === null) return collectionPath + encodeRest(href.replace(/^(\.\/)+/, ''));
  const [, authority = '', path = ''] = absolute;
  if (URL.parse(`http://${authority}`)?.hostname !== hostname) return undefined;
  return encodeRest(path === '' ? '/' : path);
}

const plainPath = /^[\w\-.~!$&'()*+,;=:@/%]*$/;

function encodeRest(path: string): string {
  if (plainPath.test(path)) return path;
  return path.toWellFormed().replace(/[^\w\-.~!$&'()*+,;=:@/%]+/g, encodeURIComponent);
}

function segmentsOf(path: string): string[] {
  return path.replace(/^\/|\/$/g, '').split('/');
}

/** Percent-decoded once; undefined where the bytes are not UTF-8. Unicode forms and case stay. */
function decode(segment: string | undefined): string | undefined {
  if (segment === undefined || !segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
