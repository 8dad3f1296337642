import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { askForRestore } from '../../../src/database/restores.ts';
import { createApp } from '../../../src/web/app.ts';
import { type Route, routes } from '../../../src/web/routes.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, addRun, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor, type Visitor } from '../../support/harness/visitor.ts';

let pages: Pages;
let alice: SignedIn;
let bob: SignedIn;
let operator: SignedIn;
let aliceId: string;
let run: string;
let snapshot: string;
const restore = randomUUID();
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
  aliceId = await alice.userId();
  run = await addRun(pages, alice);
  snapshot = (await writeSnapshot(await addRepository(pages, alice), { folder: { 'a.txt': Buffer.from('hers') } })).id;
  const asked = {
    id: restore,
    userId: aliceId,
    snapshotId: snapshot,
    path: 'folder',
    expected: undefined,
    at: pages.clock.now(),
  };
  await askForRestore(pages.resources.database, asked);
  await pages.resources.database.restore.update({ where: { id: restore }, data: { state: 'succeeded' } });
  bob = await pages.newPerson();
  operator = await pages.newPerson({ roles: ['operator'] });
});
afterAll(() => pages[Symbol.asyncDispose]());

/** What addresses with a part that varies name: something of alice's where they are for people. */
const named: Record<string, () => string> = {
  '/nights/:night': () => '/nights/2026-05-04',
  '/runs/:id': () => `/runs/${run}`,
  '/runs/:id/events': () => `/runs/${run}/events`,
  '/runs/:id/cancel': () => `/runs/${run}/cancel`,
  '/runs/:id/looked': () => `/runs/${run}/looked`,
  '/snapshots/:id/browse/*': () => `/snapshots/${snapshot}/browse/folder`,
  '/snapshots/:id/changes/*': () => `/snapshots/${snapshot}/changes/folder`,
  '/snapshots/:id/view/*': () => `/snapshots/${snapshot}/view/folder/a.txt`,
  '/snapshots/:id/preview/*': () => `/snapshots/${snapshot}/preview/folder/a.txt`,
  '/snapshots/:id/file/*': () => `/snapshots/${snapshot}/file/folder/a.txt`,
  '/operator/queues/board/*': () => '/operator/queues/board/api/queues',
  '/erased/:id': () => '/erased/00000000-0000-4000-8000-000000000000',
  '/erased/:id/receipt.json': () => '/erased/00000000-0000-4000-8000-000000000000/receipt.json',
  '/snapshots/:id/zip/*': () => `/snapshots/${snapshot}/zip/folder`,
  '/snapshots/:id/restore/*': () => `/snapshots/${snapshot}/restore/folder`,
  '/restores/:id': () => `/restores/${restore}`,
  '/restores/:id/cancel': () => `/restores/${restore}/cancel`,
};

/** An address of the route, with what is alice's where it names something. */
function addressOf({ path }: Route): string {
  const address = named[path]?.() ?? path.replace(':person', aliceId);
  if (/[:*]/.test(address)) throw new Error(`Say in this test what ${path} names.`);
  return address;
}

async function ask(visitor: Visitor, route: Route, fields?: Record<string, string>) {
  const address = addressOf(route);
  if (route.method === 'POST') return visitor.post(address, fields);
  return visitor.send(address);
}

const forPeople = routes.filter(({ who }) => who === 'person' || who === 'operator');
const forOwners = routes.filter(({ path, who }) => path in named && who === 'person');
const forOperators = routes.filter(({ who }) => who === 'operator');

describe('the route table', () => {
  it('has each address once, lets only the provider and whoever chooses a language post without a session, and names what tests know', () => {
    const addresses = routes.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(routes.filter(({ method, who }) => method === 'POST' && who !== 'person' && who !== 'operator')).toEqual([
      expect.objectContaining({ path: '/language', who: 'anyone' }),
      expect.objectContaining({ path: '/backchannel-logout', who: 'provider' }),
    ]);
    for (const route of routes) expect(addressOf(route)).toMatch(/^\//);
  });

  test.each(forPeople.map((route) => [route.method, route.path, route] as const))(
    'a stranger is sent to the sign-in: %s %s',
    async (_method, _path, route) => {
      const answer = await ask(openVisitor(pages.resources), route);
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toMatch(/^\/login\?returnTo=/);
    },
  );

  test.each(forPeople.filter(({ method }) => method === 'POST').map((route) => [route.path, route] as const))(
    'a form without the token of the session is refused: %s',
    async (_path, route) => {
      expect((await ask(alice, route, { csrf: '' })).status).toBe(403);
    },
  );

  test.each(forOperators.map((route) => [route.method, route.path, route] as const))(
    'what is for operators is for nobody else: %s %s',
    async (_method, _path, route) => {
      for (const other of [alice, bob]) expect((await ask(other, route)).status).toBe(403);
    },
  );

  test.each(forOwners.map((route) => [route.path, route] as const))(
    "what is alice's is there for her, and for neither bob nor an operator: %s",
    async (_path, route) => {
      expect((await ask(alice, route)).status).toBe(route.method === 'GET' ? 200 : 303);
      for (const other of [bob, operator]) {
        const answer = await ask(other, route);
        expect(answer.status).toBe(404);
        expect(await answer.text()).not.toContain('hers');
      }
    },
  );

  it("answers 404 to ids that are none, and to another person's repository that has no such snapshot", async () => {
    expect((await alice.send('/runs/not-an-id')).status).toBe(404);
    expect((await alice.send('/snapshots/not-an-id/browse/')).status).toBe(404);
    expect((await alice.send(`/snapshots/${'cd'.repeat(32)}/browse/`)).status).toBe(404);
    const backedUp = await pages.consented();
    await addRepository(pages, backedUp);
    expect((await backedUp.send(`/snapshots/${snapshot}/browse/`)).status).toBe(404);
  });

  it('keeps what is for operators from everybody else', async () => {
    const answer = async () => new Response('for operators');
    const app = createApp(pages.resources, [{ method: 'GET', path: '/tonight', who: 'operator', answer }, ...routes]);
    const statusFor = async ({ cookies }: Visitor) => {
      const visitor = openVisitor(pages.resources, app);
      for (const [name, value] of cookies) visitor.cookies.set(name, value);
      return (await visitor.send('/tonight')).status;
    };
    expect(await statusFor(openVisitor(pages.resources))).toBe(303);
    expect(await statusFor(alice)).toBe(403);
    expect(await statusFor(operator)).toBe(200);
  });
});
