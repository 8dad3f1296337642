import { createHash } from 'node:crypto';

const longest = 128;

/** A subject or session id of a provider as an index takes it: itself, or its hash (SHA-256, base64url) where it is longer than 128 bytes. */
export function shortId(id: string): string {
  return Buffer.byteLength(id) <= longest ? id : createHash('sha256').update(id).digest('base64url');
}

/** Every form in which such an id may have been kept: once they were kept as they came. */
export function formsOfId(id: string): string[] {
  return [...new Set([shortId(id), id])];
}
