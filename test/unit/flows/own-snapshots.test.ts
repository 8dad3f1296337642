import { expect, test } from 'vitest';
import { isPastTime, ownOf } from '../../../src/flows/nights/own-snapshots.ts';
import { parseId, type SnapshotId, type TreeId } from '../../../src/store/format/ids.ts';

const now = new Date('2026-05-04T12:00:00Z');
const tree = parseId<TreeId>('ab'.repeat(32));
const made = (time: string, hostname = 'nightkeep') => ({
  id: parseId<SnapshotId>('0'.repeat(64)),
  snapshot: { time, tree, paths: ['/files'], hostname },
});

test('a night goes on from snapshots of its own that are not of the future, and from those where there are no others', () => {
  const [past, future] = [made('2026-05-03T02:00:00Z'), made('2031-01-01T02:00:00Z')];
  const theirs = made('2026-05-04T02:00:00Z', 'laptop');
  expect(ownOf([past, future, theirs], now)).toEqual([past]);
  expect(ownOf([future, theirs], now)).toEqual([future]);
  expect(ownOf([theirs], now)).toEqual([]);
});

test('a clock may be ahead by less than a day', () => {
  expect(isPastTime('2026-05-05T11:59:59Z', now)).toBe(true);
  expect(isPastTime('2026-05-05T12:00:00Z', now)).toBe(false);
});
