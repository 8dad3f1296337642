import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sealBlob } from '../../../../src/store/format/blob.ts';
import { blobsPerIndex } from '../../../../src/store/format/index-file.ts';
import { type FinishedPack, openPack } from '../../../../src/store/format/pack.ts';
import { decodeEntries } from '../../../../src/store/format/pack-header.ts';
import { openPacker } from '../../../../src/store/repository/packer.ts';
import type { Repository } from '../../../../src/store/repository/repository.ts';
import { manualClock } from '../../../support/fixtures/manual-clock.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository } from '../../../support/fixtures/repository.ts';

function packOf({ masterKey }: Repository, blobs = 1): FinishedPack {
  const pack = openPack(masterKey);
  for (let n = 0; n < blobs; n++) pack.add(sealBlob(masterKey, 'data', randomBytes(40)));
  return pack.finish();
}

async function place() {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const clock = manualClock('2026-01-02T03:00:00Z');
  const count = (type: string) => [...backend.files.values()].filter((file) => file.type === type).length;
  return { repository, clock, count, packer: openPacker(repository, clock) };
}

describe('the packer', () => {
  test('makes a pack known once it is stored, and names it in an index file at the end', async () => {
    const { repository, packer, count } = await place();
    const pack = packOf(repository, 3);
    await packer.savePack(pack);
    const blobs = decodeEntries(pack.entries);
    expect(blobs.every(({ id }) => repository.index.has('data', id))).toBe(true);
    expect([count('data'), count('index')]).toEqual([1, 0]);
    await packer.flush();
    const [index] = await Array.fromAsync(repository.listIndexes());
    expect(index?.packs).toEqual([{ id: pack.id, blobs }]);
  });

  test('does not know a pack that could not be stored', async () => {
    const { repository, clock } = await place();
    const save = async () => {
      throw new Error('full');
    };
    const packer = openPacker({ ...repository, backend: { ...repository.backend, save } }, clock);
    const pack = packOf(repository);
    await expect(packer.savePack(pack)).rejects.toThrow('full');
    expect(repository.index.size).toBe(0);
    await packer.flush();
  });

  test('writes nothing when there is nothing to name', async () => {
    const { packer, count } = await place();
    await packer.flush();
    await packer.flush();
    expect(count('index')).toBe(0);
  });

  test('writes an index file every ten minutes', async () => {
    const { repository, packer, clock, count } = await place();
    await packer.savePack(packOf(repository));
    await clock.advance(9 * 60_000);
    await packer.savePack(packOf(repository));
    expect(count('index')).toBe(0);
    await clock.advance(60_000);
    await packer.savePack(packOf(repository));
    expect(count('index')).toBe(1);
    await packer.flush();
    expect(count('index')).toBe(1);
  });

  test('begins a new index file before one is too long', async () => {
    const { repository, packer, count } = await place();
    const { entries } = packOf(repository);
    const many = new Uint8Array(entries.length * 9_000).map((_, at) => entries[at % entries.length] ?? 0);
    for (let n = 0; n < 3; n++) await packer.savePack({ ...packOf(repository), entries: many });
    expect(3 * 9_000).toBeGreaterThan(blobsPerIndex);
    expect(count('index')).toBe(1);
  });
});
