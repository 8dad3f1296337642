import { expect, test } from 'vitest';
import { type Before, outcomeOf } from '../../../src/flows/nights/run-outcome.ts';
import type { Archived } from '../../../src/store/archiver/archiver.ts';
import { zeroSeen } from '../../../src/store/archiver/tally.ts';
import { parseId, type TreeId } from '../../../src/store/format/ids.ts';

const times = { backup_start: '', backup_end: '' };
const dirs = { dirs_new: 0, dirs_changed: 0, dirs_unmodified: 0 };
const blobs = { data_blobs: 0, tree_blobs: 0, data_added: 7, data_added_packed: 0, total_bytes_processed: 70 };

interface Night {
  files?: { new?: number; changed?: number };
  seen?: Partial<Archived['seen']>;
  problems?: Archived['problems'];
  missing?: string[];
}

function archived({ files = {}, seen = {}, problems = [], missing = [] }: Night): Archived {
  const all = { ...zeroSeen(), ...seen };
  const entries = all.read + all.unchanged + all.kept;
  const { new: fresh = 0, changed = 0 } = files;
  const counted = { files_new: fresh, files_changed: changed, files_unmodified: entries - fresh - changed };
  const summary = { ...times, ...dirs, ...blobs, ...counted, total_files_processed: entries };
  const folders = { tops: ['files'], missing };
  return {
    tree: parseId<TreeId>('0'.repeat(64)),
    summary,
    entries,
    seen: all,
    roots: [],
    problems,
    unreliable: [],
    damagedPacks: [],
    ...folders,
  };
}

const takenAt = new Date('2026-05-09T23:30:00Z');
const before: Before = { snapshotId: 'earlier', takenAt, problems: [], problemCount: 0 };
const problem = (path: string, { kept }: { kept: boolean }) => ({
  root: 'files',
  path,
  kept,
  code: 'source/forbidden' as const,
  message: 'The server does not let this be read.',
});

test('counts tell what was read, unchanged, kept and gone apart, and say nothing was seen that was not', () => {
  const night = {
    files: { new: 1, changed: 2 },
    seen: { read: 4, unchanged: 10, checked: 2, unchecked: 3, restored: 1, passedOver: 5, kept: 3, gone: 1 },
  };
  expect(outcomeOf(archived(night), before)).toEqual({
    state: 'succeeded',
    counts: {
      entries: 14,
      entriesRead: 4,
      entriesUnchanged: 10,
      entriesChecked: 2,
      entriesUnchecked: 3,
      entriesRestored: 1,
      foldersPassedOver: 5,
      entriesKept: 3,
      entriesGone: 1,
      filesNew: 1,
      filesChanged: 2,
      dataAdded: 7,
      totalBytes: 70,
    },
    problems: [],
    problemCount: 0,
  });
});

test('a source that could not be read at all is named, however many entries of others could not', () => {
  const entries = Array.from({ length: 1_200 }, (_, index) => problem(`${index}.txt`, { kept: true }));
  const mail = { ...problem('', { kept: false }), root: 'mail' };
  const { problems, problemCount } = outcomeOf(archived({ problems: [...entries, mail] }), before);
  expect(problemCount).toBe(1_201);
  expect(problems).toHaveLength(1_000);
  expect(problems.slice(0, 2).map(({ path }) => path)).toEqual(['mail/', 'files/0.txt']);
});

test.each(['loss', 'change'] as const)('a great %s holds the snapshot before', (change) => {
  const outcome = outcomeOf(archived({ seen: { unchanged: 15, gone: 15 } }), before, { change });
  expect(outcome).toMatchObject({ state: 'succeeded', alarm: change, heldSnapshotId: 'earlier' });
  expect(outcomeOf(archived({ seen: { unchanged: 15 } }), before)).not.toHaveProperty('alarm');
});

test.each([
  [19, undefined],
  [20, 'loss'],
])(
  'folders that are gone as a whole with %i entries together are named, and are a great loss from 20 on',
  (entries, alarm) => {
    const goneFolders = [
      { path: 'calendars/work', entries: entries - 1 },
      { path: 'files/\0\udce9', entries: 1 },
    ];
    const { alarm: told, goneFolders: kept } = outcomeOf(archived({ seen: { unchanged: 900 } }), before, {
      goneFolders,
    });
    expect(told).toBe(alarm);
    expect(kept).toEqual([goneFolders[0], { path: 'files/\\x00\\xe9', entries: 1 }]);
    const many = Array.from({ length: 300 }, (_, n) => ({ path: `mail/${n}`, entries: 300 - n }));
    expect(outcomeOf(archived({}), before, { goneFolders: many }).goneFolders).toEqual(many.slice(0, 100));
  },
);

test('what is kept is of the snapshot before, or of the night from which that one had it', () => {
  const known = [{ path: 'files/a.txt', since: '2026-05-01T23:30:00.000Z' }, { path: 'files/deep' }];
  const problems = ['a.txt', 'b.txt', 'deep/c.txt', 'deeper.txt'].map((path) => problem(path, { kept: true }));
  const outcome = outcomeOf(
    archived({ seen: { kept: 4 }, problems: [...problems, problem('new.txt', { kept: false })] }),
    {
      ...before,
      problems: known,
      problemCount: 2,
    },
  );
  expect(outcome).toMatchObject({ state: 'partial', problemCount: 5 });
  expect(Object.fromEntries(outcome.problems.map(({ path, since }) => [path, since]))).toEqual({
    'files/a.txt': '2026-05-01T23:30:00.000Z',
    'files/b.txt': takenAt.toISOString(),
    'files/deep/c.txt': undefined,
    'files/deeper.txt': takenAt.toISOString(),
    'files/new.txt': undefined,
  });
});

test('of more problems than a run keeps by name, nobody claims to know since when they are', () => {
  const problems = Array.from({ length: 1_200 }, (_, n) => problem(`f${n}`, { kept: true }));
  const outcome = outcomeOf(archived({ problems }), { ...before, problemCount: 1_001 });
  expect(outcome.problems).toHaveLength(1_000);
  expect(outcome.problemCount).toBe(1_200);
  expect(outcome.problems[0]).not.toHaveProperty('since');
});

test('a root that is not offered any more holds the snapshot before, once for each', () => {
  const gone = (root: string) => ({ ...problem('', { kept: true }), root, code: 'source/root-gone' as const });
  const night = { missing: ['team'], problems: [gone('team')], seen: { unchanged: 5, kept: 9 } };
  const first = outcomeOf(archived(night), before);
  expect(first).toMatchObject({ state: 'partial', alarm: 'root', heldSnapshotId: 'earlier' });
  expect(first.problems).toMatchObject([{ path: 'team/', kept: true, since: takenAt.toISOString() }]);
  const after = { ...before, problems: first.problems, problemCount: 1 };
  expect(outcomeOf(archived(night), after)).not.toHaveProperty('alarm');
  const both = { missing: ['team', 'shared'], problems: [gone('team'), gone('shared')] };
  expect(outcomeOf(archived(both), after)).toMatchObject({ alarm: 'root' });
});

test('what a server names is written so that it can be kept and shown', () => {
  const odd = { ...problem('a\0b/\u001b[31m/caf\udce9', { kept: false }), message: 'It names \0 instead.' };
  const { problems } = outcomeOf(archived({ problems: [odd] }), before);
  expect(problems).toMatchObject([{ path: 'files/a\\x00b/\\x1b[31m/caf\\xe9', message: 'It names \\x00 instead.' }]);
});
