import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { letGoOf } from '../../../src/flows/snapshots/let-go.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { createApp } from '../../../src/web/app.ts';
import { serve } from '../../../src/web/server.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterEach(() => {
  for (const owner of pages.resources.repositoryKeys.owners()) letGoOf(pages.resources, owner);
});
afterAll(() => pages[Symbol.asyncDispose]());

const held = () => pages.resources.histories.size;
const heldKeys = () => pages.resources.repositoryKeys.size;

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
    expect(heldKeys()).toBe(1);
    expect((await alice.post(address, fields)).status).toBeLessThan(400);
    expect([held(), heldKeys()]).toEqual([0, 0]);
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

describe('the key of a repository', () => {
  it('is derived once, however long its person looks and however often they pause', async () => {
    const { alice, repository, address } = await reader();
    const { store } = pages.resources;
    let derived = 0;
    pages.resources.store = (...place) => {
      const backend = store(...place);
      return {
        ...backend,
        load: (type, ...more) => {
          if (type === 'key') derived += 1;
          return backend.load(type, ...more);
        },
      };
    };
    for (let hour = 0; hour < 8; hour++) {
      await pages.clock.advance(3_600_000);
      expect(held()).toBe(0);
      expect((await alice.send(address)).status).toBe(200);
    }
    expect([derived, heldKeys()]).toEqual([0, 1]);
    await alice.post('/logout');
    const again = await pages.newPerson(alice.person);
    expect((await again.send(address)).status).toBe(200);
    expect(derived).toBeGreaterThan(0);
    pages.resources.store = store;
    expect(repository.keyId).toBeDefined();
    await again.post('/logout');
  });

  it('goes when an operator ends the sessions of its person', async () => {
    const { alice } = await reader();
    const operator = await pages.newPerson({ roles: ['operator'] });
    await operator.post(`/operator/people/${await alice.userId()}/sign-out`);
    expect([held(), heldKeys()]).toEqual([0, 0]);
  });

  it('goes when its person ends their last session from another browser, and not before', async () => {
    const { alice } = await reader();
    const phone = await pages.newPerson(alice.person);
    const [, other = ''] = /name="session" value="([^"]+)"/.exec(await (await phone.send('/settings')).text()) ?? [];
    await phone.post('/settings/sessions/end', { session: other });
    expect([held(), heldKeys()]).toEqual([1, 1]);
    await phone.post('/logout');
    expect([held(), heldKeys()]).toEqual([0, 0]);
  });

  it('goes with a logout that the provider sends', async () => {
    const { alice } = await reader();
    const { issuer } = pages.resources;
    const readLogoutToken: typeof issuer.readLogoutToken = async () => ({
      issuer: 'https://id.example',
      subject: alice.person.subject,
      sid: undefined,
      jti: 'one',
      expiresAt: new Date(pages.clock.now().getTime() + 60_000),
      revokesOfflineAccess: false,
    });
    pages.resources.issuer = { ...issuer, readLogoutToken };
    const body = new URLSearchParams({ logout_token: 'of the provider' });
    const answer = await createApp(pages.resources).request('/backchannel-logout', { method: 'POST', body });
    pages.resources.issuer = issuer;
    expect(answer.status).toBe(200);
    expect([held(), heldKeys()]).toEqual([0, 0]);
  });

  it.each([
    ['unused for so long', 2 * 3_600_000, 0],
    ['signed in for so long, whatever its use', 12 * 3_600_000, 3_600_000],
  ])('goes with the session of its person that was %s', async (_, ms, everyMs) => {
    await using opened = new AsyncDisposableStack();
    const config = { ...pages.resources.config, host: '127.0.0.1', port: 0 };
    const server = await serve({ ...pages.resources, config });
    opened.defer(() => server.close(0));
    const { alice, address } = await reader();
    const end = pages.clock.elapsed() + ms - 60_000;
    while (pages.clock.elapsed() < end) {
      await pages.clock.advance(everyMs === 0 ? ms - 60_000 : Math.min(everyMs, end - pages.clock.elapsed()));
      if (everyMs > 0) expect((await alice.send(address)).status).toBe(200);
    }
    expect(heldKeys()).toBe(1);
    await pages.clock.advance(60_000 + 30_000);
    expect([held(), heldKeys()]).toEqual([0, 0]);
  });

  it('goes when the session ended in another process, within half a minute', async () => {
    await using opened = new AsyncDisposableStack();
    const config = { ...pages.resources.config, host: '127.0.0.1', port: 0 };
    const server = await serve({ ...pages.resources, config });
    opened.defer(() => server.close(0));
    const { alice } = await reader();
    await pages.resources.database.webSession.deleteMany({ where: { userId: await alice.userId() } });
    await pages.clock.advance(30_000);
    expect([held(), heldKeys()]).toEqual([0, 0]);
  });
});
