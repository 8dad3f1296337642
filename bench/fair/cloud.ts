/** The server of everybody's files, in a process of its own: `cloud.ts`, which sends its origin to its parent. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../demo/loopback-server.ts';
import { end, file, folder, type HostileNode, listingOf } from '../../test/support/servers/hostile-webdav.ts';

/** The people of this server by the first word of their subject: how their files are. */
export const hostileKinds = ['drip', 'tree', 'huge', 'storm'] as const;

const depth = 5;
/**
 * What a listing of an honest person takes, by their number: an honest night takes about three seconds, and they differ by a seventh, so that the four that are worked on at a time
 * do not end together: with as many as begin together, a night would be longer by none or by a whole run.
 */
const listingMs = (who: string) => 360 + 13 * (Number(who.split('-')[1]) % 6);
/** So much more what was listed before takes: a first night has a repository to make besides, and later ones are to be as long. */
const againMs = 80;
const asked = new Set<string>();
const waitMs = (who: string, path: string) => listingMs(who) + (asked.size === asked.add(path).size ? againMs : 0);
const dripMs = 1_000;
const content = 'one file of many';

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
      else end(response, 200, { etag: '"1"' }, content);
      return;
    }
    if (kind === 'drip' && names.length > 1) {
      drip(response);
      return;
    }
    if (kind === 'good') await new Promise((resolve) => setTimeout(resolve, waitMs(who, path)));
    const listing = listingFor(kind, { deep: names.length >= depth, path, headers });
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

/** Stands for the path of the folder in the listings that are kept. */
const here = '/-here-/';
/** Stands for a number that no other listing has: a tree without an end whose folders were alike would be found out. */
const serial = '-serial-';
let serials = 0;
/** Listings, complete except for the path, so that answering takes this process little time and delays nobody else. */
const listings = new Map<string, string>();

function listingFor(kind: string, { deep, path, headers }: Asked): string {
  const about = [kind, deep, headers.depth].join(' ');
  const listing = listings.get(about) ?? listingOf(nodeOf(kind, deep), { path: here, headers });
  listings.set(about, listing);
  return listing.replaceAll(here, path).replaceAll(serial, () => String(serials++));
}

interface Asked {
  readonly deep: boolean;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

function nodeOf(kind: string, deep: boolean): HostileNode {
  const files = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.txt`, file(content, { etag: '"1"' })]));
  const folders = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`folder ${index}`, folder()]));
  if (kind === 'drip') return folder({ ...files(30), ...folders(20) });
  if (kind === 'tree')
    return folder({ ...files(5), ...folders(30), [`${serial}.txt`]: file(content, { etag: '"1"' }) });
  if (kind === 'huge') return folder({ ...files(20_000), ...folders(50) });
  if (kind === 'storm') return folder({ ...files(500), ...folders(10) });
  return folder({ ...files(3), ...(!deep && folders(1)) });
}
