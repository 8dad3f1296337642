import { randomBytes, randomUUID } from 'node:crypto';
import { getOwnerId, hasRepository, saveAdopted } from '../../database/repositories/adoptions.ts';
import { AppError, type ErrorCode, isAppError } from '../../errors.ts';
import { openRepository, type Repository } from '../../store/repository/repository.ts';
import { resetMark } from '../keys/marks.ts';
import { asRecoveryKey, isRecoveryKey, serviceName } from '../keys/recovery-key.ts';
import { type Adoption, type AdoptionNeeds, adoptionSeals } from './adopt-repositories.ts';
import { findRepositories, findRepositoryIn } from './find-repositories.ts';

export interface ByKey {
  /** Who signed in here, and shows with the recovery key that the repository is theirs. */
  readonly owner: {
    readonly userId: string;
    readonly issuer: string;
    readonly subject: string;
    readonly username: string | null;
  };
  readonly recoveryKey: string;
  /** Its folder; where none is named, every folder without a readable card is tried. */
  readonly folder?: string | undefined;
  readonly at: string | null;
  readonly by: string;
}

/** Why a repository is not given to whoever typed a recovery key, each with its code and its words. */
export const refusals = {
  /** The person has a repository here. */
  another: ['request/invalid', 'This person already has a repository here, and keeps it.'],
  /** It is known here: as this person's, or as somebody else's. */
  known: ['request/invalid', "The repository is somebody's here already."],
  /** Its card can be read, and names somebody else. */
  others: ['request/forbidden', "The card of the repository says that it is somebody else's."],
  absent: [
    'repository/not-found',
    'The store has no such repository: without --folder, only those that are not known here and have no readable card are tried. See: nightkeep adopt --dry-run',
  ],
  /** It opens nothing, and is not spelled as a recovery key is. */
  misspelled: [
    'repository/wrong-password',
    'That is not a recovery key: it has six groups of five letters and digits, as in abcde-fghjk-mnpqr-stuvw-xyz23-45678.',
  ],
  wrong: [
    'repository/wrong-password',
    'The recovery key opens none of them. Check that all six groups are there, and that the store is the right one.',
  ],
} as const satisfies Record<string, readonly [ErrorCode, string]>;

export type Refusal = keyof typeof refusals;

/**
 * Gives a repository whose card cannot be read, because the keyring is lost, to the person whose recovery key opens it. A new password of the
 * service replaces the old one. Throws one of `refusals`, which `refusalOf` recognises.
 */
export async function adoptByRecoveryKey(resources: AdoptionNeeds, input: ByKey): Promise<Adoption> {
  const { clock, database, keyring, scrypt } = resources;
  const { owner, by, at } = input;
  if (await hasRepository(database, owner)) throw refuse('another');
  const { location, repository } = await openByKey(resources, input);
  const [id, password] = [randomUUID(), randomBytes(32).toString('base64url')];
  const key = await repository.addKey(password, { clock, username: serviceName, scrypt: scrypt.forRandomPasswords });
  const now = clock.now();
  const kept = { recoveryKeyFile: repository.keyId, recoveryKeptAt: now };
  const row = {
    id,
    location,
    store: at,
    ...kept,
    eraseAt: null,
    createdAt: now,
    formerPlan: null,
  };
  if (!(await saveAdopted(database, { row, owner, seals: adoptionSeals(keyring, password), at: now, by }))) {
    await repository.removeKey(key);
    throw refuse('another');
  }
  await resetMark(resources, await getOwnerId(database, owner));
  for await (const other of repository.listKeys())
    if (other.username === serviceName && other.id !== key && other.id !== repository.keyId)
      await repository.removeKey(other.id);
  const snapshots = await Array.fromAsync(repository.listSnapshots(() => undefined));
  return { location, owner, state: 'adopted', snapshots: snapshots.length };
}

/** Opens it before anything is said of whose it is: without the key nobody learns that. */
async function openByKey(
  resources: AdoptionNeeds,
  { owner, recoveryKey, folder, at }: ByKey,
): Promise<{ location: string; repository: Repository }> {
  const named = folder === undefined ? undefined : await findRepositoryIn(resources, folder, at);
  const found =
    folder === undefined ? await findRepositories(resources, at) : [named].filter((one) => one !== undefined);
  const wanted = found.filter(({ card, isKnown }) => folder !== undefined || (!isKnown && card === undefined));
  const password = asRecoveryKey(recoveryKey);
  let damage: AppError | undefined;
  // Of many, what is wrong with one hides no other.
  const orElse = (error: unknown) => {
    if (folder !== undefined || !isAppError(error, 'repository/damaged')) return unlessWrongKey(error);
    damage ??= error;
    return undefined;
  };
  for (const { location, card, isKnown } of wanted) {
    const repository = await openRepository(resources.store(location, at), password).catch(orElse);
    if (repository === undefined) continue;
    if (isKnown) throw refuse('known');
    if (card !== undefined && (card.owner.issuer !== owner.issuer || card.owner.subject !== owner.subject))
      throw refuse('others');
    return { location, repository };
  }
  // A key file may have been given another password by stock restic, so whatever was typed is tried first.
  if (!isRecoveryKey(password)) throw refuse('misspelled');
  if (damage !== undefined) throw damage;
  throw refuse(wanted.length === 0 ? 'absent' : 'wrong');
}

function unlessWrongKey(error: unknown): undefined {
  if (!isAppError(error, 'repository/wrong-password')) throw error;
}

function refuse(why: Refusal): AppError {
  const [code, message] = refusals[why];
  return new AppError(code, message, { detail: { why } });
}

/** Which of the refusals an error is; undefined where it is something else. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isAppError(error)) return undefined;
  return refusalNames.find((why) => error.detail.why === why && error.code === refusals[why][0]);
}

const refusalNames = [
  'another',
  'known',
  'others',
  'absent',
  'misspelled',
  'wrong',
] as const satisfies readonly Refusal[];
