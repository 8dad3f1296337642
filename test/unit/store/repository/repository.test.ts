import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/clock.ts';
import type { Backend } from '../../../../src/store/backend/backend.ts';
import { type DataId, idOf } from '../../../../src/store/format/ids.ts';
import { repositoryExists } from '../../../../src/store/repository/exists.ts';
import { initRepository, openRepository } from '../../../../src/store/repository/repository.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { cheapScrypt, newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

const clock = systemClock();

describe('a repository', () => {
  test('is made once, and opens with its password', async () => {
    const backend = openMemoryBackend();
    expect(await repositoryExists(backend)).toBe(false);
    const made = await newRepository(backend);
    expect(await repositoryExists(backend)).toBe(true);
    const opened = await openRepository(backend, 'pw');
    expect(opened.config).toEqual(made.config);
    expect(opened.masterKey).toEqual(made.masterKey);
    await expect(newRepository(backend)).rejects.toMatchObject({ code: 'store/exists' });
  });

  test('of which a crash left only the key is completed with its password, whatever step it was that failed', async () => {
    for (let failing = 1, failed = true; failed; failing++) {
      const backend = openMemoryBackend();
      let step = 0;
      const count = async <T>(call: () => Promise<T>) => {
        step++;
        if (step === failing) throw new Error('The process ends here.');
        return call();
      };
      const failingBackend: Backend = {
        ...backend,
        save: (...given) => count(() => backend.save(...given)),
        load: (...given) => count(() => backend.load(...given)),
        remove: (...given) => count(() => backend.remove(...given)),
      };
      failed = await newRepository(failingBackend).then(
        () => false,
        () => true,
      );
      if (!(await repositoryExists(backend))) await newRepository(backend);
      await openRepository(backend, 'pw');
      expect(await Array.fromAsync(backend.list('key'))).toHaveLength(1);
    }
  });

  test('of which only a key is left is not made over with another password, nor where there are data', async () => {
    const backend = openMemoryBackend();
    await writeSnapshot(await newRepository(backend), { 'a.txt': Buffer.from('a') });
    backend.files.delete('config');
    await expect(newRepository(backend)).rejects.toMatchObject({ code: 'store/exists' });
    for (const [path, { type }] of backend.files) if (type === 'snapshot') backend.files.delete(path);
    await expect(newRepository(backend)).rejects.toMatchObject({ code: 'store/exists' });
    for (const [path, { type }] of backend.files) if (type === 'index') backend.files.delete(path);
    await expect(newRepository(backend)).rejects.toMatchObject({ code: 'store/exists' });
    for (const [path, { type }] of backend.files) if (type === 'data') backend.files.delete(path);
    await expect(newRepository(backend, 'another')).rejects.toMatchObject({ code: 'store/exists' });
    await newRepository(backend);
  });

  test('made by two at once with one password opens with it, whoever was faster', async () => {
    const backend = openMemoryBackend();
    const made = await Promise.allSettled([newRepository(backend), newRepository(backend)]);
    expect(made.some(({ status }) => status === 'fulfilled')).toBe(true);
    await openRepository(backend, 'pw');
  });

  test('says that the password is wrong, that it is not there, that its config is damaged', async () => {
    const backend = openMemoryBackend();
    await expect(openRepository(backend, 'pw')).rejects.toMatchObject({ code: 'repository/not-found' });
    await newRepository(backend);
    await expect(openRepository(backend, 'PW')).rejects.toMatchObject({ code: 'repository/wrong-password' });
    const config = backend.files.get('config')?.bytes;
    if (config !== undefined) config[20] = (config[20] ?? 0) ^ 1;
    await expect(openRepository(backend, 'pw')).rejects.toMatchObject({ code: 'repository/damaged' });
  });

  test('takes further passwords, and lets go of them', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const recovery = await repository.addKey('recovery', { clock, username: 'alice', scrypt: cheapScrypt });
    expect((await openRepository(backend, 'recovery', { keyHint: recovery })).keyId).toBe(recovery);
    const keys = await Array.fromAsync(repository.listKeys());
    expect(keys.map(({ id, username }) => [id, username])).toContainEqual([recovery, 'alice']);
    await repository.removeKey(recovery);
    await expect(openRepository(backend, 'recovery')).rejects.toMatchObject({ code: 'repository/wrong-password' });
    await expect(repository.removeKey(repository.keyId)).rejects.toThrow();
  });

  test('takes a polynomial that is given', async () => {
    const polynomial = 0x3da3358b4dc173n;
    const made = await initRepository(openMemoryBackend(), { password: 'pw', clock, scrypt: cheapScrypt, polynomial });
    expect(made.config.polynomial).toBe(polynomial);
  });
});

describe('snapshots', () => {
  test('are listed oldest first, found by prefix or as latest, and forgotten', async () => {
    const repository = await newRepository(openMemoryBackend());
    const { id, tree } = await writeSnapshot(repository, { a: Buffer.from('a') });
    const older = await repository.saveSnapshot({ time: '2026-01-02T03:04:05+02:00', tree, paths: [] });
    expect((await Array.fromAsync(repository.listSnapshots())).map((saved) => saved.id)).toEqual([older, id]);
    expect((await repository.findSnapshot('latest')).id).toBe(id);
    expect((await repository.findSnapshot(older.slice(0, 8))).id).toBe(older);
    await repository.forgetSnapshot(older);
    await expect(repository.findSnapshot(older)).rejects.toMatchObject({ code: 'repository/no-such-snapshot' });
    await expect(repository.loadSnapshot(older)).rejects.toMatchObject({ code: 'repository/no-such-snapshot' });
    await expect(repository.findSnapshot('')).rejects.toMatchObject({ code: 'repository/no-such-snapshot' });
  });

  test('that are damaged are told and left out', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const { id, tree } = await writeSnapshot(repository, {});
    const broken = await repository.saveSnapshot({ time: '2026-02-02T03:04:05+02:00', tree, paths: [] });
    backend.files.get(`snapshots/${broken}`)?.bytes.fill(0, 20, 40);
    const damage: unknown[] = [];
    const listed = await Array.fromAsync(repository.listSnapshots((error) => damage.push(error)));
    expect(listed.map((saved) => saved.id)).toEqual([id]);
    expect(damage).toMatchObject([{ code: 'repository/damaged', message: expect.stringContaining(broken) }]);
    await expect(Array.fromAsync(repository.listSnapshots())).rejects.toMatchObject({ code: 'repository/damaged' });
  });

  test('of which one cannot be read are told apart by their ids alone: it may be the latest', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const { id, tree } = await writeSnapshot(repository, {});
    const broken = await repository.saveSnapshot({ time: '2025-02-02T03:04:05+02:00', tree, paths: [] });
    backend.files.get(`snapshots/${broken}`)?.bytes.fill(0, 20, 40);
    const message = expect.stringMatching(`${broken}.* name the snapshot that is meant by its id`);
    await expect(repository.findSnapshot('latest')).rejects.toMatchObject({ code: 'repository/damaged', message });
    expect((await repository.findSnapshot(id.slice(0, 8))).id).toBe(id);
  });
});

describe('blobs', () => {
  test('are found by whoever opens the repository anew', async () => {
    const backend = openMemoryBackend();
    const { tree } = await writeSnapshot(await newRepository(backend), { a: Buffer.from('hello') });
    const repository = await openRepository(backend, 'pw');
    await repository.loadIndex();
    const [node] = (await repository.loadTree(tree)).nodes;
    expect(node).toMatchObject({ name: 'a', type: 'file', size: 5 });
    const content = node?.type === 'file' ? node.content[0] : undefined;
    expect((await repository.loadBlob('data', content ?? idOf<DataId>(Buffer.of()))).toString()).toBe('hello');
  });

  test('come in the order asked for, in few reads, a damaged one as an error in its place', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const parts = Array.from({ length: 50 }, (_, n) => randomBytes(n < 3 ? 5_000_000 : 100 + n));
    const { packs } = await writeSnapshot(repository, { a: parts });
    const ids = parts.map((bytes) => idOf<DataId>(bytes));
    const wanted = [...ids.toReversed(), ...ids];
    const [dataPack] = packs;
    const victim = dataPack?.blobs[7];
    const bytes = backend.files.get(`data/${dataPack?.id.slice(0, 2)}/${dataPack?.id}`)?.bytes;
    if (victim === undefined || bytes === undefined) throw new Error('no pack');
    bytes[victim.offset + 20] = (bytes[victim.offset + 20] ?? 0) ^ 1;
    const loaded = await Array.fromAsync(repository.loadBlobs('data', wanted));
    expect(loaded.map(({ id }) => id)).toEqual(wanted);
    for (const blob of loaded) {
      if (blob.id === victim.id) expect(blob).toMatchObject({ error: { code: 'repository/damaged' } });
      else expect('bytes' in blob && idOf(blob.bytes) === blob.id).toBe(true);
    }
    const error = loaded.find((blob) => 'error' in blob);
    expect(error).toMatchObject({ error: { detail: { packId: dataPack?.id, blobId: victim.id } } });
  });

  test('that are damaged in one pack are taken from another that has them', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const content = randomBytes(1000);
    const first = await writeSnapshot(repository, { a: content });
    await writeSnapshot(repository, { b: content, c: randomBytes(5) });
    const id = idOf<DataId>(content);
    const packId = first.packs[0]?.id ?? '';
    backend.files.delete(`data/${packId.slice(0, 2)}/${packId}`);
    expect((await repository.loadBlob('data', id)).equals(content)).toBe(true);
    const [loaded] = await Array.fromAsync(repository.loadBlobs('data', [id]));
    expect(loaded).toMatchObject({ bytes: content });
  });

  test('of packs that are missing are told as damage that names the pack', async () => {
    const backend = openMemoryBackend();
    const repository = await newRepository(backend);
    const { packs } = await writeSnapshot(repository, { a: Buffer.from('x') });
    const packId = packs[0]?.id ?? '';
    backend.files.delete(`data/${packId.slice(0, 2)}/${packId}`);
    await expect(repository.loadBlob('data', idOf<DataId>(Buffer.from('x')))).rejects.toMatchObject({
      code: 'repository/damaged',
      message: expect.stringContaining(packId),
    });
  });

  test('of every backup that came since are found by whoever has the repository open, one backup after the other', async () => {
    const backend = openMemoryBackend();
    const writer = await newRepository(backend);
    const reader = await openRepository(backend, 'pw');
    await reader.loadIndex();
    for (const name of ['one', 'two', 'three']) {
      const { tree } = await writeSnapshot(writer, { [name]: randomBytes(10) });
      expect((await reader.loadTree(tree)).nodes).toMatchObject([{ name }]);
    }
  });

  test('in an index that is damaged are not found, the others are', async () => {
    const backend = openMemoryBackend();
    const made = await newRepository(backend);
    await writeSnapshot(made, { a: Buffer.from('x') });
    const [first] = await Array.fromAsync(backend.list('index'));
    await writeSnapshot(made, { b: Buffer.from('y') });
    backend.files.get(`index/${first?.name}`)?.bytes.fill(0, 20, 25);
    const repository = await openRepository(backend, 'pw');
    const damage: unknown[] = [];
    await repository.loadIndex((error) => damage.push(error));
    expect(damage).toHaveLength(1);
    expect(repository.index.has('data', idOf<DataId>(Buffer.from('y')))).toBe(true);
    expect(repository.index.has('data', idOf<DataId>(Buffer.from('x')))).toBe(false);
  });
});
