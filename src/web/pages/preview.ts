import type { FileNode } from '../../store/format/node.ts';
import { readFile } from '../../store/restorer/read-file.ts';
import { breakingOff } from '../breaking-off.ts';
import { judgedBytes, type PreviewKind, previewKind } from '../preview-kind.ts';
import { sandboxHeaders } from '../security.ts';
import { fileIn, type OpenSnapshot, openSnapshot, restOfPath } from '../snapshot.ts';
import { notFound, type PersonVisit } from '../visit.ts';
import { dispositionOf } from './download.ts';

/** A file of a snapshot to be shown on its page, in a sandbox. Throws `request/not-found` where it cannot be shown. */
export async function preview(visit: PersonVisit): Promise<Response> {
  const path = restOfPath(visit.url, 'preview');
  const opened = await openSnapshot(visit);
  const node = await fileIn(opened, path);
  const kind = await kindOf(opened, node);
  if (kind === undefined) throw notFound();
  const bytes = readFile(opened.history.repository, node, { end: kind.bytes });
  const headers = {
    ...sandboxHeaders,
    'content-type': kind.type,
    'content-length': String(kind.bytes),
    'content-disposition': dispositionOf('inline', path.split('/').at(-1) ?? ''),
  };
  return new Response(breakingOff(visit.c, visit.resources.log, bytes), { headers });
}

/** What the file is shown as; undefined where it is not shown. Throws `repository/damaged`. */
export async function kindOf({ history }: OpenSnapshot, node: FileNode): Promise<PreviewKind | undefined> {
  const end = Math.min(judgedBytes, node.size);
  const head = Buffer.concat(await Array.fromAsync(readFile(history.repository, node, { end })));
  return previewKind(head, node.size);
}
