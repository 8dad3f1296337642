import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { localError } from '../../../src/store/backend/local-error.ts';
import { retrying } from '../../../src/store/backend/retrying.ts';
import { describeBackend } from './contract.ts';

let top: string;
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'nightkeep-backend-'));
});
afterAll(() => rm(top, { recursive: true, force: true }));

const newFolder = () => mkdtemp(join(top, 'store-'));
const name = 'ab'.repeat(32);

describeBackend('local', async () => openLocalBackend(await newFolder()));
describeBackend('local, in a folder that is not there yet', async () =>
  openLocalBackend(join(await newFolder(), 'a', 'b')),
);
describeBackend('local, retrying', async () => retrying(openLocalBackend(await newFolder()), { clock: systemClock() }));

describe('the local backend', () => {
  test('keeps files read-only and folders to the owner', async () => {
    const folder = join(await newFolder(), 'repository');
    await openLocalBackend(folder).save('data', name, Buffer.of(1));
    expect((await stat(join(folder, 'data', 'ab', name))).mode & 0o777).toBe(0o400);
    for (const part of [folder, join(folder, 'data'), join(folder, 'data', 'ab')]) {
      expect((await stat(part)).mode & 0o777).toBe(0o700);
    }
  });

  test('reads into the memory that it is offered, where that is large enough', async () => {
    const backend = retrying(openLocalBackend(await newFolder()), { clock: systemClock() });
    await backend.save('data', name, Buffer.from('content'));
    const [memory, short] = [new ArrayBuffer(10), new ArrayBuffer(3)];
    const range = { offset: 1, length: 5 };
    const [loaded, other] = [
      await backend.load('data', name, range, memory),
      await backend.load('data', name, range, short),
    ];
    expect([loaded.toString(), other.toString()]).toEqual(['onten', 'onten']);
    expect([loaded.buffer === memory, other.buffer === short]).toEqual([true, false]);
  });

  test('neither waits for a pipe nor reads a device without an end, whatever its name is', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'keys'));
    const [pipe, device] = [name, 'cd'.repeat(32)];
    await promisify(execFile)('mkfifo', [join(folder, 'keys', pipe)]);
    await symlink('/dev/zero', join(folder, 'keys', device));
    const backend = openLocalBackend(folder);
    for (const one of [pipe, device])
      await expect(backend.load('key', one)).rejects.toMatchObject({
        code: 'repository/damaged',
        message: expect.stringContaining(`keys/${one}`),
      });
    await expect(backend.load('key', pipe, { offset: 0, length: 1 })).rejects.toMatchObject({
      code: 'repository/damaged',
      message: expect.stringContaining(`keys/${pipe}`),
    });
  });

  test('takes a folder in the place of a file for damage, by its name, and removes it where it is empty', async () => {
    const folder = await newFolder();
    const backend = openLocalBackend(folder);
    const path = join(folder, 'index', name);
    await mkdir(path, { recursive: true });
    expect(await Array.fromAsync(backend.list('index'), (one) => one.name)).toEqual([name]);
    const damaged = { code: 'repository/damaged', message: expect.stringContaining(`index/${name} is a folder`) };
    await expect(backend.load('index', name)).rejects.toMatchObject(damaged);
    await expect(backend.load('index', name, { offset: 0, length: 1 })).rejects.toMatchObject(damaged);
    await writeFile(join(path, 'of somebody'), 'x');
    const message = expect.stringMatching(`^The file index/${name} of the store at .* is a folder, which is not empty`);
    await expect(backend.remove('index', name)).rejects.toMatchObject({ code: 'store/unavailable', message });
    await rm(join(path, 'of somebody'));
    await backend.remove('index', name);
    expect(await readdir(join(folder, 'index'))).toEqual([]);
  });

  const nowhere: [string, (at: string) => string][] = [
    ['to nothing', () => 'nowhere'],
    ['to itself', (at) => at],
    ['through a file', () => '/etc/passwd/nowhere'],
    ['to a name that is too long', () => 'x'.repeat(300)],
  ];
  test.each(nowhere)('takes a link that leads %s for damage, by its name, and in nobody’s way', async (_, to) => {
    const folder = await newFolder();
    const path = join(folder, 'index', name);
    await mkdir(join(folder, 'index'));
    await symlink(to(path), path);
    const backend = openLocalBackend(folder);
    expect(await Array.fromAsync(backend.list('index'))).toEqual([{ name, size: 0 }]);
    const damaged = { code: 'repository/damaged', message: expect.stringContaining(`index/${name} is a link that`) };
    await expect(backend.load('index', name)).rejects.toMatchObject(damaged);
    await expect(backend.load('index', name, { offset: 0, length: 1 })).rejects.toMatchObject(damaged);
    await expect(backend.stat('index', name)).rejects.toMatchObject({ code: 'store/not-found' });
    await backend.save('index', name, Buffer.of(7));
    expect(await backend.load('index', name)).toEqual(Buffer.of(7));
    await rm(path);
    await symlink(to(path), path);
    await backend.remove('index', name);
    expect(await readdir(join(folder, 'index'))).toEqual([]);
  });

  test('finds no repository where the file that tells of it is a link that leads nowhere, and lists the rest', async () => {
    const folder = await newFolder();
    await symlink('nowhere', join(folder, 'config'));
    await expect(openLocalBackend(folder).load('config', 'config')).rejects.toMatchObject({ code: 'store/not-found' });
  });

  test('takes a socket for damage, by its name, and lists what is beside it', async () => {
    const folder = await newFolder();
    const other = 'cd'.repeat(32);
    const backend = openLocalBackend(folder);
    await backend.save('key', other, Buffer.of(1));
    // Paths of sockets are short.
    const short = await mkdtemp(join(tmpdir(), 'nk-'));
    const listener = createServer().listen(join(short, 's'));
    await once(listener, 'listening');
    await rename(join(short, 's'), join(folder, 'keys', name));
    const names = await Array.fromAsync(backend.list('key'), (one) => one.name);
    expect(names.toSorted()).toEqual([name, other]);
    const damaged = {
      code: 'repository/damaged',
      message: expect.stringContaining(`keys/${name} is a folder, a pipe`),
    };
    await expect(backend.load('key', name)).rejects.toMatchObject(damaged);
    await expect(backend.load('key', name, { offset: 0, length: 1 })).rejects.toMatchObject(damaged);
    listener.close();
    await rm(short, { recursive: true });
  });

  const noFolders: [string, (at: string) => Promise<unknown>][] = [
    ['a link to a disk that is not mounted', (at) => symlink('/mnt/not mounted', at)],
    ['a file', (at) => writeFile(at, '')],
    ['a pipe', (at) => promisify(execFile)('mkfifo', [at])],
  ];
  test.each(noFolders)('%s in the place of a folder is no empty folder, and is named', async (_, make) => {
    for (const part of ['snapshots', 'data', 'data/ab']) {
      const folder = await newFolder();
      if (part === 'data/ab') await mkdir(join(folder, 'data'));
      await make(join(folder, part));
      const backend = openLocalBackend(folder);
      const type = part === 'snapshots' ? 'snapshot' : 'data';
      const named = {
        code: 'store/unavailable',
        message: expect.stringMatching(`^${part} of the store at .* is a file`),
      };
      await expect(Array.fromAsync(backend.list(type))).rejects.toMatchObject(named);
      await expect(backend.save(type, name, Buffer.of(1))).rejects.toMatchObject(named);
    }
  });

  test('leaves nothing but the file', async () => {
    const folder = await newFolder();
    await openLocalBackend(folder).save('key', name, Buffer.of(1));
    expect(await readdir(folder, { recursive: true })).toEqual(['keys', `keys/${name}`]);
  });

  test('does not list what a broken write left behind, nor foreign files', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'data', 'ab'), { recursive: true });
    await mkdir(join(folder, 'data', 'zz'));
    const strays = [`data/ab/${name}-tmp-123456`, `data/${name}`, `data/ab/${'cd'.repeat(32)}`, 'data/ab/.DS_Store'];
    for (const path of strays) await writeFile(join(folder, path), 'x');
    expect(await Array.fromAsync(openLocalBackend(folder).list('data'))).toEqual([]);
  });

  test('when vacated leaves no folder and no leftover, but what is not its own', async () => {
    const folder = join(await newFolder(), 'repository');
    const backend = openLocalBackend(folder);
    await backend.save('data', name, Buffer.of(1));
    await writeFile(join(folder, 'data', 'ab', `${name}-tmp-0123456789ab`), 'half a pack');
    await backend.remove('data', name);
    await writeFile(join(folder, 'note.txt'), 'of the operator');
    await backend.vacate();
    expect(await readdir(folder)).toEqual(['note.txt']);
    await rm(join(folder, 'note.txt'));
    await backend.vacate();
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each([
    ['ENOSPC', 'store/full', 'is full', false],
    ['EROFS', 'store/unavailable', 'read-only', false],
    ['EACCES', 'store/unavailable', 'rights', false],
    ['EMFILE', 'store/unavailable', 'too many', true],
    ['EIO', 'store/unavailable', 'disk', true],
    ['ENOENT', 'store/not-found', 'no such file', false],
  ])('says of %s what it is and whether it can pass', (errno, code, words, passes) => {
    const error = localError(Object.assign(new Error(errno), { code: errno }), '/srv/store');
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(error).toHaveProperty('retry', passes ? { afterMs: 500 } : undefined);
  });

  test.each(['EACCES', 'EIO'])('says of %s which file it came of, where it came of one', (errno) => {
    const error = Object.assign(new Error(errno), { code: errno });
    const file = `index/${name}`;
    expect(localError(error, '/srv/store', { file })).toMatchObject({
      message: expect.stringMatching(`^The file ${file} of the store at /srv/store `),
    });
    expect(localError(error, '/srv/store')).toMatchObject({
      message: expect.stringMatching('^The store at /srv/store '),
    });
  });

  test('says that a file stands where its folder should be', async () => {
    const path = join(await newFolder(), 'file');
    await writeFile(path, 'x');
    await expect(openLocalBackend(path).save('key', name, Buffer.of(1))).rejects.toMatchObject({
      code: 'store/unavailable',
    });
  });
});
