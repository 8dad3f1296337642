import cron from 'node-cron';
import { expect, test } from 'vitest';
import { openServiceFixture } from '../../support/harness/service-fixture.ts';
import { demo } from '../../support/realms/demo.ts';

test('days pass at once in no duty that workers begin by the wall clock, such as a prune that looked whether a night is near', async () => {
  await using _fixture = await openServiceFixture(demo('26.7'), { workers: 2 });
  expect([...cron.getTasks().values()].map((task) => task.name)).toEqual([]);
});
