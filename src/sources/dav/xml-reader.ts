/**
 * A reader of namespaced XML (XML 1.0 and Namespaces in XML 1.0) as it arrives, for listings: thousands of times the same few
 * tags. A tag that was seen before is looked up by its text, so that the reader costs a fifth of a general one. What is not
 * well-formed is refused, and so is a document type, which is how entity expansion attacks begin. Only in a text, where it
 * cannot shift what belongs to what, a wrong character or reference is passed on as a flaw. A byte that is not UTF-8 comes as in
 * file-name.ts.
 */
export interface XmlHandler {
  /** An element begins: its namespace ('' for none) and local name. */
  open(uri: string, local: string): void;
  close(): void;
  /** A part of a text, references resolved. */
  text(part: string): void;
  /** The text of the innermost element holds what XML does not allow; said before the part that has it. */
  flaw(flaw: XmlFlaw): void;
  /** The encoding that the document claims. */
  encoding(name: string): void;
}

/** What in a text is not XML, while the elements around it are whole. */
export interface XmlFlaw {
  /** What it is, and where: for people. */
  readonly what: string;
  /** Whether the text says all the same what was meant: a character does, an entity that nobody knows does not. */
  readonly isKept: boolean;
}

/** The document is not well-formed; the message says what and where. */
export class XmlError extends Error {}

/** The document has a document type. */
export class DoctypeError extends XmlError {}

export interface XmlReader {
  write(text: string): void;
  /** Throws unless the document is whole. */
  end(): void;
}

/** Namespaces by prefix; '' is the default one. */
type Scope = ReadonlyMap<string, string>;

interface OpenElement {
  readonly name: string;
  readonly scope: Scope;
}

/** A start tag as it stands between the angle brackets. */
interface Tag {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly isEmpty: boolean;
  /** Namespaces that it declares. */
  readonly declared: readonly (readonly [prefix: string, uri: string])[];
  /** Prefixes that its attributes use. */
  readonly used: readonly string[];
}

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const outermost: Scope = new Map([
  ['xml', xmlNamespace],
  ['', ''],
]);
/** Servers use a dozen different tags; one that keeps making up new ones gains nothing and costs no memory. */
const mostKnownTags = 256;
const knownTags = new Map<string, Tag>();

/** Opens a reader for one document. */
export function openXmlReader(handler: XmlHandler): XmlReader {
  const open: OpenElement[] = [];
  let rest = '';
  /** Whether `rest` has a character that XML does not allow. */
  let isSuspect = false;
  let begun = false;
  let rooted = false;
  let latest: { outer: Scope; tag: Tag; scope: Scope } | undefined;
  const place = openPlace();

  function write(text: string): void {
    rest = rest === '' ? text : rest + text;
    isSuspect ||= forbidden.test(text);
    let at = 0;
    try {
      for (let next = step(at); next > at; next = step(at)) at = next;
    } catch (error) {
      throw error instanceof XmlError ? placed(error, at) : error;
    }
    place.pass(rest, at);
    rest = rest.slice(at);
    isSuspect &&= rest !== '';
  }

  /** What is wrong in the piece at `at`, and where: the first character that XML does not allow, or else the piece itself. */
  function placed(error: XmlError, at: number): XmlError {
    if (error.message.includes(' at line ')) return error;
    const end = rest.indexOf('>', at);
    const found = isSuspect ? forbidden.exec(rest.slice(at, end < 0 ? undefined : end)) : null;
    error.message = found ? flawOf(found[0], at + found.index).what : error.message + place.after(rest, at);
    return error;
  }

  /** Where the next piece ends that begins at `at`; the same place while it has not arrived whole. */
  function step(at: number): number {
    if (at >= rest.length) return at;
    if (rest.charCodeAt(at) !== lessThan) return content(at);
    const end = markup(at);
    if (isSuspect && end > at && !rest.startsWith('<![', at)) refuseForbidden(at, end);
    return end;
  }

  function content(at: number): number {
    const tag = rest.indexOf('<', at);
    const end = tag < 0 ? at + settledLength(rest.slice(at)) : tag;
    if (end > at) take(at, end);
    return end;
  }

  function take(at: number, end: number): void {
    begun = true;
    const text = rest.slice(at, end);
    if (text.includes(']]>')) throw new XmlError('the end of a section that did not begin');
    if (open.length > 0) {
      tellForbidden(at, end);
      handler.text(resolve(text, (wrong, offset) => handler.flaw(flawOf(wrong, at + offset))));
    } else if (text.trim() !== '') throw new XmlError('text outside of the document');
  }

  function tellForbidden(at: number, end: number): void {
    const found = isSuspect ? forbidden.exec(rest.slice(at, end)) : null;
    if (found !== null) handler.flaw(flawOf(found[0], at + found.index));
  }

  function refuseForbidden(at: number, end: number): void {
    const found = forbidden.exec(rest.slice(at, end));
    if (found !== null) throw new XmlError(flawOf(found[0], at + found.index).what);
  }

  function flawOf(wrong: string, at: number): XmlFlaw {
    const isReference = wrong.startsWith('&');
    return {
      what: (isReference ? referenceName(wrong) : characterName(wrong)) + place.after(rest, at),
      isKept: !isReference,
    };
  }

  function markup(at: number): number {
    const kind = rest.charCodeAt(at + 1);
    if (Number.isNaN(kind)) return at;
    if (kind === slash) return endTag(at);
    if (kind === exclamation) return declaration(at);
    if (kind === question) return instruction(at);
    return startTag(at);
  }

  /** A '>' inside of quotes does not end a tag; such a tag does not read as one up to there. */
  function startTag(at: number): number {
    for (let end = rest.indexOf('>', at); end >= 0; end = rest.indexOf('>', end + 1)) {
      const text = rest.slice(at + 1, end);
      const tag = knownTags.get(text) ?? readTag(text);
      if (tag === undefined) continue;
      if (knownTags.size < mostKnownTags) knownTags.set(text, tag);
      enter(tag);
      return end + 1;
    }
    return at;
  }

  function enter(tag: Tag): void {
    if (open.length === 0 && rooted) throw new XmlError('a second document');
    begun = true;
    rooted = true;
    const outer = open.at(-1)?.scope ?? outermost;
    const scope = tag.declared.length === 0 ? outer : innerScope(outer, tag);
    const uri = scope.get(tag.prefix);
    if (uri === undefined || tag.used.some((prefix) => !scope.has(prefix))) throw new XmlError('an unknown prefix');
    open.push({ name: tag.name, scope });
    handler.open(uri, tag.local);
    if (tag.isEmpty) leave();
  }

  /** Thousands of elements that follow each other declare the same. */
  function innerScope(outer: Scope, tag: Tag): Scope {
    if (latest?.outer !== outer || latest.tag !== tag) {
      latest = { outer, tag, scope: new Map([...outer, ...tag.declared]) };
    }
    return latest.scope;
  }

  function leave(): void {
    handler.close();
    open.pop();
  }

  function endTag(at: number): number {
    const end = rest.indexOf('>', at);
    if (end < 0) return at;
    const name = open.at(-1)?.name;
    if (rest.slice(at + 2, end).trimEnd() !== name) throw new XmlError('an end without its beginning');
    leave();
    return end + 1;
  }

  function declaration(at: number): number {
    if (rest.startsWith('<!--', at)) return comment(at);
    if (rest.startsWith('<![CDATA[', at)) return characterData(at);
    const begin = rest.slice(at, at + 9);
    if ('<!DOCTYPE'.startsWith(begin)) {
      if (begin.length === 9) throw new DoctypeError('a document type');
      return at;
    }
    if ('<!--'.startsWith(begin) || '<![CDATA['.startsWith(begin)) return at;
    throw new XmlError('an unknown declaration');
  }

  function comment(at: number): number {
    const end = rest.indexOf('--', at + 4);
    if (end < 0 || end + 2 >= rest.length) return at;
    if (rest[end + 2] !== '>') throw new XmlError('a comment with two hyphens');
    begun = true;
    return end + 3;
  }

  function characterData(at: number): number {
    if (open.length === 0) throw new XmlError('text outside of the document');
    const end = rest.indexOf(']]>', at + 9);
    if (end < 0) return at;
    tellForbidden(at + 9, end);
    handler.text(oneLineEnd(rest.slice(at + 9, end)));
    return end + 3;
  }

  function instruction(at: number): number {
    const end = rest.indexOf('?>', at + 2);
    if (end < 0) return at;
    const text = rest.slice(at + 2, end);
    if (/^xml(\s|$)/i.test(text)) xmlDeclaration(text);
    else if (!name.test(text.split(/\s/, 1)[0] ?? '')) throw new XmlError('an instruction without a name');
    begun = true;
    return end + 2;
  }

  function xmlDeclaration(text: string): void {
    const [, encoding] = xmlDecl.exec(text) ?? [];
    if (begun || !xmlDecl.test(text)) throw new XmlError('an XML declaration that is misplaced or wrong');
    if (encoding !== undefined) handler.encoding(encoding.slice(1, -1));
  }

  return {
    write,
    end() {
      if (rest.trim() !== '' || open.length > 0 || !rooted)
        throw new XmlError(`a document that is cut off${place.after(rest, rest.length)}`);
    },
  };
}

const lessThan = 0x3c;
const slash = 0x2f;
const exclamation = 0x21;
const question = 0x3f;
const forbidden =
  /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const nameStart = String.raw`[A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\u{10000}-\u{effff}]`;
const ncName = `${nameStart}(?:${nameStart}|[-.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040])*`;
const name = new RegExp(`^${ncName}$`, 'u');
const tagName = new RegExp(`^(?:(${ncName}):)?(${ncName})(?=[\\s/]|$)`, 'u');
const attribute = new RegExp(`\\s+((?:(${ncName}):)?(${ncName}))\\s*=\\s*("[^"<]*"|'[^'<]*')`, 'uy');
const xmlDecl =
  /^xml\s+version\s*=\s*(?:"1\.\d+"|'1\.\d+')(?:\s+encoding\s*=\s*("[A-Za-z][\w.-]*"|'[A-Za-z][\w.-]*'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*$/;

/** Counts lines and characters as a text editor does. */
function openPlace() {
  let line = 1;
  let column = 1;
  const at = (text: string, length: number) => {
    let [lines, from] = [0, 0];
    for (let end = length === 0 ? -1 : text.indexOf('\n'); end >= 0 && end < length; end = text.indexOf('\n', from)) {
      lines++;
      from = end + 1;
    }
    return lines === 0 ? { line, column: column + length } : { line: line + lines, column: length - from + 1 };
  };
  return {
    pass(text: string, length: number): void {
      ({ line, column } = at(text, length));
    },
    /** Where the character at `length` stands, in words. */
    after(text: string, length: number): string {
      const here = at(text, length);
      return ` at line ${here.line}, column ${here.column}`;
    },
  };
}

function characterName(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16).toUpperCase();
  if (code >= 0xdc80 && code <= 0xdcff) return `the byte ${hex.slice(2)}, which is not UTF-8,`;
  return `the character U+${hex.padStart(4, '0')}, which XML does not allow,`;
}

function referenceName(reference: string): string {
  return `the reference ${reference.slice(0, 40)}, which XML does not know,`;
}

/** The tag that this text is; undefined when it ends inside of quotes. */
function readTag(text: string): Tag | undefined {
  const found = tagName.exec(text);
  if (found === null) throw new XmlError('a tag without a name');
  const [whole, prefix = '', local = ''] = found;
  const attributes = readAttributes(text, whole.length);
  if (attributes === undefined) return undefined;
  const isEmpty = text.endsWith('/');
  return { name: whole, prefix, local, isEmpty, ...attributes };
}

function readAttributes(text: string, from: number): Pick<Tag, 'declared' | 'used'> | undefined {
  const declared: [string, string][] = [];
  const used: string[] = [];
  const names = new Set<string>();
  attribute.lastIndex = from;
  let end = from;
  for (let found = attribute.exec(text); found !== null; found = attribute.exec(text)) {
    const [, whole = '', prefix = '', local = '', quoted = ''] = found;
    if (names.has(whole)) throw new XmlError('an attribute twice');
    names.add(whole);
    const value = resolve(quoted.slice(1, -1).replace(/\s/g, ' '), refuseReference).trim();
    if (whole === 'xmlns') declared.push(['', value]);
    else if (prefix === 'xmlns') declared.push(declaredPrefix(local, value));
    else if (prefix !== '') used.push(prefix);
    end = attribute.lastIndex;
  }
  const left = text.slice(end);
  if (/^\s*\/?$/.test(left)) return { declared, used };
  if (/^\s+[^\s=<>"'/]+\s*=\s*("[^"<]*|'[^'<]*)$/.test(left)) return undefined;
  throw new XmlError('a tag that is none');
}

function refuseReference(reference: string): never {
  throw new XmlError(referenceName(reference).slice(0, -1));
}

function declaredPrefix(prefix: string, uri: string): [string, string] {
  if (uri === '' || prefix === 'xmlns' || (prefix === 'xml') !== (uri === xmlNamespace))
    throw new XmlError('a wrong prefix');
  return [prefix, uri];
}

/** How much of a text can be taken while more of it may come: no reference, line end, surrogate pair or ']]>' is torn. */
function settledLength(text: string): number {
  const reference = text.lastIndexOf('&');
  const whole = reference >= 0 && !text.includes(';', reference) ? reference : text.length;
  return /\r$|\]{1,2}$|[\ud800-\udbff]$/.exec(text.slice(0, whole))?.index ?? whole;
}

/** The text with its references resolved; those to nothing stay as they are, and `onWrong` is told of each with its place. */
function resolve(text: string, onWrong: (reference: string, offset: number) => void): string {
  const lines = oneLineEnd(text);
  return lines.includes('&') ? lines.replace(reference, referenceResolver(onWrong)) : lines;
}

function oneLineEnd(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

const reference = /&(?:#(\d{1,8})|#x([0-9A-Fa-f]{1,8})|(amp|lt|gt|quot|apos));|&[\w#.-]{0,40};?/g;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function referenceResolver(onWrong: (reference: string, offset: number) => void) {
  return (
    whole: string,
    decimal: string | undefined,
    hex: string | undefined,
    entity: string | undefined,
    at: number,
  ) => {
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : entities[entity ?? ''];
    if (character !== undefined && !forbidden.test(character) && character.isWellFormed()) return character;
    onWrong(whole, at);
    return whole;
  };
}
