import { createHash, type Hash } from 'node:crypto';

/** What a reading came to: its length, and the SHA-256 of its bytes where that was asked for. */
export interface Digest {
  readonly bytes: number;
  readonly sha256?: string | undefined;
  /** SHA-256 of its first bytes, as many as the reading before had; undefined where it has fewer. */
  readonly start?: string | undefined;
}

/** Digests a body that goes by: how long it is and, with `hash`, its bytes, and its start of `startLength` bytes by themselves. */
export function openDigest({ startLength, hash }: { startLength: number | undefined; hash: boolean }) {
  const whole: Hash | undefined = hash ? createHash('sha256') : undefined;
  let bytes = 0;
  let start = startLength === 0 && whole ? whole.copy().digest('hex') : undefined;
  return {
    add(chunk: Uint8Array): void {
      const cut = (startLength ?? -1) - bytes;
      bytes += chunk.length;
      if (whole === undefined) return;
      const at = cut > 0 && cut <= chunk.length ? cut : 0;
      whole.update(chunk.subarray(0, at));
      if (at > 0) start = whole.copy().digest('hex');
      whole.update(chunk.subarray(at));
    },
    result: (): Digest => ({ bytes, sha256: whole?.copy().digest('hex'), start }),
  };
}
