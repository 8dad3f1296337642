import { createHash } from 'node:crypto';
import { isAppError } from '../../errors.ts';
import type { Backend, FileType } from '../backend/backend.ts';
import { inParallel } from './in-parallel.ts';

type Kind = Extract<FileType, 'card' | 'mark'>;

export interface ListedCards {
  /** Of all that lie there. */
  readonly names: readonly string[];
  readonly read: readonly ReadCard[];
  /** Whether there are some that cannot be one, or that are beyond all that is read. */
  readonly isMore: boolean;
}

export interface ReadCard {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Makes this the card, or mark, of the place, instead of those that are there now, or of `former`, for who has read them. It is there before they
 * go, so that there is one whatever breaks it off; where the store lets nobody delete, they stay.
 */
export async function saveCard(
  backend: Backend,
  bytes: Uint8Array,
  kind: Kind = 'card',
  former?: readonly string[],
): Promise<void> {
  const going = former ?? (await namesOf(backend, kind));
  await backend.save(kind, createHash('sha256').update(bytes).digest('hex'), bytes);
  await letCardsGo(backend, going, kind);
}

/** More than years of cards that nobody may delete; what else somebody puts there takes no more time and memory than these. */
const mostFiles = 4_000;
const mostBytes = 16 * 1024 * 1024;
const atOnce = 8;

/**
 * Every card of the place, in no order: more than one where replacing it was broken off, or nobody may delete. What cannot be one, or is beyond all that is
 * read, is an empty text, once.
 */
export async function loadCards(backend: Backend, kind: Kind = 'card'): Promise<readonly Buffer[]> {
  const { read, isMore } = await loadListed(backend, kind);
  const bytes = read.map((one) => one.bytes);
  return isMore ? [...bytes, Buffer.of()] : bytes;
}

/** The same, with the names of all cards that are there, for a caller who will write one in their place. */
export async function loadListed(backend: Backend, kind: Kind): Promise<ListedCards> {
  const listed = await Array.fromAsync(backend.list(kind));
  let left = mostBytes;
  const read = listed.toSorted((one, other) => one.size - other.size).slice(0, mostFiles);
  const fitting = read.filter(({ size }) => {
    left -= size;
    return left >= 0;
  });
  let isMore = fitting.length < listed.length;
  const failed = (error: unknown) => {
    if (!isAppError(error, 'repository/damaged')) return ignoreGone(error);
    isMore = true;
    return undefined;
  };
  const found = await Array.fromAsync(
    inParallel(
      fitting,
      atOnce,
      async ({ name }) => ({ name, bytes: await backend.load(kind, name) }),
      (error) => void failed(error),
    ),
  );
  return { names: listed.map(({ name }) => name), read: found, isMore };
}

/** Leaves no card there, as far as the store lets it. */
export async function removeCards(backend: Backend, kind: Kind = 'card'): Promise<void> {
  await letCardsGo(backend, await namesOf(backend, kind), kind);
}

async function namesOf(backend: Backend, kind: Kind): Promise<string[]> {
  return Array.fromAsync(backend.list(kind), ({ name }) => name);
}

/** Whether the store lets these go; once it refuses, it is asked no more. */
export async function letCardsGo(backend: Backend, names: readonly string[], kind: Kind): Promise<boolean> {
  try {
    for (const name of names) await backend.remove(kind, name).catch(ignoreGone);
    return true;
  } catch (error) {
    if (isAppError(error, 'store/may-not-delete')) return false;
    throw error;
  }
}

function ignoreGone(error: unknown): undefined {
  if (!isAppError(error, 'store/not-found')) throw error;
}
