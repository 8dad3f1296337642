import { createHash } from 'node:crypto';
import { isAppError } from '../../errors.ts';
import type { Backend, FileType } from '../backend/backend.ts';

type Kind = Extract<FileType, 'card' | 'mark'>;

/**
 * Makes this the card, or mark, of the place. It is there before those that it takes the place of go, so that there is one whatever breaks it
 * off; where the store lets nobody delete, they stay.
 */
export async function saveCard(backend: Backend, bytes: Uint8Array, kind: Kind = 'card'): Promise<void> {
  const former = await namesOf(backend, kind);
  await backend.save(kind, createHash('sha256').update(bytes).digest('hex'), bytes);
  await remove(backend, former, kind);
}

/** Every card of the place, in no order: more than one where replacing it was broken off, or nobody may delete. */
export async function loadCards(backend: Backend, kind: Kind = 'card'): Promise<Buffer[]> {
  const found = (await namesOf(backend, kind)).map((name) => backend.load(kind, name).catch(ignoreGone));
  return (await Promise.all(found)).filter((bytes) => bytes !== undefined);
}

/** Leaves no card there, as far as the store lets it. */
export async function removeCards(backend: Backend, kind: Kind = 'card'): Promise<void> {
  await remove(backend, await namesOf(backend, kind), kind);
}

async function namesOf(backend: Backend, kind: Kind): Promise<string[]> {
  return Array.fromAsync(backend.list(kind), ({ name }) => name);
}

async function remove(backend: Backend, names: readonly string[], kind: Kind): Promise<void> {
  for (const name of names)
    await backend.remove(kind, name).catch((error: unknown) => {
      if (!isAppError(error, 'store/may-not-delete')) ignoreGone(error);
    });
}

function ignoreGone(error: unknown): undefined {
  if (!isAppError(error, 'store/not-found')) throw error;
}
