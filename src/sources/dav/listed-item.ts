import type { ErrorCode } from '../../errors.ts';
import { codeOfStatus, dateOf, messageOfStatus } from '../http/status.ts';
import { entryValidator, longestValidator } from '../http/validator.ts';
import type { Member } from '../source.ts';
import { type Described, describedBy, type HeldKind } from './held-kind.ts';
import { type Href, parseHref } from './href.ts';
import { type DavResponse, davName } from './multistatus.ts';

const ownCloud = 'http://owncloud.org/ns';
const property = {
  type: davName('resourcetype'),
  size: davName('getcontentlength'),
  modified: davName('getlastmodified'),
  etag: davName('getetag'),
  resourceId: davName('resource-id'),
  ocId: davName('id', ownCloud),
  ocFileId: davName('fileid', ownCloud),
};
const collectionType = davName('collection');
/** How many bytes a folder holds, with all below it, at Nextcloud and ownCloud. */
export const folderSize = davName('size', ownCloud);

/**
 * The body of a request for a listing. Only Nextcloud and ownCloud have the `oc:` properties, which identify them, and few servers
 * the one of RFC 5842. Other servers would look these up in vain for every entry, so they are asked only once.
 */
export function propfindBody({ withIdentity }: { withIdentity: boolean }): string {
  const identity = withIdentity ? '<resource-id/><o:id/><o:fileid/>' : '';
  return (
    `<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:" xmlns:o="${ownCloud}"><prop>` +
    `<resourcetype/><getcontentlength/><getlastmodified/><getetag/>${identity}</prop></propfind>`
  );
}

/** What a listing says of one thing. */
export interface Item {
  /** Absent where it names none that can be read. */
  readonly href?: Href;
  /** As it came. */
  readonly written: string;
  readonly isCollection: boolean;
  /** Whether the ETag of a folder changes with anything below it. */
  readonly propagates: boolean;
  readonly facts: Pick<Member, 'size' | 'modified' | 'validator' | 'identity'>;
  /** Why nothing more can be made of it. */
  readonly problem?: { readonly code: ErrorCode; readonly message: string; readonly status?: number };
  /** What it names is not certain. */
  readonly isUncertain: boolean;
  /** What else the listing says of a collection, where that was asked. */
  readonly described?: Described;
}

/** Reads one response of the listing of a collection; `listedAt` is the server's clock. `held` is what a home was asked for. */
export function itemOf(
  response: DavResponse,
  collectionPath: string,
  listedAt: Date | undefined,
  held?: HeldKind,
): Item {
  const href = response.href === '' ? undefined : parseHref(response.href, collectionPath);
  const isCollection = isOfCollection(response, href);
  const problem = problemOf(response, href);
  return {
    ...(href && { href }),
    written: response.href,
    isCollection,
    propagates: isOwnCloud(response),
    facts: isCollection ? collectionFacts(response) : entryFacts(response, listedAt),
    ...(problem && { problem }),
    isUncertain: href === undefined || response.isUncertain === true,
    ...(held && isCollection && { described: describedBy(held, response.properties) }),
  };
}

function problemOf(response: DavResponse, href: Href | undefined): Item['problem'] {
  const status = failedStatus(response, href);
  if (response.flaw !== undefined)
    return { code: 'source/malformed', message: `This part of the listing is odd. ${response.flaw}` };
  return status === undefined ? undefined : { code: codeOfStatus(status), message: messageOfStatus(status), status };
}

/**
 * The status of a response as a whole, where it is none of success: its own, or that of its properties where none was found, or
 * where nothing tells what kind of thing it is. A single property that is missing (404) is nothing unusual.
 */
function failedStatus({ status, properties, refused }: DavResponse, href: Href | undefined): number | undefined {
  if (status !== undefined) return status > 299 || status < 200 ? status : undefined;
  const type = refused.get(property.type);
  if (type !== undefined && type !== 404 && !href?.hasSlash) return type;
  if (properties.size > 0) return undefined;
  const all = [...refused.values()];
  return all.find((one) => one !== 404) ?? all[0];
}

/** Where the server does not say of which type it is, the slash at the end of a collection's href does (RFC 4918, section 5.2). */
function isOfCollection({ properties }: DavResponse, href: Href | undefined): boolean {
  const type = properties.get(property.type);
  return type === undefined ? href?.hasSlash === true : type.children.includes(collectionType);
}

function isOwnCloud({ properties }: DavResponse): boolean {
  return Boolean(properties.get(property.ocId)?.text || properties.get(property.ocFileId)?.text);
}

function collectionFacts(response: DavResponse): Item['facts'] {
  const { properties } = response;
  const identity =
    textOf(response, property.ocFileId) ??
    textOf(response, property.ocId) ??
    properties.get(property.resourceId)?.hrefs?.[0]?.slice(0, longestValidator);
  return present({
    modified: dateOf(textOf(response, property.modified)),
    validator: isOwnCloud(response) ? textOf(response, property.etag) : undefined,
    identity: identity || undefined,
  });
}

function entryFacts(response: DavResponse, listedAt: Date | undefined): Item['facts'] {
  const etag = textOf(response, property.etag);
  const modified = dateOf(textOf(response, property.modified));
  const size = sizeOf(textOf(response, property.size));
  return present({ size, modified, validator: entryValidator({ etag, modified, size }, listedAt) });
}

function textOf({ properties }: DavResponse, name: string): string | undefined {
  const text = properties.get(name)?.text ?? '';
  return text === '' || text.length > longestValidator ? undefined : text;
}

/** A member has only the fields that are known. */
function present({
  size,
  modified,
  validator,
  identity,
}: { [Name in keyof Item['facts']]: Item['facts'][Name] | undefined }): Item['facts'] {
  const facts: { -readonly [Name in keyof Item['facts']]: Item['facts'][Name] } = {};
  if (size !== undefined) facts.size = size;
  if (modified !== undefined) facts.modified = modified;
  if (validator !== undefined) facts.validator = validator;
  if (identity !== undefined) facts.identity = identity;
  return facts;
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : undefined;
}
