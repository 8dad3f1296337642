/**
 * What a server says of change, and how far that can be relied on. The rule is one: a validator is given only if no later
 * change can hide behind the same word.
 */
export interface Signs {
  readonly etag: string | undefined;
  readonly modified: Date | undefined;
  readonly size: number | undefined;
}

/**
 * Many servers make the word of a whole-second mtime (lighttpd, sabre/dav on plain files) or give only the mtime (nginx): an edit
 * in the same second that keeps the size would not show. git calls such entries racy; the margin allows for coarse
 * file systems and for a listing that takes a moment.
 */
const racyMs = 3_000;

/** The validator of an entry in a listing made at `listedAt` (the server's `Date`); undefined where nothing can be relied on. */
export function entryValidator(signs: Signs, listedAt: Date | undefined): string | undefined {
  const { etag, modified, size } = signs;
  if (etag !== undefined && (modified === undefined || tellsMicroseconds(etag, modified))) return etag;
  if (modified === undefined || isRacy(modified, listedAt)) return undefined;
  if (etag !== undefined) return etag;
  return size === undefined ? undefined : `mtime ${modified.getTime()} size ${size}`;
}

/** Whether the mtime is too near to the moment it was told; one in the future may yet come round, so it counts as near. */
export function isRacy(modified: Date, toldAt: Date | undefined): boolean {
  return toldAt === undefined || toldAt.getTime() - modified.getTime() < racyMs;
}

/**
 * Whether what a GET answered is the content that the listing's validator speaks of. ETags decide where both have one in
 * the same form; else (nginx and lighttpd give them in one place only) time and size must agree, which is enough because a
 * validator of that kind is never given to a racy entry.
 */
export function isAsListed(listed: { validator?: string; modified?: Date; size?: number }, got: Signs): boolean {
  if (listed.validator === undefined) return false;
  if (got.etag !== undefined && sameEtag(listed.validator, got.etag)) return true;
  if (listed.modified === undefined || got.modified === undefined) return false;
  return listed.modified.getTime() === got.modified.getTime() && listed.size !== undefined && listed.size === got.size;
}

/** Whether two answers for one entry, made in the same way, prove that it changed in between. */
export function hasChanged(before: Signs, after: Signs): boolean {
  if (before.etag !== undefined && after.etag !== undefined) return !sameEtag(before.etag, after.etag);
  return differ(before.modified?.getTime(), after.modified?.getTime()) || differ(before.size, after.size);
}

function differ(before: number | undefined, after: number | undefined): boolean {
  return before !== undefined && after !== undefined && before !== after;
}

/**
 * The same word, but for quotes, which some servers leave out in listings, and `W/`: Apache calls its word weak for a second
 * after the change and strong later.
 */
export function sameEtag(one: string, other: string): boolean {
  return one === other || bare(one) === bare(other);
}

function bare(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '');
}

/** Strong in the sense of RFC 9110, section 8.8.1: equal bytes, good for If-Match. */
export function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') === true;
}

/**
 * Apache's word ends with the mtime in microseconds; where that agrees with the mtime told, even an edit in the same second
 * shows. A weak one is its own warning that the change was less than a second ago.
 */
function tellsMicroseconds(etag: string, modified: Date): boolean {
  const hex = /^"(?:[0-9a-f]+-){1,2}([0-9a-f]{12,15})"$/.exec(etag)?.[1];
  return hex !== undefined && Math.floor(Number.parseInt(hex, 16) / 1e6) * 1000 === modified.getTime();
}
