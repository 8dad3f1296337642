import { saveAudit } from '../../database/audit.ts';
import { readCanaries } from '../../database/canaries.ts';
import { inTransaction } from '../../database/client.ts';
import { type BoundKind, type BoundRow, beforeAll, listBound, replaceSealed } from '../../database/sealed-values.ts';
import type { RowSeal } from '../../domain/row-facts.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
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

type Needs = Pick<Resources, 'database' | 'keyring'>;

type Row = { [Kind in BoundKind]: BoundRow<Kind> & { readonly kind: Kind } }[BoundKind];

/** A row that is not as Nightkeep left it: what it says of whose something is and where it goes. */
export interface BrokenRow {
  readonly kind: BoundKind;
  readonly id: string;
  /** Whose it says it is. */
  readonly userId: string;
  readonly facts: Row['facts'];
}

const batch = 500;

/**
 * The rows, of everybody or of one person, whose seal does not vouch for what they say. None before the first start of a version that
 * seals rows. Reads all of them, a batch at a time.
 */
export async function findBrokenRows(needs: Needs, userId: string | null = null): Promise<BrokenRow[]> {
  if (!(await isBound(needs))) return [];
  return (await readBroken(needs, userId)).map(brokenRow);
}

/**
 * Throws `seal/broken` where a row of this person is not as Nightkeep left it: whose something is, and where it goes, is then not known, and nothing is
 * done or sent for them.
 */
export async function requireWholeRows(needs: Needs, userId: string): Promise<void> {
  const broken = await findBrokenRows(needs, userId);
  if (broken.length > 0) throw new AppError('seal/broken', wordsOfBroken(userId, broken));
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
  const rows = (isDone: boolean) =>
    sealed.filter((one) => (one.sealed !== undefined) === isDone).map(({ row }) => brokenRow(row));
  return { confirmed: rows(true), left: rows(false) };
}

async function isBound({ database, keyring }: Needs): Promise<boolean> {
  const canaries = await readCanaries(database);
  return canaries.some(({ keyId, sealed }) => saysBound(unseal(keyring, purposes.canary(keyId), sealed)));
}

async function readBroken(needs: Needs, of: string | null): Promise<Row[]> {
  const { database } = needs;

  const read = async <Kind extends BoundKind>(kind: Kind) => {
    const found: Row[] = [];
    for (let after = beforeAll.id; ; ) {
      const rows = await listBound(database, kind, { after, limit: batch, of });
      const known = rows.map((row) => ({ ...row, kind }) as Row);
      found.push(...known.filter((row) => !isWhole(needs, row)));
      after = rows.at(-1)?.id ?? after;
      if (rows.length < batch) return found;
    }
  };
  return [...(await read('people')), ...(await read('plans')), ...(await read('repository passwords'))];
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
