import { beforeEach, describe, expect, test } from 'vitest';
import { untilAborted } from '../../../src/abort.ts';
import { AppError } from '../../../src/errors.ts';
import type { Reading } from '../../../src/sources/source.ts';
import type { Checkpoint } from '../../../src/store/archiver/checkpoints.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf, type NightOptions } from '../../support/fixtures/archive-night.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import {
  file,
  folder,
  type MemoryFolder,
  type MemorySource,
  memorySource,
} from '../../support/fixtures/memory-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';

const kiB = 1024;
const miB = 1024 * kiB;

/** Bytes that do not repeat. */
function noise(seed: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed + 1;
  for (let at = 0; at < words.length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[at] = state ^ (state >>> 15);
  }
  return Buffer.from(words.buffer, 0, length);
}

/** Six folders of twenty files of 64 KiB. */
function sixFolders(): MemoryFolder {
  const files = (box: number) =>
    Array.from({ length: 20 }, (_, n) => [
      `${n}.bin`,
      file(noise(box * 100 + n, 64 * kiB), { validator: `"${box} ${n}"` }),
    ]);
  return folder(
    Object.fromEntries(Array.from({ length: 6 }, (_, box) => [`box ${box}`, folder(Object.fromEntries(files(box)))])),
  );
}

let backend: ReturnType<typeof openMemoryBackend>;
beforeEach(async () => {
  backend = openMemoryBackend();
  await newRepository(backend);
});

/** As another process opens it, that knows only what is on the store. */
async function reopened(): Promise<Repository> {
  const repository = await openRepository(backend, 'pw');
  await repository.loadIndex();
  return repository;
}

/** The source, of which nothing more comes once it has sent so many bytes, until the signal is aborted. */
function drying(source: MemorySource, bytes: number, signal: AbortSignal): MemorySource {
  const end = source.traffic.bytes + bytes;
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  aborted.catch(() => undefined);
  async function* body(all: Reading['body']): AsyncGenerator<Uint8Array> {
    for await (const part of all) {
      if (source.traffic.bytes > end) await aborted;
      yield part;
    }
  }
  const dried = <R extends { body: Reading['body'] } | undefined>(reading: R) =>
    reading && { ...reading, body: body(reading.body) };
  return {
    ...source,
    open: async (entry, at) => dried(await source.open(entry, at)),
    openRest: async (entry, from, at) => dried(await source.openRest?.(entry, from, at)),
  };
}

/** Archives until the source has sent so many bytes, and a checkpoint of that was made. Answers the checkpoint. */
async function interrupted(source: MemorySource, bytes: number, options: NightOptions = {}): Promise<Checkpoint> {
  const end = new AbortController();
  const made = Promise.withResolvers<Checkpoint>();
  const onCheckpoint = async (checkpoint: Checkpoint) => {
    made.resolve(checkpoint);
    end.abort(new Error('killed'));
  };
  const repository = await reopened();
  const night = archiveNight(repository, [drying(source, bytes, end.signal)], {
    ...options,
    signal: end.signal,
    onCheckpoint,
  });
  await expect(night).rejects.toThrow('killed');
  return made.promise;
}

/** Archives from there to the end. */
async function resumed(source: MemorySource, from: Checkpoint | undefined, options: NightOptions = {}) {
  const before = { opened: source.opened.length, bytes: source.traffic.bytes };
  const repository = await reopened();
  const archived = await archiveNight(repository, [source], { ...options, from });
  return {
    ...archived,
    repository,
    opened: source.opened.slice(before.opened),
    bytes: source.traffic.bytes - before.bytes,
  };
}

/** The tree of an archive that nothing interrupts. */
async function undisturbed(top: MemoryFolder) {
  const { tree, summary } = await archiveNight(await newRepository(openMemoryBackend()), [memorySource(top)]);
  return { tree, counts: countsOf(summary) };
}

function countsOf({
  files_new,
  files_changed,
  files_unmodified,
  total_bytes_processed,
}: Awaited<ReturnType<typeof resumed>>['summary']) {
  return { files_new, files_changed, files_unmodified, total_bytes_processed };
}

describe('an archive that was interrupted', () => {
  test('is gone on from where it was: what was finished is not read again, and all is counted as if it had never stopped', async () => {
    const source = memorySource(sixFolders());
    const from = await interrupted(source, 3 * miB);
    const { tree, summary, seen, opened, problems } = await resumed(source, from);
    expect({ tree, counts: countsOf(summary), problems }).toEqual({ ...(await undisturbed(source.top)), problems: [] });
    expect(seen).toMatchObject({ read: 120, resumed: 120 - opened.length, unchanged: 0 });
    expect(seen.resumed).toBeGreaterThanOrEqual(8);
    expect(new Set(opened).size).toBe(opened.length);
  });

  test('may be interrupted again and again, and loses little more than half of what it read', async () => {
    const source = memorySource(sixFolders());
    let from: Checkpoint | undefined;
    for (let time = 0; time < 4; time++) from = await interrupted(source, 1.5 * miB, { from });
    const { tree, opened } = await resumed(source, from);
    expect(tree).toBe((await undisturbed(source.top)).tree);
    expect(opened.length).toBeLessThan(100);
  });

  test('reads again what changed since, and leaves out what went', async () => {
    const source = memorySource(sixFolders());
    const from = await interrupted(source, 3 * miB);
    const [first = '', second = ''] = source.opened;
    for (const [path, item] of [
      [first, file('changed')],
      [second, undefined],
    ] as const) {
      const [box = '', name = ''] = path.split('/');
      const members = (source.top.members[box] as MemoryFolder).members;
      if (item === undefined) delete members[name];
      else members[name] = item;
    }
    const { tree, opened, repository } = await resumed(source, from);
    expect(opened).toContain(first);
    expect(tree).toBe((await undisturbed(source.top)).tree);
    expect((await contentOf(repository, tree)).get(`files/${first}`)?.toString()).toBe('changed');
  });

  test('reads all again where another program has pruned what it had read', async () => {
    const source = memorySource(sixFolders());
    const from = await interrupted(source, 3 * miB);
    for (const [path, { type }] of backend.files) if (type === 'data' || type === 'index') backend.files.delete(path);
    const { tree, opened } = await resumed(source, from);
    expect(opened.length).toBe(120);
    expect(tree).toBe((await undisturbed(source.top)).tree);
  });

  test('compares with the snapshot before as if it had never stopped', async () => {
    const top = sixFolders();
    const source = memorySource(top);
    await resumed(source, undefined);
    for (const [name, box] of Object.entries((await changedFolders()).members)) top.members[name] = box;
    const from = await interrupted(source, 2 * miB);
    const { summary, seen } = await resumed(source, from);
    expect(countsOf(summary)).toMatchObject({ files_new: 40, files_changed: 40, files_unmodified: 80 });
    expect(seen.resumed).toBeGreaterThan(0);
  });

  test('that fails leaves a checkpoint of all that it had finished', async () => {
    const top = sixFolders();
    const fault = () => new AppError('source/unauthorized', 'The token is refused.');
    top.members['box 5'] = folder({ 'refused.txt': file('x', { fault }) });
    const source = memorySource(top);
    let from: Checkpoint | undefined;
    const onCheckpoint = async (checkpoint: Checkpoint) => {
      from = checkpoint;
    };
    await expect(archiveNight(await reopened(), [source], { onCheckpoint, requests: 1 })).rejects.toThrow('refused');
    const read = source.opened.length - 1;
    top.members['box 5'] = folder({ 'refused.txt': file('x') });
    const { seen } = await resumed(source, from);
    expect(seen).toMatchObject({ read: 101, resumed: read });
  });

  async function changedFolders(): Promise<MemoryFolder> {
    const files = (seed: number, version: string) =>
      folder(
        Object.fromEntries(
          Array.from({ length: 20 }, (_, n) => [
            `${n}.bin`,
            file(noise(seed + n, 64 * kiB), { validator: `"${version} ${n}"` }),
          ]),
        ),
      );
    return folder({
      'box 0': files(5_000, 'changed 0'),
      'box 1': files(6_000, 'changed 1'),
      'box 6': files(7_000, 'new 6'),
      'box 7': files(8_000, 'new 7'),
    });
  }
});

describe('a long file that was interrupted', () => {
  const content = noise(99, 40 * miB);
  const withFile = (validator: string) => memorySource(folder({ 'long.bin': file(content, { validator }) }));

  test('is read on from the last blob that was stored, and is whole', async () => {
    const source = withFile('"1"');
    const from = await interrupted(source, 12 * miB);
    const { tree, repository, seen, bytes } = await resumed(source, from);
    const [[path, byte] = ['', 0]] = source.resumed;
    expect(path).toBe('long.bin');
    expect(byte).toBeGreaterThan(0);
    expect(bytes).toBe(content.length - byte);
    expect(seen).toMatchObject({ read: 1, resumed: 0 });
    expect((await contentOf(repository, tree)).get('files/long.bin')?.equals(content)).toBe(true);
    const again = await archiveNight(repository, [source], { readAll: new Set(['files']) });
    expect(again.tree).toBe(tree);
  });

  test('may be interrupted again and again', async () => {
    const source = withFile('"1"');
    let from: Checkpoint | undefined;
    for (let time = 0; time < 3; time++) from = await interrupted(source, 10 * miB, { from });
    const { tree, repository } = await resumed(source, from);
    const bytes = source.resumed.map(([, byte]) => byte);
    expect(bytes).toHaveLength(3);
    expect(bytes).toEqual(bytes.toSorted((one, other) => one - other));
    expect((await contentOf(repository, tree)).get('files/long.bin')?.equals(content)).toBe(true);
  });

  test('is read from its start where it is another by now', async () => {
    const from = await interrupted(withFile('"1"'), 12 * miB);
    const other = withFile('"2"');
    const { bytes } = await resumed(other, from);
    expect(bytes).toBe(content.length);
    expect(other.resumed).toEqual([]);
  });
});

describe('an archive that reads slowly', () => {
  const count = 40;
  const files = (amount: number) =>
    Array.from({ length: amount }, (_, n): [string, ReturnType<typeof file>] => [`${n}.bin`, file(noise(n, kiB))]);

  /** Begins an archive; `kill` ends it once so many checkpoints were made, and answers the last of them. */
  async function begin(source: (made: Checkpoint[], signal: AbortSignal) => MemorySource, options: NightOptions) {
    const end = new AbortController();
    const made: Checkpoint[] = [];
    const onCheckpoint = async (checkpoint: Checkpoint) => void made.push(checkpoint);
    const sources = [source(made, end.signal)];
    const night = archiveNight(await reopened(), sources, { ...options, signal: end.signal, onCheckpoint });
    night.catch(() => undefined);
    const kill = async (atLeast: number) => {
      await expect.poll(() => made.length, { interval: 1 }).toBeGreaterThanOrEqual(atLeast);
      end.abort(new Error('killed'));
      await expect(night).rejects.toThrow('killed');
      return made.at(-1);
    };
    return { made, kill };
  }

  test.each([8, 9, 16, 24, 32])('and is killed in second %i does ten seconds of it again at most', async (second) => {
    const clock = manualClock('2026-01-01T00:00:00Z');
    const source = memorySource(folder(Object.fromEntries(files(count))));
    // One is begun every eight seconds.
    const dueBy = (seconds: number) => Math.floor((seconds - 1) / 8);
    let processed = () => 0;
    const onProgress: NightOptions['onProgress'] = (progress) => {
      processed = () => progress().entries;
    };
    /** Each file takes a second, which is enough to store those before and make a checkpoint; that of the last second does not come. */
    const aSecondEach = (made: Checkpoint[], signal: AbortSignal): MemorySource => ({
      ...source,
      open: async (entry, at) => {
        await clock.advance(1_000);
        const seconds = source.opened.length + 1;
        while ((processed() < seconds - 1 || made.length < dueBy(seconds)) && !signal.aborted)
          await new Promise(setImmediate);
        if (seconds < second) return source.open(entry, at);
        return untilAborted(new Promise<never>(() => undefined), signal);
      },
    });
    const { kill } = await begin(aSecondEach, { clock, requests: 1, onProgress });
    const { opened, tree } = await resumed(source, await kill(dueBy(second)));
    expect(second - (count - opened.length)).toBeLessThanOrEqual(10);
    expect(tree).toBe((await undisturbed(source.top)).tree);
  });

  /** A long file of which nothing more comes once so many bytes of it were sent, beside small ones. */
  const stalled = (small: number, bytes: number) => {
    const members = Object.fromEntries(files(small));
    const source = memorySource(folder({ ...members, 'long.bin': file(noise(99, 12 * miB), { validator: '"1"' }) }));
    return { source, begun: (_made: Checkpoint[], signal: AbortSignal) => drying(source, bytes, signal) };
  };

  test('and waits in the middle of a long file makes a checkpoint of what it had read of it', async () => {
    const clock = manualClock('2026-01-01T00:00:00Z');
    // More than the longest blob, so that one is whole however the content is cut.
    const { source, begun } = stalled(0, 9 * miB);
    const { kill, made } = await begin(begun, { clock });
    await expect.poll(() => clock.advance(1_000).then(() => made.length), { interval: 20 }).toBe(1);
    const { bytes } = await resumed(source, await kill(1));
    expect(bytes).toBeLessThan(12 * miB);
  });

  test('and waits in the middle of a long file makes a checkpoint of the small ones beside it', async () => {
    const clock = manualClock('2026-01-01T00:00:00Z');
    const { source, begun } = stalled(5, 400 * kiB);
    let processed = () => 0;
    const onProgress: NightOptions['onProgress'] = (progress) => {
      processed = () => progress().entries;
    };
    const { kill, made } = await begin(begun, { clock, onProgress });
    await expect.poll(() => source.traffic.bytes, { interval: 1 }).toBeGreaterThan(400 * kiB);
    await clock.advance(1_000);
    await expect.poll(() => processed(), { interval: 1 }).toBe(5);
    expect(made).toEqual([]);
    await clock.advance(8_000);
    const { opened } = await resumed(source, await kill(1));
    expect(opened).toEqual(['long.bin']);
  });

  test('and waits for a listing makes a checkpoint of what it had finished by then', async () => {
    const clock = manualClock('2026-01-01T00:00:00Z');
    const source = memorySource(folder({ a: folder(Object.fromEntries(files(5))), b: folder({}) }));
    const withoutAnswer = (_made: Checkpoint[], signal: AbortSignal): MemorySource => ({
      ...source,
      list: (collection, at) =>
        collection.location === 'b'
          ? untilAborted(new Promise<never>(() => undefined), signal)
          : source.list(collection, at),
    });
    let processed = () => 0;
    const onProgress: NightOptions['onProgress'] = (progress) => {
      processed = () => progress().entries;
    };
    const { kill, made } = await begin(withoutAnswer, { clock, requests: 4, onProgress });
    await expect.poll(() => processed(), { interval: 1 }).toBeGreaterThanOrEqual(5);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(made).toEqual([]);
    await clock.advance(10_000);
    const { opened } = await resumed(source, await kill(1));
    expect(opened.length).toBeLessThan(5);
  });
});

describe('while a checkpoint cannot be saved yet', () => {
  /** 60 MiB of content that is not alike, in files of half a MiB or in one. */
  const pieces = Array.from({ length: 120 }, (_, n) => noise(n, 512 * kiB));
  const short = () =>
    folder(Object.fromEntries(pieces.map((bytes, n) => [`${n}.bin`, file(bytes, { validator: `"${n}"` })])));
  const long = () => folder({ 'long.bin': file(Buffer.concat(pieces), { validator: '"1"' }) });
  const byNumber = (one: string, other: string) =>
    Number.parseInt(one.slice('files/'.length), 10) - Number.parseInt(other.slice('files/'.length), 10);
  /** What a night would lose that is killed when nothing goes on any more, and what it comes to once checkpoints can be saved. */
  async function held(top: MemoryFolder) {
    const source = memorySource(top);
    const saving = Promise.withResolvers<void>();
    let begun = 0;
    const onCheckpoint = async () => {
      begun += 1;
      await saving.promise;
    };
    const repository = await reopened();
    const night = archiveNight(repository, [source], { requests: 8, onCheckpoint });
    await expect.poll(() => source.traffic.bytes, { interval: 1 }).toBeGreaterThanOrEqual(23 * miB);
    expect(begun).toBe(1);
    // Long enough for all of it to come, if it did.
    for (let turn = 0; turn < 100_000 && source.traffic.bytes <= 32 * miB; turn++) await new Promise(setImmediate);
    const lost = source.traffic.bytes;
    saving.resolve();
    return { lost, repository, ...(await night) };
  }

  test.each([
    ['short files', short],
    ['a long file', long],
  ])('no more than 32 MiB of %s is read, and the rest once it is saved', async (_what, make) => {
    const { lost, repository, tree } = await held(make());
    expect(lost).toBeLessThanOrEqual(32 * miB);
    const kept = await contentOf(repository, tree);
    const whole = [...kept.keys()].filter((path) => path.endsWith('.bin')).toSorted(byNumber);
    const content = Buffer.concat(whole.map((path) => kept.get(path) ?? Buffer.alloc(0)));
    expect(content.equals(Buffer.concat(pieces))).toBe(true);
  });

  test.each([
    ['short files', short],
    ['a long file', long],
  ])('reading %s ends with the archive, where its time is over', async (_what, make) => {
    const end = new AbortController();
    const source = memorySource(make());
    const forever = new Promise<never>(() => undefined);
    const onCheckpoint = async () => forever;
    const night = archiveNight(await reopened(), [source], { requests: 8, onCheckpoint, signal: end.signal });
    night.catch(() => undefined);
    await expect.poll(() => source.traffic.bytes, { interval: 5 }).toBeGreaterThanOrEqual(23 * miB);
    end.abort(new Error('over'));
    await expect(night).rejects.toThrow('over');
  });

  test('and never can be, everything is read all the same', async () => {
    const onCheckpoint = async () => {
      throw new Error('The database is away.');
    };
    const { tree } = await archiveNight(await reopened(), [memorySource(short())], { requests: 8, onCheckpoint });
    expect(tree).toBe((await undisturbed(short())).tree);
  });
});

test('an archive that is short and reads little makes no checkpoint', async () => {
  const onCheckpoint = async () => {
    throw new Error('There is one.');
  };
  const small = memorySource(folder({ a: folder({ 'a.txt': file('a') }), 'b.bin': file(noise(1, 700 * kiB)) }));
  await archiveNight(await reopened(), [small], { onCheckpoint });
  const { files } = backend;
  expect([...files.values()].filter(({ type }) => type === 'index')).toHaveLength(1);
});
