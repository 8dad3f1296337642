import { createHash } from 'node:crypto';
import type { Send } from '../http/dav-request.ts';
import type { ResponseHead } from '../http/request.ts';
import { errorOfStatus } from '../http/status.ts';
import { sameEtag } from '../http/validator.ts';
import type { Member } from '../source.ts';
import type { HeldKind } from './held-kind.ts';
import { decodeSegment, parseHref, segmentOf } from './href.ts';
import { type DavResponse, davName, multistatusParser } from './multistatus.ts';
import { refuseOtherThanMultistatus } from './pages.ts';

const etag = davName('getetag');
/** References may make six characters of one. */
const limits = { token: 512 * 1024, depth: 64, bytes: 8 * 1024 * 1024 };

/** An object as its collection lists it, with an ETag for its validator. */
export interface ListedObject extends Member {
  readonly size: number;
  readonly validator: string;
}

/**
 * Asks for many objects of a collection at once (RFC 4791, section 7.9; RFC 6352, section 8.7), and gives those contents, by name, that are
 * proved to be what a GET gives.
 *
 * XML changes line ends: a reader has to read CR LF as LF (XML 1.0, section 2.11), so some servers leave out each CR, and DAViCal writes
 * objects with CR LF only into the answer to a GET. Here a text is read as it is written. It counts if the ETag is its MD5 once each LF is CR LF
 * again, as sabre/dav makes it; or if each line ends with CR LF, its length is the one listed, and the object has the name that its UID gives it, as
 * nearly all have: what a server mixes up has the UID of another one. Throws the errors of `Source.list`.
 */
export async function readMany(
  send: Send,
  { kind, collection, objects }: { kind: HeldKind; collection: string; objects: readonly ListedObject[] },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const asked = new Map(objects.map((object) => [object.name, object]));
  const receive = (head: ResponseHead) => {
    refuseOtherThanMultistatus(head);
    const contents = new Map<string, Buffer>();
    const parser = multistatusParser(
      (response) => {
        const object = asked.get(nameIn(response, collection) ?? '');
        const content = object && provenContent(response, object, kind);
        if (object !== undefined && content !== undefined) contents.set(object.name, content);
      },
      { ...limits, isVerbatim: true },
    );
    const end = () => {
      parser.end();
      return contents;
    };
    return { data: parser.write, end };
  };
  const headers = ['depth', '1', 'content-type', 'application/xml; charset=utf-8'];
  const body = bodyOf(kind, objects);
  const { head, value } = await send({ method: 'REPORT', path: collection, headers, body, receive }, signal);
  if (value === undefined) throw errorOfStatus(head.status);
  return value;
}

function bodyOf({ multiget: { report, data, namespace } }: HeldKind, objects: readonly ListedObject[]): string {
  const hrefs = objects.map(({ location }) => `<d:href>${location.replaceAll('&', '&amp;')}</d:href>`);
  return `<?xml version="1.0" encoding="utf-8"?><c:${report} xmlns:c="${namespace}" xmlns:d="DAV:"><d:prop><d:getetag/><c:${data}/></d:prop>${hrefs.join('')}</c:${report}>`;
}

function nameIn({ href }: DavResponse, collection: string): string | undefined {
  const path = parseHref(href, collection)?.path;
  return path && decodeSegment(segmentOf(path));
}

function provenContent(
  { properties, flaw }: DavResponse,
  { name, size, validator }: ListedObject,
  { multiget: { data, namespace } }: HeldKind,
): Buffer | undefined {
  const version = properties.get(etag)?.text.trim();
  const text = properties.get(davName(data, namespace))?.text;
  if (flaw !== undefined || text === undefined || version === undefined || !sameEtag(version, validator))
    return undefined;
  const isAsWritten = !otherLineEnd.test(text);
  if (!isAsWritten && text.includes('\r')) return undefined;
  const content = Buffer.from(isAsWritten ? text : text.replaceAll('\n', '\r\n'));
  if (content.length !== size) return undefined;
  return sameEtag(md5Of(content), version) || (isAsWritten && isNamedByUid(name, text)) ? content : undefined;
}

function isNamedByUid(name: string, text: string): boolean {
  const [, uid] = /^UID(?:;[^:\r\n]*)?:(.*)$/im.exec(text.replace(/\r\n[ \t]/g, '')) ?? [];
  return uid !== undefined && name.replace(/\.\w{3}$/, '') === uid.trim().replace(/^urn:uuid:/i, '');
}

/** A line end that is not CR LF. */
const otherLineEnd = /(?<!\r)\n|\r(?!\n)/;

function md5Of(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
