import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';

export interface MemoryS3Manner {
  /** Whether it refuses to put what is there already, where it is asked to (`If-None-Match: *`). It does by default. */
  readonly isConditional?: boolean;
  /** How many files are in one page of a listing. */
  readonly pageSize?: number;
}

/** A server that speaks as much S3 as repositories need, on loopback; it believes every key. */
export interface MemoryS3 extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
  /** By bucket and key: `backups/prefix/config`. */
  readonly files: Map<string, Buffer>;
}

/** Starts one with the bucket `backups`, in the path of its addresses or in front of its host. */
export async function startMemoryS3({ isConditional = true, pageSize = 7 }: MemoryS3Manner = {}): Promise<MemoryS3> {
  const listener = await listenOnLoopback(0);
  const files: MemoryS3['files'] = new Map();
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const url = new URL(request.url ?? '', listener.origin);
    const inFront = request.headers.host?.startsWith('backups.') ? 'backups/' : '';
    const key = inFront + decodeURIComponent(url.pathname.slice(1));
    const refuse = (status: number, code: string) =>
      response.writeHead(status).end(request.method === 'HEAD' ? '' : `<Error><Code>${code}</Code></Error>`);
    if (!key.startsWith('backups/')) return refuse(404, 'NoSuchBucket');
    if (key === 'backups/') return response.end(listing(files, url.searchParams, pageSize));
    const file = files.get(key);
    if (request.method === 'PUT') {
      if (isConditional && file !== undefined && request.headers['if-none-match'] === '*')
        return refuse(412, 'PreconditionFailed');
      if (!isWhole(request, body)) return refuse(400, 'BadDigest');
      files.set(key, body);
      return response.end();
    }
    if (request.method === 'DELETE') {
      files.delete(key);
      return response.writeHead(204).end();
    }
    if (file === undefined) return refuse(404, 'NoSuchKey');
    return sendFile(request, response, file) ?? refuse(416, 'InvalidRange');
  };
  listener.serve((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  return { origin: listener.origin, files, [Symbol.asyncDispose]: () => listener.down() };
}

function isWhole({ headers }: IncomingMessage, body: Buffer): boolean {
  const digest = (name: string) => createHash(name).update(body);
  const md5 = headers['content-md5'];
  return (
    headers['x-amz-content-sha256'] === digest('sha256').digest('hex') &&
    (md5 === undefined || md5 === digest('md5').digest('base64'))
  );
}

/** Undefined for a range that begins behind the end. */
function sendFile({ headers, method }: IncomingMessage, response: ServerResponse, file: Buffer) {
  if (method === 'HEAD') return response.writeHead(200, { 'content-length': file.length }).end();
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined) return response.end(file);
  if (Number(first) >= file.length) return undefined;
  return response.writeHead(206).end(file.subarray(Number(first), Number(last) + 1));
}

function listing(files: MemoryS3['files'], query: URLSearchParams, pageSize: number): string {
  const keys = [...files.keys()].map((key) => key.slice('backups/'.length)).sort();
  const after = query.get('continuation-token') ?? '';
  const prefix = query.get('prefix') ?? '';
  const below = keys.filter((key) => key.startsWith(prefix)).map((key) => upTo(key, prefix, query.get('delimiter')));
  const wanted = [...new Set(below)].filter((key) => key > after);
  const page = wanted.slice(0, pageSize);
  const contents = page.map((key) => {
    const file = files.get(`backups/${key}`);
    if (file === undefined) return `<CommonPrefixes><Prefix>${key}</Prefix></CommonPrefixes>`;
    return `<Contents><Key>${key}</Key><Size>${file.length}</Size></Contents>`;
  });
  const isCut = wanted.length > page.length;
  const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isCut}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
}

/** The key, or what it has in common with all others of its level. */
function upTo(key: string, prefix: string, delimiter: string | null): string {
  const end = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length);
  return end < 0 ? key : key.slice(0, end + 1);
}
