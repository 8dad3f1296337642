import { getRequestListener } from '@hono/node-server';
import { type Clock, systemClock } from '../../src/clock.ts';
import { listenOnLoopback, type OtherAddress } from '../loopback-server.ts';
import type { Person } from '../people.ts';
import { type ExpectedToken, openTokenCheck, tokenForTheCloud } from './access.ts';
import { addMadeUpFiles } from './content.ts';
import { davHandler, filesPrefix } from './dav.ts';
import { cloudPages } from './pages.ts';
import { type CloudTree, openTree } from './tree.ts';

export interface DemoCloud {
  /** `http://127.0.0.1:port`: the page for people. */
  readonly url: string;
  /** The setting FILES_URL for Nightkeep; contains `{preferred_username}`. */
  readonly filesUrl: string;
  /** Writes a file and the folders it needs; names are joined by `/`. */
  write(username: string, path: string, content: Uint8Array | string): void;
  makeFolder(username: string, path: string): void;
  /** Removes a file, or a folder with everything in it. Throws where there is nothing. */
  remove(username: string, path: string): void;
  /** All files and folders of the person by path, to compare a restore with. */
  contents(username: string): Map<string, CloudEntry>;
  /** WebDAV requests answered so far, by method. */
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
  /** Each gets made-up files: the first all of them, the others about half. */
  people: readonly Person[];
  /** The same seed gives the same files. */
  seed?: string;
  /** Dates changes, and decides whether access tokens have expired. */
  clock?: Clock;
}

/**
 * Starts a small cloud on 127.0.0.1: files over WebDAV at `/dav/files/<username>/` for bearer tokens of the issuer, and
 * at `/` pages without a sign-in where files can be changed. Everything is in memory.
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
  const trees = new Map(people.map((person) => [person.username, openTree(clock)]));
  people.forEach(({ username }, index) => {
    addMadeUpFiles(treeOf(trees, username), `${seed} ${username}`, index === 0 ? 1 : 0.5);
  });

  const requests: Record<string, number> = {};
  const dav = davHandler(trees, openTokenCheck(issuer, clock, token));
  const pages = getRequestListener(cloudPages({ origin: server.origin, trees, people, clock }).fetch);
  server.serve((request, response) => {
    if (!request.url?.startsWith(filesPrefix)) return void pages(request, response);
    const method = request.method ?? '';
    requests[method] = (requests[method] ?? 0) + 1;
    // An error here is the server's: the issuer's keys could not be fetched, or the client is gone.
    dav(request, response).catch(() => response.headersSent || response.writeHead(503, { 'retry-after': '1' }).end());
  });

  return {
    url: server.origin,
    filesUrl: `${server.origin}${filesPrefix}{preferred_username}/`,
    write: (username, path, content) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      treeOf(trees, username).write(path.split('/'), bytes);
    },
    makeFolder: (username, path) => treeOf(trees, username).makeFolder(path.split('/')),
    remove: (username, path) => {
      if (!treeOf(trees, username).remove(path.split('/'))) throw new Error(`${username} has nothing at ${path}.`);
    },
    contents: (username) => contentsOf(treeOf(trees, username)),
    requests: () => ({ ...requests }),
    down: () => server.down(),
    up: () => server.up(),
    stop: () => server.down(),
  };
}

function treeOf(trees: ReadonlyMap<string, CloudTree>, username: string): CloudTree {
  const tree = trees.get(username);
  if (!tree) throw new Error(`The demo cloud has nobody called ${username}.`);
  return tree;
}

function contentsOf(tree: CloudTree): Map<string, CloudEntry> {
  const entries = [...tree.walk()].map(({ path, node }): [string, CloudEntry] => [
    path.join('/'),
    node.kind === 'folder' ? { kind: 'folder' } : { kind: 'file', bytes: node.bytes, modified: node.modified },
  ]);
  return new Map(entries);
}
