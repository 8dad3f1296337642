import { describe, expect, it } from 'vitest';
import type { AppError } from '../../../../src/errors.ts';
import { type History, openHistory } from '../../../../src/store/history/history.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

/** A repository that somebody writes to, and its history as somebody else reads it. */
async function opened() {
  const backend = openMemoryBackend();
  const writer = await newRepository(backend);
  const damage: AppError[] = [];
  const history = openHistory(await openRepository(backend, 'pw'), (error) => damage.push(error));
  return { backend, writer, history, damage };
}

const filesOf = (backend: MemoryBackend, type: string) =>
  [...backend.files.values()].filter((file) => file.type === type);
const idsOf = ({ snapshots }: History) => snapshots.map(({ id }) => id);

describe('the history of a repository', () => {
  it('takes up what is new, and lets go of what was forgotten', async () => {
    const { writer, history } = await opened();
    const later = await writeSnapshot(writer, { b: Buffer.from('b') }, '2026-01-03T02:00:00Z');
    const first = await writeSnapshot(writer, { a: Buffer.from('a') }, '2026-01-02T02:00:00Z');
    expect(history.snapshots).toEqual([]);
    expect(await history.renew()).toBe(true);
    expect(idsOf(history)).toEqual([first.id, later.id]);
    const newest = await writeSnapshot(writer, { c: Buffer.from('c') }, '2026-01-04T02:00:00Z');
    await writer.forgetSnapshot(first.id);
    expect(await history.renew()).toBe(true);
    expect(idsOf(history)).toEqual([later.id, newest.id]);
    expect((await history.repository.loadTree(newest.tree)).nodes.map(({ name }) => name)).toEqual(['c']);
  });

  it('reads neither snapshots nor indexes again that it has read', async () => {
    const { backend, writer, history } = await opened();
    await writeSnapshot(writer, { a: Buffer.from('a') });
    await history.renew();
    for (const { bytes } of [...filesOf(backend, 'index'), ...filesOf(backend, 'snapshot')]) bytes.fill(0);
    const next = await writeSnapshot(writer, { b: Buffer.from('b') }, '2026-01-04T02:00:00Z');
    expect(await history.renew()).toBe(true);
    expect(idsOf(history)).toContain(next.id);
    expect(history.snapshots).toHaveLength(2);
  });

  it('wants to be opened again once an index that it read is gone, since packs may have moved', async () => {
    const { backend, writer, history } = await opened();
    const { packs } = await writeSnapshot(writer, { a: Buffer.from('a') });
    await history.renew();
    const [old] = filesOf(backend, 'index');
    await writer.saveIndex([...packs].reverse());
    await backend.remove('index', old?.name ?? '');
    expect(await history.renew()).toBe(false);
  });

  it('leaves out a damaged snapshot, and tells of it once', async () => {
    const { backend, writer, history, damage } = await opened();
    await writeSnapshot(writer, { a: Buffer.from('a') });
    const whole = await writeSnapshot(writer, { b: Buffer.from('b') }, '2026-01-04T02:00:00Z');
    filesOf(backend, 'snapshot')[0]?.bytes.fill(0);
    await history.renew();
    await history.renew();
    expect(idsOf(history)).toEqual([whole.id]);
    expect(damage.map(({ code }) => code)).toEqual(['repository/damaged']);
  });

  it('is renewed once for all who ask at a time', async () => {
    const { backend, writer, history } = await opened();
    await writeSnapshot(writer, { a: Buffer.from('a') });
    let listed = 0;
    const { list } = backend;
    backend.list = (type) => {
      listed += 1;
      return list(type);
    };
    await Promise.all(Array.from({ length: 50 }, () => history.renew()));
    expect(listed).toBe(2);
  });
});
