import type { Clock } from '../../clock.ts';
import { AppError, isAppError } from '../../errors.ts';
import { cureOfAbsent } from '../backend/absent.ts';
import { type Backend, configName, type FileType } from '../backend/backend.ts';
import { type Config, createConfig, openConfig, sealConfig } from '../format/config.ts';
import { createMasterKey, type MasterKey } from '../format/envelope.ts';
import type { KeyId } from '../format/ids.ts';
import type { Scrypt } from '../format/key-file.ts';
import type { Polynomial } from '../format/polynomial.ts';
import { type Blobs, createBlobs } from './blobs.ts';
import { createIndexes, type Indexes } from './indexes.ts';
import { createKeys, findMasterKey, type Keys, saveKeyFile } from './keys.ts';
import { createMasterIndex, type MasterIndex } from './master-index.ts';
import { createSnapshots, type Snapshots } from './snapshots.ts';

/** What opens a repository once a password was tried. */
export interface RepositoryKey {
  readonly masterKey: MasterKey;
  /** The key file that the password opened. */
  readonly keyId: KeyId;
}

/** An opened repository: its keys, its index (empty until `loadIndex`), its blobs and its snapshots. */
export interface Repository extends RepositoryKey, Keys, Indexes, Blobs, Snapshots {
  readonly backend: Backend;
  readonly config: Config;
  /** What is known of all blobs. Filled by `loadIndex` and by whoever writes packs. */
  readonly index: MasterIndex;
}

export interface NewRepository {
  readonly password: string;
  readonly clock: Clock;
  /** Shown by `restic key list`. */
  readonly username?: string;
  readonly hostname?: string;
  /** The cost of trying the password; a random service password needs less. */
  readonly scrypt?: Scrypt;
  /** A random one by default. */
  readonly polynomial?: Polynomial;
}

/**
 * Makes a repository where none is, and opens it. What a crash left of one, a key file that this password opens and nothing else,
 * is completed. Throws `store/exists` when anything else of a repository is there.
 */
export async function initRepository(backend: Backend, options: NewRepository): Promise<Repository> {
  const begun = await findBegun(backend, options.password);
  const masterKey = begun?.masterKey ?? createMasterKey();
  const keyId = begun?.keyId ?? (await saveKeyFile(backend, masterKey, options.password, options));
  try {
    await saveUnlessThere(backend, sealConfig(masterKey, createConfig(options.polynomial)));
    const config = openConfig(masterKey, await backend.load('config', configName));
    return assemble(backend, { masterKey, config, keyId });
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    if (begun === undefined) await backend.remove('key', keyId);
    throw alreadyThere(backend);
  }
}

export interface OpenOptions {
  /** The key file to try first, */
  readonly keyHint?: KeyId | undefined;
  /** and the one to try last, since it is known to be of another password. */
  readonly otherKey?: KeyId | undefined;
  /** Bytes of folders, as they are stored, that are kept in memory decoded. */
  readonly cachedTreeBytes?: number;
  /** Packs that are known to be damaged: what they hold counts as unknown, so that it is stored again. */
  readonly without?: ReadonlySet<string>;
}

/** Opens the repository with any of its passwords. Throws `repository/not-found`, `repository/wrong-password`, `repository/damaged`. */
export async function openRepository(
  backend: Backend,
  password: string,
  { keyHint, otherKey, ...memory }: OpenOptions = {},
): Promise<Repository> {
  const bytes = await loadConfigFile(backend);
  const { masterKey, keyId } = await findMasterKey(backend, password, { first: keyHint, last: otherKey });
  return assemble(backend, { masterKey, config: openConfig(masterKey, bytes), keyId }, memory);
}

/** Opens the repository with what a password gave before. Throws `repository/not-found`, `repository/damaged`. */
export async function openWithKey(
  backend: Backend,
  { masterKey, keyId }: RepositoryKey,
  memory: Pick<OpenOptions, 'cachedTreeBytes'> = {},
): Promise<Repository> {
  return assemble(backend, { masterKey, config: openConfig(masterKey, await loadConfigFile(backend)), keyId }, memory);
}

function assemble(
  backend: Backend,
  opened: { masterKey: MasterKey; config: Config; keyId: KeyId },
  { cachedTreeBytes, without }: Pick<OpenOptions, 'cachedTreeBytes' | 'without'> = {},
): Repository {
  const index = createMasterIndex();
  const { masterKey } = opened;
  const indexes = createIndexes(backend, masterKey, index, without);
  return {
    backend,
    index,
    ...opened,
    ...createKeys(backend, opened),
    ...indexes,
    ...createBlobs(backend, masterKey, index, { cachedTreeBytes, readNewIndexes: indexes.readNewIndexes }),
    ...createSnapshots(backend, masterKey),
  };
}

async function loadConfigFile(backend: Backend): Promise<Buffer> {
  try {
    return await backend.load('config', configName);
  } catch (cause) {
    if (!isAppError(cause, 'store/not-found')) throw cause;
    throw new AppError(
      'repository/not-found',
      `There is no repository at ${backend.location}. ${cureOfAbsent(backend)}.`,
      {
        cause,
        detail: { files: ['config'] },
      },
    );
  }
}

/** Another may be making the same repository; whichever config is there then counts. */
async function saveUnlessThere(backend: Backend, config: Buffer): Promise<void> {
  try {
    await backend.save('config', configName, config);
  } catch (error) {
    if (!isAppError(error, 'store/exists')) throw error;
  }
}

/** The keys of a repository that was begun with this password; undefined where there is nothing of one. */
async function findBegun(backend: Backend, password: string) {
  if (await holds(backend, 'config', 'snapshot')) throw alreadyThere(backend);
  if (!(await holds(backend, 'key'))) return undefined;
  if (await holds(backend, 'index', 'data')) throw alreadyThere(backend);
  return findMasterKey(backend, password).catch((error: unknown) => {
    throw isAppError(error, 'repository/wrong-password') ? alreadyThere(backend) : error;
  });
}

async function holds(backend: Backend, ...types: FileType[]): Promise<boolean> {
  for (const type of types) for await (const _ of backend.list(type)) return true;
  return false;
}

function alreadyThere(backend: Backend): AppError {
  return new AppError(
    'store/exists',
    `There is a repository, or a part of one, at ${backend.location} already. Use another place, or open it with its password.`,
  );
}
