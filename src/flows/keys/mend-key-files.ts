import { saveAudit } from '../../database/audit.ts';
import {
  findRepository,
  inKeysTurn,
  type PersonRepositoryRow,
  saveRecoveryKeyFile,
} from '../../database/repositories/repositories.ts';
import { hastenVerification } from '../../database/repositories/verifications.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Backend } from '../../store/backend/backend.ts';
import { idOf, type KeyId, parseId } from '../../store/format/ids.ts';
import { readKeyFacts } from '../../store/format/key-file.ts';
import { checkKeys } from '../../store/repository/check-keys.ts';
import { isOfOneFile } from '../../store/repository/keys.ts';
import { openRepository, type Repository } from '../../store/repository/repository.ts';
import { purposes } from '../../vault/purposes.ts';
import { openPassword } from '../../vault/row-seals.ts';
import { unseal } from '../../vault/seal.ts';
import { noRepositoryYet } from '../nights/open-person-repository.ts';
import { refuseIfMoved } from '../store/refuse-if-moved.ts';
import { ownHost } from './foreign-keys.ts';
import { isRecoveryKey, serviceName } from './recovery-key.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'scrypt' | 'store'>;

export interface MendKeyFiles {
  readonly userId: string;
  /** As its person has it; not needed while it is kept here. */
  readonly recoveryKey?: string | undefined;
  readonly by: string;
}

/** What was found of a key file: it is whole, or was made anew; none: there is no recovery key yet. */
export interface MendedKeyFiles {
  readonly service: 'whole' | 'anew';
  readonly recovery: 'whole' | 'anew' | 'none';
  /** Damaged files that were removed: those in whose place another one was made, and what is no key file any more. */
  readonly removed: number;
}

/**
 * Makes the key file of Nightkeep anew by the recovery key, or that of the recovery key by Nightkeep's, where it is gone or damaged.
 * The passwords stay what they are. One of another program that is damaged stays while it may still open the repository. Throws `request/invalid` where the recovery key is needed and not given, or is none, and as
 * `openRepository` does where it opens nothing either.
 */
export async function mendKeyFiles(resources: Needs, input: MendKeyFiles): Promise<MendedKeyFiles> {
  return inKeysTurn(resources.database, input.userId, () => mend(resources, input));
}

async function mend(resources: Needs, { userId, recoveryKey: given, by }: MendKeyFiles): Promise<MendedKeyFiles> {
  const { clock, database, keyring, scrypt, store } = resources;
  const row = await findRepository(database, userId);
  if (row === null) throw noRepositoryYet();
  const backend = store(row.location, row.store);
  const password = openPassword(keyring, row);
  const held = row.sealedRecoveryKey && textOf(unseal(keyring, purposes.recoveryKey(row.id), row.sealedRecoveryKey));
  const recoveryKey = held ?? given;
  if (recoveryKey !== undefined && !isRecoveryKey(recoveryKey)) throw noRecoveryKey();
  const own = await openUnlessKeyless(row, resources, password);
  const service = own !== undefined && (await isWhole(backend, own.keyId)) ? 'whole' : 'anew';
  const recovery = await findRecovery(row, resources);
  if (recoveryKey === undefined && (own === undefined || recovery === 'broken'))
    throw own === undefined ? serviceKeyLost() : recoveryKeyLost();
  const repository = own ?? (await openRepository(backend, recoveryKey ?? ''));
  await refuseIfMoved(resources, { userId, store: row.store });
  if (service === 'anew')
    await repository.addKey(password, { clock, username: serviceName, scrypt: scrypt.forRandomPasswords });
  const fresh = service === 'anew' ? await openRepository(backend, password) : repository;
  if (recovery === 'broken')
    await renewRecoveryFile(resources, { row, repository: fresh, recoveryKey: recoveryKey ?? '' });
  const removed = await removeDamaged(fresh, row.recoveryKeyFile);
  const mended = { service, recovery: recovery === 'broken' ? ('anew' as const) : recovery, removed } as const;
  if (service === 'whole' && recovery !== 'broken' && removed === 0) return mended;
  const at = clock.now();
  await saveAudit(database, { at, by, act: 'key-files-mended', userId });
  await hastenVerification(database, { userId, at });
  return mended;
}

async function openUnlessKeyless(
  { location, store: at }: PersonRepositoryRow,
  { store }: Needs,
  password: string,
): Promise<Repository | undefined> {
  return openRepository(store(location, at), password).catch((error: unknown) => {
    const isOfKeys = isAppError(error, 'repository/damaged') && error.detail.keyIds !== undefined;
    if (isOfKeys || isAppError(error, 'repository/wrong-password')) return undefined;
    throw error;
  });
}

async function findRecovery(
  { location, store: at, recoveryKeyFile }: PersonRepositoryRow,
  { store }: Needs,
): Promise<'whole' | 'broken' | 'none'> {
  if (recoveryKeyFile === null) return 'none';
  return (await isWhole(store(location, at), parseId<KeyId>(recoveryKeyFile))) ? 'whole' : 'broken';
}

async function isWhole(backend: Backend, id: KeyId): Promise<boolean> {
  return !(await checkKeys(backend, [id])).some(({ keyId }) => keyId === id);
}

interface Renewal {
  readonly row: PersonRepositoryRow;
  readonly repository: Repository;
  readonly recoveryKey: string;
}

async function renewRecoveryFile(
  { clock, database, scrypt }: Needs,
  { row: { id, store, recoveryKeyFile, user }, repository, recoveryKey }: Renewal,
): Promise<void> {
  const username = user.username ?? user.subject;
  const to = await repository.addKey(recoveryKey, {
    clock,
    username,
    hostname: ownHost,
    scrypt: scrypt.forPeople,
  });
  if (await saveRecoveryKeyFile(database, { id, store, from: recoveryKeyFile ?? '', to })) return;
  await repository.removeKey(to);
  throw new AppError(
    'repository/locked',
    'A new recovery key has just been made, or the repository was moved. Try again.',
  );
}

/** Answers how many. A folder that is not empty stays. */
async function removeDamaged({ backend }: Repository, recoveryKeyFile: string | null): Promise<number> {
  let removed = 0;
  for await (const { name } of backend.list('key')) {
    if (!(await isOfNoUse(backend, name, recoveryKeyFile))) continue;
    removed += await backend.remove('key', name).then(
      () => 1,
      (error: unknown) => {
        if (!isAppError(error, 'store/may-not-delete') && !isOfOneFile(error)) throw error;
        return 0;
      },
    );
  }
  return removed;
}

/** Whether it is damaged, and is that of the recovery key, or nothing that may be a key. */
async function isOfNoUse(backend: Backend, name: string, recoveryKeyFile: string | null): Promise<boolean> {
  try {
    const bytes = await backend.load('key', name);
    return idOf<KeyId>(bytes) !== name && (name === recoveryKeyFile || !mayOpen(bytes));
  } catch (error) {
    if (isOfOneFile(error)) return false;
    if (!isAppError(error, 'repository/damaged')) throw error;
    return true;
  }
}

/** Whether the file of another program may still open the repository: damage to what is no secret of it leaves a key. */
function mayOpen(bytes: Buffer): boolean {
  try {
    return readKeyFacts(bytes).username !== serviceName;
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    return false;
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function serviceKeyLost(): AppError {
  return new AppError(
    'request/invalid',
    'The key file of Nightkeep is gone or damaged, so nothing here opens the repository. Its person has the recovery key, with which it can be written again: give it with --recovery-key-file FILE.',
  );
}

function recoveryKeyLost(): AppError {
  return new AppError(
    'request/invalid',
    'The key file of the recovery key is gone or damaged. Give the recovery key that its person has with --recovery-key-file FILE, or let them make a new one on their page “Recovery”.',
  );
}

function noRecoveryKey(): AppError {
  return new AppError(
    'request/invalid',
    'This is no recovery key: it has six groups of five letters and digits, with a hyphen between them.',
  );
}
