import { randomUUID } from 'node:crypto';
import { saveAudit } from '../../database/audit.ts';
import { inTransaction } from '../../database/client.ts';
import { readCanaries } from '../../database/state/canaries.ts';
import {
  type BoundKind,
  type BoundRow,
  beforeAll,
  listBound,
  listRowsOfPeople,
  replaceSealed,
} from '../../database/state/sealed-values.ts';
import { noMark, olderIn, peopleRow, placeOf, planRow, type Standing, tokenRow } from '../../domain/marks.ts';
import type { RowSeal } from '../../domain/row-facts.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { inParallel } from '../../store/repository/in-parallel.ts';
import { purposes } from '../../vault/purposes.ts';
import {
  openPassword,
  openUnboundPassword,
  personSealing,
  planSealing,
  saysBound,
  sealPassword,
} from '../../vault/row-seals.ts';
import { unseal } from '../../vault/seal.ts';
import { readMark, replayed, type StoreNeeds, writeMark } from './marks.ts';

type Needs = Pick<Resources, 'database' | 'keyring'>;

type Row = { [Kind in BoundKind]: BoundRow<Kind> & { readonly kind: Kind } }[BoundKind];

/** A row that is not as Nightkeep left it: what it says of whose something is and where it goes. */
export interface BrokenRow {
  readonly kind: BoundKind;
  readonly id: string;
  /** The person that the row names. */
  readonly userId: string;
  readonly facts: Row['facts'];
}

const batch = 500;
const width = 16;

/**
 * The rows, of everybody or of one person, whose seal does not vouch for what they say. None before the first start of a version that
 * seals rows. Reads all of them, a batch at a time.
 */
export async function findBrokenRows(needs: Needs, userId: string | null = null): Promise<BrokenRow[]> {
  if (!(await isBound(needs))) return [];
  return (await readBroken(needs, userId)).map(brokenRow);
}

/** What was looked at of the rows of everybody. */
export interface RowSample {
  readonly broken: readonly BrokenRow[];
  /** How many rows were looked at. */
  readonly rows: number;
  /** There are no others. */
  readonly isAll: boolean;
}

/** The same for at most this many rows of each kind; if there are more, those that follow a random id. */
export async function sampleBrokenRows(
  needs: Needs,
  { most, from = randomUUID() }: { most: number; from?: string },
): Promise<RowSample> {
  if (!(await isBound(needs))) return { broken: [], rows: 0, isAll: true };
  const broken: BrokenRow[] = [];
  const sample = { rows: 0, isAll: true };
  for (const kind of kinds) {
    let left = most;
    for await (const row of inCircle(needs, kind, from)) {
      if (left === 0) {
        sample.isAll = false;
        break;
      }
      left -= 1;
      if (!isWhole(needs, row)) broken.push(brokenRow(row));
    }
    sample.rows += most - left;
  }
  return { broken, ...sample };
}

/** Ids are random: those from any place on are as good as any. */
async function* inCircle(needs: Needs, kind: BoundKind, from: string): AsyncGenerator<Row> {
  for await (const rows of eachBound(needs, kind, { from })) yield* rows;
  for await (const rows of eachBound(needs, kind, {}))
    for (const row of rows) {
      if (row.id > from) return;
      yield row;
    }
}

/**
 * Throws `seal/broken` where a row of this person is not as Nightkeep left it: whose something is, and where it goes, is then not known, and nothing is
 * done or sent for them.
 */
export async function requireWholeRows(needs: Needs & StoreNeeds, userId: string): Promise<void> {
  const broken = await findBrokenRows(needs, userId);
  if (broken.length > 0) throw new AppError('seal/broken', wordsOfBroken(userId, broken));
  for await (const { older } of findReplayedRows(needs, [userId])) throw replayed(userId, older);
}

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

/** Who of these people, or of everybody, has older rows again. Reads the mark of each in the store; a store that does not answer is an error. */
export async function* findReplayedRows(
  needs: Needs & StoreNeeds,
  userIds: readonly string[] | null = null,
): AsyncGenerator<Replayed> {
  for await (const people of eachStanding(needs, userIds)) {
    const look = async ({ userId, standing }: Person) => {
      const { mark } = await readMark(needs, userId);
      return { userId, older: olderIn(mark, standing) };
    };
    for await (const found of inParallel(people, width, look, raise)) if (found.older.length > 0) yield found;
  }
}

/** Who has older rows again, and whose mark cannot be read: that does not stop the others. */
export async function* inspectMarks(needs: Needs & StoreNeeds): AsyncGenerator<Replayed | Unmarked> {
  for await (const people of eachStanding(needs, null))
    for await (const found of inParallel(people, width, (person) => compare(needs, person), raise))
      for (const one of found) yield 'problem' in one ? one : { userId: one.userId, older: one.older };
}

/**
 * Makes the rows of these people, or of everybody, the newest that were ever used, for an operator who has looked at them: those that are older than their marks.
 * Answers whose, and whose marks could not be read or written: these do not stop the others.
 */
export async function* confirmReplayed(
  needs: Needs & StoreNeeds,
  { userIds, by }: { userIds: readonly string[] | null; by: string },
): AsyncGenerator<Replayed | Unmarked> {
  for await (const people of eachStanding(needs, userIds))
    for (const person of people)
      for (const found of await compare(needs, person))
        yield 'problem' in found ? found : await confirmPerson(needs, person, found, by);
}

async function confirmPerson(
  needs: Needs & StoreNeeds,
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

/** What the rows of people say of their own age, as far as their seals hold. */
async function* eachStanding(
  { database, keyring }: Needs,
  userIds: readonly string[] | null,
): AsyncGenerator<Person[]> {
  const [person, plan] = [personSealing(keyring), planSealing(keyring)];
  const numberOf = (require: () => number) => {
    try {
      return require();
    } catch (error) {
      if (isAppError(error)) return undefined;
      throw error;
    }
  };
  for (let after = beforeAll.id; ; ) {
    const found = await listRowsOfPeople(database, { userIds, after, limit: batch });
    yield found.map((user) => {
      const rows: [string, number | undefined][] = [
        [peopleRow, numberOf(() => person.require(user))],
        ...user.plans.map(
          (row) => [planRow(row.grantId), numberOf(() => plan.require(row))] as [string, number | undefined],
        ),
        ...user.grants.map(({ id, generation }) => [tokenRow(id), generation] as [string, number]),
      ];
      const known = rows.filter((row): row is [string, number] => row[1] !== undefined);
      return {
        userId: user.id,
        standing: { rows: Object.fromEntries(known), place: user.repository && placeOf(user.repository) },
      };
    });
    after = found.at(-1)?.id ?? after;
    if (found.length < batch) return;
  }
}

function raise(error: unknown): never {
  throw error;
}

/** What is wrong, and the cure. */
export function wordsOfBroken(userId: string, broken: readonly BrokenRow[]): string {
  const kinds = [...new Set(broken.map(({ kind }) => kind))].join(', ');
  return `Rows of the person ${userId} are not as Nightkeep left them (${kinds}). Put them back as they were, or look at what they say (nightkeep keys confirm) and confirm it (nightkeep keys confirm --user ${userId}).`;
}

export interface Confirmed {
  /** Sealed as they are. */
  readonly confirmed: readonly BrokenRow[];
  /** Of a repository whose password was sealed for another owner or place: only the right row opens it. */
  readonly left: readonly BrokenRow[];
}

/** Seals what the rows of a person say now, for an operator who has looked at it. */
export async function confirmRows(
  { clock, ...needs }: Needs & Pick<Resources, 'clock'>,
  { userId, by }: { userId: string; by: string },
): Promise<Confirmed> {
  const { database, keyring } = needs;
  const broken = await readBroken(needs, userId);
  const sealed = broken.map((row) => ({ row, sealed: resealed(needs, row) }));
  await inTransaction(database, async (transaction) => {
    for (const { row: seen, sealed: fresh } of sealed)
      if (fresh !== undefined)
        await replaceSealed(transaction, seen.kind, { keyId: keyring.newest, values: [{ seen, sealed: fresh }] });
    await saveAudit(transaction, { at: clock.now(), by, act: 'rows-confirmed', userId });
  });
  const rowsOf = (some: typeof sealed) => some.map(({ row }) => brokenRow(row));
  return {
    confirmed: rowsOf(sealed.filter((one) => one.sealed !== undefined)),
    left: rowsOf(sealed.filter((one) => one.sealed === undefined)),
  };
}

async function isBound({ database, keyring }: Needs): Promise<boolean> {
  const canaries = await readCanaries(database);
  return canaries.some(({ keyId, sealed }) => saysBound(unseal(keyring, purposes.canary(keyId), sealed)));
}

const kinds = ['people', 'plans', 'repository passwords'] as const satisfies readonly BoundKind[];

async function readBroken(needs: Needs, of: string | null): Promise<Row[]> {
  const found: Row[] = [];
  for (const kind of kinds)
    for await (const rows of eachBound(needs, kind, { of })) found.push(...rows.filter((row) => !isWhole(needs, row)));
  return found;
}

/** The rows of a kind in the order of their ids, a batch at a time. */
async function* eachBound(
  { database }: Needs,
  kind: BoundKind,
  { of = null, from = beforeAll.id }: { of?: string | null; from?: string },
): AsyncGenerator<Row[]> {
  for (let after = from; ; ) {
    const rows = await listBound(database, kind, { after, limit: batch, of });
    yield rows.map((row) => ({ ...row, kind }) as Row);
    after = rows.at(-1)?.id ?? after;
    if (rows.length < batch) return;
  }
}

function isWhole({ keyring }: Needs, { kind, facts, sealed }: Row): boolean {
  try {
    if (kind === 'people') personSealing(keyring).require({ ...facts, seal: sealed });
    else if (kind === 'plans') planSealing(keyring).require({ ...facts, seal: sealed });
    else openPassword(keyring, { ...facts, sealedPassword: sealed ?? new Uint8Array() });
    return true;
  } catch (error) {
    if (isAppError(error, 'seal/broken')) return false;
    throw error;
  }
}

function resealed({ keyring }: Needs, { kind, facts, sealed }: Row): RowSeal | undefined {
  if (kind === 'people') return personSealing(keyring).seal(facts);
  if (kind === 'plans') return planSealing(keyring).seal(facts);
  try {
    const { id } = facts;
    const password = openUnboundPassword(keyring, { id, sealedPassword: sealed ?? new Uint8Array() });
    return sealPassword(keyring, facts, password).sealed;
  } catch (error) {
    if (isAppError(error, 'seal/broken')) return undefined;
    throw error;
  }
}

function brokenRow({ kind, id, userId, facts }: Row): BrokenRow {
  return { kind, id, userId, facts };
}
