import { saveAudit } from '../../database/audit.ts';
import { beforeAll, listRowsOfPeople } from '../../database/state/sealed-values.ts';
import {
  erasureRow,
  noMark,
  olderIn,
  peopleRow,
  placeOf,
  planRow,
  type Standing,
  tokenRow,
} from '../../domain/marks.ts';
import { isAppError } from '../../errors.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { erasureSealing, personSealing, planSealing } from '../../vault/row-seals.ts';
import { batch, type RowNeeds } from './broken-rows.ts';
import { readMark, type StoreNeeds, writeMark } from './marks.ts';

/** Rows of a person that are older than ones that were used before. */
export interface Replayed {
  readonly userId: string;
  /** Kinds, with the id of the grant where there may be several. */
  readonly older: readonly string[];
}

/** Somebody whose mark in the store, or a part of it, cannot be read, so that older rows of theirs may not be noticed. */
export interface Unmarked {
  readonly userId: string;
  readonly problem: string;
}

/** How many people's marks are read at once. */
const width = 16;

/** Who of these people, or of everybody, has older rows again. Reads the mark of each in the store; a store that does not answer is an error. */
export async function* findReplayedRows(
  needs: RowNeeds & StoreNeeds,
  userIds: readonly string[] | null = null,
): AsyncGenerator<Replayed> {
  for await (const people of eachStanding(needs, userIds)) {
    const look = async ({ userId, standing }: Person) => {
      const { mark } = await readMark(needs, userId);
      return { userId, older: olderIn(mark, standing) };
    };
    for await (const found of inParallel(people, width, look)) if (found.older.length > 0) yield found;
  }
}

/** Who has older rows again, and whose mark cannot be read: that does not stop the others. */
export async function* inspectMarks(needs: RowNeeds & StoreNeeds): AsyncGenerator<Replayed | Unmarked> {
  for await (const people of eachStanding(needs, null))
    for await (const found of inParallel(people, width, (person) => compare(needs, person)))
      for (const one of found) yield 'problem' in one ? one : { userId: one.userId, older: one.older };
}

/**
 * Accepts the rows of these people, or of everybody, that are older than their marks, for an operator who has looked at them: they count as the
 * newest from then on. Answers whose, and whose marks could not be read or written: these do not stop the others.
 */
export async function* confirmReplayed(
  needs: RowNeeds & StoreNeeds,
  { userIds, by }: { userIds: readonly string[] | null; by: string },
): AsyncGenerator<Replayed | Unmarked> {
  for await (const people of eachStanding(needs, userIds))
    for (const person of people)
      for (const found of await compare(needs, person))
        yield 'problem' in found ? found : await confirmPerson(needs, person, found, by);
}

async function confirmPerson(
  needs: RowNeeds & StoreNeeds,
  { standing: { rows, place = null } }: Person,
  { userId, number, older }: Compared,
  by: string,
): Promise<Replayed | Unmarked> {
  try {
    await writeMark(needs, userId, { ...noMark, number, rows, place });
  } catch (error) {
    return unmarked(userId, error);
  }
  await saveAudit(needs.database, { at: needs.clock.now(), by, act: 'rows-confirmed', userId, about: 'older' });
  return { userId, older };
}

interface Compared extends Replayed {
  /** That of the mark. */
  readonly number: number;
}

/** What the mark of a person says about their rows: nothing if these are the newest. */
async function compare(needs: StoreNeeds, { userId, standing }: Person): Promise<(Compared | Unmarked)[]> {
  try {
    const { mark, unreadable } = await readMark(needs, userId);
    const older = olderIn(mark, standing);
    return [
      ...(unreadable > 0 ? [{ userId, problem: unreadableMark }] : []),
      ...(older.length > 0 ? [{ userId, older, number: mark.number }] : []),
    ];
  } catch (error) {
    return [unmarked(userId, error)];
  }
}

const unreadableMark =
  'one of their marks in the store cannot be opened: it was altered, or its key is not in the keyring. Older rows may not be noticed';

function unmarked(userId: string, error: unknown): Unmarked {
  if (!isAppError(error)) throw error;
  return { userId, problem: error.message };
}

interface Person {
  readonly userId: string;
  readonly standing: Standing;
}

/** How new the rows of these people, or of everybody, say that they are; some people at a time. */
async function* eachStanding(
  { database, keyring }: RowNeeds,
  userIds: readonly string[] | null,
): AsyncGenerator<Person[]> {
  for (let after = beforeAll.id; ; ) {
    const found = await listRowsOfPeople(database, { userIds, after, limit: batch });
    yield found.map((user) => ({ userId: user.id, standing: standingOf(keyring, user) }));
    after = found.at(-1)?.id ?? after;
    if (found.length < batch) return;
  }
}

type RowsOfPerson = Awaited<ReturnType<typeof listRowsOfPeople>>[number];

/** What a row says is left out where its seal does not hold. */
function standingOf(keyring: Keyring, user: RowsOfPerson): Standing {
  const { plans, grants, repository } = user;
  const numbers: [row: string, number: number | undefined][] = [
    [peopleRow, numberIfWhole(() => personSealing(keyring).require(user))],
    ...plans.map((plan): [string, number | undefined] => [
      planRow(plan.grantId),
      numberIfWhole(() => planSealing(keyring).require(plan)),
    ]),
    ...(repository === null
      ? []
      : [
          [
            erasureRow(repository.id),
            numberIfWhole(() => erasureSealing(keyring).require({ ...repository, seal: repository.eraseSeal })),
          ] satisfies [string, number | undefined],
        ]),
    ...grants.map(({ id, generation }): [string, number] => [tokenRow(id), generation]),
  ];
  const rows: Record<string, number> = {};
  for (const [row, number] of numbers) if (number !== undefined) rows[row] = number;
  return { rows, place: repository && placeOf(repository) };
}

function numberIfWhole(require: () => number): number | undefined {
  try {
    return require();
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}
