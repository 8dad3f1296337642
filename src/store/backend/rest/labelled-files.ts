import { createHash } from 'node:crypto';
import { isAppError } from '../../../errors.ts';
import { type Backend, type ListedFile, notThere } from '../backend.ts';
import { alreadyThere, type HttpFile, loadRange } from '../http/http-file.ts';

/** Requests to a server that takes files under the names of their hashes only, by paths. */
export interface HashedFiles {
  file(path: string): HttpFile;
  /** Throws `store/exists` where the file is there. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  list(path: string): AsyncIterable<ListedFile>;
  remove(path: string): Promise<void>;
}

type OneType<Act> = Act extends (type: infer _, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** What a backend promises, of the files of one type. */
export type FilesOfType = { [Act in 'save' | 'load' | 'list' | 'stat' | 'remove']: OneType<Backend[Act]> };

const labelBytes = 32;

/**
 * Files in a folder of such a server (with a slash at the end) whose names, of 64 hexadecimal digits, are not their hashes: each begins with
 * its name, and is found by reading that. For few files.
 */
export function openLabelledFiles(server: HashedFiles, folder: string): FilesOfType {
  /** By hash; what lies under one never changes. */
  const labels = new Map<string, string>();
  const readLabel = async (hash: string) => {
    const label = await loadRange(server.file(`${folder}${hash}`), { offset: 0, length: labelBytes });
    labels.set(hash, label.toString('hex'));
  };
  /** By name. */
  const look = async () => {
    const files = (await Array.fromAsync(server.list(folder))).filter(({ size }) => size >= labelBytes);
    const unread = files.filter(({ name }) => !labels.has(name));
    await Promise.all(unread.map(({ name }) => readLabel(name).catch(unlessGone)));
    return new Map(files.map(({ name: hash, size }) => [labels.get(hash), { hash, size: size - labelBytes }]));
  };
  const find = async (name: string) => {
    const found = (await look()).get(name);
    if (found !== undefined) return { size: found.size, path: `${folder}${found.hash}` };
    throw notThere(`${folder}${name}`);
  };
  return {
    save: async (name, bytes) => {
      if ((await look()).has(name)) throw alreadyThere(`${folder}${name}`);
      const labelled = Buffer.concat([Buffer.from(name, 'hex'), bytes]);
      await server.put(`${folder}${createHash('sha256').update(labelled).digest('hex')}`, labelled);
    },
    load: async (name, range) => {
      const { path, size } = await find(name);
      const { offset, length } = range ?? { offset: 0, length: size };
      return loadRange(server.file(path), { offset: offset + labelBytes, length });
    },
    list: async function* () {
      for (const [name, { size }] of await look()) if (name !== undefined) yield { name, size };
    },
    stat: async (name) => ({ name, size: (await find(name)).size }),
    remove: async (name) => server.remove((await find(name)).path),
  };
}

function unlessGone(error: unknown): void {
  if (!isAppError(error, 'store/not-found')) throw error;
}
