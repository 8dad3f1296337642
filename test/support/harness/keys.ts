import { randomUUID } from 'node:crypto';
import type { Database } from '../../../src/database/client.ts';
import type { Resources } from '../../../src/resources.ts';
import { openKeyring } from '../../../src/resources.ts';
import { type Keyring, parseKeyring } from '../../../src/vault/keyring.ts';
import { seal } from '../../../src/vault/seal.ts';

/** The keyring of these lines, the newest first, as a process that starts with it has it. */
export function enterWith({ database }: Pick<Resources, 'database'>, ...lines: string[]): Promise<Keyring> {
  return openKeyring(database, parseKeyring(lines.join('\n')), new Date());
}

/** A repository row with its two sealed values. */
export async function addRepository({ database, keyring }: Pick<Resources, 'database' | 'keyring'>, userId: string) {
  const id = randomUUID();
  const sealedPassword = seal(keyring, { purpose: 'repository-password', owner: id }, 'a password');
  const sealedRecoveryKey = seal(keyring, { purpose: 'recovery-key', owner: id }, 'a recovery key');
  return database.repository.create({
    data: {
      id,
      userId,
      location: id,
      sealedPassword: sealedPassword.sealed,
      keyId: sealedPassword.keyId,
      sealedRecoveryKey: sealedRecoveryKey.sealed,
      recoveryKeyFile: 'ab',
      createdAt: new Date(),
    },
  });
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
