import { isAppError } from '../../errors.ts';
import type { Send } from '../http/dav-request.ts';
import { isOfTime } from '../http/validator.ts';
import type { Member, Reading } from '../source.ts';
import type { HeldKind } from './held-kind.ts';
import { type ListedObject, readMany } from './multiget.ts';

/** Objects of one request: fewer are read one by one as quickly; and their bytes as they are listed. */
const inOne = { least: 3, most: 100, bytes: 512 * 1024 };
/** A longer object is read by itself, so that it can be resumed. */
const longest = 64 * 1024;

interface Batch {
  readonly collection: string;
  readonly objects: readonly ListedObject[];
  contents?: Promise<ReadonlyMap<string, Buffer>>;
}

/** Reads objects of a calendar or address book many at a time. */
export interface BulkReading {
  /** Says which objects of a collection will be opened, in this order. */
  expect(collection: string, members: readonly Member[]): void;
  /** An object that was expected; undefined where it has to be read by itself. */
  open(entry: Member, signal: AbortSignal): Promise<Reading | undefined>;
}

/**
 * Opens such a reader of one run. What a multiget gives counts only if it is proved to be what a GET would give (see `readMany`); all else is
 * read by itself, and so is everything from then on at a server that does not answer a multiget, or gives nothing that can be proved.
 */
export function openBulkReading(send: Send, kind: HeldKind, onBytes: (count: number) => void): BulkReading {
  const expected = new Map<Member, Batch>();
  let isOfUse = true;

  async function read({ collection, objects }: Batch, signal: AbortSignal): Promise<ReadonlyMap<string, Buffer>> {
    try {
      const contents = await readMany(send, { kind, collection, objects }, signal);
      isOfUse &&= contents.size > 0;
      return contents;
    } catch (error) {
      if (!isAppError(error) || !error.code.startsWith('source/')) throw error;
      // sabre/dav 1.8 says so of the whole where one of them is gone.
      isOfUse &&= isAppError(error, 'source/not-found');
      return new Map();
    }
  }

  return {
    expect(collection, members) {
      const objects = members.filter(isListedObject);
      for (const batch of batchesOf(objects)) {
        if (batch.length < inOne.least) continue;
        const shared: Batch = { collection, objects: batch };
        for (const object of batch) expected.set(object, shared);
      }
    },
    async open(entry, signal) {
      const batch = expected.get(entry);
      expected.delete(entry);
      if (batch === undefined || (!isOfUse && batch.contents === undefined)) return undefined;
      batch.contents ??= read(batch, signal);
      const content = (await batch.contents).get(entry.name);
      if (content === undefined) return undefined;
      onBytes(content.length);
      const { modified, validator } = entry;
      return { size: content.length, ...(modified && { modified }), validator, body: [content] };
    },
  };
}

/** Without a size and a version there is no proof of what came. */
function isListedObject(member: Member): member is ListedObject {
  const { kind, size = 0, validator } = member;
  return kind === 'entry' && size > 0 && size <= longest && validator !== undefined && !isOfTime(validator);
}

function* batchesOf(objects: readonly ListedObject[]): Generator<readonly ListedObject[], undefined> {
  let batch: ListedObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    if (batch.length === inOne.most || bytes + object.size > inOne.bytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(object);
    bytes += object.size;
  }
  yield batch;
  return undefined;
}
