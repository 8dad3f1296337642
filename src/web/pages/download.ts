import { type FileRange, readFile } from '../../store/restorer/read-file.ts';
import { zipFolder } from '../../store/restorer/zip.ts';
import { fileIn, openFolder, openSnapshot, restOfPath } from '../snapshot.ts';
import type { PersonVisit } from '../visit.ts';

/** A file of a snapshot, or one range of it (RFC 9110, section 14). */
export async function file(visit: PersonVisit): Promise<Response> {
  const path = restOfPath(visit.url, 'file');
  const opened = await openSnapshot(visit);
  const node = await fileIn(opened, path);
  const range = rangeOf(visit.c.req.raw.headers, node.size);
  const headers = new Headers({
    ...attachment(path.split('/').at(-1) ?? 'file', 'application/octet-stream'),
    'accept-ranges': 'bytes',
  });
  if (range === 'unsatisfiable') {
    headers.set('content-range', `bytes */${node.size}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: node.size };
  headers.set('content-length', String(end - start));
  if (range) headers.set('content-range', `bytes ${start}-${end - 1}/${node.size}`);
  const bytes = readFile(opened.history.repository, node, { start, end });
  return new Response(ReadableStream.from(bytes), { status: range ? 206 : 200, headers });
}

/** A folder of a snapshot as a zip, made while it is read. */
export async function zip(visit: PersonVisit): Promise<Response> {
  const path = restOfPath(visit.url, 'zip');
  const opened = await openSnapshot(visit);
  await openFolder(opened, path);
  const { history, saved } = opened;
  const bytes = zipFolder(history.repository, saved.snapshot, path, { signal: visit.c.req.raw.signal });
  const name = `${path.split('/').at(-1) || `snapshot-${saved.id.slice(0, 8)}`}.zip`;
  return new Response(ReadableStream.from(bytes), { headers: attachment(name, 'application/zip') });
}

function attachment(name: string, type: string): Record<string, string> {
  return { 'content-type': type, 'content-disposition': dispositionOf('attachment', name) };
}

/** Whether browsers keep or show an answer, and the name they keep it under (RFC 6266). */
export function dispositionOf(what: 'attachment' | 'inline', name: string): string {
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${what}; filename*=UTF-8''${encoded}`;
}

/** One range of bytes; undefined where there is none that counts: several, malformed, or bound to a validator that we never gave. */
function rangeOf(headers: Headers, size: number): Required<FileRange> | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(headers.get('range')?.trim() ?? '');
  const [, first = '', last = ''] = found ?? [];
  if (found === null || headers.has('if-range') || (first === '' && last === '')) return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  return start >= size || start >= end ? 'unsatisfiable' : { start, end };
}
