import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { memoryOfMember, openMemoryBudget } from '../../../src/memory-budget.ts';
import type { Checkpoint } from '../../../src/store/archiver/checkpoints.ts';
import { archiveNight, contentOf, type NightOptions } from '../../support/fixtures/archive-night.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { file, folder, type MemoryFolder, memorySource } from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

const files = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.txt`, file(`text ${n}`, { validator: `"${n}"` })]));

async function night(top: MemoryFolder, options: NightOptions) {
  const repository = await newRepository(openMemoryBackend());
  const { tree, problems } = await archiveNight(repository, [memorySource(top)], options);
  return { paths: [...(await contentOf(repository, tree)).keys()], problems };
}
const inFolder = (paths: string[], name: string) =>
  paths.filter((path) => path.startsWith(`files/${name}/`) && path.endsWith('.txt')).length;

test('a backup may have as many members as the limit; a folder that goes one beyond is a problem, and the rest goes on', async () => {
  const top = folder({ a: folder(files(10)), b: folder(files(5)) });
  expect((await night(top, { mostMembers: 17 })).problems).toEqual([]);
  const { problems } = await night(top, { mostMembers: 16, requests: 1 });
  expect(problems).toMatchObject([{ code: 'source/too-large', message: expect.stringMatching(/RUN_MEMBERS/) }]);
});

test('what is gone through at the same time may take as much memory as there is, and one member more is a problem', async () => {
  const deep = folder({ 'a.txt': file('a'), inner: folder(files(10)) });
  const source = memorySource(deep);
  const [root] = await source.roots(new AbortController().signal);
  if (root === undefined) throw new Error('The source has no root.');
  const { members } = await source.list(root.collection, new AbortController().signal);
  const inner = members.find(({ kind }) => kind === 'collection');
  if (inner === undefined) throw new Error('The root has no folder.');
  const { members: innermost } = await source.list(inner, new AbortController().signal);
  const bytes = [...members, ...innermost].reduce((sum, one) => sum + memoryOfMember(one.location), 0);
  expect((await night(deep, { memory: openMemoryBudget(bytes) })).problems).toEqual([]);
  const { paths, problems } = await night(deep, { memory: openMemoryBudget(bytes - 1) });
  expect(problems).toMatchObject([
    { path: 'inner', code: 'source/too-large', message: expect.stringMatching(/LISTINGS_MEMORY/) },
  ]);
  expect(inFolder(paths, 'inner')).toBe(0);
});

test('memory is given back when a folder is done, so that one after the other may take it', async () => {
  const boxes = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`box ${n}`, folder(files(20))]));
  const memory = openMemoryBudget(40 * 1_200);
  const { paths, problems } = await night(folder(boxes), { memory });
  expect(problems).toEqual([]);
  expect(paths.filter((path) => path.endsWith('.txt'))).toHaveLength(160);
  expect(memory.take(40 * 1_200)).toBe(true);
});

/** Lets what is under way get on: so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await setImmediate();
}

test('when its time is over, what is done is kept in a last checkpoint, and the next try reads only the rest', async () => {
  const top = folder({ a: folder(files(30)), b: folder(files(30)) });
  const source = memorySource(top);
  const time = new AbortController();
  const over = new AppError('run/out-of-time', 'It took too long.', { retry: { afterMs: 0 } });
  const slow = {
    ...source,
    open: async (...[entry, signal]: Parameters<typeof source.open>) => {
      if (source.opened.length < 40) return source.open(entry, signal);
      void turns(100).then(() => time.abort(over));
      const { promise, reject } = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => reject(signal.reason));
      return promise;
    },
  };
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  let last: Checkpoint | undefined;
  const onCheckpoint = async (checkpoint: Checkpoint) => {
    last = checkpoint;
  };
  await expect(archiveNight(repository, [slow], { timeIsOver: time.signal, onCheckpoint })).rejects.toBe(over);
  expect(last).toBeDefined();
  const { seen, problems } = await archiveNight(repository, [source], { from: last });
  expect(problems).toEqual([]);
  expect(seen).toMatchObject({ read: 60 });
  expect(seen.resumed).toBeGreaterThanOrEqual(30);
  expect(source.opened).toHaveLength(60);
});
