import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { file, folder } from '../../support/servers/hostile-webdav.ts';

test('a night goes on from the one before, not from a newer snapshot of a person’s own restic or of a clock that was wrong', async () => {
  await using fixture = await openConsentFixture();
  await (await signInAs(fixture, alice)).consent();
  fixture.files.root.children = folder({ 'a.txt': file('a'), 'b.txt': file('b') }).children as Map<string, never>;
  const { id: planId, userId } = await fixture.resources.database.plan.findFirstOrThrow();
  const first = await fixture.backUp(planId);
  const { repository } = await openPersonRepository(fixture.resources, userId);
  const [own] = await Array.fromAsync(repository.listSnapshots());
  if (own === undefined) throw new Error('There is no snapshot.');
  await repository.loadIndex();
  const [root] = (await repository.loadTree(own.snapshot.tree)).nodes;
  const tree = root?.type === 'dir' ? root.subtree : own.snapshot.tree;
  const later = new Date(fixture.resources.clock.now().getTime() + 60_000).toISOString();
  await repository.saveSnapshot({ tree, paths: ['/home/alice'], hostname: 'laptop', time: later });
  await repository.saveSnapshot({ tree, paths: ['/files'], hostname: 'nightkeep', time: '2099-01-01T00:00:00Z' });
  await fixture.resources.database.run.updateMany({ data: { snapshotId: null } });
  fixture.custody.pass(86_400_000);
  const second = await fixture.backUp(planId);
  expect(second).toMatchObject({ state: 'succeeded', counts: { entriesRead: 0, entriesUnchanged: 2, filesNew: 0 } });
  const made = await repository.loadSnapshot(second.snapshotId as never);
  expect(made.parent).toBe(first.snapshotId);
});
