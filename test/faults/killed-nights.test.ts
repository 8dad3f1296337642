import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Repository } from '../../src/store/repository/repository.ts';
import { contentOf } from '../support/fixtures/archive-night.ts';
import { randomNumbers } from '../support/fixtures/random-numbers.ts';
import { file, folder, type HostileNode } from '../support/servers/hostile-webdav.ts';
import { type Kill, type KilledNight, openKilledNight } from './killed-nights.ts';

/** A small night; with `npm run test:faults -- --kills 40 killed-nights`, one of 300 MB that is killed forty times. */
const full = process.env.FAULT_KILLS !== undefined;
const kills = Number(process.env.FAULT_KILLS ?? 4);
const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
const miB = 1024 * 1024;
/** Bytes in a millisecond: what lines deliver, and not what loopback holds in its buffers. */
const [aTenthOfGigabit, aThirdOfGigabit] = [12_500, 40_000];

/** Many small files, some of a few MB, and one long one: as many MB in all, none of which compresses. */
function aHome(
  megabytes: number,
  random: () => number,
): { home: HostileNode; bytes: number; digests: Map<string, string> } {
  const home = folder();
  const digests = new Map<string, string>();
  let bytes = 0;
  let number = 0;
  const add = (path: readonly string[], size: number) => {
    const content = noise(random, size);
    let at = home;
    for (const name of path.slice(0, -1)) {
      const next = at.children?.get(name) ?? folder();
      at.children?.set(name, next);
      at = next;
    }
    at.children?.set(path.at(-1) ?? '', file(content, { etag: `"${++number}"` }));
    digests.set(path.join('/'), digestOf(content));
    bytes += size;
  };
  add(['films', 'long.bin'], Math.round(megabytes * 0.15 * 1e6));
  while (bytes < megabytes * 0.5e6) add(['films', `${number}.bin`], Math.round(1e6 + random() * 4e6));
  while (bytes < megabytes * 1e6)
    add([`year ${number % 7}`, `month ${number % 5}`, `${number}.bin`], Math.round(random() ** 3 * 4e5));
  return { home, bytes, digests };
}

function noise(random: () => number, size: number): Buffer {
  const key = String(random());
  const parts: Buffer[] = [];
  for (let at = 0; at < size; at += 64) parts.push(createHash('sha512').update(`${key} ${at}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function digestsIn(repository: Repository): Promise<Map<string, string>> {
  const [{ snapshot }] = (await Array.fromAsync(repository.listSnapshots())) as [
    Awaited<ReturnType<Repository['findSnapshot']>>,
  ];
  const found = new Map<string, string>();
  for (const [path, content] of await contentOf(repository, snapshot.tree))
    if (!path.endsWith('/')) found.set(path.slice('files/'.length), digestOf(content));
  return found;
}

/** One worker after the other: a run waits again where the one that was killed still held the token or the repository. */
async function workUntilOver(night: KilledNight): Promise<void> {
  for (let tries = 0; tries < 10 && !(await isOver(night)); tries++) await night.work();
}

async function isOver(night: KilledNight): Promise<boolean> {
  return !['queued', 'running'].includes((await night.run()).state);
}

test('a first night whose workers are killed again and again continues where it was, fetches no more than twice what there is, and leaves the store no larger', {
  timeout: 900_000,
}, async () => {
  const random = randomNumbers(seed);
  const { home, bytes, digests } = aHome(full ? 300 : 40, random);
  const each = ((full ? 2 : 1) * bytes) / kills;
  const atRandom = (): Kill => (random() < 0.15 ? { ms: random() * 1_000 } : { bytes: random() * each });
  // A first checkpoint is saved a quarter of a second after the first byte: workers that all end sooner bring nothing about.
  await using night = await openKilledNight(home, { pace: aTenthOfGigabit });
  let killed = 0;
  // A worker may also end without any work, where the one before still held something.
  for (let tries = 0; killed < kills && tries < 2 * kills && !(await isOver(night)); tries++)
    if (await night.work(atRandom())) killed += 1;
  const before = night.fetched;
  await workUntilOver(night);
  const { state, errorCode, message } = await night.run();
  const left = await night.stored();
  const repository = await night.prune();
  const after = await night.stored();
  await using calm = await openKilledNight(home, { pace: aThirdOfGigabit });
  await calm.work();
  await calm.prune();
  const { bytes: undisturbed } = await calm.stored();
  const figures = {
    ...{
      seed,
      killed,
      megabytes: Math.round(bytes / 1e6),
      fetched: night.fetched / bytes,
      untilLastKill: before / bytes,
    },
    ...{ calmlyFetched: calm.fetched / bytes, stored: left.bytes / undisturbed, pruned: after.bytes / undisturbed },
    ...{ leftovers: left.leftovers.length },
  };
  console.log(JSON.stringify(figures));
  expect({ state, errorCode, message }).toEqual({ state: 'succeeded', errorCode: null, message: null });
  expect(killed).toBeGreaterThanOrEqual(kills / 2);
  expect(await digestsIn(repository)).toEqual(digests);
  expect(figures.fetched).toBeLessThanOrEqual(2);
  expect(figures.pruned).toBeLessThanOrEqual(1.15);
  expect(after.leftovers).toEqual([]);
});

test('a night that is killed once, whenever that is, does no more than 32 MiB twice', {
  timeout: 900_000,
}, async () => {
  const random = randomNumbers(seed + 1);
  const { home, bytes, digests } = aHome(full ? 300 : 80, random);
  await using night = await openKilledNight(home, { pace: aThirdOfGigabit });
  const at = (0.5 + 0.45 * random()) * bytes;
  expect(await night.work({ bytes: at })).toBe(true);
  await workUntilOver(night);
  console.log(JSON.stringify({ seed, killedAt: at / bytes, twice: (night.fetched - bytes) / miB }));
  expect((await night.run()).state).toBe('succeeded');
  expect(night.fetched - bytes).toBeLessThanOrEqual(32 * miB);
  expect(await digestsIn(await night.prune())).toEqual(digests);
});
