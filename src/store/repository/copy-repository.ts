import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { type Backend, configName, type FileType } from '../backend/backend.ts';
import { inParallel } from './in-parallel.ts';

export interface CopyReport {
  /** Files and bytes of the repository, and how many of the files had to be copied. */
  readonly files: number;
  readonly bytes: number;
  readonly copied: number;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Files copied at a time: each is in memory while it is. 4 by default. */
  readonly width?: number;
}

/** What is copied, the config besides, which comes last: until then there is no repository. */
const types: readonly Exclude<FileType, 'config' | 'lock'>[] = ['data', 'index', 'snapshot', 'key', 'card'];

/** A copy that was begun has a file of at least one of these types. */
export const copiedTypes: readonly FileType[] = [...types, 'config'];

/**
 * Makes another place hold the files of this repository and no others, locks aside. What is there already is not copied again, so the next call
 * continues one that was interrupted. The caller holds the exclusive lock here, and nobody knows of the other place. Throws
 * `repository/damaged` for a file that is not what its name says, and `store/exists` where another repository is.
 */
export async function copyRepository(
  from: Backend,
  to: Backend,
  { signal, width = 4 }: CopyOptions = {},
): Promise<CopyReport> {
  const config = await from.load('config', configName);
  const isWhole = await isCopied(to, config);
  // What a call that was killed had half written.
  await to.vacate();
  const report = { files: 1, bytes: config.length, copied: isWhole ? 0 : 1 };
  for (const type of types) {
    const here = new Map(await Array.fromAsync(from.list(type), ({ name, size }) => [name, size] as const));
    const there = new Map(await Array.fromAsync(to.list(type), ({ name, size }) => [name, size] as const));
    const surplus = [...there].filter(([name, size]) => here.get(name) !== size).map(([name]) => name);
    const lacking = [...here].filter(([name, size]) => there.get(name) !== size).map(([name]) => name);
    const remove = async (name: string) => to.remove(type, name);
    const underWay = new Set<Promise<void>>();
    const copyOne = async (name: string) => {
      signal?.throwIfAborted();
      await to.save(type, name, await loadSound(from, type, name));
    };
    const copy = (name: string) => {
      const copying = copyOne(name);
      underWay.add(copying);
      return copying.finally(() => underWay.delete(copying));
    };
    await Array.fromAsync(inParallel(surplus, width, remove));
    try {
      await Array.fromAsync(inParallel(lacking, width, copy));
    } catch (error) {
      // Nothing comes to the other place any more once the caller hears of it.
      await Promise.allSettled(underWay);
      throw error;
    }
    report.files += here.size;
    report.bytes += here.values().reduce((sum, size) => sum + size, 0);
    report.copied += lacking.length;
  }
  signal?.throwIfAborted();
  if (!isWhole) await to.save('config', configName, config);
  return report;
}

/** Throws `store/exists` where another repository is, and whatever the place answers that cannot be asked. */
export async function refuseAnother(from: Backend, to: Backend): Promise<void> {
  await isCopied(to, await from.load('config', configName));
}

/** Whether the config is there already. Throws `store/exists` where that of another repository is. */
async function isCopied(to: Backend, config: Buffer): Promise<boolean> {
  const [listed] = await Array.fromAsync(to.list('config'));
  if (listed === undefined) return false;
  if ((await to.load('config', configName)).equals(config)) return true;
  throw new AppError('store/exists', `There is another repository at ${to.location}. Use another place.`);
}

/** Every file but the config is named after its content. */
async function loadSound(from: Backend, type: FileType, name: string): Promise<Buffer> {
  const bytes = await from.load(type, name);
  if (createHash('sha256').update(bytes).digest('hex') === name) return bytes;
  throw new AppError(
    'repository/damaged',
    `The ${type} file ${name} at ${from.location} is damaged, so it is not copied. Run nightkeep check.`,
    { detail: { type, name } },
  );
}
