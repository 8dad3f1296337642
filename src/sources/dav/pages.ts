import type { Clock } from '../../clock.ts';
import { countWords } from '../../count-words.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, type AppErrorOptions } from '../../errors.ts';
import { type MemoryBudget, memoryOfMember } from '../../memory-budget.ts';
import type { DavRequest, Send } from '../http/dav-request.ts';
import type { Flow, Receiver, ResponseHead } from '../http/request.ts';
import type { Server } from '../http/server.ts';
import { dateOf, errorOfStatus, textOf } from '../http/status.ts';
import type { Member } from '../source.ts';
import { type HeldKind, homeBody } from './held-kind.ts';
import { withSlash } from './href.ts';
import { type Item, itemOf, propfindBody } from './listed-item.ts';
import { type DavResponse, multistatusParser } from './multistatus.ts';
import { nextLink } from './next-link.ts';
import type { openTagReader } from './xml-tag.ts';

/** What one listing may take of memory and time, all its pages together. */
export interface ListingLimits {
  bytes: number;
  /** Besides the collection itself. */
  members: number;
  pages: number;
  /** Milliseconds. */
  ms: number;
}

/** A folder of 100,000 files takes some 60 MB of XML and 30 MB of memory; pages come by fifty members and more. */
export const defaultListingLimits: ListingLimits = {
  members: 200_000,
  bytes: 256 * 1024 ** 2,
  pages: 20_000,
  ms: 15 * minuteMs,
};

/** Bytes of a listing that take about as long as a request. */
const bytesOfPiece = 4096;

export interface ListedPages {
  /** Where the first page came from. */
  readonly path: string;
  readonly items: readonly Item[];
}

interface Page {
  readonly path: string;
  /** Path and query of the next one. */
  readonly next: string | undefined;
}

export interface PagesRequest {
  readonly origin: string;
  readonly collection: Member;
  readonly withIdentity: boolean;
  /** Where the collection is a home: what it is asked for. */
  readonly held?: HeldKind | undefined;
  readonly limits: ListingLimits;
  readonly clock: Pick<Clock, 'elapsed'>;
  /** Of all that the run lists at once. */
  readonly memory: MemoryBudget;
  readonly processor: Server['processor'];
  readonly readTag: ReturnType<typeof openTagReader>;
}

/**
 * Asks for the listing of a collection (PROPFIND of depth 1, RFC 4918, section 9.1), and for its further pages where the server
 * gives it in pages (`Link` with `rel="next"`, RFC 8288, as JSON interfaces do). All pages, or an error: `source/malformed` for
 * a next page on another server or one that was there already, `source/too-large` and `source/too-slow` beyond the limits.
 */
export async function listPages(
  send: Send,
  { origin, collection, withIdentity, held: kind, limits, clock, memory, processor, readTag }: PagesRequest,
  signal: AbortSignal,
): Promise<ListedPages> {
  const pages: Item[][] = [];
  const left = { ...limits };
  using held = holdMemory(memory);
  let until = clock.elapsed() + limits.ms;
  /** Needs no timer: what says nothing is ended by the limits of a request. */
  const refuseLate = () => {
    if (clock.elapsed() > until) throw tooSlow(limits.ms);
  };
  const asked = new Set<string>();
  const receive = (head: ResponseHead, flow: Flow, path: string): Receiver<Page> => {
    const pageItems: Item[] = [];
    const page = receivePage(pageItems, head, { path: withSlash(path), left, held, kind, readTag });
    const reader = readInTurns(page, flow, {
      clock,
      processor,
      signal,
      onWaited: (ms) => {
        until += ms;
      },
    });
    return {
      data: (chunk) => {
        refuseLate();
        reader.data(chunk);
      },
      end: () => {
        reader.end();
        pages.push(pageItems);
        return { path, next: nextOf(head, origin + path) };
      },
      fail: reader.drop,
    };
  };
  const listPage = async (path: string): Promise<Page> => {
    refuseLate();
    asked.add(path);
    const request: DavRequest<Page> = {
      method: 'PROPFIND',
      path,
      headers: ['depth', '1', 'content-type', 'application/xml; charset=utf-8'],
      body: kind === undefined ? propfindBody({ withIdentity }) : homeBody(kind),
      receive,
    };
    const { head, value } = await send(request, signal);
    if (value === undefined) throw errorOfStatus(head.status);
    return value;
  };
  const first = await listPage(collection.location);
  for (let next = first.next; next !== undefined; next = (await listPage(next)).next) {
    if (asked.has(next)) throw malformed('The server gives the listing in pages, and their order never ends.');
    if (asked.size >= limits.pages) throw tooLarge(`more than ${countWords(limits.pages, 'page')}`);
  }
  return { path: withSlash(first.path), items: pages.flat() };
}

interface TurnsOptions extends Pick<PagesRequest, 'clock' | 'processor'> {
  readonly signal: AbortSignal;
  /** Called with how long a chunk waited for its turn: that is not the server's time. */
  readonly onWaited: (ms: number) => void;
}

/** Hands what comes to the receiver at once while no other run reads a listing, else a piece at each turn of this run. */
function readInTurns(page: Receiver<void>, flow: Flow, { clock, processor, signal, onWaited }: TurnsOptions) {
  /** What has come and waits for the run's turn. */
  const pieces: Buffer[] = [];

  async function readPieces(): Promise<void> {
    const since = clock.elapsed();
    flow.pause();
    try {
      while (pieces.length > 0) {
        await processor.turn(signal);
        const piece = pieces.shift();
        if (piece === undefined) return;
        processor.did(1);
        page.data(piece);
      }
    } catch (error) {
      drop();
      flow.stop(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    onWaited(clock.elapsed() - since);
    flow.resume();
  }

  function drop(): void {
    pieces.length = 0;
  }

  return {
    data(chunk: Buffer): void {
      if (processor.isAlone && pieces.length === 0) {
        page.data(chunk);
        return;
      }
      const isReading = pieces.length > 0;
      for (let at = 0; at < chunk.length; at += bytesOfPiece) pieces.push(chunk.subarray(at, at + bytesOfPiece));
      if (!isReading) void readPieces();
    },
    end(): void {
      for (const piece of pieces.splice(0)) page.data(piece);
      page.end();
    },
    drop,
  };
}

function receivePage(
  items: Item[],
  head: ResponseHead,
  {
    path,
    left,
    held,
    kind,
    readTag,
  }: { path: string; left: ListingLimits; held: HeldMemory; kind: HeldKind | undefined } & Pick<
    PagesRequest,
    'readTag'
  >,
): Receiver<void> {
  refuseOtherThanMultistatus(head);
  const listedAt = dateOf(textOf(head.headers.date));
  const [mostMembers, mostBytes] = [left.members, left.bytes];
  let bytes = 0;
  const onResponse = (response: DavResponse) => {
    held.take(memoryOfMember(response.href));
    const item = itemOf(response, path, listedAt, kind);
    if (item.described !== undefined) held.take(item.described.properties.length);
    items.push(item);
    if (items.length > mostMembers + 1) throw tooLarge('too many members (LISTING_MEMBERS)');
  };
  const parser = multistatusParser(onResponse, undefined, readTag);
  return {
    data(chunk) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw tooLarge('too many bytes (LISTING_BYTES)');
      parser.write(chunk);
    },
    end() {
      parser.end();
      left.members -= items.length - 1;
      left.bytes -= bytes;
    },
  };
}

interface HeldMemory extends Disposable {
  take(bytes: number): void;
}

/** What a listing takes while it arrives; then it is its reader's to account for. */
function holdMemory(memory: MemoryBudget): HeldMemory {
  let held = 0;
  return {
    take(bytes) {
      if (!memory.take(bytes))
        throw tooLarge('no memory is left for it beside what else is listed (LISTINGS_MEMORY)', {
          retry: { afterMs: 0 },
        });
      held += bytes;
    },
    [Symbol.dispose]: () => memory.give(held),
  };
}

/** Throws `source/malformed` for a response that is no listing. */
export function refuseOtherThanMultistatus({ status, headers }: ResponseHead): void {
  const coding = textOf(headers['content-encoding'])?.trim().toLowerCase() || 'identity';
  if (status === 207 && coding !== 'identity')
    throw malformed(
      `The server, or a proxy before it, compresses the listing (${coding.slice(0, 40)}), although it was asked not to. Switch that off there.`,
    );
  if (status === 207) return;
  throw new AppError(
    'source/malformed',
    `The server does not answer with a WebDAV listing, which has the status 207. Check the source URL. (HTTP ${status})`,
    { detail: { status } },
  );
}

/** Path and query of the next page; undefined for the last one. */
function nextOf({ headers }: ResponseHead, url: string): string | undefined {
  const target = nextLink([headers.link ?? []].flat().join(', '));
  if (target === undefined) return undefined;
  const next = URL.parse(target, url);
  if (next === null || next.origin !== new URL(url).origin) {
    throw malformed(
      `The server gives the listing in pages, and the next one is on another server (${target.slice(0, 200)}).`,
    );
  }
  return next.pathname + next.search;
}

function malformed(message: string): AppError {
  return new AppError('source/malformed', message);
}

function tooSlow(ms: number): AppError {
  return new AppError(
    'source/too-slow',
    `The listing of the folder takes more than ${countWords(Math.round(ms / 1000), 'second')} (LISTING_TIME).`,
  );
}

function tooLarge(what: string, options: AppErrorOptions = {}): AppError {
  return new AppError('source/too-large', `The listing of the folder is too large: ${what}.`, options);
}
