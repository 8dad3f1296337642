import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { minuteMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import { nameToBytes } from '../../file-name.ts';
import { davClient } from '../http/client.ts';
import type { DavRequest, Send } from '../http/dav-request.ts';
import type { Receiver, ResponseHead } from '../http/request.ts';
import { errorOfStatus } from '../http/status.ts';
import { openTokenScheme } from '../http/token-scheme.ts';
import { creationBody, type HeldKind, type NewCollection } from './held-kind.ts';
import { defaultTimeouts, parseSourceUrl, type WebdavOptions } from './webdav.ts';

/** A file to be written. */
export interface NewFile {
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Its media type, where that matters to the server. */
  readonly type?: string;
  /** Of exactly `size` bytes; called for each try of a long file, and to compare it, one after the other. */
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** Writes below one collection of a WebDAV server. Paths are names, as src/file-name.ts keeps them. */
export interface DavWriter extends AsyncDisposable {
  /** Where a collection is listed. */
  locationOf(path: readonly string[]): string;
  /** Makes a collection (RFC 4918, section 9.3); false where there is something of that name. Throws what `put` does. */
  makeCollection(path: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** Makes a calendar or address book (RFC 4791, section 5.3.1; RFC 5689); false where there is something of that name. Throws what `put` does. */
  makeHeld(name: string, held: NewCollection & { readonly kind: HeldKind }, signal: AbortSignal): Promise<boolean>;
  /**
   * Writes a new file whole (RFC 4918, section 9.7). Where the answer to a try was lost and something of that name is there then, it is written
   * if that has the same content. Throws the errors of `Source.list`, `source/changed` where there is something of that name
   * already, if the server honours If-None-Match, `source/full` where there is no room, and what reading the content throws.
   */
  put(path: readonly string[], file: NewFile, signal: AbortSignal): Promise<void>;
}

export interface WriterOptions extends Pick<WebdavOptions, 'url' | 'access' | 'servers' | 'clock' | 'log'> {
  /** The path of the collection, percent-encoded, with a slash at its end. */
  readonly location: string;
}

/** A restore that ends in the middle has to begin anew; but its access, which is not renewed meanwhile, often ends after half an hour. */
const longestPauseMs = 10 * minuteMs;
/** Longer files are read again for each try. */
const longestHeld = 4 * 1024 * 1024;

/** Opens a writer; the person's access token goes with each request, and to no other host. */
export function davWriter({ url, location, access, servers, clock, log }: WriterOptions): DavWriter {
  const { origin } = parseSourceUrl(url);
  const { server, close } = servers.open(origin, defaultTimeouts);
  const send = davClient({
    origin,
    rootPath: location,
    server,
    access,
    tokenScheme: openTokenScheme(origin),
    clock,
    log,
    random: Math.random,
    onRequest: () => {},
    longestPauseMs,
  });
  const inSlot: Send = async (request, signal) => {
    await server.acquireSlot(signal);
    try {
      return await send(request, signal);
    } finally {
      server.releaseSlot();
    }
  };
  const locationOf = (path: readonly string[]) => `${location}${encodePath(path)}/`;
  return {
    locationOf,
    makeCollection: (path, signal) =>
      isNew(inSlot({ ...nothingBack, method: 'MKCOL', path: locationOf(path), headers: [] }, signal), [405]),
    makeHeld: async (name, { kind, displayName, components }, signal) => {
      const headers = ['content-type', 'application/xml; charset=utf-8'];
      const path = `${location}${encodeName(name)}/`;
      const make = (like: NewCollection) => {
        const request = { receive: madeWhole, method: kind.make.method, path, headers, body: creationBody(kind, like) };
        return isNew(inSlot(request, signal), [207, 405, 409]);
      };
      if (components === undefined) return make({ displayName });
      const isMade = await make({ displayName, components }).catch((error: unknown) => {
        if (!isAppError(error, 'source/forbidden') && !isAppError(error, 'source/malformed')) throw error;
        return false;
      });
      // Some servers do not let anybody say what a calendar may hold.
      return isMade || make({ displayName });
    },
    put: async (path, { size, mtime, type, content }, signal) => {
      const whole = size > longestHeld ? undefined : await buffer(Readable.from(content()));
      if (whole !== undefined && whole.length !== size) throw new Error('The content is not as long as was said.');
      const stream = watched(content);
      let tries = 0;
      const request: DavRequest<void> = {
        ...nothingBack,
        method: 'PUT',
        path: location + encodePath(path),
        // ownCloud's and Nextcloud's way to keep the time of the last change; others pass it over.
        headers: [
          ...['if-none-match', '*', 'content-length', String(size), 'x-oc-mtime', String(Math.floor(mtime))],
          ...(type === undefined ? [] : ['content-type', type]),
        ],
        body: () => {
          tries += 1;
          return whole ?? stream.open();
        },
      };
      try {
        await inSlot(request, signal).catch(async (error: unknown) => {
          // What is there may have been written by an earlier try whose answer was lost, or by somebody else.
          if (tries === 1 || !isAppError(error) || error.detail.status !== 412) throw error;
          const reading = { receive: () => digesting(size), method: 'GET', path: request.path, headers: [] } as const;
          const { value } = await inSlot(reading, signal).catch((cause: unknown) => {
            throw isAppError(cause, 'source/unavailable') ? cause : error;
          });
          if (value === undefined || value !== (await digestOf(whole === undefined ? content() : [whole]))) throw error;
        });
      } catch (error) {
        throw stream.failure() ?? (isAppError(error) && error.detail.status === 507 ? full(error) : error);
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Whether something was made; not so where one of these statuses says that there is something of its name. */
async function isNew(making: Promise<unknown>, there: readonly number[]): Promise<boolean> {
  try {
    await making;
    return true;
  } catch (error) {
    if (isAppError(error) && there.includes(Number(error.detail.status))) return false;
    throw error;
  }
}

/** A multistatus says what was wrong, and then nothing was made: a property (RFC 5689, section 3), or that something is there (xandikos). */
function madeWhole({ status }: ResponseHead): Receiver<void> {
  if (status === 207) throw errorOfStatus(status);
  return nothingBack.receive();
}

const nothingBack = { receive: () => ({ data: () => undefined, end: () => undefined }) };

/** Takes a body for its SHA-256. One of another length is not read to its end. */
function digesting(size: number): Receiver<string | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    data: (chunk) => {
      bytes += chunk.length;
      if (bytes > size) throw new AppError('source/changed', 'What is there is longer than what was sent.');
      hash.update(chunk);
    },
    end: () => (bytes === size ? hash.digest('hex') : undefined),
  };
}

async function digestOf(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of content) hash.update(part);
  return hash.digest('hex');
}

function full(cause: AppError): AppError {
  return new AppError('source/full', 'The server has no room left for this person. (HTTP 507)', { cause });
}

/** Content that is too long to be held in memory, with errors of reading it told apart from errors of the server. */
function watched(content: () => AsyncIterable<Uint8Array>) {
  let failure: unknown;
  async function* read() {
    try {
      yield* content();
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  return { open: (): Readable => Readable.from(read(), { objectMode: false }), failure: () => failure };
}

function encodePath(path: readonly string[]): string {
  return path.map(encodeName).join('/');
}

/** All but unreserved characters (RFC 3986, section 2.3), byte by byte: a name need not be UTF-8. */
function encodeName(name: string): string {
  return nameToBytes(name)
    .toString('latin1')
    .replace(/[^A-Za-z0-9._~-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
