import { expect, test } from 'vitest';
import type { Database } from '../../../src/database/client.ts';
import { openRunWatch } from '../../../src/database/nights/run-watch.ts';
import { silentLog } from '../../../src/log.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

test('a run that is in hand again when an answer about its earlier attempt comes is left alone', async () => {
  const clock = manualClock('2026-05-01T00:00:00Z');
  const answer = Promise.withResolvers<{ id: string }[]>();
  const asked = Promise.withResolvers<void>();
  const database = {
    $queryRaw: () => {
      asked.resolve();
      return answer.promise;
    },
  } as unknown as Database;
  const watch = openRunWatch({ clock, database, log: silentLog });
  const [earlier, later] = [new AbortController(), new AbortController()];
  const attempt = watch.add({ id: 'a', fence: 1 }, earlier);
  const passed = clock.advance(500);
  await asked.promise;
  attempt[Symbol.dispose]();
  using _ = watch.add({ id: 'a', fence: 2 }, later);
  answer.resolve([{ id: 'a' }]);
  await passed;
  expect(later.signal.aborted).toBe(false);
  expect(earlier.signal.reason).toMatchObject({ code: 'run/lost-lease' });
});
