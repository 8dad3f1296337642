import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two secrets are the same. Digests are compared, so that the time it takes tells nothing of either. */
export function isSameSecret(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
