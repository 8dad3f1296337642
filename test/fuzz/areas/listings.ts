import fc from 'fast-check';
import { expect } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nameFromBytes, nameToBytes } from '../../../src/file-name.ts';
import { unlimitedMemory } from '../../../src/memory-budget.ts';
import { listingOf } from '../../../src/sources/dav/listing.ts';
import { defaultListingLimits, listPages } from '../../../src/sources/dav/pages.ts';
import { openTagReader } from '../../../src/sources/dav/xml-tag.ts';
import type { Send } from '../../../src/sources/http/dav-request.ts';
import type { Listing } from '../../../src/sources/source.ts';
import { changed, changes, cutInto, cuts, outcomeOfAsync, property } from '../property.ts';

const path = '/dav/alice/';
const place = { path, rootPath: path, hostname: 'cloud.example' };
const collection = { kind: 'collection', name: 'files', location: path } as const;
const never = new AbortController().signal;

/** What a listing in these bytes comes to, when it arrives in these pieces under these headers. */
async function listed(bytes: Buffer, lengths: readonly number[], link?: string): Promise<Listing> {
  const send: Send = async ({ receive }) => {
    const head = { status: 207, headers: { ...(link !== undefined && { link }) } };
    const receiver = receive(head, { pause() {}, resume() {}, stop() {} }, path);
    for (const piece of cutInto<Buffer>(bytes, lengths)) receiver?.data(piece);
    return { head, value: receiver?.end() };
  };
  const request = {
    origin: 'https://cloud.example',
    collection,
    withIdentity: true,
    limits: { ...defaultListingLimits, pages: 5 },
    clock: systemClock(),
    memory: unlimitedMemory,
    processor: { did() {}, isAlone: true, turn: async () => {} },
    readTag: openTagReader(),
  };
  const { items } = await listPages(send, request, never);
  return listingOf(items, place);
}

const names = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((name) => name.replace(/[/\0]/g, '_')),
    fc
      .uint8Array({ minLength: 1, maxLength: 8 })
      .map((bytes) => nameFromBytes(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x2d : byte)))),
  )
  .filter((name) => name !== '.' && name !== '..');

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number;
}
const entries = fc.uniqueArray(fc.record({ name: names, isFolder: fc.boolean(), size: fc.nat() }), {
  selector: ({ name }) => name,
  maxLength: 8,
});

interface Style {
  readonly prefix: string;
  readonly origin: string;
  readonly between: string;
  readonly isSection: boolean;
}
const styles = fc.record({
  prefix: fc.constantFrom('', 'D:', 'lp1:'),
  origin: fc.constantFrom('', 'https://cloud.example'),
  between: fc.constantFrom('', '\n  ', '<!-- > -->', '<x:y xmlns:x="urn:x"><x:z/></x:y>', '\r\n'),
  isSection: fc.boolean(),
});

/** A multistatus of these members, in one of the ways that servers write it. */
function write(members: readonly Entry[], { prefix, origin, between, isSection }: Style): string {
  const element = (name: string, content: string) => `<${prefix}${name}>${content}</${prefix}${name}>`;
  const text = (value: string) =>
    isSection
      ? `<![CDATA[${value}]]>`
      : value.replaceAll('&', '&amp;').replaceAll('<', '&#x3C;').replaceAll('>', '&gt;');
  const encoded = (name: string) =>
    Array.from(nameToBytes(name), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const response = (href: string, { isFolder, size }: { isFolder: boolean; size?: number }) => {
    const type = `<${prefix}resourcetype>${isFolder ? `<${prefix}collection/>` : ''}</${prefix}resourcetype>`;
    const found = type + (size === undefined || isFolder ? '' : element('getcontentlength', text(String(size))));
    const propstat = element('prop', between + found) + between + element('status', 'HTTP/1.1 200 OK');
    return element('response', between + element('href', text(origin + href)) + element('propstat', propstat));
  };
  const all = [
    response(path, { isFolder: true }),
    ...members.map(({ name, isFolder, size }) =>
      response(path + encoded(name) + (isFolder ? '/' : ''), { isFolder, size }),
    ),
  ];
  const declared = prefix === '' ? 'xmlns="DAV:"' : `xmlns:${prefix.slice(0, -1)}="DAV:"`;
  return `<${prefix}multistatus ${declared}>${all.join(between)}</${prefix}multistatus>`;
}

const odd = [
  '/dav/',
  '..',
  '%2F',
  '%00',
  'https://evil.example/',
  '</D:response>',
  '<D:status>HTTP/1.1 507 x</D:status>',
  '<D:href>',
];
const links = fc.option(
  fc.oneof(
    fc.constantFrom(
      '</dav/alice/?page=2>; rel="next"',
      '<?p=2>;rel=next',
      '<https://evil.example/>; rel=next',
      '</>; rel="prev"',
    ),
    fc.string({ maxLength: 40 }).map((text) => `<${text}>; rel=next`),
    fc.string({ maxLength: 40 }),
  ),
  { nil: undefined },
);

export const listings = [
  property(
    'a listing names what its folder holds, however it is written and cut',
    fc.tuple(entries, styles, cuts),
    async ([members, style, lengths]) => {
      const { members: read, problems, isIncomplete } = await listed(Buffer.from(write(members, style)), lengths);
      expect({ problems, isIncomplete: isIncomplete ?? false }).toEqual({ problems: [], isIncomplete: false });
      const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);
      expect(
        read.map(({ kind, name, size = 0 }) => ({ name, isFolder: kind === 'collection', size })).sort(byName),
      ).toEqual(
        members.map(({ name, isFolder, size }) => ({ name, isFolder, size: isFolder ? 0 : size })).sort(byName),
      );
    },
  ),
  property(
    'what is like a listing is one, or a problem of the source, and the same in whatever pieces it comes',
    fc.tuple(
      entries,
      styles,
      changes(...odd, '<', '>', '&', '"', '\0', '\udc80', '<!DOCTYPE x>', '<![CDATA['),
      cuts,
      links,
    ),
    async ([members, style, all, lengths, link]) => {
      const bytes = nameToBytes(changed(write(members, style), all));
      const whole = await outcomeOfAsync(() => listed(bytes, [bytes.length + 1], link), 'source');
      const cut = await outcomeOfAsync(() => listed(bytes, lengths, link), 'source');
      // Where two things are wrong, it depends on the pieces which is met first.
      if (!('value' in whole)) return expect(cut).toMatchObject({ code: whole.code });
      expect(cut).toEqual(whole);
      const found = whole.value.members.map(({ name }) => name);
      expect(new Set(found).size).toBe(found.length);
      for (const { name, location } of whole.value.members) {
        expect(name).not.toMatch(/^$|^\.\.?$|[/\0]/);
        expect(location.slice(0, path.length)).toBe(path);
        expect(location.slice(path.length)).toMatch(/^[^/]+\/?$/);
      }
    },
  ),
  property(
    'any bytes are a problem of the source, and no more',
    fc.tuple(fc.uint8Array({ maxLength: 400 }), cuts),
    async ([bytes, lengths]) => {
      await outcomeOfAsync(() => listed(Buffer.from(bytes), lengths), 'source');
    },
  ),
];
