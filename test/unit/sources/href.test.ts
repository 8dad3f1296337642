import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameToBytes } from '../../../src/file-name.ts';
import { decodeSegment, parseHref, pathForPeople, segmentOf } from '../../../src/sources/dav/href.ts';
import { placeItems } from '../../../src/sources/dav/own-path.ts';

const asked = { path: '/dav/Al%20ice', rootPath: '/dav/Al%20ice', hostname: 'cloud.example' };

/** What a href stands for in a listing of that folder. */
async function read(text: string) {
  const [self, href] = ['/dav/Al%20ice/', text].map((each) => parseHref(each, '/dav/Al%20ice/'));
  if (self === undefined || href === undefined) return { is: 'other-host' };
  const groups =
    (await placeItems(
      [
        { href: self, isCollection: true },
        { href, isCollection: false },
      ],
      asked,
    )) ?? {};
  const is = Object.entries(groups).find(([, items]) => items.at(-1)?.href === href)?.[0];
  const segment = segmentOf(href.path);
  return is === 'member' ? { is, name: decodeSegment(segment), segment: segment + (href.hasSlash ? '/' : '') } : { is };
}

describe('a href of a listing', () => {
  test.each([
    '/dav/Al%20ice/',
    '/dav/Al%20ice',
    'https://cloud.example/dav/Al%20ice/',
    'http://cloud.example:8080/dav/Al%20ice',
    '/dav/%41l%20ice/',
    '/dav/Al ice/',
    './',
  ])('%s is the folder itself', async (href) => {
    expect(await read(href)).toEqual({ is: 'self' });
  });

  test.each([
    ['/dav/Al%20ice/a.txt', 'a.txt', 'a.txt'],
    ['/dav/Al%20ice/sub/', 'sub', 'sub/'],
    ['https://cloud.example/dav/Al%20ice/a%20b', 'a b', 'a%20b'],
    ['//cloud.example/dav/Al%20ice/a', 'a', 'a'],
    ['/dav/%41l%20ice/%7Etilde', '~tilde', '%7Etilde'],
    ['a.txt', 'a.txt', 'a.txt'],
    ['/dav/Al%20ice/100%25', '100%', '100%25'],
    ['/dav/Al%20ice/%2541', '%41', '%2541'],
    ['/dav/Al%20ice/why?', 'why?', 'why%3F'],
    ['/dav/Al%20ice/a#b', 'a#b', 'a%23b'],
    ['/dav/Al%20ice/é', 'é', '%C3%A9'],
    ['/dav/Al%20ice/cafe%CC%81', 'cafe\u0301', 'cafe%CC%81'],
    ['/dav/Al%20ice/...', '...', '...'],
    ['/dav/Al%20ice/%2E%2E/', '..', '%2E%2E/'],
    ['/dav/Al%20ice//', '', '/'],
    ['/dav/Al%20ice/a%2Fb', 'a/b', 'a%2Fb'],
    ['/dav/Al%20ice/a%00b', 'a\0b', 'a%00b'],
    ['/dav/Al%20ice/100% sure', '100% sure', '100%25%20sure'],
    ['/dav/Al%20ice/100%', '100%', '100%25'],
    ['/dav/Al%20ice/5%2', '5%2', '5%252'],
    ['/dav/Al%20ice/%zz%', '%zz%', '%25zz%25'],
    ['/dav/Al%20ice/caf%E9', 'caf\udce9', 'caf%E9'],
    ['/dav/Al%20ice/%e9%C3%A9%', '\udce9é%', '%e9%C3%A9%25'],
    ['/dav/Al%20ice/%FF%FE', '\udcff\udcfe', '%FF%FE'],
    ['/dav/Al%20ice/%ED%A0%80', '\udced\udca0\udc80', '%ED%A0%80'],
    ['/dav/Al%20ice/%93%FA%96%7B', '\udc93\udcfa\udc96{', '%93%FA%96%7B'],
  ])('%s is the member "%s"', async (href, name, segment) => {
    expect(await read(href)).toEqual({ is: 'member', name, segment });
  });

  test.each([
    ['https://evil.example/dav/Al%20ice/a', 'other-host'],
    ['//evil.example/dav/Al%20ice/a', 'other-host'],
    ['https://cloud.example@evil.example/dav/Al%20ice/a', 'other-host'],
    ['ftp:/dav/Al%20ice/a', 'deeper'],
    ['/dav/bob/a', 'elsewhere'],
    ['/dav/', 'elsewhere'],
    ['/dav/Al%20ice/sub/deeper', 'deeper'],
    ['/dav/Al%20ice/../bob', 'deeper'],
    ['/dav/Al%20iceberg/a', 'elsewhere'],
    ['/dav/Al%2Fice/a', 'elsewhere'],
  ])('%s is %s', async (href, is) => {
    expect(await read(href)).toEqual({ is });
  });

  test('brings back every name that was percent-encoded', async () => {
    const names = fc.string({ unit: 'grapheme', minLength: 1 });
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        expect(await read(`/dav/Al%20ice/${encodeURIComponent(name)}`)).toMatchObject({ is: 'member', name });
      }),
    );
  });

  test('brings back the bytes of every name, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1 }), async (bytes) => {
        const segment = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
        const { name = '' } = await read(`/dav/Al%20ice/${segment}`);
        expect(nameToBytes(name)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('never asks for anything outside, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (href) => {
        const { segment } = await read(href);
        if (segment !== undefined) expect(segment).toMatch(/^[!-.0-~]*\/?$/);
      }),
    );
  });
});

test('people read a path below the root, decoded', () => {
  expect(pathForPeople('/dav/alice/a%20b/%C3%A9/', '/dav/alice/')).toBe('a b/é');
  expect(pathForPeople('/dav/alice/%FF', '/dav/alice/')).toBe('\udcff');
  expect(pathForPeople('/dav/alice/', '/dav/alice/')).toBe('');
});
