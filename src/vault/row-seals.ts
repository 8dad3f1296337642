import type {
  AgreedRuleFacts,
  ErasureFacts,
  PersonFacts,
  PlaceFacts,
  PlanFacts,
  RowSealing,
  Sealed as SealedRow,
} from '../domain/row-facts.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Keyring } from './keyring.ts';
import { purposes, stable } from './purposes.ts';
import { type Binding, type Sealed as SealedValue, seal, unseal } from './seal.ts';

const cure =
  'Something other than Nightkeep wrote to the database. The operator must put the row back as it was, or confirm what it says: nightkeep keys confirm.';

/** The rows of people: whoever may write to the database cannot make one person another. */
export function personSealing(keyring: Keyring): RowSealing<PersonFacts> {
  return sealing(
    keyring,
    purposes.person,
    ({ id }) => `The row of the person ${id} is not as Nightkeep left it. ${cure}`,
  );
}

/** The rows of plans: nobody else points them at another address or another consent. */
export function planSealing(keyring: Keyring): RowSealing<PlanFacts> {
  return sealing(
    keyring,
    purposes.plan,
    ({ userId }) => `The plan of the person ${userId} names other addresses than Nightkeep wrote there. ${cure}`,
  );
}

/** What stands in `erase_at` of a repository that is being erased: when that was chosen only the seal says. */
const begun = new Date(0).toISOString();

/** When snapshots are erased. */
export interface ErasureSealing extends RowSealing<ErasureFacts> {
  /** When they are, as was chosen; null: they stay. Throws `seal/broken` where the row says something else. */
  chosen(row: SealedRow<ErasureFacts>): Date | null;
}

/** Requests to erase: nobody else has anybody's snapshots erased, or sooner than was chosen. */
export function erasureSealing(keyring: Keyring): ErasureSealing {
  const carried = carrying<ErasureFacts>(keyring, {
    bindingOf: purposes.erasure,
    said: ({ eraseAt }) => momentOf(eraseAt),
    vouches: (chosen, now) => chosen === now || (chosen !== null && now === begun),
    words: ({ id }) => `The row of the repository ${id} names another time to erase it than was chosen. ${cure}`,
  });
  return {
    ...carried,
    chosen: (row) => {
      const [, moment] = carried.open(row);
      return typeof moment === 'string' ? new Date(moment) : null;
    },
  };
}

/** Rules by which snapshots go: nobody else has them go by another, or has them go that all stay. */
export function agreedRuleSealing(keyring: Keyring): RowSealing<AgreedRuleFacts> {
  return carrying<AgreedRuleFacts>(keyring, {
    bindingOf: purposes.agreedRule,
    said: ({ retention, retentionAgreedAt }) => (retentionAgreedAt === null ? null : retention),
    vouches: (sealed, said) => stable(sealed) === stable(said),
    words: ({ userId }) => `The plan of the person ${userId} has another retention than was agreed. ${cure}`,
  });
}

/** The same in whatever way the database gives a moment. */
function momentOf(at: Date | string | null): string | null {
  if (at === null) return null;
  const moment = new Date(at);
  return Number.isNaN(moment.getTime()) ? 'no moment' : moment.toISOString();
}

interface Carried<Facts> {
  readonly bindingOf: (facts: Facts) => Binding;
  /** Null needs no seal. */
  readonly said: (facts: Facts) => unknown;
  readonly vouches: (sealed: unknown, said: unknown) => boolean;
  readonly words: (facts: Facts) => string;
}

/**
 * Seals that hold their number and the value, so that both can be read where the row says something else: who chooses anew then, as they may at any
 * time, gets the next number.
 */
function carrying<Facts extends object>(
  keyring: Keyring,
  { bindingOf, said, vouches, words }: Carried<Facts>,
): RowSealing<Facts> & { open(row: SealedRow<Facts>): readonly [number: number, value: unknown] } {
  const read = (row: SealedRow<Facts>): [number: number, value: unknown] =>
    row.seal === null ? [0, null] : JSON.parse(Buffer.from(unseal(keyring, bindingOf(row), row.seal)).toString());
  const write = (facts: Facts, number: number) =>
    seal(keyring, bindingOf(facts), JSON.stringify([number, said(facts)])).sealed;
  const open = (row: SealedRow<Facts>) => {
    try {
      const [number, value] = read(row);
      if (vouches(value, said(row))) return [number, value] as const;
    } catch (error) {
      if (!isAppError(error, 'seal/broken')) throw error;
    }
    throw new AppError('seal/broken', words(row));
  };
  return {
    open,
    require: (row) => open(row)[0],
    seal: (facts) => write(facts, 1),
    reseal: (before, facts) => {
      const [number, value] = known(() => read(before)) ?? [0, undefined];
      return before.seal !== null && vouches(value, said(facts)) ? before.seal : write(facts, number + 1);
    },
  };
}

/** Undefined where it does not open. */
function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}

function sealing<Facts extends object>(
  keyring: Keyring,
  bindingOf: (facts: Facts) => Binding,
  words: (facts: Facts) => string,
): RowSealing<Facts> {
  const numbered = (facts: Facts, number: number) => seal(keyring, bindingOf(facts), String(number)).sealed;
  const require = (row: SealedRow<Facts>) => {
    try {
      if (row.seal === null) throw new AppError('seal/broken', words(row));
      return Number(Buffer.from(unseal(keyring, bindingOf(row), row.seal)).toString());
    } catch (error) {
      throw isAppError(error, 'seal/broken') ? new AppError('seal/broken', words(row), { cause: error.cause }) : error;
    }
  };
  return {
    require,
    seal: (facts) => numbered(facts, 1),
    reseal: (before, facts) => {
      const number = require(before);
      try {
        require({ ...facts, seal: before.seal });
        if (number > 0 && before.seal !== null) return before.seal;
      } catch (error) {
        if (!isAppError(error, 'seal/broken')) throw error;
      }
      return numbered(facts, number + 1);
    },
  };
}

/** Seals the password of a repository for its owner and its place: a row that names others opens nothing. */
export function sealPassword(keyring: Keyring, place: PlaceFacts, password: string | Uint8Array): SealedValue {
  return seal(keyring, purposes.repositoryPassword(place), password);
}

/** The password of a repository. Throws `seal/broken` where owner or place are not those that it was sealed for. */
export function openPassword(keyring: Keyring, row: PlaceFacts & { readonly sealedPassword: Uint8Array }): string {
  try {
    return Buffer.from(unseal(keyring, purposes.repositoryPassword(row), row.sealedPassword)).toString();
  } catch (error) {
    if (!isAppError(error, 'seal/broken')) throw error;
    throw new AppError(
      'seal/broken',
      `The row of the repository ${row.id} names another owner or another place than Nightkeep wrote there. ${cure}`,
      { cause: error },
    );
  }
}

/** The password as versions sealed it that did not bind it to owner and place. Throws `seal/broken`. */
export function openUnboundPassword(
  keyring: Keyring,
  { id, sealedPassword }: Pick<PlaceFacts, 'id'> & { readonly sealedPassword: Uint8Array },
): Uint8Array {
  return unseal(keyring, purposes.unboundRepositoryPassword(id), sealedPassword);
}

/** So long the key of the fingerprints is, with which a canary begins. */
export const fingerprintBytes = 32;
/**
 * Follows it in the canaries of a database whose rows were sealed once: which kinds. 1: people, plans and the places of repositories;
 * 2: requests to erase and retention rules, too.
 */
export const boundLevel = 2;
export const boundMark = Buffer.of(boundLevel);

/** Which kinds of rows are refused without a seal, as the text of a canary says: see `boundLevel`; 0: none. */
export function boundBy(canary: Uint8Array): number {
  return canary.length === fingerprintBytes + boundMark.length ? (canary.at(-1) ?? 0) : 0;
}
