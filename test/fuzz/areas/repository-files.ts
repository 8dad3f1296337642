import fc from 'fast-check';
import { expect } from 'vitest';
import { compareNames, nameFromBytes } from '../../../src/file-name.ts';
import { openBlob, sealBlob } from '../../../src/store/format/blob.ts';
import { openConfig, sealConfig } from '../../../src/store/format/config.ts';
import { createMasterKey, envelopeOverhead } from '../../../src/store/format/envelope.ts';
import { goQuote, goUnquote } from '../../../src/store/format/go-quote.ts';
import {
  type DataId,
  type IndexId,
  idOf,
  type PackId,
  parseId,
  type SnapshotId,
  type TreeId,
} from '../../../src/store/format/ids.ts';
import { openIndex, sealIndex } from '../../../src/store/format/index-file.ts';
import { modeBits, type Node } from '../../../src/store/format/node.ts';
import { openPack } from '../../../src/store/format/pack.ts';
import { decodePackHeader, headerLength, packSize } from '../../../src/store/format/pack-header.ts';
import { openSnapshot, sealSnapshot } from '../../../src/store/format/snapshot.ts';
import { decodeTree, encodeTree } from '../../../src/store/format/tree.ts';
import { sealFile } from '../../../src/store/format/unpacked-file.ts';
import { byteChanges, changed, changedBytes, changes, outcomeOf, outcomeOfAsync, property } from '../property.ts';

const key = createMasterKey();
const ids = <Kind extends DataId | TreeId | PackId>() =>
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => parseId<Kind>(Buffer.from(bytes).toString('hex')));
const names = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).map((text) => text.toWellFormed()),
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => nameFromBytes(bytes)),
    fc.constantFrom('\\x41', '"', '\\', '\u2028', '\x7f', '\ufffd', '\u{e0041}'),
  )
  .map((name) => name.replace(/[/\0]/g, '_'))
  .filter((name) => name !== '.' && name !== '..');

const time = '2026-01-02T03:04:05.678Z';
const common = { mtime: time, atime: time, ctime: time, uid: 1000, gid: 0, links: 1 };
const nodes: fc.Arbitrary<Node> = fc.oneof(
  fc
    .record({ name: names, size: fc.nat(), content: fc.array(ids<DataId>(), { maxLength: 3 }) })
    .map((some) => ({ type: 'file' as const, mode: 420, ...common, ...some })),
  fc
    .record({ name: names, subtree: ids<TreeId>() })
    .map((some) => ({ type: 'dir' as const, mode: modeBits.dir + 493, ...common, ...some })),
  fc
    .record({ name: names, linktarget: fc.string({ unit: 'grapheme', minLength: 1 }) })
    .map((some) => ({ type: 'symlink' as const, mode: modeBits.symlink + 511, ...common, ...some })),
);
const trees = fc.uniqueArray(nodes, { selector: ({ name }) => name, maxLength: 6 });

const blobs = fc.uniqueArray(
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.constantFrom('data' as const, 'tree' as const)),
  { selector: ([bytes]) => Buffer.from(bytes).toString('hex'), minLength: 1, maxLength: 5 },
);

const damaged = <T>(work: () => T) => outcomeOf(work, 'repository');

export const repositoryFiles = [
  property('a name is quoted so that it comes back', names, (name) => {
    expect(goUnquote(goQuote(name))).toBe(name);
  }),
  property('a tree comes back, sorted, and is spelled in one way', trees, (all) => {
    const bytes = encodeTree({ nodes: all });
    const { nodes: read } = decodeTree(bytes);
    expect(read).toEqual(all.toSorted((one, other) => compareNames(one.name, other.name)));
    expect(encodeTree({ nodes: read }).equals(bytes)).toBe(true);
  }),
  property(
    'what is like a tree is one, or damaged',
    fc.tuple(
      trees,
      changes(
        '{',
        '}',
        '[',
        ']',
        ',',
        '"',
        'null',
        '1e999',
        '99999999999999999999',
        '\\\\x',
        '"type":"dir"',
        '"__proto__":{}',
      ),
    ),
    ([all, made]) => {
      damaged(() => decodeTree(Buffer.from(changed(encodeTree({ nodes: all }).toString(), made))));
    },
  ),
  property('a pack comes back by its header, and its blobs by their places', blobs, (all) => {
    const pack = openPack(key);
    const sealed = all.map(([bytes, type]) => sealBlob(key, type, bytes));
    for (const blob of sealed) pack.add(blob);
    const { id, bytes } = pack.finish();
    expect(id).toBe(idOf<PackId>(bytes));
    const length = headerLength(bytes.subarray(-4));
    const header = decodePackHeader(key, bytes.subarray(bytes.length - 4 - length, -4));
    expect(packSize(header)).toBe(bytes.length);
    for (const [at, { id: blobId, offset, length: size, uncompressedLength }] of header.entries()) {
      const plain = openBlob(key, blobId, bytes.subarray(offset, offset + size), uncompressedLength);
      expect(plain.equals(all[at]?.[0] ?? Buffer.of())).toBe(true);
    }
  }),
  property('a pack with wrong bytes is damaged, never read as another', fc.tuple(blobs, byteChanges), ([all, made]) => {
    const pack = openPack(key);
    for (const [bytes, type] of all) pack.add(sealBlob(key, type, bytes));
    const { bytes } = pack.finish();
    const wrong = changedBytes(bytes, made);
    damaged(() => {
      const length = headerLength(wrong.subarray(-4));
      if (length > wrong.length - 4) return;
      const found = decodePackHeader(key, wrong.subarray(wrong.length - 4 - length, -4));
      for (const { id, offset, length: size, uncompressedLength } of found) {
        const plain = openBlob(key, id, wrong.subarray(offset, offset + size), uncompressedLength);
        expect(all.some(([content]) => plain.equals(content))).toBe(true);
      }
    });
  }),
  property(
    'an index comes back, and with wrong bytes or wrong members it is damaged',
    fc.tuple(
      fc.array(
        fc.record({
          id: ids<PackId>(),
          blobs: fc.array(
            fc.record({
              type: fc.constant('data' as const),
              id: ids<DataId>(),
              offset: fc.nat(),
              length: fc.nat(),
              uncompressedLength: fc.integer({ min: 1 }),
            }),
            { maxLength: 4 },
          ),
        }),
        { maxLength: 3 },
      ),
      byteChanges,
      fc.jsonValue(),
    ),
    async ([packs, made, other]) => {
      const { id, bytes } = sealIndex(key, packs);
      expect(await openIndex(key, id, bytes)).toEqual(packs);
      const wrong = changedBytes(bytes, made);
      if (!wrong.equals(bytes))
        expect(await outcomeOfAsync(() => openIndex(key, id, wrong), 'repository')).toMatchObject({
          code: 'repository/damaged',
        });
      const odd = sealFile<IndexId>(key, { packs: other });
      await outcomeOfAsync(() => openIndex(key, odd.id, odd.bytes), 'repository');
    },
  ),
  property(
    'a snapshot and a config come back, and with wrong bytes or members they are damaged',
    fc.tuple(ids<TreeId>(), fc.array(fc.string()), byteChanges, fc.jsonValue()),
    ([tree, paths, made, other]) => {
      const snapshot = { time: '2026-01-02T03:04:05+01:00', tree, paths };
      const { id, bytes } = sealSnapshot(key, snapshot);
      expect(openSnapshot(key, id, bytes)).toEqual(snapshot);
      const wrong = changedBytes(bytes, made);
      if (!wrong.equals(bytes))
        expect(damaged(() => openSnapshot(key, id, wrong))).toMatchObject({ code: 'repository/damaged' });
      const odd = sealFile<SnapshotId>(key, { ...snapshot, ...(typeof other === 'object' && other) });
      damaged(() => openSnapshot(key, odd.id, odd.bytes));
      const config = { version: 2, id: tree, polynomial: 0x3da3358b4dc173n } as const;
      const sealed = sealConfig(key, config);
      expect(openConfig(key, sealed)).toEqual(config);
      expect(sealed.length).toBeGreaterThan(envelopeOverhead);
      const broken = changedBytes(sealed, made);
      if (!broken.equals(sealed))
        expect(damaged(() => openConfig(key, broken))).toMatchObject({ code: 'repository/damaged' });
    },
  ),
];
