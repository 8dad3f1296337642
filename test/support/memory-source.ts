import { HouseError } from '../../src/errors.ts';
import type { Listing, Member, Problem, Reading, Source } from '../../src/sources/source.ts';

/** A folder or a file of a made-up source. */
export type MemoryItem = MemoryFolder | MemoryFile;

export interface MemoryFolder {
  readonly kind: 'folder';
  members: Record<string, MemoryItem>;
  modified?: Date;
  validator?: string;
  /** Thrown instead of the listing. */
  fault?: Error;
  problems?: Problem[];
}

export interface MemoryFile {
  readonly kind: 'file';
  content: Uint8Array | (() => AsyncIterable<Uint8Array>);
  size?: number;
  modified?: Date;
  validator?: string;
  /** Thrown instead of opening; called with the number of times it was opened, for faults that pass. */
  fault?: (time: number) => Error | undefined;
  /** Thrown in the middle of the body, alike. */
  breaks?: (time: number) => Error | undefined;
  /** What opening says, where it differs from the listing. */
  reading?: Omit<Reading, 'body'>;
}

export interface MemorySource extends Source {
  readonly top: MemoryFolder;
  /** Paths in the order they were listed and opened. */
  readonly listed: string[];
  readonly opened: string[];
  /** The most lists and openings at once. */
  readonly busiest: () => number;
}

export function folder(members: Record<string, MemoryItem> = {}, extra: Partial<MemoryFolder> = {}): MemoryFolder {
  return { kind: 'folder', members, ...extra };
}

/** A file that was last changed in 2020 and has a validator made of its text, unless said otherwise. */
export function file(content: string | Uint8Array, extra: Partial<MemoryFile> = {}): MemoryFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const validator = typeof content === 'string' ? `"${content.slice(0, 100)}-${bytes.length}"` : `"${bytes.length}"`;
  return {
    kind: 'file',
    content: bytes,
    size: bytes.length,
    modified: new Date('2020-02-02T02:02:02Z'),
    validator,
    ...extra,
  };
}

/** A source whose data is in memory and can be changed between nights. */
export function memorySource(top: MemoryFolder, name = 'files'): MemorySource {
  const listed: string[] = [];
  const opened: string[] = [];
  const traffic = { requests: 0, bytes: 0 };
  const times = new Map<string, number>();
  let busy = 0;
  let busiest = 0;

  async function request<T>(signal: AbortSignal, answer: () => T): Promise<T> {
    traffic.requests++;
    busiest = Math.max(busiest, ++busy);
    await new Promise(setImmediate);
    busy--;
    signal.throwIfAborted();
    return answer();
  }

  return {
    name,
    top,
    listed,
    opened,
    traffic,
    busiest: () => busiest,
    root: { kind: 'collection', name, location: '', ...describe(top) },
    list: (collection, signal) =>
      request(signal, () => {
        listed.push(collection.location);
        return listingOf(find(top, collection.location), collection.location);
      }),
    open: (entry, signal) =>
      request(signal, () => {
        opened.push(entry.location);
        const time = (times.get(entry.location) ?? 0) + 1;
        times.set(entry.location, time);
        return readingOf(find(top, entry.location), time, traffic);
      }),
    async [Symbol.asyncDispose]() {},
  };
}

function listingOf(item: MemoryItem, location: string): Listing {
  if (item.kind !== 'folder') throw new HouseError('source/malformed', 'This is no folder.');
  if (item.fault) throw item.fault;
  const members = Object.entries(item.members).map(([name, member]): Member => {
    const place = { name, location: location === '' ? name : `${location}/${name}` };
    return { kind: member.kind === 'folder' ? 'collection' : 'entry', ...place, ...describe(member) };
  });
  return { members, problems: item.problems ?? [] };
}

function readingOf(item: MemoryItem, time: number, traffic: { bytes: number }): Reading {
  if (item.kind !== 'file') throw new HouseError('source/malformed', 'This is no file.');
  const fault = item.fault?.(time);
  if (fault) throw fault;
  return { ...describe(item), ...item.reading, body: bodyOf(item, time, traffic) };
}

async function* bodyOf(item: MemoryFile, time: number, traffic: { bytes: number }): AsyncGenerator<Uint8Array> {
  const { content } = item;
  const parts = typeof content === 'function' ? content() : partsOf(content);
  const fault = item.breaks?.(time);
  for await (const part of parts) {
    traffic.bytes += part.length;
    yield part;
    if (fault) throw fault;
  }
}

async function* partsOf(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 64 * 1024) yield content.subarray(at, at + 64 * 1024);
}

function describe(item: MemoryItem): Pick<Member, 'size' | 'modified' | 'validator'> {
  return {
    ...('size' in item && item.size !== undefined && { size: item.size }),
    ...(item.modified && { modified: item.modified }),
    ...(item.validator !== undefined && { validator: item.validator }),
  };
}

function find(top: MemoryFolder, location: string): MemoryItem {
  let item: MemoryItem | undefined = top;
  for (const name of location === '' ? [] : location.split('/')) {
    item = item.kind === 'folder' ? item.members[name] : undefined;
    if (item === undefined) throw new HouseError('source/not-found', 'The thing is gone.');
  }
  return item;
}
