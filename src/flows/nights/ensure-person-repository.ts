import { randomBytes, randomUUID } from 'node:crypto';
import type { NightFacts } from '../../database/nights/night-facts.ts';
import {
  findRepository,
  inKeysTurn,
  type PersonRepositoryRow,
  saveRepository,
} from '../../database/repositories/repositories.ts';
import { findVerification } from '../../database/repositories/verifications.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { type KeyId, parseId } from '../../store/format/ids.ts';
import { initRepository } from '../../store/repository/repository.ts';
import { openPassword, sealPassword } from '../../vault/row-seals.ts';
import { removeStrayKeys } from '../keys/foreign-keys.ts';
import { issueRecoveryKey, serviceName } from '../keys/recovery-key.ts';
import { noRepositoryYet, openPersonRow, type PersonRepository } from './open-person-repository.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'scrypt' | 'store'>;
/** What was read of it just now. */
type Known = Pick<NightFacts, 'repository' | 'damagedPacks'>;

/**
 * Opens the repository of a person, or creates it: the row with the sealed password, then the repository, then the recovery key. After a crash in
 * between, the next call creates what is missing. What is in packs that are known to be damaged counts as missing, so that a night reads it again.
 */
export async function ensurePersonRepository(
  resources: Needs,
  userId: string,
  facts?: Known,
): Promise<PersonRepository> {
  const { clock, database, keyring, store } = resources;
  const known = facts?.repository ?? (await findRepository(database, userId));
  if (known === null) {
    const id = randomUUID();
    const place = { id, userId, location: id };
    const random = randomBytes(32).toString('base64url');
    const { sealed, keyId } = sealPassword(keyring, { ...place, store: null }, random);
    await saveRepository(database, { ...place, sealedPassword: sealed, keyId, at: clock.now() });
  }
  const row = known ?? (await findRepository(database, userId));
  if (row === null) throw noRepositoryYet();
  const { damagedPacks = [] } = facts ?? (await findVerification(database, userId)) ?? {};
  const open = () => openPersonRow(resources, row, { without: new Set(damagedPacks) });
  const opened = await open().catch(async (error: unknown) => {
    if (!isAppError(error, 'repository/not-found')) throw error;
    if (row.recoveryKeyFile !== null) throw repositoryGone(row.location);
    await initRepository(store(row.location, row.store), {
      password: openPassword(keyring, row),
      clock,
      username: serviceName,
      scrypt: resources.scrypt.forRandomPasswords,
    });
    return open();
  });
  if (row.recoveryKeyFile === null || isLost(row)) await issueFirst(resources, opened, userId);
  return opened;
}

/** Of two that find none, the second finds the first one's. */
async function issueFirst(resources: Needs, opened: PersonRepository, userId: string): Promise<void> {
  await inKeysTurn(resources.database, userId, async () => {
    const row = await findRepository(resources.database, userId);
    if (row === null || (row.recoveryKeyFile !== null && !isLost(row))) return;
    const recoveryKeyFile = await issueRecoveryKey(resources, opened);
    if (row.recoveryKeyFile !== null) await opened.repository.removeKey(parseId<KeyId>(row.recoveryKeyFile));
    await removeStrayKeys({ ...opened, recoveryKeyFile });
  });
}

/** A recovery key that went with a lost installation before anybody had seen it. */
function isLost({ adoptedAt, sealedRecoveryKey, recoverySeenAt, recoveryKeptAt }: PersonRepositoryRow): boolean {
  return adoptedAt !== null && sealedRecoveryKey === null && recoverySeenAt === null && recoveryKeptAt === null;
}

/** A store that is not mounted must not be taken for an empty one. */
function repositoryGone(location: string): AppError {
  return new AppError(
    'repository/not-usable',
    'The repository is not in its place. The operator must check that the store is mounted, or bring it back from a copy; if it is lost for good: nightkeep store lost.',
    { detail: { location } },
  );
}
