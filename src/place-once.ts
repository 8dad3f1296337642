import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Puts a file there that this user alone may read: whole or not at all, also where the disk is full or the process is killed, and never over one that
 * is there.
 */
export function placeOnce(file: string, text: string): void {
  const draft = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
