import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CheckToken } from './access.ts';
import { readFile } from './get.ts';
import { davError, multistatus, readQuestion, type Told } from './propfind.ts';
import { type ShareName, type Shares, shareNames } from './shares.ts';
import { type CloudNode, type CloudTree, etagOf, type Path } from './tree.ts';

/**
 * A person's files are at `/dav/files/<username>/…`, their calendars at `/dav/calendars/<username>/…` and their address books at
 * `/dav/contacts/<username>/…`. The prefix itself names who asks, as `/dav/principals/<username>/`, and that the two latter.
 */
export const davPrefix = '/dav/';

/** A request for something in a share of the person whose token came with it. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly username: string;
  readonly share: ShareName;
  readonly tree: CloudTree;
  readonly path: Path;
  readonly node: CloudNode | undefined;
}

const allowed = 'OPTIONS, PROPFIND, GET, HEAD, PUT, DELETE, MKCOL, MKCALENDAR';
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
  MKCALENDAR: makeFolder,
};

/**
 * WebDAV (RFC 4918, class 1), CalDAV (RFC 4791) and CardDAV (RFC 6352), as far as a backup and a demo need them, over the shares of several
 * people. Answers 401 to a missing or invalid token, 403 to the token of another person.
 */
export function davHandler(people: ReadonlyMap<string, Shares>, checkToken: CheckToken) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> => {
    response.setHeader('DAV', '1, calendar-access, addressbook');
    response.setHeader('Allow', allowed);
    const names = pathOf(request.url ?? '');
    if (!names) return answer(response, 400);
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const username = token && (await checkToken(token));
    if (!username) {
      response.setHeader('WWW-Authenticate', `Bearer realm="demo cloud"${token ? ', error="invalid_token"' : ''}`);
      return answer(response, 401);
    }
    const [place, owner, ...path] = names;
    const shares = people.get(username);
    if (place === undefined || (place === 'principals' && owner === username && path.length === 0))
      return request.method === 'PROPFIND'
        ? tell(request, response, () => [{ username, href: addressOf(names), isPrincipal: place !== undefined }])
        : answer(response, 405);
    const share = shareNames.find((name) => name === place);
    if (owner !== username || !shares || !share) return answer(response, 403);
    const verb = verbs[request.method ?? ''];
    if (!verb) return answer(response, 405);
    const tree = shares[share];
    return verb({ request, response, username, share, tree, path, node: tree.find(path) });
  };
}

/** The address of a collection, percent-encoded, with a slash at its end. */
function addressOf(names: readonly string[]): string {
  return `${davPrefix}${names.map((name) => `${encodeURIComponent(name)}/`).join('')}`;
}

/** The address of something in a share. */
function hrefOf({ share, username }: Pick<Visit, 'share' | 'username'>, path: Path, node: CloudNode): string {
  const address = addressOf([share, username, ...path]);
  return node.kind === 'folder' ? address : address.slice(0, -1);
}

function list(visit: Visit): ServerResponse | Promise<ServerResponse> {
  const { request, response, path, node } = visit;
  const { share, username } = visit;
  return tell(request, response, (depth) => {
    if (!node) return undefined;
    const children = depth === '1' && node.kind === 'folder' ? [...node.children] : [];
    const resources = [{ path, node }, ...children.map(([name, child]) => ({ path: [...path, name], node: child }))];
    return resources.map((one) => ({ ...one, share, username, href: hrefOf(visit, one.path, one.node) }));
  });
}

/** Answers a PROPFIND with what there is to say for its depth; undefined where there is nothing at that address. */
async function tell(
  request: IncomingMessage,
  response: ServerResponse,
  toldOf: (depth: string) => readonly Told[] | undefined,
): Promise<ServerResponse> {
  const depth = request.headers.depth ?? 'infinity';
  const body = await readBody(request, longestQuestion);
  if (!body) return answer(response, 413);
  if (depth !== '0' && depth !== '1') return answer(response, 403, davError('propfind-finite-depth'), xml);
  const told = toldOf(depth);
  if (!told) return answer(response, 404);
  let question: ReturnType<typeof readQuestion>;
  try {
    question = readQuestion(body.toString());
  } catch {
    return answer(response, 400);
  }
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

/** A folder, or a calendar or address book, which take what their names say and nothing else of what is asked for. */
async function makeFolder({ request, response, share, tree, path, node }: Visit): Promise<ServerResponse> {
  const body = await readBody(request, longestQuestion);
  const isHeld = share !== 'files' && path.length === 1;
  if (request.method === 'MKCALENDAR' && !(isHeld && share === 'calendars')) return answer(response, 403);
  if (!body || (body.length > 0 && !isHeld)) return answer(response, 415);
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
  if (!address.startsWith(davPrefix)) return undefined;
  const rest = address.slice(davPrefix.length).replace(/\/$/, '');
  if (rest === '') return [];
  try {
    const names = rest.split('/').map(decodeURIComponent);
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
