import { AppError } from '../../errors.ts';
import { openTextReader } from './text-reader.ts';
import { DoctypeError, XmlError } from './xml-error.ts';
import { openXmlReader, type XmlFlaw, type XmlHandler } from './xml-reader.ts';
import type { openTagReader } from './xml-tag.ts';

/** One thing that a `response` of a multistatus names (RFC 4918, section 14.24). */
export interface DavResponse {
  /** Empty where it has none. */
  readonly href: string;
  /** The status of the whole response, where it has one instead of properties. */
  readonly status?: number;
  /**
   * The properties that were found, by name (see `davName`): their text, and the names of their child
   * elements where they have any.
   */
  readonly properties: ReadonlyMap<string, DavProperty>;
  /** The status of each property that was asked for in vain, under '' that of a group which names none. */
  readonly refused: ReadonlyMap<string, number>;
  /** What is wrong with it, so that nothing more can be made of it than a problem. */
  readonly flaw?: string;
  /** The flaw is in the href: what is named is not certain. */
  readonly isUncertain?: boolean;
}

export interface DavProperty {
  text: string;
  children: string[];
  /** The texts of those that are a `href`. */
  hrefs?: string[];
  /** What those that have an attribute `name` are called by it. */
  names?: string[];
}

export interface MultistatusLimits {
  /** Of one text, and of one stretch without any element (a comment, a DOCTYPE). */
  token: number;
  depth: number;
  /** Of all of it. */
  bytes?: number;
  /** Texts of properties come as they are written: with all spaces and line ends. */
  isVerbatim?: boolean;
}

/** A token is a href of a 255-byte name many folders deep, at most. */
const defaultLimits: MultistatusLimits = { token: 256 * 1024, depth: 64 };
/** The limits for an answer about one thing alone. */
export const limitsOfOne: MultistatusLimits = { ...defaultLimits, bytes: 1024 * 1024 };

/** How a property is named here: by its local name in the namespace `DAV:`, else with its namespace in braces before it. */
export function davName(local: string, namespace = 'DAV:'): string {
  return namespace === 'DAV:' ? local : `{${namespace}}${local}`;
}

/**
 * Reads a multistatus as it arrives and hands out each response. Throws `source/malformed` for what is not well-formed,
 * not a multistatus, not UTF-8, or has a DOCTYPE, which is how entity expansion attacks begin.
 * `end` also throws when the document is cut off: only after it returned is the listing complete. `readTag` may be shared by the
 * documents of one server.
 */
export function multistatusParser(
  onResponse: (response: DavResponse) => void,
  limits: MultistatusLimits = defaultLimits,
  readTag?: ReturnType<typeof openTagReader>,
): { write(chunk: Buffer): void; end(): void } {
  const text = openTextReader();
  const { handler, progress } = multistatusHandler(onResponse, limits);
  const reader = openXmlReader(handler, { readTag, isVerbatim: limits.isVerbatim });
  let quiet = 0;
  let events = 0;
  let bytes = 0;

  const write = (chunk: Buffer) => {
    bytes += chunk.length;
    if (limits.bytes !== undefined && bytes > limits.bytes) throw malformed('The answer about one entry is too long.');
    feed(() => reader.write(text.take(chunk)));
    quiet = progress() === events ? quiet + chunk.length : 0;
    events = progress();
    if (quiet > limits.token) throw malformed('The listing has an element that is too large.');
  };
  const end = () =>
    feed(() => {
      reader.write(text.rest());
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
    const why = error instanceof XmlError ? error.message : 'the reader fails';
    throw malformed(`The listing is cut off or not well-formed: ${why}.`, error);
  }
}

function malformed(message: string, cause?: unknown): AppError {
  return new AppError('source/malformed', message, { cause });
}

interface Draft {
  href: string;
  /** Where it names several things: the others. */
  further: string[];
  status?: number;
  properties: Properties;
  refused: Map<string, number>;
  flaw?: string;
  isUncertain?: boolean;
}

type Properties = Map<string, DavProperty>;
type Group = { status: number | undefined; properties: Properties };

/** Far more than any server sends; what comes beyond is not kept. */
const most = { properties: 256, children: 64, hrefs: 1024 };

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
  let flaw: XmlFlaw | undefined;
  let response: Draft = blankResponse();
  let group: Group = blankGroup();
  let property: DavProperty = { text: '', children: [] };

  const opened = (name: string, attributes: ReadonlyMap<string, string>) => {
    const depth = path.length;
    if (depth > limits.depth) throw malformed('The listing is nested too deeply.');
    if (depth === 1 && name !== multistatus) throw malformed('The server did not answer with a listing.');
    if (depth === 2) response = blankResponse();
    else if (depth === 3) group = blankGroup();
    else if (depth === 5) property = { text: '', children: [] };
    else if (depth === 6 && property.children.length < most.children) {
      property.children.push(name);
      const called = attributes.get('name');
      if (called !== undefined) property.names = [...(property.names ?? []), called];
    }
  };
  const readStatus = () => {
    const status = statusOf(text);
    if (status === undefined) response.flaw ??= `It has a status that cannot be read: "${text.trim().slice(0, 100)}".`;
    return status;
  };
  const readHref = () => {
    const found = text.trim();
    if (response.href === '') response.href = found;
    else if (found !== '' && response.further.length < most.hrefs) response.further.push(found);
    if (flaw === undefined) return;
    response.flaw ??= `Its address has ${flaw.what}.`;
    response.isUncertain ||= !flaw.isKept;
  };
  const closed = (name: string) => {
    const depth = path.length;
    if (depth === 2 && name === responseName) tell(response, onResponse);
    if (depth === 3 && name === href) readHref();
    else if (depth === 3 && name === status) response.status = readStatus() ?? 0;
    else if (depth === 3 && name === propstat) merge(response, group);
    else if (depth === 4 && name === status) group.status = readStatus();
    else if (depth === 5 && path[3] === prop && group.properties.size < most.properties) {
      if (flaw === undefined) property.text = limits.isVerbatim ? text : text.trim();
      group.properties.set(name, property);
    } else if (depth === 6 && name === href && flaw === undefined) {
      property.hrefs ??= [];
      if (property.hrefs.length < most.children) property.hrefs.push(text.trim());
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
    flaw(found) {
      flaw ??= found;
    },
    open(uri, local, attributes) {
      events++;
      text = '';
      flaw = undefined;
      const name = davName(local, uri);
      path.push(name);
      opened(name, attributes);
    },
    close() {
      events++;
      closed(path[path.length - 1] ?? '');
      path.pop();
      text = '';
      flaw = undefined;
    },
  };
  return { handler, progress: () => events };
}

/** A response with a status may name several things (RFC 4918, section 14.24). */
function tell(response: Draft, onResponse: (response: DavResponse) => void): void {
  onResponse(response);
  for (const other of response.further) onResponse({ ...response, href: other });
}

/** What a response begins with; it gets a map of its own with the first property. */
const none = new Map<string, never>();

function blankResponse(): Draft {
  return { href: '', further: [], properties: none, refused: none };
}

function blankGroup(): Group {
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

function merge(response: Draft, { status, properties }: Group): void {
  if (status !== undefined && status >= 200 && status < 300) {
    if (response.properties === none) response.properties = properties;
    else for (const [name, value] of properties) setOneOf(response.properties, name, value);
    return;
  }
  if (response.refused === none) response.refused = new Map();
  for (const name of properties.size === 0 ? [''] : properties.keys()) setOneOf(response.refused, name, status ?? 0);
}

/** However many groups of properties a response has. */
function setOneOf<T>(properties: Map<string, T>, name: string, value: T): void {
  if (properties.size < most.properties || properties.has(name)) properties.set(name, value);
}

/** `HTTP/1.1 200 OK` (RFC 4918, section 14.28); undefined where it is none. */
function statusOf(line: string): number | undefined {
  const number = /^\s*HTTP\/\S+\s+(\d{3})\b/.exec(line)?.[1];
  return number === undefined ? undefined : Number(number);
}
