import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/database/client.ts';
import { useRate } from '../../../src/database/people/rate-limits.ts';
import { createApp } from '../../../src/web/app.ts';
import { texts as de } from '../../../src/web/texts/de.ts';
import { texts as en } from '../../../src/web/texts/en.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

let pages: Pages;
let alice: SignedIn;
let bob: SignedIn;
let usual: Pages['resources']['config']['rates'];
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
  bob = await pages.consented();
  usual = { ...pages.resources.config.rates };
});
beforeEach(async () => {
  set(usual);
  await pages.resources.database.rateLimit.deleteMany();
});
afterAll(() => pages[Symbol.asyncDispose]());

/** Asks as a connection from that address does. */
function asker(address: string, headers: Record<string, string> = {}, app = createApp(pages.resources)) {
  const env = { incoming: { socket: { remoteAddress: address } } };
  return async (path: string) =>
    app.fetch(new Request(new URL(path, pages.resources.config.publicUrl), { headers }), env);
}

const statusesOf = async (count: number, ask: () => Promise<Response>) => {
  const statuses: number[] = [];
  for (let asked = 0; asked < count; asked++) statuses.push((await ask()).status);
  return statuses;
};
const passed = (statuses: readonly number[]) => statuses.filter((status) => status !== 429).length;
const set = (rates: Partial<Pages['resources']['config']['rates']>) =>
  Object.assign(pages.resources.config.rates, rates);

describe('a stranger', () => {
  it('is sent to the provider 60 times at once, then once a second, and is told when', async () => {
    const ask = asker('203.0.113.7');
    expect(passed(await statusesOf(70, () => ask('/login')))).toBe(60);
    const refused = await ask('/login');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    const page = await refused.text();
    expect(page).toContain(en.errors.told['request/too-many'].title);
    expect(page).toContain(en.errors.wait(en.formats.duration(1_000)));
    pages.clock.advance(1_000);
    expect(await statusesOf(2, () => ask('/login'))).toEqual([302, 429]);
  });

  it('reads so in German', async () => {
    set({ signIns: { count: 1, spanMs: 90_000 } });
    const ask = asker('203.0.113.7', { 'accept-language': 'de' });
    await ask('/login');
    const page = await (await ask('/login')).text();
    expect(page).toContain(de.errors.told['request/too-many'].title);
    expect(page).toContain(de.errors.wait(de.formats.duration(90_000)));
  });

  it('takes nothing from another address, nor from who is signed in behind the same one', async () => {
    set({ signIns: { count: 2, spanMs: 60_000 } });
    const ask = asker('203.0.113.7');
    expect(await statusesOf(3, () => ask('/login'))).toEqual([302, 302, 429]);
    expect((await asker('203.0.113.8')('/login')).status).toBe(302);
    const cookie = [...alice.cookies].map((pair) => pair.join('=')).join('; ');
    expect((await asker('203.0.113.7', { cookie })('/login?fresh=yes')).status).toBe(302);
    expect((await ask('/')).status).toBe(200);
  });

  it('is one with all of the 64 bits of their IPv6 network', async () => {
    set({ signIns: { count: 2, spanMs: 60_000 } });
    await statusesOf(2, asker('2001:db8::1').bind(null, '/login'));
    expect((await asker('2001:db8::2')('/login')).status).toBe(429);
    expect((await asker('2001:db8:0:1::1')('/login')).status).toBe(302);
  });

  it('gets nowhere by naming other addresses, unless a proxy of ours names them', async () => {
    set({ signIns: { count: 1, spanMs: 60_000 } });
    const from = (peer: string, client: string) => asker(peer, { 'x-forwarded-for': client })('/login');
    expect([(await from('203.0.113.7', '1.1.1.1')).status, (await from('203.0.113.7', '1.1.1.2')).status]).toEqual([
      302, 429,
    ]);
    expect([(await from('127.0.0.1', '1.1.1.3')).status, (await from('127.0.0.1', '1.1.1.4')).status]).toEqual([
      302, 302,
    ]);
    expect((await from('127.0.0.1', '1.1.1.5, 1.1.1.3')).status).toBe(429);
  });

  it('has answers of the provider taken as often, so that nobody has codes tried with our secret without end', async () => {
    set({ signIns: { count: 2, spanMs: 60_000 } });
    const ask = asker('203.0.113.7');
    expect(passed(await statusesOf(5, () => ask('/callback?code=1&state=x')))).toBe(2);
  });
});

describe('alice', () => {
  it('may ask for six backups at once and six an hour, and bob for as many', async () => {
    expect(await statusesOf(7, () => alice.post('/backup-now'))).toEqual([...Array(6).fill(303), 429]);
    const refused = await alice.post('/backup-now');
    expect(refused.headers.get('retry-after')).toBe('600');
    expect((await bob.post('/backup-now')).status).toBe(303);
    pages.clock.advance(600_000);
    expect((await alice.post('/backup-now')).status).toBe(303);
  });

  it('may have the recovery key shown, proven and renewed so often, all counted together', async () => {
    set({ recovery: { count: 3, spanMs: 3_600_000 } });
    const carol = await pages.consented();
    await addRepository(pages, carol);
    await pages.resources.database.repository.updateMany({ data: { recoverySeenAt: null } });
    const wrong = { third: 'x', fifth: 'x' };
    await carol.post('/recovery');
    await statusesOf(2, () => carol.post('/recovery/kept', wrong));
    expect((await carol.post('/recovery/kept', wrong)).status).toBe(429);
    expect((await carol.post('/recovery')).status).toBe(429);
    expect((await carol.post('/recovery/reissue')).status).toBe(429);
    expect((await carol.send('/recovery')).status).toBe(200);
  });

  it('may begin so many downloads', async () => {
    set({ downloads: { count: 2, spanMs: 600_000 } });
    const carol = await pages.consented();
    const { id } = await writeSnapshot(await addRepository(pages, carol), { folder: { 'a.txt': Buffer.from('hers') } });
    expect((await carol.send(`/snapshots/${id}/file/folder/a.txt`)).status).toBe(200);
    const zip = await carol.send(`/snapshots/${id}/zip/folder`);
    expect(zip.status).toBe(200);
    await zip.arrayBuffer();
    expect((await carol.send(`/snapshots/${id}/file/folder/a.txt`)).status).toBe(429);
    expect((await carol.send(`/snapshots/${id}/browse/folder`)).status).toBe(200);
  });

  it.each([
    ['signIns', 'GET /consent'],
    ['signIns', 'POST /consent'],
    ['downloads', 'GET /grant/uses.csv'],
    ['downloads', 'GET /grant/uses.json'],
    ['downloads', 'GET /settings/data.json'],
    ['downloads', 'GET /snapshots/abcdef12/preview/a'],
    ['recovery', 'POST /recovery/adopt'],
    ['recovery', 'POST /recovery/remove'],
    ['runs', 'POST /snapshots/abcdef12/restore/a'],
  ] as const)('is held to %s in %s', async (rate, asked) => {
    const carol = await pages.consented();
    const body = new URLSearchParams({ csrf: await carol.csrf() });
    const [method = '', path = ''] = asked.split(' ');
    await pages.resources.database.rateLimit.deleteMany();
    set({ [rate]: { count: 1, spanMs: 600_000 } });
    const ask = () => carol.send(path, method === 'GET' ? {} : { method, body });
    expect((await ask()).status).not.toBe(429);
    expect((await ask()).status).toBe(429);
  });

  it('is not counted for a form that somebody else forged', async () => {
    set({ runs: { count: 1, spanMs: 600_000 } });
    expect((await alice.post('/backup-now', { csrf: 'guessed' })).status).toBe(403);
    expect((await alice.post('/backup-now')).status).toBe(303);
  });

  it('is not limited where the setting is off', async () => {
    set({ runs: undefined });
    expect(await statusesOf(12, () => alice.post('/backup-now'))).toEqual(Array(12).fill(303));
  });
});

it('does not limit what an operator does for people', async () => {
  set({ runs: { count: 1, spanMs: 600_000 } });
  const operator = await pages.newPerson({ roles: ['operator'] });
  const path = `/operator/people/${await alice.userId()}/run`;
  expect(await statusesOf(3, () => operator.post(path))).toEqual([303, 303, 303]);
});

describe('two services on one database', () => {
  it('count together, also at the same moment', async () => {
    await using server = await openTestDatabase();
    const [one, other] = await Promise.all([openDatabase(server.url), openDatabase(server.url)]);
    const apps = [one, other].map((database) => createApp({ ...pages.resources, database }));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => asker('203.0.113.7', {}, apps[index % 2])('/login')),
    );
    expect(passed(answers.map(({ status }) => status))).toBe(60);
    await Promise.all([one.$disconnect(), other.$disconnect()]);
  });

  it('keep rows of those alone who used some of their rate, and no address', async () => {
    const { clock } = pages;
    const { database } = pages.resources;
    const rate = { count: 5, spanMs: 60_000 };
    const use = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, (_, index) =>
          useRate(database, { key: `${from + index}`, rate, at: clock.now() }),
        ),
      );
    await use(0, 60);
    clock.advance(60_001);
    await use(100, 130);
    expect(await database.rateLimit.count()).toBe(30);
    await asker('203.0.113.7')('/login');
    expect(JSON.stringify(await database.rateLimit.findMany())).not.toContain('203.0.113');
  });
});
