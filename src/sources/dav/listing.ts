import { AppError, type ErrorCode } from '../../errors.ts';
import type { Receiver, ResponseHead } from '../http/request.ts';
import { codeOfStatus, dateOf, errorOfStatus, messageOfStatus, textOf } from '../http/status.ts';
import { entryValidator } from '../http/validator.ts';
import type { Listing, Member, Problem } from '../source.ts';
import { hrefReader, pathForPeople, withSlash } from './href.ts';
import { type DavResponse, davName, multistatusParser } from './multistatus.ts';

const ownCloud = 'http://owncloud.org/ns';
const property = {
  type: davName('resourcetype'),
  size: davName('getcontentlength'),
  modified: davName('getlastmodified'),
  etag: davName('getetag'),
  ocId: davName('id', ownCloud),
  ocFileId: davName('fileid', ownCloud),
};
const collectionType = davName('collection');

/**
 * The body of a request for a listing. Only Nextcloud and ownCloud have the `oc:` properties, which identify them. Other servers
 * would look these up in vain for every entry, so they are asked only once.
 */
export function propfindBody(withOwnCloud: boolean): string {
  const oc = withOwnCloud ? '<o:id/><o:fileid/>' : '';
  return (
    `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:" xmlns:o="${ownCloud}"><prop>` +
    `<resourcetype/><getcontentlength/><getlastmodified/><getetag/>${oc}</prop></propfind>`
  );
}

export interface CollectionListing extends Listing {
  /** Whether the ETag of a folder changes with anything below it. */
  readonly propagates: boolean;
}

export interface ListedCollection {
  /** Where the listing came from, with a trailing slash. */
  readonly path: string;
  readonly rootPath: string;
  readonly hostname: string;
}

/** More in one folder would not fit into memory. */
const mostMembers = 2_000_000;

/** Receives the response to a PROPFIND of depth 1: the complete listing, or an error. */
export function listingReceiver(collection: ListedCollection, head: ResponseHead): Receiver<CollectionListing> {
  refuseOtherThanMultistatus(head);
  const read = hrefReader(collection.path, collection.hostname);
  const listedAt = dateOf(textOf(head.headers.date));
  const draft = new Map<string, Member>();
  const problems: Problem[] = [];
  let self: DavResponse | undefined;
  let named: string | undefined;

  const problem = (segment: string, code: ErrorCode, message: string) => {
    problems.push({ path: pathForPeople(collection.path + segment, collection.rootPath), code, message });
  };
  const add = (response: DavResponse, name: string, path: string) => {
    const status = statusOf(response);
    const known = draft.get(name);
    if (status > 299) problem(encodeURIComponent(name), codeOfStatus(status), messageOfStatus(status));
    else if (known === undefined) draft.set(name, memberOf(response, name, path, listedAt));
    else if (known.location !== path && known.location !== withSlash(path)) {
      problem(encodeURIComponent(name), 'source/malformed', 'The server lists two things of this name.');
    }
  };
  const parser = multistatusParser((response) => {
    named ??= response.href;
    const href = read(response.href);
    if (href.is === 'self') self = response;
    else if (href.is === 'member') add(response, href.name, href.path);
    else problem(href.segment, 'source/malformed', `The server lists something that ${href.why}.`);
    if (draft.size + problems.length > mostMembers) throw new AppError('source/malformed', 'The folder is too large.');
  });
  const end = () => {
    parser.end();
    return { members: [...draft.values()], problems, propagates: checkSelf(self ?? named) };
  };
  return { data: parser.write, end };
}

function refuseOtherThanMultistatus({ status }: ResponseHead): void {
  if (status === 207) return;
  throw new AppError('source/malformed', 'The server does not answer with a WebDAV listing. Check the source URL.', {
    detail: { status },
  });
}

/** A listing must contain the collection itself (RFC 4918, section 9.1), else it is unknown what was listed. */
function checkSelf(self: DavResponse | string | undefined): boolean {
  if (self === undefined || typeof self === 'string') throw notNamed(self);
  const status = statusOf(self);
  if (status > 299) throw errorOfStatus(status);
  if (!isCollection(self)) throw new AppError('source/changed', 'It is no longer a folder.');
  return isOwnCloud(self);
}

/** What is named instead shows how a proxy on the way changes paths. */
function notNamed(instead: string | undefined): AppError {
  const what = instead === undefined ? 'It is empty.' : `It names ${instead.slice(0, 200)} instead.`;
  return new AppError('source/malformed', `The listing does not name the folder itself. ${what}`);
}

/** The status of a response as a whole: its own, or that of its properties where none was found. */
function statusOf({ status, properties, refused }: DavResponse): number {
  return status ?? (properties.size === 0 ? (refused ?? 200) : 200);
}

/** Where the server does not say of which type it is, the slash at the end of a collection's href does (RFC 4918, section 5.2). */
function isCollection({ href, properties }: DavResponse): boolean {
  return properties.get(property.type)?.children.includes(collectionType) ?? href.endsWith('/');
}

function isOwnCloud({ properties }: DavResponse): boolean {
  return Boolean(properties.get(property.ocId)?.text || properties.get(property.ocFileId)?.text);
}

function memberOf(response: DavResponse, name: string, path: string, listedAt: Date | undefined): Member {
  const text = (wanted: string) => response.properties.get(wanted)?.text || undefined;
  const etag = text(property.etag);
  const modified = dateOf(text(property.modified));
  const trusted = isOwnCloud(response);
  if (isCollection(response)) {
    const validator = trusted ? etag : undefined;
    return { kind: 'collection', name, location: withSlash(path), ...optional(undefined, modified, validator) };
  }
  const size = sizeOf(text(property.size));
  const validator = entryValidator({ etag, modified, size }, listedAt);
  return { kind: 'entry', name, location: path, ...optional(size, modified, validator) };
}

/** A member has only the fields that are known. */
function optional(size: number | undefined, modified: Date | undefined, validator: string | undefined) {
  return {
    ...(size === undefined ? {} : { size }),
    ...(modified === undefined ? {} : { modified }),
    ...(validator === undefined ? {} : { validator }),
  };
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}
