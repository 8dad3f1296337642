import type { Backend } from './backend.ts';

/** What an operator can do where a store lacks what it should hold, without a full stop: a disk may not be mounted, but no bucket is. */
export function cureOfAbsent({ location }: Pick<Backend, 'location'>): string {
  return /^(s3|rest):/.test(location)
    ? 'Correct STORE_URL if it names another place; else somebody deleted it there'
    : 'Mount the disk that it is on, or correct STORE_URL';
}
