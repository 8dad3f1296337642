import { getRequestListener } from '@hono/node-server';
import { type Clock, systemClock } from '../../src/clock.ts';
import { listenOnLoopback, type OtherAddress } from '../loopback-server.ts';
import type { Person } from '../people.ts';
import { type ExpectedToken, openTokenCheck, tokenForTheCloud } from './access.ts';
import { addMadeUpDates, addMadeUpFiles } from './content.ts';
import { davHandler, davPrefix } from './dav.ts';
import { cloudPages } from './pages.ts';
import { openShares, type ShareName, type Shares } from './shares.ts';
import type { CloudTree } from './tree.ts';

export interface DemoCloud {
  /** `http://127.0.0.1:port`: the page for people. */
  readonly url: string;
  /** The setting FILES_URL for Nightkeep; contains `{preferred_username}`. */
  readonly filesUrl: string;
  /** The settings CALENDARS_URL and CONTACTS_URL: the server says where those of a person are. */
  readonly davUrl: string;
  /** Writes a file and the folders it needs; names are joined by `/`. */
  write(username: string, path: string, content: Uint8Array | string): void;
  makeFolder(username: string, path: string): void;
  /** Removes a file, or a folder with everything in it. Throws where there is nothing. */
  remove(username: string, path: string): void;
  /** All files and folders of the person by path, or what is in their calendars or address books, to compare a restore with. */
  contents(username: string, share?: ShareName): Map<string, CloudEntry>;
  /** WebDAV, CalDAV and CardDAV requests answered so far, by method. */
  requests(): Readonly<Record<string, number>>;
  /** Connections are refused until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export type CloudEntry = { kind: 'folder' } | { kind: 'file'; bytes: Uint8Array; modified: Date };

export interface CloudOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Where to listen instead of on 127.0.0.1. */
  at?: OtherAddress;
  /** The issuer whose access tokens are accepted. */
  issuer: string;
  /** What these must say: what those of the demo's provider do, unless said. */
  token?: ExpectedToken;
  /** Each gets made-up files, events and contacts: the first all of them, the others about half. */
  people: readonly Person[];
  /** The same seed gives the same files. */
  seed?: string;
  /** Dates changes, and decides whether access tokens have expired. */
  clock?: Clock;
}

/**
 * Starts a small cloud on 127.0.0.1: files, calendars and contacts over WebDAV, CalDAV and CardDAV below `/dav/` for bearer tokens of the
 * issuer, and at `/` pages without a sign-in where they can be changed. Everything is in memory.
 */
export async function startCloud({
  port = 0,
  at,
  issuer,
  token = tokenForTheCloud,
  people,
  seed = 'nightkeep',
  clock = systemClock(),
}: CloudOptions): Promise<DemoCloud> {
  const server = await listenOnLoopback(port, at);
  const all = new Map(people.map((person) => [person.username, openShares(clock)]));
  const sharesOf = (username: string): Shares => {
    const shares = all.get(username);
    if (!shares) throw new Error(`The demo cloud has nobody called ${username}.`);
    return shares;
  };
  people.forEach(({ username }, index) => {
    const shares = sharesOf(username);
    addMadeUpFiles(shares.files, `${seed} ${username}`, index === 0 ? 1 : 0.5);
    addMadeUpDates(shares, `${seed} ${username}`, index === 0 ? 1 : 0.5);
  });

  const requests: Record<string, number> = {};
  const dav = davHandler(all, openTokenCheck(issuer, clock, token));
  const pages = getRequestListener(cloudPages({ origin: server.origin, shares: all, people, clock }).fetch);
  server.serve((request, response) => {
    if (!request.url?.startsWith(davPrefix)) return void pages(request, response);
    const method = request.method ?? '';
    requests[method] = (requests[method] ?? 0) + 1;
    // An error here is the server's: the issuer's keys could not be fetched, or the client is gone.
    dav(request, response).catch(() => response.headersSent || response.writeHead(503, { 'retry-after': '1' }).end());
  });

  return {
    url: server.origin,
    filesUrl: `${server.origin}${davPrefix}files/{preferred_username}/`,
    davUrl: `${server.origin}${davPrefix}`,
    write: (username, path, content) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      sharesOf(username).files.write(path.split('/'), bytes);
    },
    makeFolder: (username, path) => sharesOf(username).files.makeFolder(path.split('/')),
    remove: (username, path) => {
      if (!sharesOf(username).files.remove(path.split('/'))) throw new Error(`${username} has nothing at ${path}.`);
    },
    contents: (username, share = 'files') => contentsOf(sharesOf(username)[share]),
    requests: () => ({ ...requests }),
    down: () => server.down(),
    up: () => server.up(),
    stop: () => server.down(),
  };
}

function contentsOf(tree: CloudTree): Map<string, CloudEntry> {
  const entries = [...tree.walk()].map(({ path, node }): [string, CloudEntry] => [
    path.join('/'),
    node.kind === 'folder' ? { kind: 'folder' } : { kind: 'file', bytes: node.bytes, modified: node.modified },
  ]);
  return new Map(entries);
}
