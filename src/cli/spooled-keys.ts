import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpooledKeyIds } from '../flows/retire-key.ts';
import type { Resources } from '../resources.ts';
import { keyIdOf } from '../vault/seal.ts';

/** The keys that sealed files in this machine's spool need. A file that a running worker takes away meanwhile counts no more. */
export function spooledKeyIds({ config }: Pick<Resources, 'config'>): SpooledKeyIds {
  const folder = join(config.dataDir, 'spool');
  return async () => {
    const names = await readdir(folder).catch((error: unknown) => unlessMissing(error, []));
    const files = names.filter((name) => name.endsWith('.sealed'));
    const sealed = await Promise.all(
      files.map((name) => readFile(join(folder, name)).catch((error: unknown) => unlessMissing(error, undefined))),
    );
    return sealed.flatMap((bytes) => (bytes === undefined ? [] : [keyIdOf(bytes)]));
  };
}

function unlessMissing<T>(error: unknown, instead: T): T {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead;
  throw error;
}
