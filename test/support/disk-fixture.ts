import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Source } from '../../src/sources/source.ts';
import { openSource } from './open-source.ts';
import type { RunningServer } from './server-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A folder on disk that a real server serves, for the contract of sources. */
export async function diskFixture(start: (options: { root: string }) => Promise<RunningServer>) {
  const folder = await temporaryFolder('served');
  const server = await start({ root: folder.path });
  const put = async (path: string, content: string | Buffer) => {
    const target = join(folder.path, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    return target;
  };
  const longAgo = new Date('2021-03-04T05:06:07.891Z');
  return {
    root: folder.path,
    url: server.url,
    putOld: async (path: string, content: string | Buffer) => utimes(await put(path, content), longAgo, longAgo),
    putNow: async (path: string, content: string | Buffer) => void (await put(path, content)),
    putFolder: async (path: string) => void (await mkdir(join(folder.path, path), { recursive: true })),
    remove: (path: string) => rm(join(folder.path, path), { recursive: true }),
    open: (): Source => openSource(server.url),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
