import { randomBytes, randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openDatabase } from '../../../src/database/client.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

test('a repository that is gone from the store is not begun anew, and is used again once it is back', async () => {
  await using folder = await temporaryFolder('store');
  await using test = await openTestDatabase();
  const database = await openDatabase(test.url);
  const keyring = parseKeyring(`one:${randomBytes(32).toString('base64url')}`);
  const store = (location: string) => openLocalBackend(join(folder.path, location));
  const resources = { clock: systemClock(), database, keyring, store };
  const userId = randomUUID();
  await database.user.create({
    data: { id: userId, issuer: 'https://idp.example', subject: 'a', createdAt: new Date() },
  });
  const made = await ensurePersonRepository(resources, userId);
  await rename(made.location, `${made.location} elsewhere`);
  await expect(ensurePersonRepository(resources, userId)).rejects.toMatchObject({ code: 'store/unavailable' });
  await rename(`${made.location} elsewhere`, made.location);
  expect((await ensurePersonRepository(resources, userId)).id).toBe(made.id);
  await database.$disconnect();
});
