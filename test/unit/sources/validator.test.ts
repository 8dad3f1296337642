import { describe, expect, test } from 'vitest';
import { entryValidator, hasChanged, isVersion, sameEtag } from '../../../src/sources/http/validator.ts';

const listedAt = new Date('2026-11-23T01:00:10Z');
const old = new Date('2026-11-23T01:00:07Z');
const fresh = new Date('2026-11-23T01:00:08Z');
const future = new Date('2027-01-01T00:00:00Z');
const micro = (date: Date) => `"5-${(date.getTime() * 1000 + 123).toString(16)}"`;

describe('the validator of an entry', () => {
  test.each([
    ['an ETag of an entry changed long ago', { etag: '"x"', modified: old, size: 5 }, '"x"'],
    ['a weak ETag of an entry changed long ago', { etag: 'W/"x"', modified: old, size: 5 }, 'W/"x"'],
    ['an ETag without an mtime', { etag: '"x"', modified: undefined, size: 5 }, '"x"'],
    ['an ETag that shows microseconds, however fresh', { etag: micro(fresh), modified: fresh, size: 5 }, micro(fresh)],
    ['an mtime and a size', { etag: undefined, modified: old, size: 5 }, `mtime ${old.getTime()} size 5`],
  ])('is %s', (_, signs, validator) => {
    expect(entryValidator(signs, listedAt)).toBe(validator);
  });

  test.each([
    ['an ETag that may be made of a whole-second mtime', { etag: '"123"', modified: fresh, size: 5 }],
    [
      'a weak ETag of Apache, less than a second after the change',
      { etag: `W/${micro(fresh)}`, modified: fresh, size: 5 },
    ],
    ['an ETag with microseconds of another time', { etag: micro(old), modified: fresh, size: 5 }],
    ['an mtime within three seconds', { etag: undefined, modified: fresh, size: 5 }],
    ['an mtime in the future', { etag: undefined, modified: future, size: 5 }],
    ['an mtime without a size', { etag: undefined, modified: old, size: undefined }],
    ['nothing', { etag: undefined, modified: undefined, size: 5 }],
  ])('is never %s', (_, signs) => {
    expect(entryValidator(signs, listedAt)).toBeUndefined();
  });

  test('is never an mtime of which nobody knows how long ago it is', () => {
    expect(entryValidator({ etag: undefined, modified: old, size: 5 }, undefined)).toBeUndefined();
  });
});

describe('what a GET answers', () => {
  const listed = { validator: '"x"', modified: old };
  const byTime = { validator: `mtime ${old.getTime()} size 5`, modified: old };
  test.each([
    ['by the same ETag', listed, { etag: '"x"', modified: undefined }, true],
    ['by an ETag that lost its quotes in the listing', { validator: 'x' }, { etag: '"x"', modified: fresh }, true],
    ['by its time where the listing has no ETag', byTime, { etag: '"5e0be100-3"', modified: old }, true],
    ['not by its time where the listing has an ETag', listed, { etag: undefined, modified: old }, false],
    ['not by its time where the ETags differ', listed, { etag: '"y"', modified: old }, false],
    ['not with another time', byTime, { etag: undefined, modified: fresh }, false],
    ['not when it says nothing', listed, { etag: undefined, modified: undefined }, false],
    ['not when the listing had no validator', { modified: old }, { etag: '"x"', modified: old }, false],
  ])('is the version that was listed: %s', (_, entry, got, expected) => {
    expect(isVersion(entry, got)).toBe(expected);
  });

  test.each([
    ['"j1-gzip"', '"j1"'],
    ['W/"j1--gzip"', '"j1"'],
    ['"j1;gzip"', 'j1'],
    ['"j1"-gzip', 'W/"j1"'],
    ['W/"j1-br"', '"j1"'],
  ])('has the ETag %s for %s', (one, other) => {
    expect(sameEtag(one, other)).toBe(true);
    expect(sameEtag(one, '"j2"')).toBe(false);
  });

  test('has changed when ETag, else time or size, is another', () => {
    const before = { etag: '"x"', modified: old, size: 5 };
    expect(hasChanged(before, { ...before, etag: '"y"' })).toBe(true);
    expect(hasChanged({ ...before, etag: 'W/"x"' }, before)).toBe(false);
    expect(hasChanged({ ...before, etag: undefined }, { ...before, modified: fresh })).toBe(true);
    expect(hasChanged({ ...before, etag: undefined }, { ...before, size: 6 })).toBe(true);
    expect(hasChanged(before, { etag: undefined, modified: undefined, size: undefined })).toBe(false);
  });
});
