import { expect, test } from 'vitest';
import { followProgress } from '../../../src/flows/nights/follow-progress.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

test('a run tells its step, and while it reads what came, for how long, and of how much', async () => {
  const clock = manualClock('2026-05-04T01:00:00Z');
  const progress = followProgress(clock);
  const nothing = { entries: 0, expected: null, problems: 0, bytesRead: 0, requests: 0, ms: 0, folder: null };
  expect(progress.look()).toEqual({ step: 'access', ...nothing });
  progress.begin('repository');
  await clock.advance(7_000);
  expect(progress.look()).toEqual({ step: 'repository', ...nothing });
  const sources = [{ traffic: { requests: 2, bytes: 30 } }, { traffic: { requests: 1, bytes: 5 } }];
  progress.read({ sources, expected: 12 });
  const archived = { entries: 3, problems: 1, folder: 'files/a' };
  progress.archive(() => archived);
  await clock.advance(1_500);
  const reading = { entries: 3, expected: 12, problems: 1, bytesRead: 35, requests: 3, ms: 1_500, folder: 'files/a' };
  expect(progress.look()).toEqual({ step: 'reading', ...reading });
  progress.begin('snapshot');
  expect(progress.look()).toEqual({ step: 'snapshot', ...reading });
});
