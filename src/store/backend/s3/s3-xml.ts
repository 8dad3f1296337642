import { SaxesParser } from 'saxes';
import { letOthers } from '../../../pieces.ts';

/** One page of a listing. */
export interface S3Page {
  readonly files: readonly { readonly key: string; readonly size: number }[];
  /** What the keys of files further down begin with, where only one level was asked for. */
  readonly prefixes: readonly string[];
  /** Where the next page begins; absent in the last. */
  readonly next?: string;
}

const base = 'ListBucketResult';
const at = {
  key: `${base}/Contents/Key`,
  size: `${base}/Contents/Size`,
  prefix: `${base}/CommonPrefixes/Prefix`,
  isCut: `${base}/IsTruncated`,
  next: `${base}/NextContinuationToken`,
};
/** Characters that are parsed in a few milliseconds. */
const readAtOnce = 32 * 1024;

/** Reads a ListBucketResult (ListObjectsV2), in pieces. Undefined for what is no whole one. */
export async function readPage(xml: Buffer): Promise<S3Page | undefined> {
  const files: { key: string; size: number }[] = [];
  const prefixes: string[] = [];
  let key: string | undefined;
  let [isCut, next, isWhole] = [false, '', true];
  const reader = openReader((path, text) => {
    if (path === at.key) key = text;
    else if (path === at.prefix) prefixes.push(text);
    else if (path === at.isCut) isCut = text === 'true';
    else if (path === at.next) next = text;
    if (path !== at.size) return;
    if (key === undefined || !/^\d+$/.test(text)) isWhole = false;
    else files.push({ key, size: Number(text) });
  });
  const text = xml.toString();
  for (let from = 0; from < text.length; from += readAtOnce) {
    if (from > 0) await letOthers();
    if (!reader.write(text.slice(from, from + readAtOnce))) return undefined;
  }
  if (!reader.end() || reader.root() !== base || !isWhole) return undefined;
  if (!isCut) return { files, prefixes };
  return next === '' ? undefined : { files, prefixes, next };
}

/** The code of an error that a server answers with; empty where it says none. */
export function readErrorCode(xml: Buffer): string {
  let code = '';
  const reader = openReader((path, text) => {
    if (path === 'Error/Code' && code === '') code = text;
  });
  return reader.write(xml.toString()) && reader.end() ? code : '';
}

/** No answer of S3 is deeper. In one that is, naming each element by its path would take time that grows with the square of its length. */
const mostDepth = 8;

/** Tells of the texts of the elements that hold no others, in their order. It answers false to what is not well-formed, or deeper than any answer. */
function openReader(onLeaf: (path: string, text: string) => void) {
  const path: string[] = [];
  let root = '';
  let text = '';
  let isLeaf = false;
  const parser = new SaxesParser();
  parser.on('opentag', ({ name }) => {
    root ||= name;
    if (path.push(name) > mostDepth) throw new Error('No answer of S3 is so deep.');
    text = '';
    isLeaf = true;
  });
  parser.on('text', (part) => {
    text += part;
  });
  parser.on('closetag', () => {
    if (isLeaf) onLeaf(path.join('/'), text);
    path.pop();
    isLeaf = false;
  });
  const tried = (step: () => unknown) => {
    try {
      step();
      return true;
    } catch {
      return false;
    }
  };
  return {
    write: (part: string) => tried(() => parser.write(part)),
    end: () => tried(() => parser.close()),
    root: () => root,
  };
}
