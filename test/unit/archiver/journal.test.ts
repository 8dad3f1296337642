import { expect, test } from 'vitest';
import { decodeJournal, encodeEntries } from '../../../src/store/archiver/journal.ts';
import { fileNode } from '../../../src/store/archiver/nodes.ts';

test('a journal of a huge folder is made a few files at a time, and tells them all', async () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `${String(index).padStart(4, '0')}.txt`);
  const nodes = names.map((name) => fileNode({ name, modified: undefined, validator: undefined }, 0, []));
  let turnsOfOthers = 0;
  let isOver = false;
  const count = () => {
    turnsOfOthers++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const bytes = Buffer.concat(await encodeEntries([{ folder: 'files', nodes }]));
  isOver = true;
  expect(turnsOfOthers).toBeGreaterThan(15);
  const told = [...decodeJournal(bytes)].flatMap((entry) => ('node' in entry ? [entry.node] : entry.nodes));
  expect(told.map(({ name }) => name)).toEqual(names);
});
