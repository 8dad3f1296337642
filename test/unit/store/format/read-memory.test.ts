import { expect, test } from 'vitest';
import { openReadMemory } from '../../../../src/store/format/read-memory.ts';

const megabyte = 1024 * 1024;
/** A store that reads to the memory it gets. */
const here = (length: number) => async (memory: ArrayBuffer) => Buffer.from(memory, 0, length).fill(7);

test('what was read to is read to again, once it is given back and not before', async () => {
  const memory = openReadMemory(2, 4 * megabyte);
  const first = await memory.fill(100, here(100));
  const second = await memory.fill(200, here(200));
  expect([first?.length, second?.length]).toEqual([100, 200]);
  expect(second?.buffer).not.toBe(first?.buffer);
  memory.giveBack(first?.buffer);
  const third = await memory.fill(150, here(150));
  expect(third?.buffer).toBe(first?.buffer);
});

test('for little, little is taken; for what is nearly of the usual length, that', async () => {
  const memory = openReadMemory(2, 4 * megabyte);
  const taken = async (length: number) => (await memory.fill(length, here(length)))?.buffer.byteLength;
  expect(await taken(1_000)).toBe(2_000);
  expect(await taken(3 * megabyte)).toBe(4 * megabyte);
  expect(await taken(5 * megabyte)).toBe(5 * megabyte);
});

test('a read that is longer than what is kept gets memory of its own', async () => {
  const memory = openReadMemory(2, 4 * megabyte);
  memory.giveBack((await memory.fill(100, here(100)))?.buffer);
  expect((await memory.fill(9 * megabyte, here(9 * megabyte)))?.length).toBe(9 * megabyte);
});

test('no more is kept than was said', async () => {
  const memory = openReadMemory(1, 4 * megabyte);
  const [first, second] = [await memory.fill(1, here(1)), await memory.fill(1, here(1))];
  memory.giveBack(first?.buffer);
  memory.giveBack(second?.buffer);
  expect((await memory.fill(1, here(1)))?.buffer).toBe(first?.buffer);
  expect((await memory.fill(1, here(1)))?.buffer).not.toBe(second?.buffer);
});

test('bytes of a store that reads elsewhere are moved out of memory that others share, and the offered memory is kept', async () => {
  const memory = openReadMemory(2, 4 * megabyte);
  const offered: ArrayBuffer[] = [];
  const shared = Buffer.from('in the pool of small buffers');
  for (const bytes of [shared, undefined]) {
    const read = await memory.fill(28, async (one) => {
      offered.push(one);
      return bytes;
    });
    expect(read && Buffer.from(read)).toEqual(bytes);
    if (read !== undefined) expect(read.buffer.byteLength).toBe(28);
  }
  expect(offered[1]).toBe(offered[0]);
});
