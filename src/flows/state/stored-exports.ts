import { AppError, type ErrorCode, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { listExports, readExportFiles, type StoredExport, statePlace } from '../../store/state-exports.ts';
import { unsealTexts } from '../../vault/sealed-texts.ts';
import { type Importing, type MovedState, readExport, readManifest } from './move-state.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'store'>;

/** An export of Nightkeep's own state that lies in the store. */
export interface ListedExport {
  /** Its moment, by which it is named. */
  readonly name: string;
  readonly bytes: number;
  /** The version of Nightkeep that made it; absent where it does not open. */
  readonly version?: string;
  /** Why it does not open, and the cure. */
  readonly problem?: string;
}

/** How many bytes of an export are read to learn what it says of itself. */
const headBytes = 64 * 1024;

/** The exports in the store of the settings, the newest first, and whether this keyring opens them. */
export async function listStoredExports({ clock, keyring, store }: Needs): Promise<ListedExport[]> {
  const backend = store(statePlace, null);
  const { whole } = await listExports(backend, clock.now());
  const listed: ListedExport[] = [];
  for (const one of whole) {
    const about = { name: one.createdAt.toISOString(), bytes: one.bytes };
    const texts = unsealTexts(keyring, head(backend, one));
    try {
      listed.push({ ...about, version: (await readManifest(keyring, texts)).version });
    } catch (error) {
      if (!isAppError(error)) throw error;
      listed.push({ ...about, problem: error.message });
    }
  }
  return listed;
}

async function* head(backend: Backend, { files: [first = ''] }: StoredExport): AsyncGenerator<Buffer> {
  const { size } = await backend.stat('state', first);
  yield await backend.load('state', first, { offset: 0, length: Math.min(size, headBytes) });
}

/**
 * Brings an export from the store into an empty, migrated database: the newest where it is called "latest", or the one whose name begins
 * so. Throws as `readExport`, and `request/not-found` where there is none.
 */
export async function importFromStore(
  resources: Needs,
  { name, ...importing }: Importing & { name: string },
): Promise<MovedState> {
  const backend = resources.store(statePlace, null);
  const { whole } = await listExports(backend, resources.clock.now());
  const found = choose(whole, name, backend.location);
  try {
    return await readExport(resources, readExportFiles(backend, found), importing);
  } catch (error) {
    if (!isAppError(error) || ofEveryExport.includes(error.code) || whole.length === 1) throw error;
    throw new AppError(
      error.code,
      `The export of ${found.createdAt.toISOString()} was not imported: ${error.message} There are others: nightkeep import --list`,
      { cause: error },
    );
  }
}

/** What no other export would change. */
const ofEveryExport: readonly ErrorCode[] = ['keyring/invalid', 'run/stopped'];

function choose(whole: readonly StoredExport[], name: string, location: string): StoredExport {
  const [newest] = whole;
  if (newest === undefined)
    throw new AppError(
      'request/not-found',
      `There is no export in ${location}. Has STORE_URL changed? Without an export: nightkeep adopt`,
    );
  if (name === 'latest') return newest;
  const [found, ...others] = whole.filter(({ createdAt }) => createdAt.toISOString().startsWith(name));
  if (found !== undefined && others.length === 0) return found;
  const how = found === undefined ? 'No export is' : 'More than one export is';
  throw new AppError(
    'request/not-found',
    `${how} called ${name}. See their names with: nightkeep import --list. The newest one is called latest too.`,
  );
}
