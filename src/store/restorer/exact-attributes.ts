import type { Node } from '../format/node.ts';
import type { Moment } from '../format/timestamp.ts';
import { callSystem, type SystemCall } from './system-calls.ts';
import { settableTime } from './times.ts';

/** What Node cannot set of an entry: times finer than a quarter of a microsecond, and extended attributes. */
export interface ExactAttributes {
  readonly path: string;
  readonly times?: { readonly atime: Moment; readonly mtime: Moment };
  readonly extended: readonly { readonly name: string; readonly value: Buffer }[];
}

/** What is left to set of a node; undefined where that is nothing. */
export function exactAttributesOf(node: Node, path: string): ExactAttributes | undefined {
  const [atime, mtime] = [settableTime(node.atime), settableTime(node.mtime)];
  const isExact = atime.isExact && mtime.isExact;
  const extended = (node.extended_attributes ?? []).map(({ name, value }) => ({
    name,
    value: Buffer.from(value ?? '', 'base64'),
  }));
  if (isExact && extended.length === 0) return undefined;
  return { path, extended, ...(!isExact && { times: { atime: atime.moment, mtime: mtime.moment } }) };
}

/** A file system without extended attributes; restic takes no notice of these either. */
const notSupported = 95;

/**
 * Sets them, for all entries in one go. Answers which entries failed, with the system's number for why; undefined where this machine
 * has no means to do it.
 */
export async function setExactly(
  entries: readonly ExactAttributes[],
): Promise<readonly { readonly path: string; readonly errno: number }[] | undefined> {
  const failed = await callSystem(entries.flatMap(callsFor));
  return failed?.filter(({ errno }) => errno !== notSupported).map(({ call: { path }, errno }) => ({ path, errno }));
}

function callsFor({ path, times, extended }: ExactAttributes): SystemCall[] {
  const set = extended.map((attribute): SystemCall => ({ path, kind: 'attribute', ...attribute }));
  return times === undefined ? set : [...set, { path, kind: 'times', ...times }];
}
