import { whenAborted } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { bytesWords } from '../../count-words.ts';
import { minuteMs } from '../../durations.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type MemoryBudget, unlimitedMemory } from '../../memory-budget.ts';
import { davClient } from '../http/client.ts';
import type { Send } from '../http/dav-request.ts';
import { download } from '../http/download.ts';
import { openElsewhere, type RedirectRule } from '../http/elsewhere.ts';
import type { ProcessorShare } from '../http/processor-shares.ts';
import { openQuestions } from '../http/questions.ts';
import { downloadRest } from '../http/rest.ts';
import type { Server, ServerLimits, Servers } from '../http/server.ts';
import { openTokenScheme } from '../http/token-scheme.ts';
import type { Access, Member, Source } from '../source.ts';
import { type HeldKind, propfindOf } from './held-kind.ts';
import { heldSource } from './held-source.ts';
import { findHome } from './home.ts';
import { withSlash } from './href.ts';
import { folderSize } from './listed-item.ts';
import { type CollectionListing, type ListedCollection, listingOf } from './listing.ts';
import { defaultListingLimits, type ListingLimits, listPages, type PagesRequest } from './pages.ts';
import { findProperties } from './path-properties.ts';
import { relister } from './relist.ts';
import { openTagReader } from './xml-tag.ts';

export interface WebdavOptions {
  /** The person's own folder, claims already filled in (see `urlOfPerson`). */
  readonly url: string;
  readonly access: Access;
  readonly servers: Servers;
  /** What the run may take of the processor; as much as any other run unless given. */
  readonly processor?: ProcessorShare;
  readonly clock: Clock;
  readonly log: Log;
  /** The URL is the same for everybody: the server is asked which folder below it is the person's own (see `findHome`). */
  readonly isShared?: boolean;
  /** The folder at the top of the snapshot. */
  readonly name?: string;
  /** The person's collections of this kind are meant, and not the folder itself; where they are is found by the URL (see `findHomes`). */
  readonly kind?: HeldKind | undefined;
  /** Of one listing; beyond them it is a problem of its folder. */
  readonly limits?: Partial<ListingLimits>;
  /** For all that is listed at once; no limit unless given. */
  readonly memory?: MemoryBudget;
  /** Most bytes of one file; beyond them it is a problem of that file. */
  readonly fileBytes?: number;
  /** Which other hosts may be asked for a file, without the token, where the server redirects there; none unless given. */
  readonly redirects?: RedirectRule | undefined;
  readonly timeouts?: Partial<ServerLimits>;
  /** From 0 to 1; spreads retries. */
  readonly random?: () => number;
}

/** A slow disk may take a minute to list a large folder; a body without bytes for this long is dead. */
export const defaultTimeouts = {
  connectTimeoutMs: 10_000,
  headersTimeoutMs: minuteMs,
  bodyTimeoutMs: minuteMs,
};

/** Items of a listing that a server takes about as long to list as a request takes. */
const itemsOfPiece = 400;

/** More than any file that a night could fetch. */
const defaultFileBytes = 1024 ** 4;

/**
 * A person's files on a WebDAV server (RFC 4918): PROPFIND of depth 1 and GET, with their access token; or their calendars or address
 * books there (RFC 4791, RFC 6352), whose objects are read in the same way, or many at once, each as a GET gives it. It has one root.
 * A reading longer than 128 KiB holds one of the connections until its body ends or the run is aborted.
 * Throws `config/invalid` for a URL that cannot be used; all other errors come from `roots`, `list` and `open`.
 */
export function webdavSource(options: WebdavOptions): Source {
  const {
    access,
    servers,
    clock,
    log,
    name = 'files',
    kind,
    random = Math.random,
    fileBytes = defaultFileBytes,
    memory = unlimitedMemory,
  } = options;
  const { origin, hostname, pathname } = parseSourceUrl(options.url);
  const addressPath = withSlash(pathname);
  const traffic = { requests: 0, bytes: 0 };
  const onRequest = () => {
    traffic.requests++;
  };
  const onBytes = (count: number) => {
    traffic.bytes += count;
  };
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const { server, close } = servers.open(origin, timeouts, options.processor);
  const elsewhere =
    options.redirects && openElsewhere({ rule: options.redirects, timeouts, limits: servers.limits, clock, onRequest });
  const send = davClient({
    origin,
    rootPath: addressPath,
    server,
    access,
    tokenScheme: openTokenScheme(origin),
    clock,
    log,
    random,
    elsewhere,
    onRequest,
  });
  const opening = opener(server, new Set());
  const downloads = {
    send,
    relist: relister(send),
    questions: openQuestions(send),
    doubted: new WeakMap(),
    ofObjects: kind !== undefined,
    mostBytes: fileBytes,
    onBytes,
  };
  const place = {
    origin,
    hostname,
    rootPath: addressPath,
    clock,
    memory,
    limits: { ...defaultListingLimits, ...options.limits },
  };
  const list = lister(server, send, place);
  const listFiles = async (collection: Member, signal: AbortSignal): Promise<CollectionListing> => {
    const listing = await list(collection, signal);
    if (collection.location === place.rootPath) await refuseWhereSomeMustBe(asks.send, { collection, listing }, signal);
    return listing;
  };
  const asks = { send: inSlot(server, send), list };
  const held = kind && heldSource({ ...asks, kind, hostname, onBytes });
  const rootOf = (location: string) => {
    place.rootPath = location;
    return [{ name, address: origin + location, collection: { kind: 'collection', name, location } }] as const;
  };
  return {
    name,
    address: origin + addressPath,
    roots: async (signal) => {
      if (held !== undefined) return rootOf(await held.findRoot(pathname, signal));
      return rootOf(options.isShared ? await findHome(asks, addressPath, signal) : addressPath);
    },
    list: held?.list ?? listFiles,
    ...(held && { expect: held.expect }),
    open: async (entry, signal) =>
      (await held?.open(entry, signal)) ??
      opening.open((onEnd) => download(entry, { ...downloads, onEnd, signal }), signal),
    openRest: (entry, from, signal) =>
      opening.open((onEnd) => downloadRest(entry, from, { ...downloads, onEnd, signal }), signal),
    get atOnce() {
      return server.atOnce;
    },
    traffic,
    async [Symbol.asyncDispose]() {
      opening.close();
      await elsewhere?.[Symbol.asyncDispose]();
      await close();
    },
  };
}

/** The address of somebody's files. Throws `config/invalid` where it is not http or https, or has a user name, password or query in it. */
export function parseSourceUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.search === '') return url;
  throw new AppError(
    'config/invalid',
    'The source URL is not an http or https URL without user name, password and query. Write it in full, with https://.',
  );
}

/**
 * A server that answers as if nothing had been requested but the root itself lists nothing, and a home that is empty is none to doubt. Nextcloud and
 * ownCloud say how much is in a folder. Throws `source/malformed`.
 */
async function refuseWhereSomeMustBe(
  send: Send,
  { collection, listing }: { collection: Member; listing: CollectionListing },
  signal: AbortSignal,
): Promise<void> {
  const { hasIdentity, isIncomplete, members, problems } = listing;
  if (!hasIdentity || isIncomplete || members.length + problems.length > 0) return;
  const told = await findProperties(send, collection.location, propfindOf([folderSize]), signal);
  const bytes = Number(told?.properties.get(folderSize)?.text);
  if (bytes > 0)
    throw new AppError(
      'source/malformed',
      `The server lists nothing in the folder, and says that it holds ${bytesWords(bytes)}.`,
    );
}

/** For what is not part of a listing or a reading, which hold a slot of their own. */
function inSlot(server: Server, send: Send): Send {
  return async (request, signal) => {
    await server.acquireSlot(signal);
    try {
      return await send(request, signal);
    } finally {
      server.releaseSlot();
    }
  };
}

function lister(server: Server, send: Send, place: ListedPlace): Lister {
  let hasIdentity: boolean | undefined;
  const readTag = openTagReader();
  return async (collection, signal, held) => {
    await server.acquireSlot(signal);
    try {
      const { path, items } = await listPages(
        send,
        { ...place, collection, readTag, processor: server.processor, withIdentity: hasIdentity !== false, held },
        signal,
      );
      if (items.length > itemsOfPiece) {
        await server.processor.turn(signal);
        server.processor.did(items.length / itemsOfPiece);
      }
      const listing = await listingOf(items, { ...place, path });
      hasIdentity ??= listing.hasIdentity;
      return listing;
    } finally {
      server.releaseSlot();
    }
  };
}

/** Lists a collection; `held`: a home, asked for what it holds of that kind. */
type Lister = (collection: Member, signal: AbortSignal, held?: HeldKind) => Promise<CollectionListing>;

type ListedPlace = Pick<PagesRequest, 'origin' | 'limits' | 'clock' | 'memory'> &
  Pick<ListedCollection, 'rootPath' | 'hostname'>;

/** The slot of a long body outlives the call: the end of the body releases it, the abort, or the closing of the source. */
function opener(server: Server, readings: Set<() => void>) {
  async function open<Opened>(
    begin: (onEnd: () => void) => Promise<{ readonly reading: Opened; readonly abandon?: () => void }>,
    signal: AbortSignal,
  ): Promise<Opened> {
    await server.acquireSlot(signal);
    let forget = () => {};
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      forget();
      server.releaseSlot();
    };
    try {
      const { reading, abandon } = await begin(end);
      if (abandon === undefined) end();
      else
        forget = keep(readings, signal, () => {
          abandon();
          end();
        });
      return reading;
    } catch (error) {
      end();
      throw error;
    }
  }
  const close = () => {
    for (const abandon of [...readings]) abandon();
  };
  return { open, close };
}

function keep(readings: Set<() => void>, signal: AbortSignal, give: () => void): () => void {
  readings.add(give);
  const ignoreAbort = whenAborted(signal, give);
  return () => {
    ignoreAbort();
    readings.delete(give);
  };
}
