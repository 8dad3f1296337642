import { randomUUID } from 'node:crypto';

/** Whether it is a UUID as PostgreSQL writes and reads them (RFC 9562, section 4), in small or capital letters. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/**
 * A new one that begins with the moment (RFC 9562, version 7): of what comes in great numbers, each night for everybody, those of one time lie
 * side by side in indexes, where others would each go to a page of its own.
 */
export function newUuidAt(at: Date): string {
  const time = at.getTime().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
