import { XmlError } from './xml-error.ts';
import { nameOfReference, resolveReferences } from './xml-text.ts';

/** A start tag as it stands between the angle brackets (Namespaces in XML 1.0). */
export interface Tag {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly isEmpty: boolean;
  /** Namespaces that it declares, by prefix; '' is the default one. */
  readonly declared: ReadonlyMap<string, string>;
  /** Prefixes that its attributes use. */
  readonly used: readonly string[];
  /** Its attributes without a prefix. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** The namespaces that hold inside of an element. */
export interface Scope {
  readonly declared: ReadonlyMap<string, string>;
  readonly outer?: Scope;
}

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
/** What holds outside of any element. */
export const outermost: Scope = {
  declared: new Map([
    ['xml', xmlNamespace],
    ['', ''],
  ]),
};

/** The namespace of a prefix; undefined where none was declared. */
export function namespaceOf(prefix: string, scope: Scope): string | undefined {
  for (let one: Scope | undefined = scope; one !== undefined; one = one.outer) {
    const uri = one.declared.get(prefix);
    if (uri !== undefined) return uri;
  }
  return undefined;
}

const nameStart = String.raw`[A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\u{10000}-\u{effff}]`;
const ncName = `${nameStart}(?:${nameStart}|[-.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040])*`;
const name = new RegExp(`^${ncName}$`, 'u');
const tagName = new RegExp(`^(?:(${ncName}):)?(${ncName})(?=[\\s/]|$)`, 'u');
const attribute = new RegExp(`\\s+((?:(${ncName}):)?(${ncName}))\\s*=\\s*("[^"<]*"|'[^'<]*')`, 'uy');

/** Whether this can be the name of something. */
export function isName(text: string): boolean {
  return name.test(text);
}

/** Servers use a dozen different tags; one that keeps making up new ones gains nothing and costs no memory. */
export const mostKnown = { tags: 256, length: 1024 };

/** Reads tags as `readTag` does, and remembers them: all documents of a server are written with the same ones. */
export function openTagReader(): (text: string) => Tag {
  const known = new Map<string, Tag>();
  return (text) => {
    const met = known.get(text);
    if (met !== undefined) return met;
    const tag = readTag(text);
    if (known.size < mostKnown.tags && text.length < mostKnown.length) known.set(text, tag);
    return tag;
  };
}

/** The tag that this text is. Throws an XmlError where it is none. */
function readTag(text: string): Tag {
  const found = tagName.exec(text);
  if (found === null) throw new XmlError('a tag without a name');
  const [whole, prefix = '', local = ''] = found;
  return { name: whole, prefix, local, isEmpty: text.endsWith('/'), ...readAttributes(text, whole.length) };
}

function readAttributes(text: string, from: number): Pick<Tag, 'declared' | 'used' | 'attributes'> {
  const declared = new Map<string, string>();
  const used: string[] = [];
  const attributes = new Map<string, string>();
  const names = new Set<string>();
  attribute.lastIndex = from;
  let end = from;
  for (let found = attribute.exec(text); found !== null; found = attribute.exec(text)) {
    const [, whole = '', prefix = '', local = '', quoted = ''] = found;
    if (names.has(whole)) throw new XmlError('an attribute twice');
    names.add(whole);
    const value = resolveReferences(quoted.slice(1, -1).replace(/\s/g, ' '), refuseReference).trim();
    if (whole === 'xmlns') declared.set('', value);
    else if (prefix === 'xmlns') declared.set(declarable(local, value), value);
    else if (prefix !== '') used.push(prefix);
    else attributes.set(local, value);
    end = attribute.lastIndex;
  }
  if (!/^\s*\/?$/.test(text.slice(end))) throw new XmlError('a tag that is none');
  return { declared, used, attributes };
}

function refuseReference(reference: string): never {
  throw new XmlError(nameOfReference(reference));
}

function declarable(prefix: string, uri: string): string {
  if (uri === '' || prefix === 'xmlns' || (prefix === 'xml') !== (uri === xmlNamespace))
    throw new XmlError('a wrong prefix');
  return prefix;
}
