import { randomUUID } from 'node:crypto';
import type { Database } from '../../../src/database/client.ts';
import { saveRecoveryKey, saveRepository } from '../../../src/database/repositories/repositories.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import type { Resources } from '../../../src/resources.ts';
import { type Keyring, parseKeyring } from '../../../src/vault/keyring.ts';
import { purposes } from '../../../src/vault/purposes.ts';
import { sealPassword } from '../../../src/vault/row-seals.ts';
import { seal } from '../../../src/vault/seal.ts';

/** The keyring of these lines, the newest first, as a process that starts with it has it. */
export function enterWith({ database }: Pick<Resources, 'database'>, ...lines: string[]): Promise<Keyring> {
  return openKeyring(database, parseKeyring(lines.join('\n')), new Date());
}

/** A repository row, and the password that is sealed in it. */
export async function addRepositoryRow(
  { database, keyring }: Pick<Resources, 'database' | 'keyring'>,
  userId: string,
  at = new Date(),
): Promise<{ id: string; password: string }> {
  const [id, password] = [randomUUID(), 'a password'];
  const place = { id, userId, location: id };
  const { sealed, keyId } = sealPassword(keyring, { ...place, store: null }, password);
  await saveRepository(database, { ...place, sealedPassword: sealed, keyId, at });
  return { id, password };
}

/** The same with a recovery key that was not shown yet: both of its values are sealed. */
export async function addUnseenRepository(resources: Pick<Resources, 'database' | 'keyring'>, userId: string) {
  const { id } = await addRepositoryRow(resources, userId);
  const { sealed: sealedRecoveryKey } = seal(resources.keyring, purposes.recoveryKey(id), 'a recovery key');
  await saveRecoveryKey(resources.database, { id, store: null, recoveryKeyFile: 'ab', sealedRecoveryKey });
  return resources.database.repository.findUniqueOrThrow({ where: { id } });
}

/** Does `meanwhile` right before the n-th time that values which were opened are replaced. */
export function interrupting(database: Database, n: number, meanwhile: () => Promise<unknown>): Database {
  let replaced = 0;
  return new Proxy(database, {
    get: (target, name) => {
      if (name !== '$executeRaw') return Reflect.get(target, name);
      return async (...args: unknown[]) => {
        if (++replaced === n) await meanwhile();
        return Reflect.apply(target.$executeRaw, target, args);
      };
    },
  });
}
