import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { sealBlob } from '../../../../src/store/format/blob.ts';
import { decodeTree, encodeTree } from '../../../../src/store/format/tree.ts';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import { restore } from '../../../../src/store/restorer/restore.ts';
import { zipFolder } from '../../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../../src/web/texts/en.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writePack, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';

const strange: [string, object][] = [
  ['an unknown type', { type: 'irregular' }],
  ['no type', {}],
  ['a folder without a tree', { type: 'dir' }],
  ['content that is no list', { type: 'file', content: 'x' }],
  ['a time that is none', { type: 'file', content: [], mtime: '<b>' }],
  ['a size below nothing', { type: 'file', content: [], size: -1 }],
];

/** A snapshot of two files and, between them, a node of this JSON. */
async function withNode(json: object) {
  const repository = await newRepository(openMemoryBackend());
  const { tree } = await writeSnapshot(repository, { 'a.txt': Buffer.from('a'), 'c.txt': Buffer.from('c') });
  const text = encodeTree(await repository.loadTree(tree)).toString();
  const node = JSON.stringify({ name: 'b', ...json });
  const bytes = Buffer.from(text.replace('},{', `},${node},{`));
  expect(decodeTree(bytes).nodes.map(({ name, type }) => [name, type])).toEqual([
    ['a.txt', 'file'],
    ['b', 'unreadable'],
    ['c.txt', 'file'],
  ]);
  const blob = sealBlob(repository.masterKey, 'tree', bytes);
  const pack = await writePack(repository, [blob]);
  await repository.saveIndex([pack]);
  repository.index.insertPack(pack.id, pack.blobs);
  await repository.saveSnapshot({ time: '2026-02-02T03:04:05Z', tree: blob.id, paths: [] });
  return { repository, snapshot: { tree: blob.id } };
}

describe.each(strange)('an entry with %s', (_, json) => {
  test('is left out and named, and its neighbours are restored', async () => {
    const { repository, snapshot } = await withNode(json);
    await using place = await temporaryFolder('unknown');
    const report = await restore(repository, snapshot, `${place.path}/to`);
    expect(report).toMatchObject({
      files: 2,
      problems: [{ path: 'b', message: expect.stringContaining('not known') }],
    });
    expect((await readdir(`${place.path}/to`)).sort()).toEqual(['a.txt', 'c.txt']);
    const zip = Buffer.concat(await Array.fromAsync(zipFolder(repository, snapshot, '', { notes })));
    expect(zip.includes('b: damaged in the backup, or of an unknown kind')).toBe(true);
    expect(zip.includes('c.txt')).toBe(true);
  });

  test('is named by a check', async () => {
    const { repository } = await withNode(json);
    expect((await checkRepository(repository)).findings).toMatchObject([
      { kind: 'tree-damaged', message: expect.stringContaining('"b"') },
    ]);
  });
});
