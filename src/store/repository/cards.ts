import { createHash } from 'node:crypto';
import { isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';

/**
 * Makes this the card of the place. It is there before those that it takes the place of go, so that there is one whatever breaks it
 * off; where the store lets nobody delete, they stay.
 */
export async function saveCard(backend: Backend, bytes: Uint8Array): Promise<void> {
  const former = await namesOf(backend);
  await backend.save('card', createHash('sha256').update(bytes).digest('hex'), bytes);
  await remove(backend, former);
}

/** Every card of the place, in no order: more than one where replacing it was broken off, or nobody may delete. */
export async function loadCards(backend: Backend): Promise<Buffer[]> {
  const found = (await namesOf(backend)).map((name) => backend.load('card', name).catch(ignoreGone));
  return (await Promise.all(found)).filter((bytes) => bytes !== undefined);
}

/** Leaves no card there, as far as the store lets it. */
export async function removeCards(backend: Backend): Promise<void> {
  await remove(backend, await namesOf(backend));
}

async function namesOf(backend: Backend): Promise<string[]> {
  return Array.fromAsync(backend.list('card'), ({ name }) => name);
}

async function remove(backend: Backend, names: readonly string[]): Promise<void> {
  for (const name of names)
    await backend.remove('card', name).catch((error: unknown) => {
      if (!isAppError(error, 'store/may-not-delete')) ignoreGone(error);
    });
}

function ignoreGone(error: unknown): undefined {
  if (!isAppError(error, 'store/not-found')) throw error;
}
