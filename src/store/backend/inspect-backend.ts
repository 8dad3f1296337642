import { createHash } from 'node:crypto';
import { isAppError } from '../../errors.ts';
import type { Backend } from './backend.ts';

/** What one small file went through. */
export interface BackendFacts {
  /** As people and stock restic name it. */
  readonly location: string;
  /** Why it cannot be used, and the cure. */
  readonly fault?: string;
  /** How long the file took to be written, read and removed. */
  readonly tripMs?: number;
  /** Whether it could be removed again. */
  readonly mayDelete?: boolean;
}

/** Takes a lock-like file through a place of its own, as nights do. Where it may not be removed, it stays, and is the same one each time. */
export async function inspectBackend(backend: Backend, elapsed: () => number): Promise<BackendFacts> {
  const { location } = backend;
  const bytes = Buffer.from('The doctor of Nightkeep writes this file, reads it and removes it.\n');
  const name = createHash('sha256').update(bytes).digest('hex');
  const began = elapsed();
  try {
    await backend.save('lock', name, bytes).catch(unless('store/exists'));
    if (!(await backend.load('lock', name)).equals(bytes))
      return { location, fault: 'A file was read differently from how it was written.' };
    const removed = await backend.remove('lock', name).then(() => true, unless('store/may-not-delete'));
    return { location, tripMs: Math.round(elapsed() - began), mayDelete: removed === true };
  } catch (error) {
    if (isAppError(error)) return { location, fault: error.message };
    throw error;
  }
}

function unless(code: 'store/exists' | 'store/may-not-delete') {
  return (error: unknown): undefined => {
    if (!isAppError(error, code)) throw error;
  };
}
