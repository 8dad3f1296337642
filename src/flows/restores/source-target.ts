import { hash } from 'node:crypto';
import { propertiesName } from '../../domain/restore-place.ts';
import { type AppError, type ErrorCode, isAppError } from '../../errors.ts';
import { nameToBytes } from '../../file-name.ts';
import type { HeldKind } from '../../sources/dav/held-kind.ts';
import type { DavWriter } from '../../sources/dav/writer.ts';
import type { Listing } from '../../sources/source.ts';
import { note, type RestoreProblem } from '../../store/restorer/report.ts';
import type { Path, StreamTarget } from '../../store/restorer/restore-in-order.ts';
import { notWritten, openEntryGuard, type Reach } from './entry-guard.ts';
import type { Written } from './writing.ts';

interface Target {
  readonly writer: DavWriter;
  /** Lists a folder below the person's root. */
  readonly list: (path: Path, signal: AbortSignal) => Promise<Listing>;
  /** Where it goes: names below the person's root. */
  readonly below: Path;
  readonly signal: AbortSignal;
  readonly written: Written;
  readonly problems: RestoreProblem[];
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

/** What the server says that it has taken into a folder: the sizes, by name. */
interface TakenFiles {
  readonly folder: Path;
  readonly sizes: Map<string, number>;
}

/**
 * A new folder of the person at the source, or a new calendar or address book, for a restore. Throws `restore/not-written` if the server refuses one entry, and what the writer throws
 * for anything else. What it says that it has taken counts only if it lists that afterwards: each folder is listed before the next one is made, the last one by `end`.
 */
export function openSourceTarget({
  writer,
  list,
  below,
  signal,
  written,
  problems,
  kind,
}: Target): StreamTarget & { end(): Promise<void> } {
  const at = (path: Path) => [...below, ...path];
  const guarded = openEntryGuard({ reachOf, whyNot });
  let taken: TakenFiles = { folder: [], sizes: new Map() };

  async function end(): Promise<void> {
    const { folder, sizes } = taken;
    if (sizes.size === 0) return;
    taken = { folder, sizes: new Map() };
    const listed = await listedIn(() => list(at(folder), signal), signal);
    for (const { name, why } of listed === undefined
      ? []
      : lackingIn(listed, sizes, { mayRename: kind !== undefined })) {
      const path = [...folder, name];
      written.files -= 1;
      written.bytes -= sizes.get(name) ?? 0;
      note(problems, path.join('/'), notWritten(path, why));
    }
  }

  return {
    end,
    makeFolder: async (path) => {
      await end();
      taken = { folder: path, sizes: new Map() };
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
      taken.sizes.set(place.at(-1) ?? '', size);
    },
    makeLink: async (path) => {
      throw notWritten(path, 'WebDAV has no links');
    },
  };
}

/** Undefined where it cannot be listed for a reason that says nothing of what is in it. */
async function listedIn(list: () => Promise<Listing>, signal: AbortSignal): Promise<Listing | undefined> {
  try {
    const listing = await list();
    return listing.isIncomplete ? undefined : listing;
  } catch (error) {
    signal.throwIfAborted();
    if (!isAppError(error)) throw error;
    // What answers with something else than a listing has no such folder either.
    const isNone = error.code === 'source/not-found' || (error.code === 'source/malformed' && 'status' in error.detail);
    return isNone ? { members: [], problems: [] } : undefined;
  }
}

/** Of what was taken what is not there, or not whole. Servers of calendars may give objects names of their own: of these only the number tells. */
function lackingIn(
  { members, problems }: Listing,
  sizes: TakenFiles['sizes'],
  { mayRename }: { mayRename: boolean },
): { readonly name: string; readonly why: string }[] {
  const keyOf = (name: string) => name.normalize('NFC');
  const named = new Map(members.map((member) => [keyOf(member.name), member]));
  const odd = new Set(problems.map(({ name }) => name && keyOf(name)));
  const lacking = [...sizes].flatMap(([name, size]) => {
    const found = named.get(keyOf(name));
    if (found === undefined) return odd.has(keyOf(name)) ? [] : [{ name, why: notThere }];
    // What a server adds of its own makes it longer.
    return found.size !== undefined && found.size < size ? [{ name, why: notWhole }] : [];
  });
  return mayRename && members.length + problems.length >= sizes.size ? [] : lacking;
}

const notThere = 'the server takes it, and does not list it afterwards; it may have another name there';
const notWhole = 'the server takes it, and lists less of it afterwards';

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
