import { lstat, readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { sealBlob } from '../../../../src/store/format/blob.ts';
import { decodeTree, encodeTree } from '../../../../src/store/format/tree.ts';
import { checkRepository } from '../../../../src/store/repository/check.ts';
import { restore } from '../../../../src/store/restorer/restore.ts';
import { restoreInOrder } from '../../../../src/store/restorer/restore-in-order.ts';
import { tarFolder } from '../../../../src/store/restorer/tar.ts';
import { zipFolder } from '../../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../../src/web/texts/en.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writePack, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';

/** A snapshot in which the names of two entries are one: as no program writes it, but a thief of the password could. */
async function withTwins(first: object | undefined) {
  const repository = await newRepository(openMemoryBackend());
  const content = { a: { passwd: Buffer.from('theirs') }, b: Buffer.from('second'), c: Buffer.from('c') };
  const { tree } = await writeSnapshot(repository, content);
  const [a, b, c] = JSON.parse(encodeTree(await repository.loadTree(tree)).toString()).nodes;
  const nodes = first === undefined ? [a, { ...b, name: 'a' }, c] : [{ ...b, ...first, name: 'a' }, a, c];
  const bytes = Buffer.from(`${JSON.stringify({ nodes })}\n`);
  const blob = sealBlob(repository.masterKey, 'tree', bytes);
  const pack = await writePack(repository, [blob]);
  await repository.saveIndex([pack]);
  repository.index.insertPack(pack.id, pack.blobs);
  await repository.saveSnapshot({ time: '2026-02-02T03:04:05Z', tree: blob.id, paths: [] });
  expect(decodeTree(bytes).nodes.map(({ name }) => name)).toEqual(['a', 'a', 'c']);
  return { repository, tree: blob.id };
}

const link = { type: 'symlink', linktarget: '/etc', content: undefined, size: undefined };
const twice = expect.objectContaining({ path: 'a', message: expect.stringContaining('twice in one folder') });

describe('two entries of one name in one folder', () => {
  test.each([undefined, 'always'] as const)(
    'are restored as the first of them, a link that is not followed, and the second is named: overwriting %s',
    async (overwrite) => {
      const { repository, tree } = await withTwins(link);
      await using place = await temporaryFolder('twins');
      const report = await restore(repository, { tree }, `${place.path}/to`, overwrite && { overwrite });
      expect(report).toMatchObject({ files: 1, folders: 0, links: 1, problems: [twice] });
      expect((await lstat(`${place.path}/to/a`)).isSymbolicLink()).toBe(true);
      expect((await readdir(`${place.path}/to`)).sort()).toEqual(['a', 'c']);
    },
  );

  test('are restored as the first where that is a folder', async () => {
    const { repository, tree } = await withTwins(undefined);
    await using place = await temporaryFolder('twins');
    const report = await restore(repository, { tree }, `${place.path}/to`, { overwrite: 'always' });
    expect(report).toMatchObject({ files: 2, folders: 1, problems: [twice] });
    expect(await readFile(`${place.path}/to/a/passwd`, 'utf8')).toBe('theirs');
  });

  test('are written to a server as the first of them, and the second is named', async () => {
    const { repository, tree } = await withTwins({});
    const written: string[] = [];
    const target = {
      makeFolder: async (path: readonly string[]) => void written.push(`${path.join('/')}/`),
      writeFile: async (path: readonly string[], content: () => AsyncIterable<Uint8Array>) =>
        void written.push(`${path.join('/')}=${Buffer.concat(await Array.fromAsync(content()))}`),
      makeLink: async () => expect.unreachable(),
    };
    const report = await restoreInOrder(repository, { tree }, target, { path: '' });
    expect(written).toEqual(['/', 'a=second', 'c=c']);
    expect(report.problems).toEqual([twice]);
  });

  test('stand in a tar once, and in a zip under two names', async () => {
    const { repository, tree } = await withTwins(link);
    const tar = Buffer.concat(await Array.fromAsync(tarFolder(repository, tree, ''))).toString('latin1');
    expect(tar).not.toContain('passwd');
    const zip = Buffer.concat(await Array.fromAsync(zipFolder(repository, { tree }, '', { notes }))).toString('latin1');
    expect(zip).toContain('a (2)/passwd');
    expect(zip).not.toMatch(/[^)]\/passwd/);
  });

  test('are named by a check', async () => {
    const { repository } = await withTwins({});
    expect((await checkRepository(repository)).findings).toMatchObject([{ kind: 'tree-not-canonical' }]);
  });
});
