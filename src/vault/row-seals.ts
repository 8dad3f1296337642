import type { PersonFacts, PlaceFacts, PlanFacts, RowSealing, Sealed as SealedRow } from '../domain/row-facts.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Keyring } from './keyring.ts';
import { purposes } from './purposes.ts';
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
/** Follows it in the canaries of a database whose rows were sealed once. */
export const boundMark = Buffer.of(1);

/** Whether the text of a canary says that rows without a seal are refused. */
export function saysBound(canary: Uint8Array): boolean {
  return canary.length === fingerprintBytes + boundMark.length;
}
