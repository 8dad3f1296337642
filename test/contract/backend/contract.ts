import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Backend, type FileType, longestFile } from '../../../src/store/backend/backend.ts';

const nameOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const types: readonly FileType[] = ['key', 'snapshot', 'index', 'lock', 'data', 'card', 'mark', 'state'];
const listNames = async (backend: Backend, type: FileType) =>
  (await Array.fromAsync(backend.list(type))).map(({ name }) => name).sort();

/** Holds an implementation to what backend.ts promises. `open` gives a new, empty place each time. */
export function describeBackend(title: string, open: () => Promise<Backend>): void {
  describe(`${title} keeps the promises of a backend`, () => {
    test.each(types)('a %s is loaded as it was saved, whole and in ranges', async (type) => {
      const backend = await open();
      const bytes = randomBytes(10_000);
      const name = nameOf(bytes);
      await backend.save(type, name, bytes);
      expect((await backend.load(type, name)).equals(bytes)).toBe(true);
      for (const [offset, length] of [
        [0, 1],
        [9_999, 1],
        [17, 5_000],
        [0, 10_000],
        [500, 0],
      ] as const) {
        const range = await backend.load(type, name, { offset, length });
        expect(range.equals(bytes.subarray(offset, offset + length))).toBe(true);
      }
    });

    test.each([0, 4_999, 5_000, 70_000])(
      'a range is right, whether memory of %d bytes is offered for it or not',
      async (size) => {
        const backend = await open();
        const bytes = randomBytes(10_000);
        await backend.save('data', nameOf(bytes), bytes);
        const range = { offset: 17, length: 5_000 };
        const loaded = await backend.load('data', nameOf(bytes), range, new ArrayBuffer(size));
        expect(loaded.equals(bytes.subarray(17, 5_017))).toBe(true);
      },
    );

    test('an export may have any name, not that of its hash alone', async () => {
      const backend = await open();
      const [name, other] = ['20'.repeat(32), '21'.repeat(32)];
      for (const text of [name, other]) await backend.save('state', text, Buffer.from(text));
      await expect(backend.save('state', name, Buffer.of(1))).rejects.toMatchObject({ code: 'store/exists' });
      expect((await backend.load('state', name)).toString()).toBe(name);
      expect((await backend.load('state', other, { offset: 62, length: 2 })).toString()).toBe('21');
      const beyond = { offset: 60, length: 5 };
      await expect(backend.load('state', name, beyond)).rejects.toMatchObject({ code: 'repository/damaged' });
      expect(await backend.stat('state', name)).toMatchObject({ name, size: 64 });
      await backend.remove('state', name);
      expect(await Array.fromAsync(backend.list('state'))).toEqual([{ name: other, size: 64 }]);
      await expect(backend.remove('state', name)).rejects.toMatchObject({ code: 'store/not-found' });
    });

    test('a range beyond the end is damage, not a short answer', async () => {
      const backend = await open();
      const bytes = randomBytes(100);
      await backend.save('data', nameOf(bytes), bytes);
      for (const range of [
        { offset: 90, length: 11 },
        { offset: 200, length: 1 },
      ]) {
        await expect(backend.load('data', nameOf(bytes), range)).rejects.toMatchObject({ code: 'repository/damaged' });
      }
    });

    test('a whole file that is longer than any of its type is damage, and is not read; parts of it are', async () => {
      const backend = await open();
      const bytes = Buffer.alloc(longestFile.lock + 1);
      await backend.save('lock', nameOf(bytes), bytes);
      const refused = { code: 'repository/damaged', message: expect.stringContaining(`locks/${nameOf(bytes)}`) };
      await expect(backend.load('lock', nameOf(bytes))).rejects.toMatchObject(refused);
      expect(await backend.load('lock', nameOf(bytes), { offset: longestFile.lock, length: 1 })).toEqual(Buffer.of(0));
      const longest = bytes.subarray(1);
      await backend.save('lock', nameOf(longest), longest);
      expect((await backend.load('lock', nameOf(longest))).equals(longest)).toBe(true);
    });

    test('what is not there is told as not found', async () => {
      const backend = await open();
      const name = nameOf(Buffer.of());
      const missing = { code: 'store/not-found' };
      await expect(backend.load('data', name)).rejects.toMatchObject(missing);
      await expect(backend.load('data', name, { offset: 0, length: 1 })).rejects.toMatchObject(missing);
      await expect(backend.stat('key', name)).rejects.toMatchObject(missing);
      await expect(backend.remove('index', name)).rejects.toMatchObject(missing);
      await expect(backend.load('config', 'config')).rejects.toMatchObject(missing);
    });

    test('a name is written once; the first bytes stay', async () => {
      const backend = await open();
      await backend.save('config', 'config', Buffer.from('first'));
      await expect(backend.save('config', 'config', Buffer.from('second'))).rejects.toMatchObject({
        code: 'store/exists',
      });
      expect((await backend.load('config', 'config')).toString()).toBe('first');
    });

    test('listing tells each file of the type once, with its size', async () => {
      const backend = await open();
      const files = Array.from({ length: 20 }, (_, size) => randomBytes(size + 1));
      for (const bytes of files) await backend.save('data', nameOf(bytes), bytes);
      await backend.save('index', nameOf(Buffer.of(1)), Buffer.of(1));
      const listed = await Array.fromAsync(backend.list('data'));
      const expected = files.map((bytes) => ({ name: nameOf(bytes), size: bytes.length }));
      expect(listed.toSorted((a, b) => a.size - b.size)).toEqual(expected);
      expect(await listNames(backend, 'index')).toEqual([nameOf(Buffer.of(1))]);
      expect(await backend.stat('data', nameOf(files[3] ?? Buffer.of()))).toMatchObject({ size: 4 });
    });

    test('an empty place lists nothing', async () => {
      const backend = await open();
      for (const type of [...types, 'config' as const]) expect(await listNames(backend, type)).toEqual([]);
    });

    test('what was removed is gone, and may be saved again', async () => {
      const backend = await open();
      const bytes = randomBytes(10);
      await backend.save('lock', nameOf(bytes), bytes);
      await backend.remove('lock', nameOf(bytes));
      expect(await listNames(backend, 'lock')).toEqual([]);
      await backend.save('lock', nameOf(bytes), bytes);
      expect(await listNames(backend, 'lock')).toEqual([nameOf(bytes)]);
    });

    test('a place is vacated without harm to its files, and may be used again', async () => {
      const backend = await open();
      const bytes = randomBytes(10);
      await backend.vacate();
      await backend.save('data', nameOf(bytes), bytes);
      await backend.vacate();
      expect((await backend.load('data', nameOf(bytes))).equals(bytes)).toBe(true);
      await backend.remove('data', nameOf(bytes));
      await backend.vacate();
      await backend.save('data', nameOf(bytes), bytes);
      expect(await listNames(backend, 'data')).toEqual([nameOf(bytes)]);
    });

    test('an empty file and a large one are kept', async () => {
      const backend = await open();
      for (const bytes of [Buffer.of(), randomBytes(20 * 1024 * 1024)]) {
        await backend.save('data', nameOf(bytes), bytes);
        expect((await backend.load('data', nameOf(bytes))).equals(bytes)).toBe(true);
      }
    });

    test('many files are saved at once', async () => {
      const backend = await open();
      const files = Array.from({ length: 100 }, () => randomBytes(500));
      await Promise.all(files.map((bytes) => backend.save('data', nameOf(bytes), bytes)));
      expect(await listNames(backend, 'data')).toEqual(files.map(nameOf).sort());
    });
  });
}
