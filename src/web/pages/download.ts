import type { FileNode } from '../../store/format/node.ts';
import { timestampMs } from '../../store/format/timestamp.ts';
import { contentOf } from '../../store/history/sight.ts';
import { readFile } from '../../store/restorer/read-file.ts';
import { zipFolder } from '../../store/restorer/zip.ts';
import { breakingOff } from '../breaking-off.ts';
import { conditionOf, rangeOf, type Validators, validatorHeaders } from '../conditional.ts';
import { fileIn, openFolder, openSnapshot, restOfPath } from '../snapshot.ts';
import type { PersonVisit } from '../visit.ts';

/** A file of a snapshot, or one range of it, unless the client has it already (RFC 9110, sections 13 and 14). */
export async function file(visit: PersonVisit): Promise<Response> {
  const path = restOfPath(visit.url, 'file');
  const opened = await openSnapshot(visit);
  const node = await fileIn(opened, path);
  const asked = visit.c.req.raw.headers;
  const validators = validatorsOf(node, visit.resources.clock.now());
  const headers = new Headers({
    ...attachment(path.split('/').at(-1) ?? 'file', 'application/octet-stream'),
    ...validatorHeaders(validators),
    'accept-ranges': 'bytes',
  });
  const status = conditionOf(asked, validators);
  if (status !== undefined) return new Response(null, { status, headers });
  // A part can be asked for by GET alone (RFC 9110, section 14.2).
  const range = visit.c.req.raw.method === 'GET' ? rangeOf(asked, node.size, validators) : undefined;
  if (range === 'unsatisfiable') {
    headers.set('content-range', `bytes */${node.size}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: node.size };
  headers.set('content-length', String(end - start));
  if (range) headers.set('content-range', `bytes ${start}-${end - 1}/${node.size}`);
  const bytes = readFile(opened.history.repository, node, { start, end });
  return new Response(bodyOf(visit, bytes), { status: range ? 206 : 200, headers });
}

function bodyOf({ c, resources, session: { userId } }: PersonVisit, bytes: AsyncIterable<Uint8Array>) {
  return breakingOff(c, resources.log.with({ userId }), bytes);
}

/** Files of the same content have the same tag, in every snapshot. */
function validatorsOf(node: FileNode, now: Date): Validators {
  const ms = timestampMs(node.mtime);
  return { etag: `"${contentOf(node)}"`, modified: ms >= 0 && ms <= now.getTime() ? new Date(ms) : undefined };
}

/** A folder of a snapshot as a zip. It is made while it is read, so its length is not known before its end, and no part of it can be asked for. */
export async function zip(visit: PersonVisit): Promise<Response> {
  const path = restOfPath(visit.url, 'zip');
  const opened = await openSnapshot(visit);
  await openFolder(opened, path);
  const { history, saved } = opened;
  const { members: mostEntries } = visit.resources.config.runLimits;
  const bytes = zipFolder(history.repository, saved.snapshot, path, {
    notes: visit.texts.snapshots.notes,
    signal: visit.c.req.raw.signal,
    mostEntries,
  });
  const name = `${path.split('/').at(-1) || `snapshot-${saved.id.slice(0, 8)}`}.zip`;
  return new Response(bodyOf(visit, bytes), {
    headers: { ...attachment(name, 'application/zip'), 'accept-ranges': 'none' },
  });
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
