import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { file, folder } from '../../support/servers/hostile-webdav.ts';

/** One bit of every index file. */
async function flipIndexes(backend: Backend): Promise<void> {
  for (const { name } of await Array.fromAsync(backend.list('index'))) {
    const bytes = await backend.load('index', name);
    bytes[30] = (bytes[30] ?? 0) ^ 1;
    await backend.remove('index', name);
    await backend.save('index', name, bytes);
  }
}

test('a night whose index is damaged mends it from the packs and goes on, reading nothing again', async () => {
  await using fixture = await openConsentFixture();
  await (await signInAs(fixture, alice)).consent();
  fixture.files.root.children = folder({ 'a.txt': file('a'), 'b.txt': file('b') }).children as Map<string, never>;
  const { id: planId, userId } = await fixture.resources.database.plan.findFirstOrThrow();
  await fixture.backUp(planId);
  const { repository } = await openPersonRepository(fixture.resources, userId);
  await flipIndexes(repository.backend);
  fixture.custody.pass(86_400_000);
  expect(await fixture.backUp(planId)).toMatchObject({
    state: 'succeeded',
    counts: { entriesRead: 0, entriesUnchanged: 2 },
  });
  const { repository: anew } = await openPersonRepository(fixture.resources, userId);
  expect(await checkRepository(anew, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 2 });
  expect(await fixture.resources.database.audit.count({ where: { act: 'repository-repaired' } })).toBe(1);
});
