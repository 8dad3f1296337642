import { expect, test } from 'vitest';
import { saveRetention } from '../../../src/database/repositories/retention.ts';
import { parseRule } from '../../../src/domain/retention/rule.ts';
import { dayMs } from '../../../src/durations.ts';
import { backUp } from '../../../src/flows/nights/back-up.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { openPersonRepository, type PersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { steerNextRun } from '../../../src/flows/nights/steer-run.ts';
import { retain } from '../../../src/flows/retention/retain.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';

/** Nights of one person, of which each tells what it asked the store for. */
async function openNights() {
  const fixture = await openConsentFixture();
  const { clock, database, store } = fixture.resources;
  const { signal } = new AbortController();
  await fixture.consent();
  let asked: string[] = [];
  const counting: typeof store = (...place) => {
    const backend = store(...place);
    const told =
      <Args extends readonly [string, ...unknown[]], Answer>(what: string, ask: (...args: Args) => Answer) =>
      (...args: Args) => {
        asked.push(`${what} ${args[0]}`);
        return ask(...args);
      };
    const { list, load, save, stat, remove } = backend;
    return Object.assign(Object.create(backend) as Backend, {
      list: told('list', list),
      load: told('load', load),
      save: told('save', save),
      stat: told('stat', stat),
      remove: told('remove', remove),
    });
  };
  const { id: planId, userId } = await database.plan.findFirstOrThrow();
  const agreeTo = async (text: string) =>
    saveRetention(database, {
      userId,
      planId,
      rule: parseRule(text),
      sealing: agreedRuleSealing(fixture.resources.keyring),
      at: clock.now(),
      by: 'command:test',
    });
  /** With what goes by the rule that was agreed to, as a worker does it. */
  const night = async ({ letGo = false } = {}) => {
    fixture.custody.pass(dayMs);
    await database.plan.update({ where: { id: planId }, data: { nextDueAt: clock.now() } });
    await openNight(fixture.resources);
    asked = [];
    const resources = { ...fixture.resources, store: counting };
    let opened: PersonRepository | undefined;
    const onOpened = (own: PersonRepository) => {
      opened = own;
    };
    await steerNextRun(resources, signal, (input) => backUp(resources, { ...input, onOpened }));
    if (letGo) await retain(resources, { userId, signal, opened });
    const run = await database.run.findFirstOrThrow({ where: { planId }, orderBy: { queuedAt: 'desc' } });
    return { run, asked: asked.toSorted() };
  };
  const repository = async () => (await openPersonRepository(fixture.resources, userId)).repository;
  const parentOf = async (id: string | null) => {
    const all = await Array.fromAsync((await repository()).listSnapshots(() => undefined));
    return all.find((one) => one.id === id)?.snapshot.parent;
  };
  return { agreeTo, night, repository, parentOf, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() };
}

test('a night without a change asks the store for few things, however many snapshots there are', async () => {
  await using nights = await openNights();
  for (let before = 0; before < 5; before++) await nights.night();
  const { run, asked } = await nights.night();
  expect(run).toMatchObject({ state: 'succeeded', counts: { entriesUnchanged: 2 } });
  const countOf = (what: string) => asked.filter((one) => one === what).length;
  expect(countOf('load snapshot')).toBe(1);
  expect(countOf('list snapshot')).toBe(1);
  expect(countOf('list index')).toBe(2);
  expect(countOf('list lock')).toBe(2);
  expect(countOf('stat config')).toBe(0);
  expect(countOf('load config')).toBe(1);
});

test('what goes after a night is let go in the repository that the night has open, and each snapshot is read once for it', async () => {
  await using nights = await openNights();
  await nights.agreeTo('last=3');
  for (let before = 0; before < 5; before++) await nights.night();
  const { run, asked } = await nights.night({ letGo: true });
  expect(run).toMatchObject({ state: 'succeeded' });
  const repository = await nights.repository();
  expect(await repository.listSnapshotIds()).toHaveLength(3);
  const countOf = (what: string) => asked.filter((one) => one === what).length;
  expect(countOf('remove snapshot')).toBe(3);
  expect(countOf('load config')).toBe(1);
  expect(countOf('load key')).toBe(1);
  // One for the night itself, and all six that are there then, though they are looked at twice.
  expect(countOf('load snapshot')).toBe(1 + 6);
});

test('where the snapshot of the last night is gone, a night goes on from the one before', async () => {
  await using nights = await openNights();
  const { run: first } = await nights.night();
  const { run: second } = await nights.night();
  const repository = await nights.repository();
  await repository.forgetSnapshot(second.snapshotId as Parameters<typeof repository.forgetSnapshot>[0]);
  const { run: third } = await nights.night();
  expect(await nights.parentOf(third.snapshotId)).toBe(first.snapshotId);
});

test('where no run is on record for any snapshot that is left, a night goes on from the newest one of its own', async () => {
  await using nights = await openNights();
  const { run: first } = await nights.night();
  const repository = await nights.repository();
  const id = first.snapshotId as Parameters<typeof repository.loadSnapshot>[0];
  const { parent: _, ...snapshot } = await repository.loadSnapshot(id);
  const copy = await repository.saveSnapshot({ ...snapshot, original: id });
  await repository.forgetSnapshot(id);
  const { run: second } = await nights.night();
  expect(second.counts).toMatchObject({ entriesUnchanged: 2 });
  expect(await nights.parentOf(second.snapshotId)).toBe(copy);
});

test('a snapshot of another host is not continued', async () => {
  await using nights = await openNights();
  const { run: first } = await nights.night();
  const { run: second } = await nights.night();
  const repository = await nights.repository();
  type Id = Parameters<typeof repository.loadSnapshot>[0];
  await repository.saveSnapshot({
    ...(await repository.loadSnapshot(second.snapshotId as Id)),
    hostname: 'laptop',
  });
  await repository.forgetSnapshot(second.snapshotId as Id);
  const { run: third } = await nights.night();
  expect(await nights.parentOf(third.snapshotId)).toBe(first.snapshotId);
});
