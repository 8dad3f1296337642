import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Member, Source } from '../../../src/sources/source.ts';
import { oddNames } from '../../support/fixtures/odd-names.ts';
import { contentOf, find, memberNamed, never, read, rootOf } from '../../support/fixtures/open-source.ts';

/** Somewhere a source reads from, that a test can change. Paths are names joined by '/'. */
export interface SourceFixture extends AsyncDisposable {
  /** Writes a file, with the folders above it, as if it had been there for years. */
  putOld(path: string, content: string | Buffer): Promise<void>;
  /** Writes a file now. */
  putNow(path: string, content: string | Buffer): Promise<void>;
  putFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** A source as one night opens it. */
  open(): Source;
  /** The server tells what it knew of a file for a moment after it was changed: such a change shows in the next night's listing. */
  readonly tellsLate?: boolean;
}

/** What every Source promises. `names` are those that the fixture can hold. */
export function sourceContract(openFixture: () => Promise<SourceFixture>, names: readonly string[] = oddNames): void {
  let fixture: SourceFixture;
  beforeAll(async () => {
    fixture = await openFixture();
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });

  describe('a listing', () => {
    test('names files with their size and folders, empty ones too', async () => {
      await fixture.putOld('kinds/hello.txt', 'hello');
      await fixture.putOld('kinds/empty.txt', '');
      await fixture.putFolder('kinds/nothing inside');
      await using source = fixture.open();
      const { members, problems } = await source.list(await find(source, 'kinds'), never);
      expect(members.map(({ kind, name, size }) => ({ kind, name, size })).sort(byName)).toEqual([
        { kind: 'entry', name: 'empty.txt', size: 0 },
        { kind: 'entry', name: 'hello.txt', size: 5 },
        { kind: 'collection', name: 'nothing inside', size: undefined },
      ]);
      expect(problems).toEqual([]);
      expect(await source.list(memberNamed({ members, problems }, 'nothing inside'), never)).toMatchObject({
        members: [],
      });
    });

    test('keeps odd names as they are, and finds the files again by them', async () => {
      for (const name of names) await fixture.putOld(`odd/${name}`, `I am ${name}`);
      await using source = fixture.open();
      const { members, problems } = await source.list(await find(source, 'odd'), never);
      expect(problems).toEqual([]);
      expect(members.map(({ name }) => name).sort()).toEqual([...names].sort());
      for (const member of members) {
        const content = await contentOf(await source.open(member, never));
        expect(content.toString()).toBe(`I am ${member.name.toWellFormed()}`);
      }
    });

    test('walks folders of odd names', async () => {
      for (const name of names) await fixture.putOld(`odd folders/${name}/inside`, name);
      await using source = fixture.open();
      const { members } = await source.list(await find(source, 'odd folders'), never);
      for (const member of members) {
        const inside = memberNamed(await source.list(member, never), 'inside');
        expect((await contentOf(await source.open(inside, never))).toString()).toBe(member.name.toWellFormed());
      }
    });

    test('is refused for a folder that is gone', async () => {
      await fixture.putFolder('gone folder');
      await using source = fixture.open();
      const gone = await find(source, 'gone folder');
      await fixture.remove('gone folder');
      await expect(source.list(gone, never)).rejects.toMatchObject({ code: 'source/not-found' });
    });

    test('of a thousand files is whole', async () => {
      for (let n = 0; n < 1000; n++) await fixture.putOld(`many/file ${n}`, String(n));
      await using source = fixture.open();
      const { members } = await source.list(await find(source, 'many'), never);
      expect(new Set(members.map(({ name }) => name)).size).toBe(1000);
    });
  });

  describe('a reading', () => {
    test.each([0, 1, 100_000, 128 * 1024, 128 * 1024 + 1, 5_000_000])('brings all of %i bytes', async (size) => {
      const content = Buffer.alloc(size, 'nightkeep');
      await fixture.putOld(`sizes/${size}`, content);
      await using source = fixture.open();
      const reading = await source.open(await find(source, `sizes/${size}`), never);
      expect((await contentOf(reading)).equals(content)).toBe(true);
      expect(reading.size ?? size).toBe(size);
      expect(source.traffic.bytes).toBe(size);
    });

    test('is gone on with from a byte where the source can do that, and only of the version that was listed', async () => {
      const content = Buffer.alloc(3_000_000, 'nightkeep');
      await fixture.putOld('read on/long.bin', content);
      await using source = fixture.open();
      const member = await find(source, 'read on/long.bin');
      const rest = await source.openRest?.(member, 1_000_003, never);
      if (rest === undefined) return;
      expect(rest.size).toBe(1_999_997);
      expect((await contentOf(rest)).equals(content.subarray(1_000_003))).toBe(true);
      expect(source.traffic.bytes).toBe(1_999_997);
      expect(await source.openRest?.({ ...member, size: 4_000_000 }, 1_000_003, never)).toBeUndefined();
      if (fixture.tellsLate) return;
      await fixture.putNow('read on/long.bin', Buffer.alloc(3_000_000, 'another'));
      expect(await source.openRest?.(member, 1_000_003, never)).toBeUndefined();
    });

    test('is refused for a file that is gone', async () => {
      await fixture.putOld('gone.txt', 'soon gone');
      await using source = fixture.open();
      const gone = await find(source, 'gone.txt');
      await fixture.remove('gone.txt');
      await expect(source.open(gone, never)).rejects.toMatchObject({ code: 'source/not-found' });
    });

    test('ends with the reason of its signal', async () => {
      await fixture.putOld('long', Buffer.alloc(20_000_000));
      await using source = fixture.open();
      const stop = new AbortController();
      const { body } = await source.open(await find(source, 'long'), stop.signal);
      const reason = new Error('the lease is lost');
      const readAll = async () => {
        for await (const _ of body) stop.abort(reason);
      };
      await expect(readAll()).rejects.toBe(reason);
      await expect(source.list(await rootOf(source), stop.signal)).rejects.toBe(reason);
    });
  });

  describe('validators', () => {
    test('stay the same where nothing changed, and a reading has the one of the next listing', async () => {
      await fixture.putOld('same/a.txt', 'a');
      await fixture.putOld('same/b.bin', Buffer.alloc(500_000, 1));
      const first = await night('same');
      const second = await night('same');
      expect(first.listed.every(({ validator }) => validator !== undefined)).toBe(true);
      expect(second.listed).toEqual(first.listed);
      expect(first.read).toEqual(first.listed);
    });

    test('never hide an edit that keeps the size', async () => {
      await fixture.putOld('edited.txt', 'before');
      const before = await validatorOf('edited.txt');
      await fixture.putNow('edited.txt', 'after!');
      expect(await validatorOf('edited.txt')).not.toBe(before);
    });

    test('never hide an edit within the second of the listing that saw the file', async () => {
      for (let round = 0; round < 5; round++) {
        await fixture.putNow('racy.txt', `one ${round}`);
        const before = await validatorOf('racy.txt');
        await fixture.putNow('racy.txt', `two ${round}`);
        const after = await validatorOf('racy.txt');
        expect(before === undefined || before !== after).toBe(true);
      }
    });

    test('of folders never hide a change further down', async () => {
      await fixture.putOld('deep/deeper/deepest/file.txt', 'before');
      const before = await foldersTo('deep/deeper/deepest');
      await fixture.putNow('deep/deeper/deepest/file.txt', 'after!');
      const after = await foldersTo('deep/deeper/deepest');
      for (const [at, validator] of before.entries())
        expect(validator === undefined || validator !== after[at]).toBe(true);
    });
  });

  test('a folder has the same validator in its own listing as in that of its parent, where it has one there', async () => {
    await fixture.putOld('itself/a.txt', 'a');
    await using source = fixture.open();
    const member = await find(source, 'itself');
    const { validator } = await source.list(member, never);
    expect(validator).toBe(member.validator);
  });

  /** Validators as one night lists and reads a folder's files. */
  async function night(folder: string) {
    await using source = fixture.open();
    const { members } = await source.list(await find(source, folder), never);
    const listed = members.map(({ name, validator }) => ({ name, validator })).sort(byName);
    const given: typeof listed = [];
    for (const member of members) {
      const reading = await source.open(member, never);
      await contentOf(reading);
      given.push({ name: member.name, validator: reading.validator });
    }
    return { listed, read: given.sort(byName) };
  }

  async function validatorOf(path: string): Promise<string | undefined> {
    await using source = fixture.open();
    return (await find(source, path)).validator;
  }

  async function foldersTo(path: string): Promise<(string | undefined)[]> {
    await using source = fixture.open();
    const names = path.split('/');
    const paths = names.map((_, at) => names.slice(0, at + 1).join('/'));
    const folders: Member[] = [];
    for (const each of paths) folders.push(await find(source, each));
    return folders.map(({ validator }) => validator);
  }
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}

/**
 * What a server may do to a file that it lists honestly. `page`: a web page that stands in for it. `empty`: nothing. `cut`: its first
 * half, under no validator. `other-size`: these bytes, always the same, under the listed validator. `growing`: longer by a
 * line at each request. `unnamed`: all of it, under no validator. `compressed`: all of it, although that was not asked for.
 */
export type Served = 'page' | 'empty' | 'cut' | 'other-size' | 'growing' | 'unnamed' | 'compressed';

export interface BendingFixture extends SourceFixture {
  /** What the server serves of a file from now on, in place of its content: the listing stays as it is. */
  serve(path: string, served: Served): Promise<void>;
}

/** What every Source promises of servers that serve a file otherwise than they list it; real ones cannot be told to. */
export function readingContract(openFixture: () => Promise<BendingFixture>): void {
  let fixture: BendingFixture;
  beforeAll(async () => {
    fixture = await openFixture();
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });

  describe('a reading of what is served otherwise than it is listed', () => {
    const content = 'the content of a file\n'.repeat(20);
    const served = async (how: Served) => {
      const path = `served/${how}.bin`;
      await fixture.putOld(path, content);
      await using source = fixture.open();
      const entry = await find(source, path);
      await fixture.serve(path, how);
      const { content: bytes, reading } = await read(source, entry);
      return { text: bytes.toString(), validator: reading.validator, entry };
    };

    test.each(['page', 'empty', 'cut'] as const)(
      'is refused for good where it is no version of it: %s',
      async (how) => {
        await expect(served(how)).rejects.toMatchObject({ code: 'source/malformed', retry: undefined });
      },
    );

    test('is the truth where two readings agree under one validator', async () => {
      const { text, validator, entry } = await served('other-size');
      expect(text.length).toBeGreaterThan(0);
      expect(text.length).not.toBe(entry.size);
      expect(validator).toBe(entry.validator);
    });

    test('is good as it was at one moment where it only grows, and is read again another night', async () => {
      const { text, validator } = await served('growing');
      expect(text).toBe('the content of a file\n'.repeat(text.length / 22));
      expect(text.length).toBeGreaterThan(content.length);
      expect(validator).toBeUndefined();
    });

    test.each(['unnamed', 'compressed'] as const)(
      'is the file where it is %s, under the listed validator',
      async (how) => {
        const { text, validator, entry } = await served(how);
        expect({ text, validator }).toEqual({ text: content, validator: entry.validator });
      },
    );
  });
}
