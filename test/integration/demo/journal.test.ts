import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openTestRealm } from './realm.ts';

test('a last line of the journal that was cut off is ignored, all lines before it count', async () => {
  await using folder = await temporaryFolder('provider');
  const journal = join(folder.path, 'journal');
  const before = await openTestRealm({}, { journal });
  const token = (await before.refresh(await before.login())).token;
  before.provider.admin.setOfflineRole('bob', false);
  await before.provider.stop();
  await appendFile(journal, '["users","half');

  const port = Number(new URL(before.provider.issuer).port);
  await using after = await openTestRealm({}, { journal, port });
  expect((await after.refresh(token)).status).toBe(200);
  expect(after.provider.log.issued()).toHaveLength(3);
  expect(after.provider.log.requests().map(({ number }) => number)).toEqual([1, 2, 3]);
  expect(await after.login({ username: 'bob', password: 'bob' })).toBe('');
});

test('under another address the realm is another issuer, and says so', async () => {
  await using folder = await temporaryFolder('provider');
  const journal = join(folder.path, 'journal');
  const before = await openTestRealm({}, { journal });
  const token = await before.login();
  await using after = await openTestRealm({}, { journal });
  expect((await after.refresh(token)).said).toBe(
    `400 invalid_grant Invalid token issuer. Expected '${after.provider.issuer}'`,
  );
  await before.provider.stop();
});
