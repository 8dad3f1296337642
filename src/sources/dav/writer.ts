import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { AppError, isAppError } from '../../errors.ts';
import { nameToBytes } from '../../file-name.ts';
import { davClient } from '../http/client.ts';
import type { DavRequest, Send } from '../http/dav-request.ts';
import { openTokenScheme } from '../http/token-scheme.ts';
import { defaultTimeouts, parseSourceUrl, type WebdavOptions } from './webdav.ts';

/** A file to be written. */
export interface NewFile {
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Of exactly `size` bytes; called for each try of a long file, one after the other. */
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** Writes below one collection of a WebDAV server. Paths are names, as src/file-name.ts keeps them. */
export interface DavWriter extends AsyncDisposable {
  /** Makes a collection (RFC 4918, section 9.3); false where there is something of that name. Throws what `put` does. */
  makeCollection(path: readonly string[], signal: AbortSignal): Promise<boolean>;
  /**
   * Writes a new file whole (RFC 4918, section 9.7). Throws the errors of `Source.list`, `source/changed` where there is something of that name
   * already, if the server honours If-None-Match, `source/full` where there is no room, and what reading the content throws.
   */
  put(path: readonly string[], file: NewFile, signal: AbortSignal): Promise<void>;
}

export interface WriterOptions extends Pick<WebdavOptions, 'url' | 'access' | 'servers' | 'clock' | 'log'> {
  /** The path of the collection, percent-encoded, with a slash at its end. */
  readonly location: string;
}

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
  });
  const inSlot: Send = async (request, signal) => {
    await server.acquireSlot(signal);
    try {
      return await send(request, signal);
    } finally {
      server.releaseSlot();
    }
  };
  return {
    makeCollection: async (path, signal) => {
      try {
        await inSlot({ ...nothingBack, method: 'MKCOL', path: `${location}${encodePath(path)}/`, headers: [] }, signal);
        return true;
      } catch (error) {
        if (isAppError(error) && error.detail.status === 405) return false;
        throw error;
      }
    },
    put: async (path, { size, mtime, content }, signal) => {
      const whole = size > longestHeld ? undefined : await buffer(Readable.from(content()));
      if (whole !== undefined && whole.length !== size) throw new Error('The content is not as long as was said.');
      const stream = watched(content);
      let tries = 0;
      const request: DavRequest<void> = {
        ...nothingBack,
        method: 'PUT',
        path: location + encodePath(path),
        // ownCloud's and Nextcloud's way to keep the time of the last change; others pass it over.
        headers: ['content-length', String(size), 'x-oc-mtime', String(Math.floor(mtime))],
        body: () => {
          tries += 1;
          return whole ?? stream.open();
        },
      };
      const unlessThere = { ...request, headers: [...request.headers, 'if-none-match', '*'] };
      try {
        await inSlot(unlessThere, signal).catch(async (error: unknown) => {
          // What is there may be what a try wrote of which the answer was lost.
          if (tries === 1 || !isAppError(error) || error.detail.status !== 412) throw error;
          await inSlot(request, signal);
        });
      } catch (error) {
        throw stream.failure() ?? (isAppError(error) && error.detail.status === 507 ? full(error) : error);
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

const nothingBack = { receive: () => ({ data: () => undefined, end: () => undefined }) };

function full(cause: AppError): AppError {
  return new AppError('source/full', 'The server has no room left for this person. (HTTP 507)', { cause });
}

/** A content that is too long to be held: what reading it throws is told apart from what the server does. */
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
