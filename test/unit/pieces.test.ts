import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { piecesOf, sortedInPieces, stepsAtOnce } from '../../src/pieces.ts';
import { listingOf } from '../../src/sources/dav/listing.ts';
import { openBlobInPieces, sealBlob } from '../../src/store/format/blob.ts';
import { createMasterKey } from '../../src/store/format/envelope.ts';
import type { TreeId } from '../../src/store/format/ids.ts';
import { modeBits, type Node } from '../../src/store/format/node.ts';
import { decodeTree, decodeTreeInPieces, encodeTree, encodeTreeInPieces } from '../../src/store/format/tree.ts';
import { mostAtOnce } from '../support/fixtures/most-at-once.ts';
import { treeIdOf } from '../support/fixtures/tree-id.ts';

const count = 5_000;
const time = '2026-01-02T03:04:05.678Z';
const common = { mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
const subtree = 'ab'.repeat(32) as TreeId;

function nodeOf(name: string): Node {
  const extended_attributes = [
    { name: 'user.one', value: 'YQ==' },
    { name: 'user.two', value: null },
  ];
  return { ...common, name, type: 'dir', mode: modeBits.dir + 0o755, extended_attributes, subtree };
}

const nodes = Array.from({ length: count }, (_, index) => nodeOf(`${(index * 7919) % count} "}],{ \\.txt`));

describe('work in pieces', () => {
  test('takes every item, in order', async () => {
    const pieces = await Array.fromAsync(piecesOf(Array.from({ length: 2 * stepsAtOnce + 1 }, (_, index) => index)));
    expect(pieces.map((piece) => piece.length)).toEqual([stepsAtOnce, stepsAtOnce, 1]);
    expect(pieces.flat()).toEqual(Array.from({ length: 2 * stepsAtOnce + 1 }, (_, index) => index));
    expect(await Array.fromAsync(piecesOf([]))).toEqual([]);
  });

  test('sorts as sorting at once does, and compares little at a time', async () => {
    const byTens = (one: number, other: number) => Math.floor(one / 10) - Math.floor(other / 10);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000), { maxLength: 2_000 }), async (numbers) => {
        expect(await sortedInPieces(numbers, byTens)).toEqual(numbers.toSorted(byTens));
      }),
      { numRuns: 20 },
    );
    const most = await mostAtOnce((step) =>
      sortedInPieces(nodes, (one, other) => {
        step();
        return one.name < other.name ? -1 : 1;
      }),
    );
    expect(most).toBeLessThanOrEqual(stepsAtOnce * Math.log2(stepsAtOnce));
  });
});

describe('a huge folder takes the thread from others for a few hundred members at a time', () => {
  const href = (path: string) => ({ path, hasSlash: false, hostname: undefined });
  const ways = {
    'as it was asked': ['/dav/alice', (index: number) => `/dav/alice/${index}.txt`],
    'in another spelling': ['/dav/%61lice', (index: number) => `/dav/%61lice/${index}.txt`],
    'behind a proxy': ['/elsewhere/alice', (index: number) => `/elsewhere/alice/${index}.txt`],
    'with strays': ['/dav/alice', (index: number) => (index % 2 ? `/dav/bob/${index}` : `/dav/alice/${index}`)],
  } as const;

  test.each(Object.entries(ways))('when its listing is made, %s', async (_, [self, pathOf]) => {
    const place = { path: '/dav/alice/', rootPath: '/dav/alice/', hostname: 'cloud.example' };
    const rest = { written: '', propagates: false, facts: {}, isUncertain: false };
    const most = await mostAtOnce((step) => {
      const members = Array.from({ length: count }, (_item, index) => ({
        ...rest,
        href: {
          hasSlash: false,
          hostname: undefined,
          get path() {
            step();
            return pathOf(index);
          },
        },
        isCollection: false,
      }));
      return listingOf([{ ...rest, href: href(self), isCollection: true }, ...members], place);
    });
    expect(most).toBeLessThanOrEqual(8 * stepsAtOnce);
  });

  test('when its tree is written, which has the bytes and the id that it has at once', async () => {
    const most = await mostAtOnce(async (step) => {
      const looked = nodes.map((node) => ({
        ...node,
        get name() {
          step();
          return node.name;
        },
      }));
      const { id, bytes } = await encodeTreeInPieces({ nodes: looked });
      expect(Buffer.concat(bytes).equals(encodeTree({ nodes }))).toBe(true);
      expect(id).toBe(treeIdOf({ nodes }));
    });
    expect(most).toBeLessThanOrEqual(2 * stepsAtOnce * Math.log2(stepsAtOnce));
  });

  test('when its tree is read', async () => {
    const bytes = encodeTree({ nodes });
    let turns = 0;
    let going = true;
    const look = () => {
      turns++;
      if (going) setImmediate(look);
    };
    look();
    expect(await decodeTreeInPieces(bytes)).toEqual(decodeTree(bytes));
    going = false;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(bytes.length / (256 * 1024)));
  });
});

describe('a tree in pieces', () => {
  test('of no node, or of two of one name, is as it is at once', async () => {
    const { id, bytes } = await encodeTreeInPieces({ nodes: [] });
    expect([id, Buffer.concat(bytes)]).toEqual([treeIdOf({ nodes: [] }), encodeTree({ nodes: [] })]);
    const twins = [...nodes.slice(0, stepsAtOnce + 1), ...nodes.slice(0, 1)];
    await expect(encodeTreeInPieces({ nodes: twins })).rejects.toThrow('the same name');
    const apart = Array.from({ length: 2 * stepsAtOnce }, (_, index) => nodeOf(`${1_000 + index}`));
    const over = [...apart, nodeOf(`${1_000 + stepsAtOnce - 1}`)];
    await expect(encodeTreeInPieces({ nodes: over })).rejects.toThrow('the same name');
  });

  const usual = encodeTree({ nodes: nodes.slice(0, 1_000) }).toString();
  const between = '},{"name":"1';
  test.each([
    ['with spaces', usual.replaceAll('},{"name":"1', '} , {"name":"1')],
    ['with a key more', usual.replace(/\]\}\n$/, '],"more":[{}]}\n')],
    ['without the line at the end', usual.trimEnd()],
    ['with its nodes twice', `{"nodes":[],${usual.slice(1)}`],
    ['with large numbers', usual.replaceAll('"uid":0', '"inode":12345678901234567890')],
  ])('written another way, %s, is the same as at once', async (_, text) => {
    const bytes = Buffer.from(text);
    expect(await decodeTreeInPieces(bytes)).toEqual(decodeTree(bytes));
  });

  test.each([
    ['cut off', usual.slice(0, -1_000)],
    ['with a text that does not end', `${usual.slice(0, 200_000)}"${usual.slice(-3)}`],
    ['with a bracket too many', usual.replace(between, `}${between}`)],
    ['with a node that is none', usual.replace(between, `},7${between.slice(1)}`)],
    ['with two commas', usual.replace(between, `},${between.slice(1)}`)],
  ])('that is damaged, %s, is refused', async (_, text) => {
    await expect(decodeTreeInPieces(Buffer.from(text))).rejects.toMatchObject({ code: 'repository/damaged' });
  });
});

test('a blob longer than any chunk is opened in pieces, and proved', async () => {
  const key = createMasterKey();
  const bytes = Buffer.alloc(9 * 1024 * 1024, 'a tree of many nodes, ');
  const { id, sealed, uncompressedLength } = sealBlob(key, 'tree', bytes);
  expect((await openBlobInPieces(key, id, sealed, uncompressedLength)).equals(bytes)).toBe(true);
  for (const [wanted, of, length] of [
    [subtree, sealed, uncompressedLength],
    [id, sealed.subarray(1), uncompressedLength],
    [id, sealed, bytes.length - 1],
    [id, sealed, bytes.length + 1],
  ] as const)
    await expect(openBlobInPieces(key, wanted, of, length)).rejects.toMatchObject({ code: 'repository/damaged' });
});
