import { hash } from 'node:crypto';
import { propertiesName } from '../../domain/restore-place.ts';
import type { AppError, ErrorCode } from '../../errors.ts';
import { nameToBytes } from '../../file-name.ts';
import type { HeldKind } from '../../sources/dav/held-kind.ts';
import type { DavWriter } from '../../sources/dav/writer.ts';
import type { Path, StreamTarget } from '../../store/restorer/restore-in-order.ts';
import { notWritten, openEntryGuard, type Reach } from './entry-guard.ts';
import type { Written } from './writing.ts';

interface Target {
  readonly writer: DavWriter;
  /** Where it goes: names below the person's root. */
  readonly below: Path;
  readonly signal: AbortSignal;
  readonly written: Written;
  /** It is a calendar or address book of this kind. */
  readonly kind?: HeldKind | undefined;
}

/** What concerns one entry alone; anything else ends a restore, but for what a server cannot do at present. */
const ofOneEntry: readonly ErrorCode[] = [
  'source/forbidden',
  'source/not-found',
  'source/malformed',
  'source/changed',
  'source/loop',
  'source/refused-redirect',
];

/**
 * A new folder of the person at the source, or a new calendar or address book, for a restore. Throws `restore/not-written` if the server refuses one entry, and what the writer throws
 * for anything else.
 */
export function openSourceTarget({ writer, below, signal, written, kind }: Target): StreamTarget {
  const at = (path: Path) => [...below, ...path];
  const guarded = openEntryGuard({ reachOf, whyNot });
  return {
    makeFolder: async (path) => {
      if (path.length > 0) await guarded(path, writer.makeCollection(at(path), signal));
    },
    writeFile: async (path, content, { size, mtime }) => {
      // A new calendar got them when it was made.
      if (kind !== undefined && path.length === 1 && path[0] === propertiesName) return;
      const file = { size, mtime, content, ...(kind && { type: kind.objectType }) };
      const place = kind === undefined ? path : path.map((name) => objectName(name, kind));
      await guarded(path, writer.put(at(place), file, signal));
      written.files += 1;
      written.bytes += size;
    },
    makeLink: async (path) => {
      throw notWritten(path, 'WebDAV has no links');
    },
  };
}

/** Some servers keep objects as files, in names of 255 bytes with something of their own behind them. */
const mostNameBytes = 200;
/** Characters that some servers refuse in names. */
const oddCharacters = /[\0-\x1f\x7f%\\]/;

/** Under which name an object is written, which nobody sees: its own, unless a server might refuse that or not know by it what it is. */
function objectName(name: string, { objectEnding }: HeldKind): string {
  const bytes = nameToBytes(name);
  const isUsual = bytes.length <= mostNameBytes && name.isWellFormed() && !oddCharacters.test(name);
  if (isUsual && name.endsWith(objectEnding)) return name;
  return hash('sha256', bytes, 'hex').slice(0, 32) + objectEnding;
}

function reachOf({ code, detail }: AppError): Reach {
  if (ofOneEntry.includes(code)) return 'entry';
  return code === 'source/unavailable' && detail.retryAfterMs === undefined ? 'for-now' : 'all';
}

function whyNot({ detail: { status }, message }: AppError): string {
  if (status === 412)
    return 'something of that name is there already, such as the same name in other letters (HTTP 412)';
  return `the server does not accept it (${typeof status === 'number' ? `HTTP ${status}` : message})`;
}
