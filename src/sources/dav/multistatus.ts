import { AppError } from '../../errors.ts';
import { DoctypeError, openXmlReader, type XmlHandler } from './xml-reader.ts';

/** One `response` of a multistatus (RFC 4918, section 14.24). */
export interface DavResponse {
  readonly href: string;
  /** Of the whole response, where it has one instead of properties. */
  readonly status?: number;
  /**
   * The properties that were found, by name (see `davName`): their text, and the names of their child
   * elements where they have any.
   */
  readonly properties: ReadonlyMap<string, { text: string; children: readonly string[] }>;
  /** Status of the first group of properties that was not found. */
  readonly refused?: number;
}

export interface MultistatusLimits {
  bytes: number;
  /** Of one text, and of one stretch without any element (a comment, a DOCTYPE). */
  token: number;
  depth: number;
}

/** A 100,000-entry folder takes some 60 MB of XML; a token is a href of a 255-byte name many folders deep, at most. */
const defaultLimits: MultistatusLimits = { bytes: 1024 ** 3, token: 256 * 1024, depth: 64 };

/** How a property is named here: by its local name in the namespace `DAV:`, else with its namespace in braces before it. */
export function davName(local: string, namespace = 'DAV:'): string {
  return namespace === 'DAV:' ? local : `{${namespace}}${local}`;
}

/**
 * Reads a multistatus as it arrives and hands out each response. Throws `source/malformed` for what is not well-formed,
 * not a multistatus, not UTF-8, too large, or has a DOCTYPE, which is how entity expansion attacks begin.
 * `end` also throws when the document is cut off: only after it returned is the listing complete.
 */
export function multistatusParser(
  onResponse: (response: DavResponse) => void,
  limits: MultistatusLimits = defaultLimits,
): { write(chunk: Buffer): void; end(): void } {
  const text = new TextDecoder('utf-8', { fatal: true });
  const { handler, progress } = multistatusHandler(onResponse, limits);
  const reader = openXmlReader(handler);
  let bytes = 0;
  let quiet = 0;
  let events = 0;

  const write = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.bytes) throw malformed('The listing is too large.');
    feed(() => reader.write(text.decode(chunk, { stream: true })));
    quiet = progress() === events ? quiet + chunk.length : 0;
    events = progress();
    if (quiet > limits.token) throw malformed('The listing has an element that is too large.');
  };
  const end = () =>
    feed(() => {
      reader.write(text.decode());
      reader.end();
    });
  return { write, end };
}

/** Turns what the reader throws into errors of the source. */
function feed(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (error instanceof DoctypeError) throw malformed('The listing has a document type, which is refused.', error);
    throw malformed('The listing is cut off or not well-formed.', error);
  }
}

function malformed(message: string, cause?: unknown): AppError {
  return new AppError('source/malformed', message, { cause });
}

interface Draft {
  href: string;
  status?: number;
  properties: Properties;
  refused?: number;
}

type Properties = Map<string, Property>;
type Property = { text: string; children: string[] };

/** Far more than any server sends; what comes beyond is not kept. */
const most = { properties: 256, children: 64 };

/**
 * Elements count by where they stand: multistatus 1 / response 2 / href, status, propstat 3 / prop, status 4 /
 * a property 5 / its children 6. Everything else is passed over, as RFC 4918 (section 17) asks.
 */
function multistatusHandler(
  onResponse: (response: DavResponse) => void,
  limits: MultistatusLimits,
): { handler: XmlHandler; progress: () => number } {
  const path: string[] = [];
  let events = 0;
  let text = '';
  let response: Draft = blankResponse();
  let group: { status: number; properties: Properties } = blankGroup();
  let property: Property = { text: '', children: [] };

  const opened = (name: string) => {
    const depth = path.length;
    if (depth > limits.depth) throw malformed('The listing is nested too deeply.');
    if (depth === 1 && name !== multistatus) throw malformed('The server did not answer with a listing.');
    if (depth === 2) response = blankResponse();
    else if (depth === 3) group = blankGroup();
    else if (depth === 5) property = { text: '', children: [] };
    else if (depth === 6 && property.children.length < most.children) property.children.push(name);
  };
  const closed = (name: string) => {
    const depth = path.length;
    if (depth === 2 && name === responseName) onResponse(whole(response));
    else if (depth === 3 && name === href) response.href = text.trim();
    else if (depth === 3 && name === status) response.status = statusOf(text);
    else if (depth === 3 && name === propstat) merge(response, group);
    else if (depth === 4 && name === status) group.status = statusOf(text);
    else if (depth === 5 && path[3] === prop && group.properties.size < most.properties) {
      property.text = text.trim();
      group.properties.set(name, property);
    }
  };
  const onText = (part: string) => {
    events++;
    text += part;
    if (text.length > limits.token) throw malformed('The listing has an element that is too large.');
  };

  const handler: XmlHandler = {
    encoding: refuseOtherEncodings,
    text: onText,
    open(uri, local) {
      events++;
      text = '';
      const name = davName(local, uri);
      path.push(name);
      opened(name);
    },
    close() {
      events++;
      closed(path[path.length - 1] ?? '');
      path.pop();
      text = '';
    },
  };
  return { handler, progress: () => events };
}

function whole(response: Draft): DavResponse {
  if (response.href === '') throw malformed('The listing has an item without a name.');
  return response;
}

function blankResponse(): Draft {
  return { href: '', properties: new Map() };
}

function blankGroup(): { status: number; properties: Properties } {
  return { status: 200, properties: new Map() };
}

function refuseOtherEncodings(encoding: string): void {
  if (!/^(utf-8|us-ascii)$/i.test(encoding)) throw malformed('The listing is not UTF-8.');
}

const multistatus = davName('multistatus');
const responseName = davName('response');
const propstat = davName('propstat');
const prop = davName('prop');
const href = davName('href');
const status = davName('status');

function merge(response: Draft, group: { status: number; properties: Properties }): void {
  if (group.status < 200 || group.status > 299) {
    response.refused ??= group.status;
    return;
  }
  for (const [name, value] of group.properties) response.properties.set(name, value);
}

/** `HTTP/1.1 200 OK` (RFC 4918, section 14.28). */
function statusOf(line: string): number {
  const number = /^\s*HTTP\/\S+\s+(\d{3})\b/.exec(line)?.[1];
  if (number === undefined) throw malformed('The listing has a status that cannot be read.');
  return Number(number);
}
