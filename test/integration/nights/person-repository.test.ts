import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { scryptCosts } from '../../../src/store/format/key-file.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';
import { keyLine } from '../../support/harness/settings.ts';

test('a repository has passwords that are hard to try; gone from the store, it is not begun anew, and is used again once it is back', async () => {
  await using folder = await temporaryFolder('store');
  await using fixture = await openDatabaseFixture();
  const { database } = fixture;
  const keyring = parseKeyring(keyLine('one'));
  const store = (location: string) => openLocalBackend(join(folder.path, location));
  const resources = { clock: systemClock(), database, keyring, scrypt: scryptCosts, store };
  const userId = randomUUID();
  await database.user.create({
    data: { id: userId, issuer: 'https://idp.example', subject: 'a', createdAt: new Date() },
  });
  const made = await ensurePersonRepository(resources, userId);
  const keys = await Array.fromAsync(made.repository.backend.list('key'));
  const files = await Promise.all(keys.map(({ name }) => made.repository.backend.load('key', name)));
  expect(files.map((bytes) => JSON.parse(bytes.toString()).N).toSorted()).toEqual([1024, 32768]);
  await rename(made.location, `${made.location} elsewhere`);
  await expect(ensurePersonRepository(resources, userId)).rejects.toMatchObject({ code: 'repository/not-usable' });
  await rename(`${made.location} elsewhere`, made.location);
  expect((await ensurePersonRepository(resources, userId)).id).toBe(made.id);
});
