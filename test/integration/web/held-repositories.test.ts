import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());

const held = () => pages.resources.histories.size;

async function reader(): Promise<{ alice: SignedIn; repository: Repository; address: string }> {
  const alice = await pages.consented();
  const repository = await addRepository(pages, alice);
  const { id } = await writeSnapshot(repository, { 'a.txt': Buffer.from('hers') });
  const address = `/snapshots/${id}/browse/`;
  expect((await alice.send(address)).status).toBe(200);
  expect(held()).toBe(1);
  return { alice, repository, address };
}

describe('a repository held open for the pages', () => {
  it('shows a snapshot that came since', async () => {
    const { alice, repository } = await reader();
    const { id } = await writeSnapshot(repository, { 'b.txt': Buffer.from('new') }, '2026-01-03T02:00:00Z');
    await pages.clock.advance(1000);
    expect(await alice.text(`/snapshots/${id}/browse/`)).toContain('b.txt');
    pages.resources.histories.drop(await alice.userId());
  });

  it('is let go of when nobody looks any more', async () => {
    await reader();
    await pages.clock.advance(3 * 60_000);
    expect(held()).toBe(0);
  });

  it.each([
    ['signs out', '/logout', {}],
    ['gets a new recovery key', '/recovery/reissue', { sure: 'yes' }],
    ['withdraws and erases everything', '/grant/withdraw', { snapshots: 'now', sure: 'yes' }],
  ])('is let go of when the person %s', async (_what, address, fields) => {
    const { alice } = await reader();
    expect((await alice.post(address, fields)).status).toBeLessThan(400);
    expect(held()).toBe(0);
  });

  it('is of no use once the repository was erased, in whichever process', async () => {
    const { alice, address } = await reader();
    await pages.resources.database.repository.deleteMany({ where: { userId: await alice.userId() } });
    expect((await alice.send(address)).status).toBe(404);
    expect(held()).toBe(0);
  });

  it('is opened again once its row has another key, in whichever process', async () => {
    const { alice, address } = await reader();
    const userId = await alice.userId();
    const { histories } = pages.resources;
    await pages.resources.database.repository.update({
      where: { userId },
      data: { sealedPassword: Buffer.from('spoiled') },
    });
    expect((await alice.send(address)).status).toBe(500);
    expect(histories.size).toBe(0);
  });
});
