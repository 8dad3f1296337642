import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ZipNotes } from '../../../src/store/restorer/zip-notes.ts';
import { textsFor } from '../../../src/web/texts/languages.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { requireProgram } from '../../support/servers/programs.ts';

const run = promisify(execFile);
const curlProgram = requireProgram('curl', 'apt-get install curl');
const time = 'Fri, 02 Jan 2026 03:04:05 GMT';
const parts = Array.from({ length: 4 }, () => randomBytes(700_000));

let pages: Pages;
let alice: SignedIn;
let first: string;
let second: string;
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
  const repository = await addRepository(pages, alice);
  const folder = { large: parts, copy: parts, 'a.txt': Buffer.from('0123456789'), empty: Buffer.of() };
  first = (await writeSnapshot(repository, { folder })).id;
  const other = { ...folder, 'a.txt': Buffer.from('9876543210') };
  second = (await writeSnapshot(repository, { folder: other }, '2026-01-03T03:04:05+01:00')).id;
});
afterAll(() => pages[Symbol.asyncDispose]());

const get = (name: string, headers: Record<string, string> = {}, id = first) =>
  alice.send(`/snapshots/${id}/file/folder/${name}`, { headers });
const tagOf = async (name: string, id = first) => (await get(name, {}, id)).headers.get('etag') ?? '';

describe('downloads', () => {
  it('of a folder have notes in the language of the person, and names of files in it as well', async () => {
    const reader = await pages.consented();
    const repository = await addRepository(pages, reader);
    const at = '2026-01-02T03:04:05Z';
    const times = { mtime: at, atime: at, ctime: at };
    const device = { node: { name: 'pipe', type: 'fifo', mode: 0o644, uid: 0, gid: 0, ...times } } as const;
    const folder = { 'A.txt': Buffer.from('A'), 'a.txt': Buffer.from('a'), NUL: Buffer.from('null'), pipe: device };
    const { id } = await writeSnapshot(repository, { folder });
    const zipIn = async (language: string) => {
      const answer = await reader.send(`/snapshots/${id}/zip/folder`, { headers: { 'accept-language': language } });
      return Buffer.from(await answer.arrayBuffer()).toString();
    };
    const german = await zipIn('de');
    for (const part of ['ANDERE SYSTEME.txt', 'UMBENANNT.txt', 'NICHT WIEDERHERGESTELLT.txt'])
      expect(german).toContain(part);
    expect(german).toContain('\na.txt: für Windows und macOS derselbe Name wie A.txt\n');
    expect(german).toContain('\n_NUL: NUL\n');
    expect(german).toContain('\npipe: ein Gerät, eine Pipe oder ein Socket');
    const english = await zipIn('en');
    const words = ({ missing, renamed, odd }: ZipNotes) =>
      [missing, renamed, odd].flatMap(({ file, lead }) => [file, `${lead}:\n\n`]);
    for (const part of words(textsFor({ person: 'en' }).snapshots.notes)) {
      expect(english).toContain(part);
      expect(german).not.toContain(part);
    }
    for (const part of words(textsFor({ person: 'de' }).snapshots.notes)) expect(german).toContain(part);
  });

  it('have a strong tag that says what they hold, whatever they are called and in whichever snapshot', async () => {
    const [large, copy, later, small, changed, empty] = await Promise.all([
      tagOf('large'),
      tagOf('copy'),
      tagOf('large', second),
      tagOf('a.txt'),
      tagOf('a.txt', second),
      tagOf('empty'),
    ]);
    expect(large).toMatch(/^"[0-9a-f]{64}"$/);
    expect([copy, later]).toEqual([large, large]);
    expect(new Set([large, small, changed, empty]).size).toBe(4);
  });

  it('say when the file was changed', async () => {
    expect((await get('a.txt')).headers.get('last-modified')).toBe(time);
  });

  it.each([
    ['if-none-match', (tag: string) => tag, 304],
    ['if-none-match', (tag: string) => `"other", W/${tag}`, 304],
    ['if-none-match', () => '*', 304],
    ['if-none-match', () => '"other"', 200],
    ['if-modified-since', () => time, 304],
    ['if-modified-since', () => 'Fri, 02 Jan 2026 03:04:04 GMT', 200],
    ['if-modified-since', () => 'yesterday', 200],
    ['if-match', (tag: string) => tag, 200],
    ['if-match', (tag: string) => `W/${tag}`, 412],
    ['if-match', () => '"other"', 412],
    ['if-unmodified-since', () => time, 200],
    ['if-unmodified-since', () => 'Fri, 02 Jan 2026 03:04:04 GMT', 412],
  ])('answer %s %s with %i', async (name, valueFor, status) => {
    const tag = await tagOf('a.txt');
    const answer = await get('a.txt', { [name]: valueFor(tag) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('etag')).toBe(tag);
    expect((await answer.text()) === '0123456789').toBe(status === 200);
  });

  it.each([
    ['the tag', (tag: string) => tag, 206],
    ['the date', () => time, 206],
    ['another tag', () => '"other"', 200],
    ['a weak tag', (tag: string) => `W/${tag}`, 200],
    ['another date', () => 'Fri, 02 Jan 2026 03:04:06 GMT', 200],
  ])('go on where they ended, if that is bound to %s, with %i', async (_, valueFor, status) => {
    const answer = await get('a.txt', { range: 'bytes=4-', 'if-range': valueFor(await tagOf('a.txt')) });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe(status === 206 ? '456789' : '0123456789');
  });

  it('tell HEAD of the whole, whatever part it asks for', async () => {
    const { status, headers } = await alice.send(`/snapshots/${first}/file/folder/a.txt`, {
      method: 'HEAD',
      headers: { range: 'bytes=4-' },
    });
    expect([status, headers.get('content-length'), headers.get('content-range')]).toEqual([200, '10', null]);
  });

  it('of folders say that no part of them can be asked for', async () => {
    const { status, headers } = await alice.send(`/snapshots/${first}/zip/folder`, { headers: { range: 'bytes=4-' } });
    expect([status, headers.get('accept-ranges'), headers.get('etag')]).toEqual([200, 'none', null]);
  });
});

describe.skipIf(curlProgram === undefined)('curl', () => {
  let server: Server;
  let url: string;
  /** What reaches a client before its connection is cut; undefined for all. */
  let cutAfter: number | undefined;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const names = ['range', 'if-none-match', 'if-range'] as const;
      const given = names.flatMap((name) => {
        const value = request.headers[name];
        return typeof value === 'string' ? [[name, value] as const] : [];
      });
      asked.push(Object.fromEntries(given).range ?? '');
      const answer = await get('large', Object.fromEntries(given));
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      const body = Buffer.from(await answer.arrayBuffer());
      if (cutAfter === undefined) response.end(body);
      else response.write(body.subarray(0, cutAfter), () => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('goes on with a download that was cut, and does not fetch again what it has', async () => {
    await using folder = await temporaryFolder('curl');
    const at = (name: string) => join(folder.path, name);
    cutAfter = 1_000_000;
    const cut = run('curl', ['-sS', '-o', at('large'), url]);
    await expect(cut).rejects.toMatchObject({ code: 18 });
    const got = (await readFile(at('large'))).length;
    expect(got).toBeLessThan(2_800_000);
    cutAfter = undefined;
    asked.length = 0;
    await run('curl', ['-sS', '-f', '-C', '-', '-o', at('large'), url]);
    expect(asked).toEqual([`bytes=${got}-`]);
    expect((await readFile(at('large'))).equals(Buffer.concat(parts))).toBe(true);
    await writeFile(at('tag'), await tagOf('large'));
    const { stdout } = await run('curl', [
      '-sS',
      '-o',
      at('again'),
      '-w',
      '%{http_code}',
      '--etag-compare',
      at('tag'),
      url,
    ]);
    expect(stdout).toBe('304');
  });
});
