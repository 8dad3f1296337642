import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { restore } from '../../../../src/store/restorer/restore.ts';
import { restoreInOrder, type StreamTarget } from '../../../../src/store/restorer/restore-in-order.ts';
import { tarFolder } from '../../../../src/store/restorer/tar.ts';
import { zipFolder } from '../../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../../src/web/texts/en.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';

const target: StreamTarget = {
  makeFolder: async () => {},
  makeLink: async () => {},
  writeFile: async (_, content) => void (await Array.fromAsync(content())),
};

/** A snapshot whose folders are read already; all or a part of what holds its files is gone. */
async function opened(remove: (name: string) => boolean) {
  const backend: MemoryBackend = openMemoryBackend();
  const repository = await newRepository(backend);
  const { id } = await writeSnapshot(repository, { 'a.txt': randomBytes(3000), sub: { 'b.txt': randomBytes(3000) } });
  const snapshot = await repository.loadSnapshot(id);
  const { nodes } = await repository.loadTree(snapshot.tree);
  for (const node of nodes) if (node.type === 'dir') await repository.loadTree(node.subtree);
  for (const name of backend.files.keys()) if (remove(name)) backend.files.delete(name);
  return { repository, snapshot };
}

const ways = [
  ['a zip', ({ repository, snapshot }) => Array.fromAsync(zipFolder(repository, snapshot, '', { notes }))],
  ['a tar', ({ repository, snapshot }) => Array.fromAsync(tarFolder(repository, snapshot.tree, ''))],
  [
    'a restore to a folder',
    async ({ repository, snapshot }) => {
      await using folder = await temporaryFolder('gone');
      await restore(repository, snapshot, folder.path);
    },
  ],
  ['a restore to the source', ({ repository, snapshot }) => restoreInOrder(repository, snapshot, target, { path: '' })],
] as const satisfies readonly [string, (one: Awaited<ReturnType<typeof opened>>) => Promise<unknown>][];

describe('of a repository that goes while it is read', () => {
  test.each(ways)('%s ends with that, and with nothing that looks whole', async (_, read) => {
    const all = await opened(() => true);
    await expect(read(all)).rejects.toMatchObject({ code: 'store/unavailable' });
  });

  test('a zip names files whose pack alone is missing', async () => {
    const { repository, snapshot } = await opened((name) => name.startsWith('data/'));
    const bytes = Buffer.concat(await Array.fromAsync(zipFolder(repository, snapshot, '', { notes })));
    expect(bytes.toString('latin1')).toContain('NOT RESTORED.txt');
  });
});
