import { randomUUID } from 'node:crypto';
import { saveAudit } from '../../database/audit.ts';
import { inTransaction } from '../../database/client.ts';
import { readCanaries } from '../../database/state/canaries.ts';
import {
  type BoundKind,
  type BoundRow,
  beforeAll,
  listBound,
  replaceSealed,
} from '../../database/state/sealed-values.ts';
import type { RowSeal } from '../../domain/row-facts.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { purposes } from '../../vault/purposes.ts';
import {
  agreedRuleSealing,
  boundBy,
  erasureSealing,
  openPassword,
  openUnboundPassword,
  personSealing,
  planSealing,
  sealPassword,
} from '../../vault/row-seals.ts';
import { unseal } from '../../vault/seal.ts';

/** What it takes to look at the rows of people. */
export type RowNeeds = Pick<Resources, 'database' | 'keyring'>;

type Row = { [Kind in BoundKind]: BoundRow<Kind> & { readonly kind: Kind } }[BoundKind];

/** A row that is not as Nightkeep left it: what it says of whose something is and where it goes. */
export interface BrokenRow {
  readonly kind: BoundKind;
  readonly id: string;
  /** The person that the row names. */
  readonly userId: string;
  readonly facts: Row['facts'];
}

/** How many rows, or people, are read at a time. */
export const batch = 500;

/**
 * The rows, of everybody or of one person, whose seal does not vouch for what they say. None before the first start of a version that
 * seals rows. Reads all of them, a batch at a time.
 */
export async function findBrokenRows(needs: RowNeeds, userId: string | null = null): Promise<BrokenRow[]> {
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
  needs: RowNeeds,
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
async function* inCircle(needs: RowNeeds, kind: BoundKind, from: string): AsyncGenerator<Row> {
  for await (const rows of eachBound(needs, kind, { from })) yield* rows;
  for await (const rows of eachBound(needs, kind, {}))
    for (const row of rows) {
      if (row.id > from) return;
      yield row;
    }
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
  { clock, ...needs }: RowNeeds & Pick<Resources, 'clock'>,
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

async function isBound({ database, keyring }: RowNeeds): Promise<boolean> {
  const canaries = await readCanaries(database);
  return canaries.some(({ keyId, sealed }) => boundBy(unseal(keyring, purposes.canary(keyId), sealed)) > 0);
}

const kinds = [
  'people',
  'plans',
  'repository passwords',
  'requests to erase',
  'retention rules',
] as const satisfies readonly BoundKind[];

async function readBroken(needs: RowNeeds, of: string | null): Promise<Row[]> {
  const found: Row[] = [];
  for (const kind of kinds)
    for await (const rows of eachBound(needs, kind, { of })) found.push(...rows.filter((row) => !isWhole(needs, row)));
  return found;
}

/** The rows of a kind in the order of their ids, a batch at a time. */
async function* eachBound(
  { database }: RowNeeds,
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

function isWhole({ keyring }: RowNeeds, { kind, facts, sealed }: Row): boolean {
  try {
    if (kind === 'people') personSealing(keyring).require({ ...facts, seal: sealed });
    else if (kind === 'plans') planSealing(keyring).require({ ...facts, seal: sealed });
    else if (kind === 'requests to erase') erasureSealing(keyring).require({ ...facts, seal: sealed });
    else if (kind === 'retention rules') agreedRuleSealing(keyring).require({ ...facts, seal: sealed });
    else openPassword(keyring, { ...facts, sealedPassword: sealed ?? new Uint8Array() });
    return true;
  } catch (error) {
    if (isAppError(error, 'seal/broken')) return false;
    throw error;
  }
}

function resealed({ keyring }: RowNeeds, { kind, facts, sealed }: Row): RowSeal | undefined {
  if (kind === 'people') return personSealing(keyring).seal(facts);
  if (kind === 'plans') return planSealing(keyring).seal(facts);
  if (kind === 'requests to erase') return erasureSealing(keyring).reseal({ ...facts, seal: sealed }, facts);
  if (kind === 'retention rules') return agreedRuleSealing(keyring).reseal({ ...facts, seal: sealed }, facts);
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
