import type { IncomingMessage, ServerResponse } from 'node:http';
import { typeOf } from './propfind.ts';
import type { CloudFile } from './tree.ts';

/** Answers GET and HEAD: preconditions first (RFC 9110, section 13.2.2), then one range or the whole file. */
export function readFile(
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  file: CloudFile,
): ServerResponse {
  const etag = `"${file.etag}"`;
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  response.setHeader('ETag', etag);
  response.setHeader('Last-Modified', file.modified.toUTCString());
  response.setHeader('Accept-Ranges', 'bytes');
  if (match && !lists(match, etag)) return end(response, 412);
  if (noneMatch && lists(noneMatch.replaceAll('W/', ''), etag)) return end(response, 304);

  response.setHeader('Content-Type', typeOf(name));
  const size = file.bytes.byteLength;
  const range = wantedRange(request, etag, size);
  if (range === 'impossible') {
    response.setHeader('Content-Range', `bytes */${size}`);
    return end(response, 416);
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  if (range) response.setHeader('Content-Range', `bytes ${first}-${last}/${size}`);
  response.writeHead(range ? 206 : 200, { 'content-length': last - first + 1 });
  return response.end(request.method === 'HEAD' ? undefined : file.bytes.subarray(first, last + 1));
}

function end(response: ServerResponse, status: number): ServerResponse {
  response.writeHead(status, status === 304 ? {} : { 'content-length': 0 });
  return response.end();
}

const lists = (header: string, etag: string) =>
  header.trim() === '*' || header.split(',').some((one) => one.trim() === etag);

/** One range (RFC 9110, section 14.1.2). Several ranges or a stale If-Range give the whole file. */
function wantedRange({ headers }: IncomingMessage, etag: string, size: number) {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  if (!parts || (headers['if-range'] !== undefined && headers['if-range'] !== etag)) return undefined;
  const [, from = '', to = ''] = parts;
  if (from === '' && to === '') return undefined;
  if (from === '') {
    return to === '0' || size === 0 ? 'impossible' : { first: Math.max(0, size - Number(to)), last: size - 1 };
  }
  const [first, last] = [Number(from), to === '' ? size - 1 : Math.min(Number(to), size - 1)];
  if (to !== '' && Number(to) < first) return undefined;
  return first >= size ? 'impossible' : { first, last };
}
