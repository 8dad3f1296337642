import { openMarkupEnd, openTagEnd } from './xml-ends.ts';
import { DoctypeError, XmlError } from './xml-error.ts';
import { openPlace } from './xml-place.ts';
import { isName, mostKnown, namespaceOf, openTagReader, outermost, type Scope, type Tag } from './xml-tag.ts';
import * as xmlText from './xml-text.ts';

/**
 * Reads namespaced XML (XML 1.0 and Namespaces in XML 1.0) as it arrives. It is made for listings, which have the same few tags thousands
 * of times: a tag that was seen before is looked up by its text, which takes a fifth of the time of a general reader. The work grows with the
 * number of bytes, whatever they are and however they are divided. What is not well-formed is refused, and so is a document type, which is how
 * entity expansion attacks begin. Only in a text, where they cannot change which element contains what, wrong characters and references are
 * passed on as flaws. Bytes that are not UTF-8 are represented as in file-name.ts.
 */
export interface XmlHandler {
  /** An element begins: its namespace ('' for none), local name, and attributes without a prefix. */
  open(uri: string, local: string, attributes: ReadonlyMap<string, string>): void;
  close(): void;
  /** A part of a text, references resolved. */
  text(part: string): void;
  /** The text of the innermost element has something that XML does not allow: called once for each text, before the part that has it. */
  flaw(flaw: XmlFlaw): void;
  /** The encoding that the document claims. */
  encoding(name: string): void;
}

/** What in a text is not XML, while the elements around it are whole. */
export interface XmlFlaw {
  /** What it is, and where: for people. */
  readonly what: string;
  /** Whether the text still says what was meant: it does with a character that is not allowed, but not with an unknown entity. */
  readonly isKept: boolean;
}

export interface XmlReader {
  /** Reads on. Throws an XmlError for what is not well-formed. */
  write(text: string): void;
  /** Throws unless the document is whole. */
  end(): void;
}

/** An element by its start tag and the namespaces around it. */
interface Element {
  readonly tag: Tag;
  readonly uri: string;
  readonly outer: Scope;
  readonly scope: Scope;
}

interface XmlReaderOptions {
  /** That of the documents before: it remembers the tags that it has read. */
  readonly readTag?: ReturnType<typeof openTagReader> | undefined;
  /** Whether line ends in texts stay as they are written. */
  readonly isVerbatim?: boolean | undefined;
}

/** Opens a reader for one document. */
export function openXmlReader(
  handler: XmlHandler,
  { readTag = openTagReader(), isVerbatim = false }: XmlReaderOptions = {},
): XmlReader {
  const lineEnds = isVerbatim ? (text: string) => text : xmlText.oneLineEnd;
  const open: Element[] = [];
  let scope = outermost;
  /** Elements that were met, by the text of their tags. */
  const known = new Map<string, Element>();
  let rest = '';
  /** Whether a part has the end of the markup that `rest` begins with; set while it is not worth reading `rest` before. */
  let endsIn: ((part: string) => boolean) | undefined;
  /** Whether `rest` has a character that XML does not allow. */
  let isSuspect = false;
  let isFlawed = false;
  let begun = false;
  let rooted = false;
  const place = openPlace();

  function write(text: string): void {
    rest = rest === '' ? text : rest + text;
    isSuspect ||= xmlText.hasForbidden(text);
    if (endsIn?.(text) === false) return;
    let at = 0;
    try {
      for (let next = step(at); next > at; next = step(at)) at = next;
    } catch (error) {
      throw error instanceof XmlError ? placed(error, at) : error;
    }
    place.pass(rest, at);
    rest = rest.slice(at);
    endsIn = openMarkupEnd(rest);
    isSuspect &&= rest !== '';
  }

  /** What is wrong in the piece at `at`, and where: the first character that XML does not allow, or else the piece itself. */
  function placed(error: XmlError, at: number): XmlError {
    if (error.message.includes(' at line ')) return error;
    const end = rest.indexOf('>', at);
    const found = isSuspect ? xmlText.findForbidden(rest.slice(at, end < 0 ? undefined : end)) : undefined;
    error.message = found
      ? xmlText.nameOfCharacter(found.character) + place.of(rest, at + found.at)
      : error.message + place.of(rest, at);
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
    const end = tag < 0 ? at + xmlText.settledLength(rest.slice(at)) : tag;
    if (end > at) take(at, end);
    return end;
  }

  function take(at: number, end: number): void {
    begun = true;
    const text = rest.slice(at, end);
    const wrong = text.indexOf(']]>');
    if (wrong >= 0) throw new XmlError(`the end of a section that did not begin${place.of(rest, at + wrong)}`);
    if (open.length > 0) {
      if (isSuspect) tellForbidden(at, end);
      handler.text(text.includes('&') ? resolved(text, at) : lineEnds(text));
    } else if (text.trim() !== '') throw new XmlError('text outside of the document');
  }

  function resolved(text: string, at: number): string {
    return xmlText.resolveReferences(lineEnds(text), (wrong, offset) => {
      if (!isFlawed) tellFlaw(at + offset, { what: `${xmlText.nameOfReference(wrong)},`, isKept: false });
    });
  }

  function tellForbidden(at: number, end: number): void {
    const found = isFlawed ? undefined : xmlText.findForbidden(rest.slice(at, end));
    if (found !== undefined) tellFlaw(at + found.at, { what: xmlText.nameOfCharacter(found.character), isKept: true });
  }

  function tellFlaw(at: number, { what, isKept }: XmlFlaw): void {
    isFlawed = true;
    handler.flaw({ what: what + place.of(rest, at), isKept });
  }

  function refuseForbidden(at: number, end: number): void {
    const found = xmlText.findForbidden(rest.slice(at, end));
    if (found !== undefined)
      throw new XmlError(xmlText.nameOfCharacter(found.character) + place.of(rest, at + found.at));
  }

  function markup(at: number): number {
    const kind = rest.charCodeAt(at + 1);
    if (Number.isNaN(kind)) return at;
    if (kind === slash) return endTag(at);
    if (kind === exclamation) return declaration(at);
    if (kind === question) return instruction(at);
    return startTag(at);
  }

  /** A tag that is known ends at the first '>'; in any other it may stand inside of quotes. */
  function startTag(at: number): number {
    const first = rest.indexOf('>', at);
    if (first < 0) return at;
    const met = known.get(rest.slice(at + 1, first));
    const end = met ? first : openTagEnd()(rest, at + 1);
    if (end < 0) return at;
    enter(met?.outer === scope ? met : meet(rest.slice(at + 1, end), met?.tag));
    return end + 1;
  }

  function meet(text: string, tag = readTag(text)): Element {
    const inner = tag.declared.size === 0 ? scope : { declared: tag.declared, outer: scope };
    const uri = namespaceOf(tag.prefix, inner);
    if (uri === undefined || tag.used.some((prefix) => namespaceOf(prefix, inner) === undefined))
      throw new XmlError('an unknown prefix');
    const element = { tag, uri, outer: scope, scope: inner };
    if (known.has(text) || (known.size < mostKnown.tags && text.length < mostKnown.length)) known.set(text, element);
    return element;
  }

  function enter(element: Element): void {
    if (open.length === 0 && rooted) throw new XmlError('a second document');
    begun = true;
    rooted = true;
    isFlawed = false;
    open.push(element);
    scope = element.scope;
    handler.open(element.uri, element.tag.local, element.tag.attributes);
    if (element.tag.isEmpty) leave(element);
  }

  function leave({ outer }: Element): void {
    handler.close();
    open.pop();
    scope = outer;
    isFlawed = false;
  }

  function endTag(at: number): number {
    const end = rest.indexOf('>', at);
    if (end < 0) return at;
    const element = open[open.length - 1];
    if (element === undefined || rest.slice(at + 2, end).trimEnd() !== element.tag.name)
      throw new XmlError('an end without its beginning');
    leave(element);
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
    if (isSuspect) tellForbidden(at + 9, end);
    handler.text(lineEnds(rest.slice(at + 9, end)));
    return end + 3;
  }

  function instruction(at: number): number {
    const end = rest.indexOf('?>', at + 2);
    if (end < 0) return at;
    const text = rest.slice(at + 2, end);
    if (/^xml(\s|$)/i.test(text)) xmlDeclaration(text);
    else if (!isName(text.split(/\s/, 1)[0] ?? '')) throw new XmlError('an instruction without a name');
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
        throw new XmlError(`a document that is cut off${place.of(rest, rest.length)}`);
    },
  };
}

const lessThan = 0x3c;
const slash = 0x2f;
const exclamation = 0x21;
const question = 0x3f;
const xmlDecl =
  /^xml\s+version\s*=\s*(?:"1\.\d+"|'1\.\d+')(?:\s+encoding\s*=\s*("[A-Za-z][\w.-]*"|'[A-Za-z][\w.-]*'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*$/;
