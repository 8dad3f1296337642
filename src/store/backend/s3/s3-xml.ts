import { SaxesParser } from 'saxes';

/** One page of a listing. */
export interface S3Page {
  readonly files: readonly { readonly key: string; readonly size: number }[];
  /** What the keys of files further down begin with, where only one level was asked for. */
  readonly prefixes: readonly string[];
  /** Where the next page begins; absent in the last. */
  readonly next?: string;
}

/** Reads a ListBucketResult (ListObjectsV2). Undefined for what is no whole one. */
export function readPage(xml: Buffer): S3Page | undefined {
  const elements = readElements(xml);
  if (elements?.root !== 'ListBucketResult') return undefined;
  const files: { key: string; size: number }[] = [];
  let key: string | undefined;
  for (const { path, text } of elements.leaves) {
    if (path === 'ListBucketResult/Contents/Key') key = text;
    if (path !== 'ListBucketResult/Contents/Size') continue;
    if (key === undefined || !/^\d+$/.test(text)) return undefined;
    files.push({ key, size: Number(text) });
  }
  const textAt = (path: string) => elements.leaves.find((leaf) => leaf.path === path)?.text;
  const isCut = textAt('ListBucketResult/IsTruncated') === 'true';
  const next = textAt('ListBucketResult/NextContinuationToken');
  const ofPrefix = 'ListBucketResult/CommonPrefixes/Prefix';
  const prefixes = elements.leaves.flatMap(({ path, text }) => (path === ofPrefix ? text : []));
  if (!isCut) return { files, prefixes };
  return next ? { files, prefixes, next } : undefined;
}

/** The code of an error that a server answers with; empty where it says none. */
export function readErrorCode(xml: Buffer): string {
  const elements = readElements(xml);
  return elements?.leaves.find(({ path }) => path === 'Error/Code')?.text ?? '';
}

/** No answer of S3 is deeper. In one that is, naming each element by its path would take time that grows with the square of its length. */
const mostDepth = 8;

/** The texts of the elements that hold no others, in their order. Undefined for what is not well-formed, or deeper than any answer. */
function readElements(xml: Buffer) {
  const path: string[] = [];
  const leaves: { path: string; text: string }[] = [];
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
    if (isLeaf) leaves.push({ path: path.join('/'), text });
    path.pop();
    isLeaf = false;
  });
  try {
    parser.write(xml.toString()).close();
  } catch {
    return undefined;
  }
  return { root, leaves };
}
