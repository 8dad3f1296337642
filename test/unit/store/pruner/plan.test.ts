import { describe, expect, test } from 'vitest';
import { packTarget } from '../../../../src/store/archiver/open-packs.ts';
import type { PackedBlob } from '../../../../src/store/format/blob.ts';
import type { BlobType, DataId, PackId } from '../../../../src/store/format/ids.ts';
import { packSize } from '../../../../src/store/format/pack-header.ts';
import { type PruneLimits, planPrune } from '../../../../src/store/pruner/plan.ts';
import { createMasterIndex } from '../../../../src/store/repository/master-index.ts';

/** A blob by its name: those that are needed begin with a capital letter. */
type Blob = readonly [name: string, length: number, type?: BlobType];
type Packs = Readonly<Record<string, readonly Blob[]>>;

const idOf = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0');
const nameOf = (id: string) => Buffer.from(id.replace(/(00)+$/, ''), 'hex').toString();

function blobsOf(blobs: readonly Blob[]): PackedBlob[] {
  let offset = 0;
  return blobs.map(([name, length, type = 'data']) => {
    const blob = { type, id: idOf(name) as DataId, offset, length } as PackedBlob;
    offset += length;
    return blob;
  });
}

function plan(packs: Packs, limits: PruneLimits = { unusedShare: 0 }) {
  const index = createMasterIndex();
  for (const [name, blobs] of Object.entries(packs)) index.insertPack(idOf(name) as PackId, blobsOf(blobs));
  const has = (_: BlobType, id: string) => /^[A-Z]/.test(nameOf(id));
  const { remove, repack, ...rest } = planPrune(index, { has, count: 0 }, limits);
  return { ...rest, remove: [...remove].map(nameOf).sort(), repack: [...repack].map(nameOf).sort() };
}

/** The blob that makes a pack of one just so long. */
const filling = (name: string, size: number, type: BlobType = 'data'): Blob => [
  name,
  size - packSize(blobsOf([[name, 0, type]])),
  type,
];

describe('a prune', () => {
  test('removes packs that hold nothing needed, and leaves those that hold nothing else', () => {
    expect(plan({ p: [['a', 10]], q: [['B', 10]] })).toMatchObject({ remove: ['p'], repack: [], bytesUsed: 10 });
  });

  test('keeps of two copies the one that is in no damaged pack, whichever came first and whatever else that pack is needed for', () => {
    const damaged = new Set([idOf('p')]);
    const once: Packs = { p: [['A', 10]], q: [['A', 10]] };
    for (const packs of [once, { q: once.q ?? [], p: once.p ?? [] }])
      expect(plan(packs, { unusedShare: 0, damaged })).toMatchObject({ remove: ['p'], repack: [] });
    const twice: Packs = {
      p: [
        ['A', 10],
        ['B', 10],
      ],
      q: [['A', 10]],
    };
    expect(plan(twice, { unusedShare: 0, damaged })).toMatchObject({ remove: [], repack: ['p'], bytesUsed: 20 });
    expect(plan({ p: [['A', 10]] }, { unusedShare: 0, damaged })).toMatchObject({ remove: [], repack: [] });
  });

  describe.each(['data', 'tree'] as const)('of small packs of the type %s', (type) => {
    const quarter = packTarget[type] / 4;
    const packs = (count: number, size: number, first = 'B'): Packs =>
      Object.fromEntries(
        Array.from({ length: count }, (_, n) => [`p${n}`, [filling(n === 0 ? first : `B${n}`, size, type)]]),
      );

    test('merges ten that are smaller than a quarter of a full one', () => {
      expect(plan(packs(10, quarter - 1)).repack).toHaveLength(10);
    });

    test('leaves nine, those that are as large as a quarter, and counts none that goes', () => {
      expect(plan(packs(9, quarter - 1)).repack).toEqual([]);
      expect(plan({ ...packs(9, quarter - 1), q: [filling('Q', quarter, type)] }).repack).toEqual([]);
      expect(plan(packs(10, quarter - 1, 'a'))).toMatchObject({ remove: ['p0'], repack: [] });
    });
  });

  test('repacks those of which the largest part is unused, until little enough is', () => {
    const packs = {
      much: [['A', 100] as const, ['a', 300] as const],
      little: [['B', 10_000] as const, ['b', 400] as const],
    };
    const { much } = packs;
    expect(plan(packs, { unusedShare: 0.04 })).toMatchObject({
      ...{ remove: [], repack: ['much'], bytesUsed: 10_100, bytesUnused: 400 },
      bytesFreed: packSize(blobsOf(much)) - 100,
    });
    expect(plan(packs, { unusedShare: 0.03 })).toMatchObject({ repack: ['little', 'much'], bytesUnused: 0 });
  });

  test('leaves unused what is just as much as may be, a twentieth where nothing else is said', () => {
    const packs = (unused: number): Packs => ({
      p: [
        ['A', 1_000],
        ['a', unused],
      ],
    });
    expect(plan(packs(50), {})).toMatchObject({ repack: [], bytesUnused: 50 });
    expect(plan(packs(51), {})).toMatchObject({ repack: ['p'], bytesUnused: 0 });
  });

  test('repacks those of trees first, and no tree of which all is needed', () => {
    const data: Packs = {
      data: [
        ['A', 100],
        ['a', 300],
      ],
    };
    const tree: Packs = {
      tree: [
        ['T', 10_000, 'tree'],
        ['t', 400, 'tree'],
      ],
    };
    expect(plan({ ...data, ...tree }, { unusedShare: 0.04 }).repack).toEqual(['tree']);
    expect(plan({ ...data, whole: [['T', 100, 'tree']] }).repack).toEqual(['data']);
  });

  test('repacks what holds both types, though all of it is needed, and removes it where nothing is', () => {
    const mixed = (name: string): readonly Blob[] => [
      [name, 100],
      [`${name}2`, 100, 'tree'],
    ];
    expect(plan({ p: mixed('A'), q: mixed('a') }, { unusedShare: 1 })).toMatchObject({ remove: ['q'], repack: ['p'] });
  });

  describe('of a blob with several copies', () => {
    const alone: readonly Blob[] = [['A', 100]];
    const withOther: readonly Blob[] = [...alone, ['B', 100]];

    test.each([
      ['first', { p: alone, q: withOther }, ['p']],
      ['last', { q: withOther, r: alone }, ['r']],
      ['beside something that is not needed', { p: [...alone, ['u', 100] as const], q: withOther }, ['p']],
    ] as [string, Packs, string[]][])(
      'keeps the one in a pack that stays anyway, where the other is %s',
      (_, packs, remove) => {
        expect(plan(packs, { unusedShare: 1 })).toMatchObject({ remove, repack: [] });
      },
    );

    test('keeps one, in as few packs as it finds', () => {
      const packs: Packs = {
        p: [
          ['A', 100],
          ['B', 100],
        ],
        q: [
          ['B', 100],
          ['A', 100],
        ],
        r: [['A', 100]],
        s: [['B', 100]],
      };
      const { needs, remove } = plan(packs, { unusedShare: 1 });
      const holders = (name: string) =>
        Object.keys(packs).filter((pack) =>
          blobsOf(packs[pack] ?? []).some((blob) => nameOf(blob.id) === name && needs(idOf(pack) as PackId, blob)),
        );
      expect(holders('A')).toHaveLength(1);
      expect(holders('B')).toEqual(holders('A'));
      expect(remove).toHaveLength(3);
    });
  });
});
