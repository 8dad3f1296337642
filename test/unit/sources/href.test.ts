import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hrefReader, pathForPeople } from '../../../src/sources/dav/href.ts';

const read = hrefReader('/dav/Al%20ice/', 'cloud.example');

describe('a href of a listing', () => {
  test.each([
    '/dav/Al%20ice/',
    '/dav/Al%20ice',
    'https://cloud.example/dav/Al%20ice/',
    'http://cloud.example:8080/dav/Al%20ice',
    '/dav/%41l%20ice/',
    '/dav/Al ice/',
    './',
  ])('%s is the folder itself', (href) => {
    expect(read(href)).toEqual({ is: 'self' });
  });

  test.each([
    ['/dav/Al%20ice/a.txt', 'a.txt', '/dav/Al%20ice/a.txt'],
    ['/dav/Al%20ice/sub/', 'sub', '/dav/Al%20ice/sub/'],
    ['https://cloud.example/dav/Al%20ice/a%20b', 'a b', '/dav/Al%20ice/a%20b'],
    ['//cloud.example/dav/Al%20ice/a', 'a', '/dav/Al%20ice/a'],
    ['/dav/%41l%20ice/%7Etilde', '~tilde', '/dav/%41l%20ice/%7Etilde'],
    ['a.txt', 'a.txt', '/dav/Al%20ice/a.txt'],
    ['/dav/Al%20ice/100%25', '100%', '/dav/Al%20ice/100%25'],
    ['/dav/Al%20ice/%2541', '%41', '/dav/Al%20ice/%2541'],
    ['/dav/Al%20ice/why?', 'why?', '/dav/Al%20ice/why%3F'],
    ['/dav/Al%20ice/a#b', 'a#b', '/dav/Al%20ice/a%23b'],
    ['/dav/Al%20ice/é', 'é', '/dav/Al%20ice/%C3%A9'],
    ['/dav/Al%20ice/cafe%CC%81', 'cafe\u0301', '/dav/Al%20ice/cafe%CC%81'],
    ['/dav/Al%20ice/...', '...', '/dav/Al%20ice/...'],
  ])('%s is the member "%s"', (href, name, path) => {
    expect(read(href)).toEqual({ is: 'member', name, path });
  });

  test.each([
    ['https://evil.example/dav/Al%20ice/a', /on another server/],
    ['//evil.example/dav/Al%20ice/a', /on another server/],
    ['https://cloud.example@evil.example/dav/Al%20ice/a', /on another server/],
    ['ftp:/dav/Al%20ice/a', /not directly/],
    ['/dav/bob/a', /not in the folder/],
    ['/dav/', /not in the folder/],
    ['/dav/Al%20ice/sub/deeper', /not directly/],
    ['/dav/Al%20ice/../bob', /not directly/],
    ['/dav/Al%20ice/..', /no file can have/],
    ['/dav/Al%20ice/%2E%2E/', /no file can have/],
    ['/dav/Al%20ice/.', /no file can have/],
    ['/dav/Al%20ice//', /no file can have/],
    ['/dav/Al%20ice/a%2Fb', /slash or a NUL/],
    ['/dav/Al%20ice/a%00b', /slash or a NUL/],
    ['/dav/Al%20ice/%FF%FE', /not UTF-8/],
    ['/dav/Al%20ice/100%', /not UTF-8/],
  ])('%s is refused', (href, why) => {
    expect(read(href)).toMatchObject({ is: 'refused', why: expect.stringMatching(why) });
  });

  test('brings back every name that was percent-encoded', () => {
    const names = fc.string({ unit: 'grapheme', minLength: 1 }).filter((name) => !/^\.{1,2}$|[/\0]/.test(name));
    fc.assert(
      fc.property(names, (name) => {
        expect(read(`/dav/Al%20ice/${encodeURIComponent(name)}`)).toMatchObject({ is: 'member', name });
      }),
    );
  });

  test('never names anything outside, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), (href) => {
        const got = read(href);
        if (got.is === 'member') {
          expect(got.name).not.toMatch(/^$|^\.{1,2}$|[/\0]/);
          expect(got.path).toMatch(/^\/[!-~]*$/);
        }
      }),
    );
  });
});

test('people read a path below the root, decoded', () => {
  expect(pathForPeople('/dav/alice/a%20b/%C3%A9/', '/dav/alice/')).toBe('a b/é');
  expect(pathForPeople('/dav/alice/%FF', '/dav/alice/')).toBe('%FF');
  expect(pathForPeople('/dav/alice/', '/dav/alice/')).toBe('');
});
