import { HouseError } from '../../src/errors.ts';
import { type Backend, type FileType, pathOf } from '../../src/store/backend/backend.ts';

/** A backend in memory, with its files open to tests (by path, as in a folder). */
export interface MemoryBackend extends Backend {
  readonly files: Map<string, { type: FileType; name: string; bytes: Buffer }>;
}

/** A backend that keeps everything in memory. */
export function openMemoryBackend(): MemoryBackend {
  const files: MemoryBackend['files'] = new Map();
  const get = (type: FileType, name: string) => {
    const file = files.get(pathOf(type, name));
    if (file === undefined) throw new HouseError('store/not-found', `The store has no such ${type}.`);
    return file.bytes;
  };
  return {
    files,
    location: 'memory',
    save: async (type, name, bytes) => {
      const path = pathOf(type, name);
      if (files.has(path)) throw new HouseError('store/exists', 'The store has that file already.');
      files.set(path, { type, name, bytes: Buffer.from(bytes) });
    },
    load: async (type, name, range) => {
      const bytes = get(type, name);
      if (range === undefined) return Buffer.from(bytes);
      const end = range.offset + range.length;
      if (end > bytes.length) throw new HouseError('repository/damaged', 'A file of the repository is too short.');
      return Buffer.from(bytes.subarray(range.offset, end));
    },
    list: async function* (type) {
      for (const file of [...files.values()])
        if (file.type === type) yield { name: file.name, size: file.bytes.length };
    },
    stat: async (type, name) => ({ name, size: get(type, name).length }),
    remove: async (type, name) => {
      get(type, name);
      files.delete(pathOf(type, name));
    },
    vacate: async () => undefined,
  };
}
