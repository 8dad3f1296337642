/**
 * What a server says about the version of an entry. How far that can be relied on follows one rule: a validator is given only
 * if no later change can go unnoticed behind the same one.
 */
export interface VersionMetadata {
  readonly etag: string | undefined;
  readonly modified: Date | undefined;
  readonly size: number | undefined;
}

/**
 * Many servers make the ETag of an mtime in whole seconds (lighttpd, sabre/dav on plain files) or give only the mtime (nginx): an
 * edit in the same second that keeps the size would not show. git calls such entries racy; the margin allows for coarse
 * file systems and for a listing that takes a moment.
 */
const racyMs = 3_000;

/** A longer one that a server names is none: they are kept for each member. */
export const longestValidator = 1_024;

/** The validator of an entry in a listing made at `listedAt` (the server's `Date`); undefined where nothing can be relied on. */
export function entryValidator(metadata: VersionMetadata, listedAt: Date | undefined): string | undefined {
  const { etag, modified, size } = metadata;
  if (etag !== undefined && (modified === undefined || hasMicroseconds(etag, modified))) return etag;
  if (modified === undefined || isRacy(modified, listedAt)) return undefined;
  if (etag !== undefined) return etag;
  return size === undefined ? undefined : `mtime ${modified.getTime()} size ${size}`;
}

/** Whether the mtime is too close to the server's time when it was given; one in the future may still be reached, so it counts as close. */
export function isRacy(modified: Date, serverTime: Date | undefined): boolean {
  return serverTime === undefined || serverTime.getTime() - modified.getTime() < racyMs;
}

/**
 * Whether what a GET returned is the version that was listed. ETags decide where both have one. A listing without ETags (nginx)
 * has a validator of time and size, and so a GET that says the same time answers for it.
 */
export function isVersion(
  listed: { validator?: string; modified?: Date },
  got: Pick<VersionMetadata, 'etag' | 'modified'>,
): boolean {
  const { validator, modified } = listed;
  if (validator !== undefined && !isOfTime(validator)) return got.etag !== undefined && sameEtag(validator, got.etag);
  return validator !== undefined && modified !== undefined && modified.getTime() === got.modified?.getTime();
}

/** Whether a validator was made of time and size. */
export function isOfTime(validator: string): boolean {
  return validator.startsWith('mtime ');
}

/** Whether two responses for one entry, made in the same way, prove that it changed in between. */
export function hasChanged(before: VersionMetadata, after: VersionMetadata): boolean {
  if (before.etag !== undefined && after.etag !== undefined) return !sameEtag(before.etag, after.etag);
  return differ(before.modified?.getTime(), after.modified?.getTime()) || differ(before.size, after.size);
}

function differ(before: number | undefined, after: number | undefined): boolean {
  return before !== undefined && after !== undefined && before !== after;
}

/**
 * Whether two ETags are the same but for quotes, which some servers leave out in listings, for `W/` (Apache calls its ETag
 * weak for a second after the change and strong later), and for the suffix of a form that was compressed on the way.
 */
export function sameEtag(one: string, other: string): boolean {
  return one === other || bare(one) === bare(other);
}

function bare(etag: string): string {
  return etag
    .replace(/^W\//, '')
    .replaceAll('"', '')
    .replace(/(-{1,2}|;)(gzip|deflate|df|br|zstd)$/, '');
}

/** Strong in the sense of RFC 9110, section 8.8.1: equal bytes, good for If-Match. */
export function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') === true;
}

/**
 * Apache's ETag ends with the mtime in microseconds; where that agrees with the mtime given, even an edit in the same second
 * shows. A weak one warns by itself that the change was less than a second ago.
 */
function hasMicroseconds(etag: string, modified: Date): boolean {
  const hex = /^"(?:[0-9a-f]+-){1,2}([0-9a-f]{12,15})"$/.exec(etag)?.[1];
  return hex !== undefined && Math.floor(Number.parseInt(hex, 16) / 1e6) * 1000 === modified.getTime();
}
