import { describe, expect, test } from 'vitest';
import { createConfig, openConfig, sealConfig } from '../../../../src/store/format/config.ts';
import { createMasterKey, encrypt } from '../../../../src/store/format/envelope.ts';
import { type DataId, idOf, type PackId, type SnapshotId, type TreeId } from '../../../../src/store/format/ids.ts';
import { openIndex, sealIndex } from '../../../../src/store/format/index-file.ts';
import { openLock, sealLock } from '../../../../src/store/format/lock-file.ts';
import { isIrreducible, randomPolynomial } from '../../../../src/store/format/polynomial.ts';
import { openSnapshot, type Snapshot, sealSnapshot } from '../../../../src/store/format/snapshot.ts';
import { timestamp, timestampMs } from '../../../../src/store/format/timestamp.ts';
import { openSealedFile } from '../../../../src/store/format/unpacked-file.ts';
import { compress } from '../../../../src/store/format/zstd.ts';

const key = createMasterKey();
const damaged = expect.objectContaining({ code: 'repository/damaged' });
const hash = (text: string) => idOf(Buffer.from(text));

describe('config', () => {
  test('opens to what was sealed', () => {
    const config = createConfig();
    expect(openConfig(key, sealConfig(key, config))).toEqual(config);
    expect(config.polynomial.toString(2)).toHaveLength(54);
  });

  test('of another version, or with a polynomial that can be divided, is refused', () => {
    const seal = (json: object) => encrypt(key, Buffer.from(JSON.stringify(json)));
    expect(() => openConfig(key, seal({ version: 1, id: 'a', chunker_polynomial: '3da3358b4dc173' }))).toThrow(
      'version 1',
    );
    expect(() => openConfig(key, seal({ version: 2, id: 'a', chunker_polynomial: '3da3358b4dc172' }))).toThrow(damaged);
    expect(() => openConfig(key, seal({ version: 2, id: 'a', chunker_polynomial: '' }))).toThrow(damaged);
  });

  test('extra fields of other writers mean nothing', () => {
    const json = { version: 2, id: 'a', chunker_polynomial: '3da3358b4dc173', chunk_size: 5 };
    expect(openConfig(key, encrypt(key, Buffer.from(JSON.stringify(json)))).polynomial).toBe(0x3da3358b4dc173n);
  });
});

describe('polynomials', () => {
  test('known ones are irreducible, products are not', () => {
    for (const p of [0x3da3358b4dc173n, 0x3048ed6fcc156fn, 0b111n, 0b1011n, 0b10n, 0b11n])
      expect(isIrreducible(p)).toBe(true);
    for (const p of [0n, 1n, 0b101n, 0b110n, 0b1111n, 0x3da3358b4dc171n ^ 1n]) expect(isIrreducible(p)).toBe(false);
  });

  test('of each degree there are as many irreducible ones as there should be', () => {
    const counts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((degree) => {
      const all = Array.from({ length: 2 ** degree }, (_, rest) => BigInt(2 ** degree + rest));
      return all.filter(isIrreducible).length;
    });
    expect(counts).toEqual([2, 1, 2, 3, 6, 9, 18, 30, 56, 99]);
  });

  test('products of long ones are not irreducible, also where each factor is', () => {
    const factor = 0x3da3358b4dc173n;
    expect(() => isIrreducible(factor << 1n)).toThrow(RangeError);
    const [one, other] = [(1n << 26n) | 0b11011n, (1n << 27n) | 0b100111n];
    expect([one, other].map(isIrreducible)).toEqual([true, true]);
    let product = 0n;
    for (let bit = 0n; bit <= 26n; bit++) if ((one >> bit) & 1n) product ^= other << bit;
    expect(product >> 53n).toBe(1n);
    expect(isIrreducible(product)).toBe(false);
  });

  test('random ones have degree 53', () => {
    expect(randomPolynomial() >> 53n).toBe(1n);
  });
});

describe('index files', () => {
  const blobs = [
    { type: 'data' as const, id: hash('a') as DataId, offset: 0, length: 50 },
    { type: 'tree' as const, id: hash('b') as TreeId, offset: 50, length: 60, uncompressedLength: 100 },
  ];
  const packs = [{ id: hash('p') as PackId, blobs }];

  test('open to what was sealed', async () => {
    const { id, bytes } = sealIndex(key, packs);
    expect(await openIndex(key, id, bytes)).toEqual(packs);
  });

  test('of any length are read in pieces, between which others have their turn, however they are written', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => ({ id: hash(`p${index}`) as PackId, blobs }));
    const { id, bytes } = sealIndex(key, many);
    let [turns, going] = [0, true];
    const look = () => {
      turns += 1;
      if (going) setImmediate(look);
    };
    look();
    expect(await openIndex(key, id, bytes)).toEqual(many);
    going = false;
    const json = JSON.stringify(openSealedFile(key, { id, bytes, what: 'index' }, (json) => json));
    expect(turns).toBeGreaterThanOrEqual(json.length / (160 * 1024));
    for (const text of [`${json}\n`, `{"supersedes":[],${json.slice(1)}`, json.replace('{"packs"', '{ "packs"')]) {
      const written = encrypt(key, Buffer.from(text.trimStart()));
      expect(await openIndex(key, idOf(written), written)).toEqual(many);
    }
    for (const text of [
      json.slice(0, -3),
      json.replace('}]},{', '}]}},{'),
      json.replace('}]},{', '}]},,{'),
      json.replace('}]},{', '}]},7,{'),
    ]) {
      const wrong = encrypt(key, Buffer.from(text));
      await expect(openIndex(key, idOf(wrong), wrong)).rejects.toEqual(damaged);
    }
  });

  test('are spelled as restic spells them', () => {
    const { id, bytes } = sealIndex(key, packs);
    expect(JSON.stringify(openSealedFile(key, { id, bytes, what: 'index' }, (json) => json))).toBe(
      `{"packs":[{"id":"${hash('p')}","blobs":[{"id":"${hash('a')}","type":"data","offset":0,"length":50},` +
        `{"id":"${hash('b')}","type":"tree","offset":50,"length":60,"uncompressed_length":100}]}]}`,
    );
  });

  test('in raw JSON, with fields of other writers, are read; packs to delete are not there', async () => {
    const json = {
      supersedes: [hash('s')],
      packs: [{ id: hash('p'), blobs: [], time: 'x' }],
      packs_to_delete: [{ id: hash('q') }],
    };
    const bytes = encrypt(key, Buffer.from(JSON.stringify(json)));
    expect(await openIndex(key, idOf(bytes), bytes)).toEqual([{ id: hash('p'), blobs: [] }]);
  });

  test.each([
    ['length', 2 ** 32],
    ['length', 1e300],
    ['offset', 2 ** 53],
    ['uncompressed_length', 2 ** 40],
    ['length', -1],
    ['offset', 0.5],
  ])('with numbers that no pack has are damage: %s %d', async (field, value) => {
    const blob = { id: hash('a'), type: 'data', offset: 0, length: 50, [field]: value };
    const bytes = encrypt(key, Buffer.from(JSON.stringify({ packs: [{ id: hash('p'), blobs: [blob] }] })));
    await expect(openIndex(key, idOf(bytes), bytes)).rejects.toEqual(damaged);
  });

  test('under another name are damage', async () => {
    await expect(openIndex(key, idOf(Buffer.from('x')), sealIndex(key, packs).bytes)).rejects.toEqual(damaged);
  });
});

describe('snapshots', () => {
  const snapshot: Snapshot = {
    time: '2026-01-02T03:04:05.5+01:00',
    parent: hash('parent') as SnapshotId,
    tree: hash('tree') as TreeId,
    paths: ['/files'],
    hostname: 'alice@example.org',
    username: 'nightkeep',
    tags: ['night'],
    program_version: 'nightkeep 1',
    summary: {
      backup_start: '2026-01-02T03:04:05Z',
      backup_end: '2026-01-02T03:04:06Z',
      files_new: 1,
      files_changed: 2,
      files_unmodified: 3,
      dirs_new: 4,
      dirs_changed: 5,
      dirs_unmodified: 6,
      data_blobs: 7,
      tree_blobs: 8,
      data_added: 9,
      data_added_packed: 10,
      total_files_processed: 11,
      total_bytes_processed: 12,
    },
  };

  test('open to what was sealed, with their fields in order', () => {
    const { id, bytes } = sealSnapshot(key, snapshot);
    expect(openSnapshot(key, id, bytes)).toEqual(snapshot);
    const json = openSealedFile(key, { id, bytes, what: 'snapshot' }, (json) => json);
    expect(Object.keys(json)).toEqual(Object.keys(snapshot));
    expect(Object.keys(json.summary ?? {})).toHaveLength(14);
  });

  test('without a summary, or with half of one, are read', () => {
    const read = (json: object) => {
      const bytes = encrypt(key, Buffer.from(JSON.stringify(json)));
      return openSnapshot(key, idOf(bytes), bytes);
    };
    const bare = { time: snapshot.time, tree: snapshot.tree, paths: null };
    expect(read(bare)).toEqual({ time: snapshot.time, tree: snapshot.tree, paths: [] });
    expect(read({ ...bare, summary: { files_new: 3 } }).summary).toMatchObject({ files_new: 3, dirs_new: 0 });
    expect(() => read({ time: snapshot.time, paths: [] })).toThrow(damaged);
  });
});

test('a file that unpacks to far more than any of its kind is damage', () => {
  const sealed = (filler: number) => {
    const json = JSON.stringify({ time: '2026-01-02T03:04:05Z', tree: hash('tree'), filler: 'x'.repeat(filler) });
    const bytes = encrypt(key, Buffer.concat([Buffer.of(2), compress(Buffer.from(json))]));
    return () => openSnapshot(key, idOf(bytes), bytes);
  };
  expect(sealed(1_000_000)()).toMatchObject({ tree: hash('tree') });
  expect(sealed(64 * 1024 * 1024)).toThrow(damaged);
});

describe('locks', () => {
  test('open to what was sealed', () => {
    const lock = { time: '2026-01-02T03:04:05Z', exclusive: false, hostname: 'h', username: 'u', pid: 7 };
    const { id, bytes } = sealLock(key, lock);
    expect(openLock(key, id, bytes)).toEqual(lock);
  });
});

describe('timestamps', () => {
  test.each([
    [new Date('2026-03-01T00:00:00.000Z'), 'UTC', '2026-03-01T00:00:00Z'],
    [new Date('2026-03-01T00:00:00.120Z'), 'UTC', '2026-03-01T00:00:00.12Z'],
    [new Date('2026-07-01T00:30:10Z'), 'Europe/Berlin', '2026-07-01T02:30:10+02:00'],
    [new Date('2026-01-01T00:30:00Z'), 'America/St_Johns', '2025-12-31T21:00:00-03:30'],
    [new Date(Number.NaN), 'UTC', '1970-01-01T00:00:00Z'],
    [new Date(8.64e15), 'UTC', '9999-12-30T00:00:00Z'],
    [new Date(-8.64e15), 'UTC', '0001-01-02T00:00:00Z'],
  ])('%s in %s', (date, zone, text) => {
    expect(timestamp(date, zone)).toBe(text);
  });

  test('are read to the millisecond', () => {
    expect(timestampMs('2026-03-01T00:00:00.123456789+01:00')).toBe(Date.UTC(2026, 1, 28, 23, 0, 0, 123));
    expect(timestampMs('2026-03-01T00:00:00Z')).toBe(Date.UTC(2026, 2, 1));
  });
});

test('a file of another repository is named, though its name is right', async () => {
  const other = createMasterKey();
  const index = sealIndex(other, []);
  const tree = hash('t') as TreeId;
  const snapshotFile = sealSnapshot(other, { time: '2026-01-02T03:04:05Z', tree, paths: [] });
  const named = (id: string) => expect.objectContaining({ code: 'repository/damaged', detail: { file: id } });
  await expect(openIndex(key, index.id, index.bytes)).rejects.toEqual(named(index.id));
  expect(() => openSnapshot(key, snapshotFile.id, snapshotFile.bytes)).toThrow(named(snapshotFile.id));
});
