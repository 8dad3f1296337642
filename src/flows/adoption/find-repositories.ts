import { isKnownPlace, listKnownPlaces } from '../../database/repositories/adoptions.ts';
import type { WrittenCard } from '../../domain/repository-card.ts';
import { type AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { loadCards } from '../../store/repository/cards.ts';
import { repositoryExists } from '../../store/repository/exists.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';
import { markPlaces } from '../keys/marks.ts';
import { openCard } from './keep-card.ts';

/** A repository that lies in the store. */
export interface FoundRepository {
  /** Its folder. */
  readonly location: string;
  /** Whether the database has it already. */
  readonly isKnown: boolean;
  /** Whose it is; absent where that cannot be told. */
  readonly card?: WrittenCard;
  /** Why not, and the cure. */
  readonly problem?: string;
}

const width = 8;

/** All repositories of a store (null: that of the settings), in the order of their folders. Only their cards are read. */
export async function findRepositories(
  { database, keyring, places, store }: Pick<Resources, 'database' | 'keyring' | 'places' | 'store'>,
  at: string | null,
): Promise<FoundRepository[]> {
  const known = await listKnownPlaces(database);
  const look = (location: string) => lookAt({ keyring, store }, { location, at, isKnown: known.has(location) });
  const found = await Array.fromAsync(
    inParallel((await places(at)).filter((place) => !place.startsWith(markPlaces)).toSorted(), width, look),
  );
  return found.filter((one) => one !== undefined);
}

/** The same of one folder; undefined where no repository is in it. */
export async function findRepositoryIn(
  { database, keyring, store }: Pick<Resources, 'database' | 'keyring' | 'store'>,
  location: string,
  at: string | null,
): Promise<FoundRepository | undefined> {
  if (!isFolderName(location)) return undefined;
  const isKnown = await isKnownPlace(database, location);
  return lookAt({ keyring, store }, { location, at, isKnown });
}

/** What somebody typed must lead nowhere but into the store. */
function isFolderName(text: string): boolean {
  return /^[\w.-]{1,255}$/.test(text) && !/^\.+$/.test(text);
}

async function lookAt(
  { keyring, store }: Pick<Resources, 'keyring' | 'store'>,
  { location, at, isKnown }: { location: string; at: string | null; isKnown: boolean },
): Promise<FoundRepository | undefined> {
  const backend = store(location, at);
  if (!(await repositoryExists(backend))) return undefined;
  if (isKnown) return { location, isKnown };
  return { location, isKnown, ...(await readNewestCard(keyring, backend, location)) };
}

/** The newest card of a place that opens there, or why none does. */
export async function readNewestCard(keyring: Resources['keyring'], backend: Backend, location: string): Promise<Read> {
  return newestOf((await loadCards(backend)).map((bytes) => attempt(keyring, location, bytes)));
}

type Read = Pick<FoundRepository, 'card' | 'problem'>;

function attempt(keyring: Resources['keyring'], location: string, bytes: Uint8Array): Read {
  try {
    return { card: openCard(keyring, location, bytes) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { problem: wordsFor(error) };
  }
}

/** The newest card that opens, or why none does. */
function newestOf(cards: readonly Read[]): Read {
  const opened = cards.flatMap(({ card }) => card ?? []);
  const card = opened.toSorted((a, b) => a.writtenAt.localeCompare(b.writtenAt)).at(-1);
  return card === undefined ? (cards[0] ?? { problem: noCard }) : { card };
}

const withKey =
  'Its person can show with their recovery key that it is theirs: on the page /recovery/adopt, or by nightkeep adopt --user NAME --folder FOLDER --recovery-key-file FILE';
/** Every first start calls the key that it makes the same. */
const notOpening =
  'Its card cannot be opened, so nobody gets it: KEYRING is not the one that it was sealed with (though a key in it has the same name), or the card was altered or belongs to another folder. With the right keyring it can be opened. Without it:';
const noCard = `No card says whose it is: an older version or another program made it. ${withKey}`;

function wordsFor({ code, message }: AppError): string {
  if (code === 'seal/broken') return `${notOpening} ${withKey}`;
  return code === 'seal/unknown-key' ? `${message} Without it: ${withKey}` : message;
}
