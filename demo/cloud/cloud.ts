import { getRequestListener } from '@hono/node-server';
import { type Clock, systemClock } from '../../src/clock.ts';
import { listenOnLoopback, type OtherAddress } from '../loopback-server.ts';
import { startMail } from '../mail/mail.ts';
import type { HeldMailboxes } from '../mail/mailboxes.ts';
import type { Person } from '../people.ts';
import { type ExpectedToken, openTokenCheck, tokenForTheCloud } from './access.ts';
import { addMadeUpDates, addMadeUpFiles, addMadeUpMail } from './content.ts';
import { davHandler, davPrefix } from './dav.ts';
import { cloudPages } from './pages.ts';
import { type Belongings, openBelongings, type ShareName } from './shares.ts';
import type { CloudTree } from './tree.ts';

export interface DemoCloud {
  /** `http://127.0.0.1:port`: the page for people. */
  readonly url: string;
  /** The setting FILES_URL for Nightkeep; contains `{preferred_username}`. */
  readonly filesUrl: string;
  /** The settings CALENDARS_URL and CONTACTS_URL: the server says where those of a person are. */
  readonly davUrl: string;
  /** The setting MAIL_URL. */
  readonly mailUrl: string;
  /** Writes a file and the folders it needs; names are joined by `/`. */
  write(username: string, path: string, content: Uint8Array | string): void;
  makeFolder(username: string, path: string): void;
  /** Removes a file, or a folder with everything in it. Throws where there is nothing. */
  remove(username: string, path: string): void;
  /** All files and folders of the person by path, or what is in their calendars or address books, to compare a restore with. */
  contents(username: string, share?: ShareName): Map<string, CloudEntry>;
  /** The mail of the person, to compare a restore with. */
  mailboxes(username: string): HeldMailboxes;
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
  /** Each gets made-up files, events, contacts and messages: the first all of them, the others about half. */
  people: readonly Person[];
  /** The same seed gives the same files. */
  seed?: string;
  /** Dates changes, and decides whether access tokens have expired. */
  clock?: Clock;
}

/**
 * Starts a small cloud on 127.0.0.1: files, calendars and contacts over WebDAV, CalDAV and CardDAV below `/dav/` for bearer tokens of the
 * issuer, mail over IMAP at a port of its own, and at `/` pages without a sign-in where they can be changed. Everything is in memory.
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
  const all = new Map(people.map((person) => [person.username, openBelongings(clock)]));
  const belongingsOf = (username: string): Belongings => {
    const belongings = all.get(username);
    if (!belongings) throw new Error(`The demo cloud has nobody called ${username}.`);
    return belongings;
  };
  people.forEach((person, index) => {
    const belongings = belongingsOf(person.username);
    const [seedOfPerson, share] = [`${seed} ${person.username}`, index === 0 ? 1 : 0.5];
    addMadeUpFiles(belongings.files, seedOfPerson, share);
    addMadeUpDates(belongings, seedOfPerson, share);
    addMadeUpMail(belongings.mail, person, seedOfPerson, share);
  });

  const requests: Record<string, number> = {};
  const check = openTokenCheck(issuer, clock, token);
  const mail = await startMail({ mailboxesOf: (username) => all.get(username)?.mail, check, clock });
  const dav = davHandler(all, check);
  const pages = getRequestListener(cloudPages({ origin: server.origin, belongings: all, people, clock }).fetch);
  server.serve((request, response) => {
    if (!request.url?.startsWith(davPrefix)) return void pages(request, response);
    const method = request.method ?? '';
    requests[method] = (requests[method] ?? 0) + 1;
    // An error here is the server's: the issuer's keys could not be fetched, or the client is gone.
    dav(request, response).catch(() => response.headersSent || response.writeHead(503, { 'retry-after': '1' }).end());
  });

  const down = async () => {
    await Promise.all([server.down(), mail.down()]);
  };
  return {
    url: server.origin,
    filesUrl: `${server.origin}${davPrefix}files/{preferred_username}/`,
    davUrl: `${server.origin}${davPrefix}`,
    mailUrl: mail.url,
    write: (username, path, content) => {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      belongingsOf(username).files.write(path.split('/'), bytes);
    },
    makeFolder: (username, path) => belongingsOf(username).files.makeFolder(path.split('/')),
    remove: (username, path) => {
      if (!belongingsOf(username).files.remove(path.split('/'))) throw new Error(`${username} has nothing at ${path}.`);
    },
    mailboxes: (username) => belongingsOf(username).mail,
    contents: (username, share = 'files') => contentsOf(belongingsOf(username)[share]),
    requests: () => ({ ...requests }),
    down,
    up: async () => {
      await Promise.all([server.up(), mail.up()]);
    },
    stop: down,
  };
}

function contentsOf(tree: CloudTree): Map<string, CloudEntry> {
  const entries = [...tree.walk()].map(({ path, node }): [string, CloudEntry] => [
    path.join('/'),
    node.kind === 'folder' ? { kind: 'folder' } : { kind: 'file', bytes: node.bytes, modified: node.modified },
  ]);
  return new Map(entries);
}
