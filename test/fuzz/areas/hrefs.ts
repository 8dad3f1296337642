import fc from 'fast-check';
import { expect } from 'vitest';
import { nameFromBytes, nameToBytes } from '../../../src/file-name.ts';
import { decodeSegment, parseHref, partsOf, segmentOf } from '../../../src/sources/dav/href.ts';
import { changed, changes, property } from '../property.ts';

/** Names are bytes but '/' and NUL. */
const names = fc
  .oneof(
    fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .map((bytes) => nameFromBytes(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte)))),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => text.replace(/[/\0]/g, '_')),
    fc.constantFrom('a%41', '100%', 'ä', 'a\u0308', '..', '.', ' ', '?', '#x', 'a:b', '//'.replace(/\//g, '_')),
  )
  .filter((name) => name !== '.' && name !== '..');

/** The name percent-encoded: all of it, or only what has to be. */
const encodings: readonly ((name: string) => string)[] = [
  (name) => Array.from(nameToBytes(name), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  (name) => Array.from(nameToBytes(name), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  (name) =>
    Array.from(nameToBytes(name), (byte) =>
      /[\w\-.~!$&'()*+,;=:@]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, '0')}`,
    ).join(''),
];
const folder = '/dav/alice/';

export const hrefs = [
  property(
    'a name comes back from its href, however that is written',
    fc.tuple(
      names,
      fc.constantFrom(...encodings),
      fc.constantFrom(folder, `https://cloud.example${folder}`, `//cloud.example:8443${folder}`, './'),
      fc.constantFrom('', '/'),
    ),
    ([name, encode, before, after]) => {
      const href = parseHref(before + encode(name) + after, folder);
      expect(href).toBeDefined();
      expect({ name, read: decodeSegment(segmentOf(href?.path ?? '')) }).toEqual({ name, read: name });
      expect(href?.hasSlash).toBe(after === '/');
      expect(href?.hostname).toBe(before.includes('cloud') ? 'cloud.example' : undefined);
    },
  ),
  property(
    'what is like a href is one that can be sent as it is, or none; its host is the one that a URL has',
    fc.oneof(
      fc
        .tuple(
          fc.constantFrom('https://cloud.example/a/b%20c', '/a/%E4', 'x?y#z', '//h/'),
          changes('%', '/', '//', '?', '#', '\\', ' ', '@', ':', '..', '%2F', '\udc80'),
        )
        .map(([text, all]) => changed(text, all)),
      fc.string({ unit: 'binary' }),
    ),
    (text) => {
      const href = parseHref(text, folder);
      if (href === undefined) return;
      expect(href.path).toMatch(/^(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9a-fA-F]{2})*$/);
      expect(partsOf(href.path).path.length).toBeLessThanOrEqual(href.path.length);
      if (href.hostname !== undefined && /^https?:\/\//.test(text)) {
        const url = URL.parse(text);
        if (url !== null) expect({ text, host: href.hostname }).toEqual({ text, host: url.hostname });
      }
    },
  ),
];
