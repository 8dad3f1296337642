import { describe, expect, test } from 'vitest';
import { entryValidator, hasChanged, isAsListed } from '../../../src/sources/http/validator.ts';

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
  const listed = { validator: '"x"', modified: old, size: 5 };
  test.each([
    ['by the same ETag', listed, { etag: '"x"', modified: undefined, size: undefined }, true],
    [
      'by an ETag that lost its quotes in the listing',
      { ...listed, validator: 'x' },
      { etag: '"x"', modified: fresh, size: 5 },
      true,
    ],
    ['by time and size where only the listing has an ETag', listed, { etag: undefined, modified: old, size: 5 }, true],
    ['by time and size where the forms differ', listed, { etag: '"other form"', modified: old, size: 5 }, true],
    ['not with another time', listed, { etag: '"y"', modified: fresh, size: 5 }, false],
    ['not with another size', listed, { etag: '"y"', modified: old, size: 6 }, false],
    ['not when it says nothing', listed, { etag: undefined, modified: undefined, size: 5 }, false],
    [
      'not when the listing had no validator',
      { modified: old, size: 5 },
      { etag: '"x"', modified: old, size: 5 },
      false,
    ],
  ])('is what was listed: %s', (_, entry, got, expected) => {
    expect(isAsListed(entry, got)).toBe(expected);
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
