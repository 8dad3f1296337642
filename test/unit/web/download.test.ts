import { describe, expect, it } from 'vitest';
import type { DataId, TreeId } from '../../../src/store/format/ids.ts';
import { parseId } from '../../../src/store/format/ids.ts';
import type { FileNode } from '../../../src/store/format/node.ts';
import type { Shelf } from '../../../src/web/house.ts';
import { fakeHouse } from './fake-house.ts';
import { visitor } from './visitor.ts';

const snapshot = 'cd'.repeat(32);
const text = Buffer.from('0123456789');
const time = '2026-05-04T00:00:00Z';
const common = { mode: 0o644, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
const node: FileNode = {
  ...common,
  type: 'file',
  name: 'a b.html',
  size: 10,
  content: [parseId<DataId>('00'.repeat(32))],
};

const shelf: Shelf = {
  list: async () => [],
  browse: async () => [node, { ...common, type: 'dir', name: '50% ?#', subtree: parseId<TreeId>('11'.repeat(32)) }],
  openFile: async (_, __, { start = 0, end = 10 } = {}) => ({
    node,
    bytes: (async function* () {
      yield text.subarray(start, end);
    })(),
  }),
  zip: async () =>
    (async function* () {
      yield Buffer.from('PK');
    })(),
};

async function download(range?: string, path = `/snapshots/${snapshot}/file/folder/a%20b.html`) {
  const browser = visitor(fakeHouse({ openShelf: async () => shelf }).house);
  await browser.signIn();
  return browser.send(path, range === undefined ? {} : { headers: { range } });
}

describe('downloads', () => {
  it('hand a file out as something to keep, never to show', async () => {
    const answer = await download();
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('0123456789');
    expect(answer.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''a%20b.html");
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=5-99', '56789', 'bytes 5-9/10'],
  ])('give the range %s', async (range, part, told) => {
    const answer = await download(range);
    expect(answer.status).toBe(206);
    expect(await answer.text()).toBe(part);
    expect(answer.headers.get('content-range')).toBe(told);
    expect(answer.headers.get('content-length')).toBe(String(part.length));
  });

  it.each(['bytes=10-', 'bytes=-0', 'bytes=99-100'])('refuse the range %s', async (range) => {
    const answer = await download(range);
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe('bytes */10');
  });

  it.each(['bytes=1-2,4-5', 'lines=1-2', 'bytes=4-2', 'bytes=-'])('give the whole file for %s', async (range) => {
    expect((await download(range)).status).toBe(200);
  });

  it('link folders and files by addresses that lead to them', async () => {
    const body = await (await download(undefined, `/snapshots/${snapshot}/browse/folder`)).text();
    expect(body).toContain(`/snapshots/${snapshot}/browse/folder/50%25%20%3F%23`);
    expect(body).toContain(`/snapshots/${snapshot}/file/folder/a%20b.html`);
  });

  it('give a folder as a zip', async () => {
    const answer = await download(undefined, `/snapshots/${snapshot}/zip/`);
    expect(answer.headers.get('content-disposition')).toContain('snapshot-cdcdcdcd.zip');
    expect(await answer.text()).toBe('PK');
  });
});
