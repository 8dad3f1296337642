import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { nameToBytes } from '../../../src/file-name.ts';
import { decodeSegment } from '../../../src/sources/dav/href.ts';

/** A file or folder of the hostile server. Times are whole seconds, as in WebDAV. */
export interface HostileNode {
  /** A folder has these, a file has content. */
  children?: Map<string, HostileNode>;
  content?: Buffer;
  etag?: string;
  modified?: Date;
  /** How the name is written in hrefs; percent-encoded unless said. */
  href?: string;
  /** The listing does not tell the size. */
  hideSize?: boolean;
  /** What its resource type has besides `collection`, as XML. */
  types?: string;
  /** Further properties, as XML. */
  properties?: string;
  /** Its whole response in a listing, where it is not the proper one. */
  response?: (href: string) => string;
}

/** What one request gets instead of the proper answer; undefined lets it through. */
export type Mischief = (request: Heard, response: ServerResponse) => boolean | undefined;

/** What the server heard. */
export interface Heard {
  readonly method: string;
  /** As sent, percent-encoded. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** How many requests of this method and path came before. */
  readonly before: number;
}

export interface HostileWebdav extends AsyncDisposable {
  readonly url: string;
  readonly root: HostileNode;
  /** All requests, in order. */
  readonly heard: readonly Heard[];
  /** Asked first for each request. */
  mischief: Mischief;
  /** Most requests that were being answered at once. */
  readonly mostAtOnce: () => number;
}

export const longAgo = new Date('2020-01-01T00:00:00Z');

export function file(content: string | Buffer, rest: Partial<HostileNode> = {}): HostileNode {
  return { content: Buffer.from(content), modified: longAgo, etag: `"${Buffer.from(content).length}-1"`, ...rest };
}

export function folder(children: Record<string, HostileNode> = {}, rest: Partial<HostileNode> = {}): HostileNode {
  return { children: new Map(Object.entries(children)), modified: longAgo, ...rest };
}

/** A small WebDAV server that is honest by itself, and does whatever harm its `mischief` says. */
export async function startHostileWebdav(root: HostileNode = folder()): Promise<HostileWebdav> {
  const heard: Heard[] = [];
  let now = 0;
  let most = 0;
  const state: { mischief: Mischief } = { mischief: () => undefined };
  const server = await listenOnLoopback(0);
  server.serve(async (request, response) => {
    most = Math.max(most, ++now);
    response.once('close', () => now--);
    const one = await hear(request, heard);
    heard.push(one);
    if (state.mischief(one, response) === true) return;
    answer(root, one, response);
  });
  const url = `${server.origin}/dav/`;
  return Object.assign(state, {
    url,
    root,
    heard,
    mostAtOnce: () => most,
    [Symbol.asyncDispose]: server.down,
  });
}

/** Answers as an honest server would. */
function answer(root: HostileNode, request: Heard, response: ServerResponse): void {
  const node = find(root, request.path);
  if (node === undefined) end(response, 404);
  else if (request.method === 'PROPFIND') {
    end(response, 207, { 'content-type': 'application/xml; charset=utf-8' }, listingOf(node, request));
  } else if (node.content === undefined) end(response, 405);
  else sendFile(node, node.content, request, response);
}

/** Ends a response with a body of known length. */
export function end(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ''): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** Announces the whole file, sends its first bytes and breaks the connection. */
export function breakAfter(bytes: number, node: HostileNode, response: ServerResponse): void {
  const content = node.content ?? Buffer.alloc(0);
  response.writeHead(200, { ...headersOf(node), 'content-length': content.length });
  response.write(content.subarray(0, bytes), () => response.destroy());
}

/** The multistatus of a folder (depth 0 or 1) or of a file. */
export function listingOf(node: HostileNode, { path, headers }: Pick<Heard, 'path' | 'headers'>): string {
  const own = responseXml(path, node);
  const children = headers.depth === '0' ? [] : [...(node.children ?? [])];
  const members = children.map(([name, child]) =>
    responseXml(child.href ?? path + encodedName(name) + (child.children ? '/' : ''), child),
  );
  return `<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">${own}${members.join('')}</d:multistatus>`;
}

function responseXml(href: string, node: HostileNode): string {
  const { children, content, modified, etag, hideSize, types = '', properties = '', response } = node;
  if (response !== undefined) return response(href);
  return (
    `<d:response><d:href>${xml(href)}</d:href><d:propstat><d:prop>` +
    `<d:resourcetype>${children ? '<d:collection/>' : ''}${types}</d:resourcetype>` +
    (content && !hideSize ? `<d:getcontentlength>${content.length}</d:getcontentlength>` : '') +
    (modified ? `<d:getlastmodified>${modified.toUTCString()}</d:getlastmodified>` : '') +
    (etag ? `<d:getetag>${xml(etag)}</d:getetag>` : '') +
    `${properties}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
  );
}

/** Percent-encoded, byte by byte where it is not UTF-8. */
function encodedName(name: string): string {
  if (name.isWellFormed()) return encodeURIComponent(name);
  return Array.from(nameToBytes(name), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function xml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

async function hear(request: IncomingMessage, heard: readonly Heard[]): Promise<Heard> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method = '', url: path = '', headers } = request;
  const before = heard.filter((each) => each.method === method && each.path === path).length;
  return { method, path, headers, body: Buffer.concat(chunks).toString(), before };
}

/** What the tree has at a path, as it was sent. */
export function find(root: HostileNode, path: string): HostileNode | undefined {
  const names = path.replace(/^\/dav\/|\/$/g, '').split('/');
  let node: HostileNode | undefined = root;
  for (const name of names.filter((each) => each !== '')) node = node?.children?.get(decodeSegment(name));
  return node;
}

function headersOf({ etag, modified }: HostileNode): Record<string, string> {
  return { ...(etag ? { etag } : {}), ...(modified ? { 'last-modified': modified.toUTCString() } : {}) };
}

function sendFile(node: HostileNode, content: Buffer, { method, headers }: Heard, response: ServerResponse): void {
  const match = headers['if-match'];
  const since = headers['if-unmodified-since'];
  const isOther = match !== undefined && match !== node.etag;
  const isLater = since !== undefined && node.modified !== undefined && node.modified > new Date(since);
  if (isOther || isLater) {
    end(response, 412);
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const range = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` };
  response.writeHead(start > 0 ? 206 : 200, {
    ...headersOf(node),
    'content-length': content.length - start,
    ...(start > 0 ? range : {}),
  });
  response.end(method === 'HEAD' ? undefined : content.subarray(start));
}
