import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nameFromBytes } from '../../../../src/file-name.ts';
import type { TreeId } from '../../../../src/store/format/ids.ts';
import type { FileNode } from '../../../../src/store/format/node.ts';
import type { Repository } from '../../../../src/store/repository/repository.ts';
import { findPlace } from '../../../../src/store/restorer/find-place.ts';
import { type FileRange, readFile } from '../../../../src/store/restorer/read-file.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

const parts = [randomBytes(1000), Buffer.alloc(500, 'x'), randomBytes(1), randomBytes(700)];
const whole = Buffer.concat(parts);
const odd = nameFromBytes(Buffer.from('ff', 'hex'));

/** The file at the path, and what is read of it. */
async function openFile(
  repository: Repository,
  snapshot: { readonly tree: TreeId },
  path: string,
  range?: FileRange,
): Promise<{ node: FileNode; bytes: AsyncIterable<Uint8Array> }> {
  const node = await findPlace(repository, snapshot, path);
  if (node.type !== 'file') throw new Error(`${path} is not a file.`);
  return { node, bytes: readFile(repository, node, range) };
}

async function place() {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const { id, packs } = await writeSnapshot(repository, {
    sub: { 'a b': parts, [odd]: Buffer.from('odd'), empty: Buffer.of() },
    top: Buffer.from('t'),
  });
  return { backend, repository, snapshot: await repository.loadSnapshot(id), packs };
}

describe('browsing a snapshot', () => {
  test('finds folders, with or without slashes around the path', async () => {
    const { repository, snapshot } = await place();
    for (const path of ['sub', '/sub', '/sub/', 'sub//']) {
      expect(await findPlace(repository, snapshot, path)).toMatchObject({ type: 'dir', name: 'sub' });
    }
    for (const path of ['', '/']) {
      expect(await findPlace(repository, snapshot, path)).toEqual({ type: 'root', subtree: snapshot.tree });
    }
  });

  test('says what is not there', async () => {
    const { repository, snapshot } = await place();
    for (const path of ['x', 'top/x', 'sub/a b/c', '..', 'sub/../top']) {
      await expect(findPlace(repository, snapshot, path)).rejects.toMatchObject({ code: 'repository/no-such-path' });
    }
  });

  test('finds a name that is not UTF-8 by the form that is shown', async () => {
    const { repository, snapshot } = await place();
    expect(await findPlace(repository, snapshot, 'sub/\ufffd')).toMatchObject({ name: odd });
  });
});

describe('reading a file of a snapshot', () => {
  test('gives the whole, and any range of it', async () => {
    const { repository, snapshot } = await place();
    const read = async (range?: { start?: number; end?: number }) => {
      const { node, bytes } = await openFile(repository, snapshot, 'sub/a b', range);
      expect(node.size).toBe(whole.length);
      return Buffer.concat(await Array.fromAsync(bytes));
    };
    expect((await read()).equals(whole)).toBe(true);
    for (const [start, end] of [
      [0, 1],
      [999, 1001],
      [1000, 1500],
      [1499, 1502],
      [2200, 2201],
      [5, 5],
      [2000, 9999],
      [3000, 4000],
    ]) {
      expect((await read({ start: start ?? 0, end: end ?? 0 })).equals(whole.subarray(start, end))).toBe(true);
    }
    expect((await read({ start: 1500 })).equals(whole.subarray(1500))).toBe(true);
  });

  test('reads only the blobs that the range touches', async () => {
    const { backend, repository, snapshot, packs } = await place();
    const [first] = packs;
    backend.files.get(`data/${first?.id.slice(0, 2)}/${first?.id}`)?.bytes.fill(0, 0, 900);
    const { bytes } = await openFile(repository, snapshot, 'sub/a b', { start: 1501 });
    expect(Buffer.concat(await Array.fromAsync(bytes)).equals(whole.subarray(1501))).toBe(true);
    const damaged = await openFile(repository, snapshot, 'sub/a b');
    await expect(Array.fromAsync(damaged.bytes)).rejects.toMatchObject({ code: 'repository/damaged' });
  });

  test('gives nothing of an empty file, and refuses a folder', async () => {
    const { repository, snapshot } = await place();
    const { bytes } = await openFile(repository, snapshot, 'sub/empty');
    expect(await Array.fromAsync(bytes)).toEqual([]);
  });
});
