/** The server of everybody's files, in a process of its own: `cloud.ts`, which sends its origin to its parent. */
import type { ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../demo/loopback-server.ts';
import { end, file, folder, type HostileNode, listingOf } from '../../test/support/servers/hostile-webdav.ts';

/** The people of this server by the first word of their subject: how their files are. */
export const hostileKinds = ['drip', 'tree', 'huge', 'storm'] as const;

const depth = 5;
/** What a listing of an honest person takes, by their number: an honest night takes two to three seconds. */
const listingMs = (who: string) => 300 + 20 * (Number(who.split('-')[1]) % 6);
const dripMs = 1_000;

if (process.send !== undefined) {
  const server = await listenOnLoopback(0);
  server.serve(async (request, response) => {
    request.resume();
    const { method = '', url: path = '', headers } = request;
    const [who = '', ...names] = path.split('/').filter((name) => name !== '');
    const kind = who.split('-')[0] ?? '';
    if (method !== 'PROPFIND') {
      if (kind === 'storm') end(response, 503);
      else if (kind === 'drip') drip(response);
      else response.end(who);
      return;
    }
    if (kind === 'drip' && names.length > 1) {
      drip(response);
      return;
    }
    if (kind === 'good') await new Promise((resolve) => setTimeout(resolve, listingMs(who)));
    const node = nodeOf(kind, names, who);
    const listing = listingOf(node, { path, headers });
    end(response, 207, { 'content-type': 'application/xml; charset=utf-8' }, listing);
  });
  process.send(server.origin);
  process.once('disconnect', () => process.exit());
}

/** Sends a byte now and then, and never ends. */
function drip(response: ServerResponse): void {
  response.writeHead(207, { 'content-type': 'application/xml; charset=utf-8' });
  const timer = setInterval(() => response.write(' '), dripMs);
  response.once('close', () => clearInterval(timer));
}

function nodeOf(kind: string, names: readonly string[], who: string): HostileNode {
  const files = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.txt`, file(who, { etag: '"1"' })]));
  const folders = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`folder ${index}`, folder()]));
  if (kind === 'drip') return folder({ ...files(30), ...folders(20) });
  if (kind === 'tree') return folder({ ...files(5), ...folders(30) });
  if (kind === 'huge') return folder({ ...files(20_000), ...folders(50) });
  if (kind === 'storm') return folder({ ...files(500), ...folders(10) });
  return folder({ ...files(3), ...(names.length < depth && folders(1)) });
}
