import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CheckToken } from './access.ts';
import { readFile } from './get.ts';
import { davError, multistatus, readQuestion } from './propfind.ts';
import { type CloudNode, type CloudTree, etagOf, type Path } from './tree.ts';

/** A person's files are at `/dav/files/<username>/…`. */
export const filesPrefix = '/dav/files/';

/** A request for a file or folder of the person whose token came with it. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly username: string;
  readonly tree: CloudTree;
  readonly path: Path;
  readonly node: CloudNode | undefined;
}

const allowed = 'OPTIONS, PROPFIND, GET, HEAD, PUT, DELETE, MKCOL';
const longestQuestion = 64 * 1024;
const longestFile = 64 * 1024 * 1024;

const verbs: Record<string, (visit: Visit) => ServerResponse | Promise<ServerResponse>> = {
  OPTIONS: ({ response }) => answer(response, 200),
  PROPFIND: list,
  GET: read,
  HEAD: read,
  PUT: write,
  DELETE: remove,
  MKCOL: makeFolder,
};

/**
 * WebDAV (RFC 4918, class 1 as far as a backup and a demo need it) over the trees of several people. Answers 401 to a
 * missing or invalid token, 403 to the token of another person.
 */
export function davHandler(trees: ReadonlyMap<string, CloudTree>, checkToken: CheckToken) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> => {
    response.setHeader('DAV', '1');
    response.setHeader('Allow', allowed);
    const names = pathOf(request.url ?? '');
    if (!names) return answer(response, 400);
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const username = token && (await checkToken(token));
    if (!username) {
      response.setHeader('WWW-Authenticate', `Bearer realm="demo cloud"${token ? ', error="invalid_token"' : ''}`);
      return answer(response, 401);
    }
    const [owner, ...path] = names;
    const tree = trees.get(username);
    if (owner !== username || !tree) return answer(response, 403);
    const verb = verbs[request.method ?? ''];
    if (!verb) return answer(response, 405);
    return verb({ request, response, username, tree, path, node: tree.find(path) });
  };
}

/** The address of a person's file or folder, percent-encoded, a folder's with a slash at its end. */
function hrefOf(username: string, path: Path, node: CloudNode): string {
  const names = [username, ...path].map((name) => encodeURIComponent(name)).join('/');
  return `${filesPrefix}${names}${node.kind === 'folder' ? '/' : ''}`;
}

async function list({ request, response, username, path, node }: Visit): Promise<ServerResponse> {
  const depth = request.headers.depth ?? 'infinity';
  const body = await readBody(request, longestQuestion);
  if (!body) return answer(response, 413);
  if (depth !== '0' && depth !== '1') return answer(response, 403, davError('propfind-finite-depth'), xml);
  if (!node) return answer(response, 404);
  let question: ReturnType<typeof readQuestion>;
  try {
    question = readQuestion(body.toString());
  } catch {
    return answer(response, 400);
  }
  const children = depth === '1' && node.kind === 'folder' ? [...node.children] : [];
  const resources = [{ path, node }, ...children.map(([name, child]) => ({ path: [...path, name], node: child }))];
  const told = resources.map((one) => ({ ...one, href: hrefOf(username, one.path, one.node) }));
  return answer(response, 207, multistatus(told, question), xml);
}

function read({ request, response, path, node }: Visit): ServerResponse {
  if (!node) return answer(response, 404);
  if (node.kind === 'folder') return answer(response, 405);
  return readFile(request, response, path.at(-1) ?? '', node);
}

async function write({ request, response, tree, path, node }: Visit): Promise<ServerResponse> {
  const body = await readBody(request, longestFile);
  if (!body) return answer(response, 413);
  if (node?.kind === 'folder' || path.length === 0) return answer(response, 405);
  if (tree.find(path.slice(0, -1))?.kind !== 'folder') return answer(response, 409);
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  const etag = node && `"${etagOf(node)}"`;
  if ((match && match !== '*' && match !== etag) || (match && !node)) return answer(response, 412);
  if (noneMatch && node && (noneMatch === '*' || noneMatch === etag)) return answer(response, 412);
  const isNew = tree.write(path, body);
  const written = tree.find(path);
  if (written) response.setHeader('ETag', `"${etagOf(written)}"`);
  return answer(response, isNew ? 201 : 204);
}

function remove({ response, tree, path, node }: Visit): ServerResponse {
  if (path.length === 0) return answer(response, 403);
  if (!node) return answer(response, 404);
  tree.remove(path);
  return answer(response, 204);
}

async function makeFolder({ request, response, tree, path, node }: Visit): Promise<ServerResponse> {
  const body = await readBody(request, longestQuestion);
  if (!body || body.length > 0) return answer(response, 415);
  if (node) return answer(response, 405);
  if (tree.find(path.slice(0, -1))?.kind !== 'folder') return answer(response, 409);
  tree.makeFolder(path);
  return answer(response, 201);
}

const xml = 'application/xml; charset=utf-8';

function answer(response: ServerResponse, status: number, body = '', type?: string): ServerResponse {
  response.writeHead(status, {
    ...(type && { 'content-type': type }),
    ...(status !== 204 && { 'content-length': Buffer.byteLength(body) }),
  });
  return response.end(body);
}

/** The decoded names after the prefix. Undefined where one is invalid: malformed, empty, `.`, `..`, or with a slash in it. */
function pathOf(url: string): string[] | undefined {
  const [address = ''] = url.split('?');
  if (!address.startsWith(filesPrefix)) return undefined;
  try {
    const names = address.slice(filesPrefix.length).replace(/\/$/, '').split('/').map(decodeURIComponent);
    return names.every((name) => name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name))
      ? names
      : undefined;
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= most) chunks.push(chunk);
  }
  return length <= most ? Buffer.concat(chunks) : undefined;
}
