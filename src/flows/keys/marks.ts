import { within } from '../../clock.ts';
import { findErasureFacts } from '../../database/repositories/erasures.ts';
import {
  erasureRow,
  type Mark,
  newestOf,
  olderIn,
  planRow,
  raised,
  type Standing,
  together,
} from '../../domain/marks.ts';
import type { PlanFacts, Sealed } from '../../domain/row-facts.ts';
import { dayMs, minuteMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { letCardsGo, loadListed, removeCards, saveCard } from '../../store/repository/cards.ts';
import { purposes } from '../../vault/purposes.ts';
import { erasureSealing, planSealing } from '../../vault/row-seals.ts';
import { keyIdOf, seal, unseal } from '../../vault/seal.ts';

/** What reads and writes marks. */
export type StoreNeeds = Pick<Resources, 'clock' | 'keyring' | 'log' | 'store'>;
type Needs = StoreNeeds & Pick<Resources, 'marks'>;

/** The places of marks begin so; the id of the person follows. */
export const markPlaces = 'nightkeep-mark-';
/** So long a mark that was read is believed to be the newest. */
const freshMs = 10 * minuteMs;
/** A token must not wait long for a store that does not answer. */
const patienceMs = 5_000;
const pauseWhileAwayMs = minuteMs;
/** Where the store lets no mark be removed, at least this long passes between two that differ in newer tokens only. */
const pauseWhereAllStayMs = 7 * dayMs;
const mostRemembered = 10_000;

interface Read {
  readonly mark: Mark;
  readonly isOfNewestKey: boolean;
  /** The names of those that are there; of those that the newest replaced; and how many cannot be read: altered, or of a key that is gone. */
  readonly files: readonly string[];
  readonly older: readonly string[];
  readonly unreadable: number;
}

/**
 * Throws `seal/replayed` where a row of these is older than one that was used before, by whichever process. Where no mark is there, none opens, or the
 * store does not answer, nothing is noticed but what this process remembers.
 */
export async function requireNewest(resources: Needs, userId: string, standing: Standing): Promise<void> {
  const { clock, marks } = resources;
  const known = marks.known.get(userId);
  const isFresh = known !== undefined && clock.elapsed() < known.at + freshMs;
  if (isFresh && olderIn(known.mark, standing).length === 0) return;
  // An operator may have confirmed the older row since.
  const read = await patiently(resources, () => readMark(resources, userId));
  if (read !== undefined) remember(resources, userId, read);
  const older = olderIn((read ?? known)?.mark ?? newestOf([]), standing);
  if (older.length > 0) throw replayed(userId, older);
}

/** The error for rows that are older than ones that were used before. */
export function replayed(userId: string, older: readonly string[]): AppError {
  const words = `The database has older rows of the person ${userId} again (${older.join(', ')}): somebody put them back, or restored the database from a backup. Put the newest back, or look at what they say (nightkeep keys confirm) and confirm it (nightkeep keys confirm --user ${userId}, or --all).`;
  return new AppError('seal/replayed', words);
}

/**
 * Puts into the store that these rows were used, where they are newer than the mark there. They must stand in the database, and their seals must have been
 * looked at. The first mark of a person is made with `first` only: by whoever has seen that the store is there. What fails is logged, and
 * done with the next use.
 */
export async function raiseMark(
  resources: Needs,
  userId: string,
  { first = false, ...used }: Standing & { first?: boolean },
): Promise<void> {
  const { clock, marks } = resources;
  const standing = together(marks.used.get(userId) ?? { rows: {} }, used);
  const known = marks.known.get(userId);
  const isFresh = known !== undefined && clock.elapsed() < known.at + freshMs && known.isOfNewestKey;
  if (isFresh && raised(known.mark, standing) === undefined) return;
  marks.used.delete(userId);
  marks.used.set(userId, standing);
  trim(marks.used);
  await patiently(resources, async () => {
    const read = await readMark(resources, userId);
    if (read.mark.number === 0 && !first) return;
    const changes = raised(read.mark, standing);
    const mark = { ...read.mark, ...changes };
    const onlyTokens = changes !== undefined && changes.place === read.mark.place && isOfTokens(read.mark, changes);
    const age = clock.now().getTime() - Date.parse(read.mark.writtenAt);
    const mayWait = onlyTokens && read.older.length > 0 && age < pauseWhereAllStayMs;
    // Older ones may lie there because a process was broken off: only the store says whether they stay.
    const waits = async () => mayWait && !(await letCardsGo(placeOfMark(resources, userId), read.older, 'mark'));
    if (read.isOfNewestKey && (changes === undefined || (await waits())))
      remember(resources, userId, { ...read, mark });
    else await writeMark(resources, userId, mark, read.files);
    marks.used.delete(userId);
  });
}

/** Puts into the store how new a plan is of which its person has just made another choice, so that the former row is an older one from now on. */
export async function markPlan(resources: Needs, plan: Sealed<PlanFacts>): Promise<void> {
  const number = planSealing(resources.keyring).require(plan);
  await raiseMark(resources, plan.userId, { rows: { [planRow(plan.grantId)]: number } });
}

/** The same of when a person's snapshots are erased. */
export async function markErasure(resources: Needs & Pick<Resources, 'database'>, userId: string): Promise<void> {
  const facts = await findErasureFacts(resources.database, userId);
  if (facts === null || facts.seal === null) return;
  const number = erasureSealing(resources.keyring).require(facts);
  await raiseMark(resources, userId, { rows: { [erasureRow(facts.id)]: number } });
}

function isOfTokens(mark: Mark, { rows }: Pick<Mark, 'rows'>): boolean {
  return Object.entries(rows).every(
    ([name, number]) => name.startsWith('offline tokens') || number === mark.rows[name],
  );
}

/** The mark of a person as the store has it, whatever this process remembers. Throws what the store says. */
export async function readMark({ keyring, log, store }: StoreNeeds, userId: string): Promise<Read> {
  const { names, read, isMore } = await loadListed(placeOfMark({ store }, userId), 'mark');
  const opened = read.flatMap(({ name, bytes }) => {
    try {
      const mark: Mark = JSON.parse(Buffer.from(unseal(keyring, purposes.rowMark(userId), bytes)).toString());
      return mark.version === 1 ? { name, mark, keyId: keyIdOf(bytes) } : [];
    } catch (error) {
      if (!isAppError(error)) throw error;
      log.warn('mark.unreadable', { userId, error });
      return [];
    }
  });
  const mark = newestOf(opened.map((one) => one.mark));
  const isOfNewestKey = opened.some((one) => one.mark.number === mark.number && one.keyId === keyring.newest);
  const older = opened.flatMap((one) => (one.mark.number < mark.number ? one.name : []));
  const unreadable = read.length - opened.length + (isMore ? 1 : 0);
  return { mark, isOfNewestKey, files: names, older, unreadable };
}

/**
 * Makes this the mark of a person, whatever the one before said. `files` are those that it takes the place of, where they were read just now: one
 * that another process has written since stays, so that what it says is not lost.
 */
export async function writeMark(
  resources: StoreNeeds & Partial<Pick<Needs, 'marks'>>,
  userId: string,
  before: Mark,
  files?: readonly string[],
): Promise<void> {
  const { clock, keyring, store } = resources;
  const mark = { ...before, number: before.number + 1, writtenAt: clock.now().toISOString() };
  const { sealed } = seal(keyring, purposes.rowMark(userId), JSON.stringify(mark));
  await saveCard(placeOfMark({ store }, userId), sealed, 'mark', files);
  if (resources.marks) remember({ clock, marks: resources.marks }, userId, { mark, isOfNewestKey: true });
}

function placeOfMark({ store }: Pick<Resources, 'store'>, userId: string): Backend {
  return store(`${markPlaces}${userId}`, null);
}

/** Leaves no mark of a person, as far as the store lets it. */
export async function removeMark({ store }: Pick<Resources, 'store'>, userId: string): Promise<void> {
  const place = placeOfMark({ store }, userId);
  await removeCards(place, 'mark');
  await place.vacate();
}

/** From here on what the rows of a person say is believed: they were made anew from what lay in the store. */
export async function resetMark(resources: StoreNeeds, userId: string): Promise<void> {
  const { mark } = await readMark(resources, userId);
  if (mark.number > 0) await writeMark(resources, userId, { ...newestOf([]), number: mark.number });
}

function remember(
  { clock, marks }: Pick<Needs, 'clock' | 'marks'>,
  userId: string,
  { mark, isOfNewestKey }: Pick<Read, 'mark' | 'isOfNewestKey'>,
): void {
  marks.known.delete(userId);
  marks.known.set(userId, { mark, isOfNewestKey, at: clock.elapsed() });
  trim(marks.known);
}

function trim(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size <= mostRemembered) return;
    map.delete(oldest);
  }
}

/** Undefined where the store does not answer soon. */
async function patiently<T>({ clock, log, marks }: Needs, work: () => Promise<T>): Promise<T | undefined> {
  if (clock.elapsed() < marks.awayUntil) return undefined;
  try {
    return await within(clock, patienceMs, work);
  } catch (error) {
    marks.awayUntil = clock.elapsed() + pauseWhileAwayMs;
    log.warn('mark.failed', { error });
    return undefined;
  }
}
