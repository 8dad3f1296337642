import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';

export interface MemoryRestManner {
  /** Whether it lets nobody delete anything but locks. */
  readonly isAppendOnly?: boolean;
  /** Whether it lists names alone, as servers of version 1 of the protocol do. */
  readonly isOld?: boolean;
  /** Without it, anybody may do everything. */
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** A server that speaks the REST protocol of restic on loopback, as strict as rest-server 0.13. */
export interface MemoryRest extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
  /** By path, without the slash in front: `people/ID/config`. */
  readonly files: Map<string, Buffer>;
}

const version2 = 'application/vnd.x.restic.rest.v2';
/** Repositories are in folders that are two deep at the most, and hold nothing else. */
const file = /^((?:[\w.-]+\/){0,2})(config|(?:data|index|keys|locks|snapshots)\/([0-9a-f]{64}))$/;
const folder = /^(?:[\w.-]+\/){0,2}(?:data|index|keys|locks|snapshots)\/$/;
const repository = /^((?:[\w.-]+\/){0,2})$/;

export async function startMemoryRest(manner: MemoryRestManner = {}): Promise<MemoryRest> {
  const listener = await listenOnLoopback(0);
  const files: MemoryRest['files'] = new Map();
  const made = new Set<string>();
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const { method } = request;
    const url = new URL(request.url ?? '', listener.origin);
    const path = url.pathname.slice(1);
    const answer = (status: number) => response.writeHead(status).end();
    if (!isBelieved(request, manner)) return answer(401);
    if (repository.test(path) && method === 'POST') {
      if (url.searchParams.get('create') !== 'true') return answer(400);
      made.add(path);
      return answer(200);
    }
    if (folder.test(path)) {
      const isMade = made.has(path.replace(/[a-z]+\/$/, ''));
      return method === 'GET' ? list(files, path, { ...manner, isMade }, response) : answer(405);
    }
    const [, parent = '', name = '', hash] = file.exec(path) ?? [];
    if (name === '') return answer(404);
    const found = files.get(path);
    if (method === 'POST') {
      if (found !== undefined) return answer(403);
      if (hash === undefined && !made.has(parent)) return answer(500);
      if (hash !== undefined && createHash('sha256').update(body).digest('hex') !== hash) return answer(400);
      files.set(path, body);
      return answer(200);
    }
    if (method === 'DELETE' && manner.isAppendOnly && !name.startsWith('locks/')) return answer(403);
    if (found === undefined) return answer(404);
    if (method !== 'DELETE') return send(request, response, found);
    files.delete(path);
    return answer(200);
  };
  listener.serve((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  return { origin: listener.origin, files, [Symbol.asyncDispose]: () => listener.down() };
}

function isBelieved({ headers }: IncomingMessage, { credentials }: MemoryRestManner): boolean {
  if (credentials === undefined) return true;
  const { user, password } = credentials;
  return headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** A folder that nobody has made or written to is not there. */
function list(
  files: MemoryRest['files'],
  path: string,
  { isOld, isMade }: MemoryRestManner & { readonly isMade: boolean },
  response: ServerResponse,
) {
  const found = [...files].filter(([key]) => key.startsWith(path));
  if (found.length === 0 && !isMade) return response.writeHead(404).end();
  const listed = found.map(([key, bytes]) => ({ name: key.slice(path.length), size: bytes.length }));
  if (isOld) return response.end(JSON.stringify(listed.map(({ name }) => name)));
  return response.writeHead(200, { 'content-type': version2 }).end(JSON.stringify(listed));
}

function send({ headers, method }: IncomingMessage, response: ServerResponse, bytes: Buffer) {
  if (method === 'HEAD') return response.writeHead(200, { 'content-length': bytes.length }).end();
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined) return response.end(bytes);
  if (Number(first) >= bytes.length) return response.writeHead(416).end();
  return response.writeHead(206).end(bytes.subarray(Number(first), Number(last) + 1));
}
