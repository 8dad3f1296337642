import { expect, test } from 'vitest';
import { languageOf, saveUser } from '../../../src/database/people/users.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { personSealing } from '../../../src/vault/row-seals.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';
import { keyLine } from '../../support/harness/settings.ts';

test('a language that nobody chose, or that is not spoken here, is none', async () => {
  await using fixture = await openDatabaseFixture();
  const { database } = fixture;
  const { id } = await saveUser(
    database,
    { issuer: 'https://id.example', subject: 'a', claims: {}, at: new Date(0) },
    personSealing(parseKeyring(keyLine('one'))),
  );
  const choose = (language: string) => database.user.update({ where: { id }, data: { language } });
  expect(await languageOf(database, id)).toBeNull();
  await choose('de');
  expect(await languageOf(database, id)).toBe('de');
  await choose('tlh');
  expect(await languageOf(database, id)).toBeNull();
  expect(await languageOf(database, '00000000-0000-4000-8000-000000000000')).toBeNull();
});
