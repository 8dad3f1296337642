import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { startProvider } from '../../demo/provider/provider.ts';
import { freePort } from '../../src/database/server/free-port.ts';
import { texts } from '../../src/web/texts/en.ts';
import { type Installation, openInstallation } from '../support/harness/installation.ts';
import { eventsOf, eventually } from '../support/harness/nightkeep.ts';
import { consent } from '../support/harness/service-fixture.ts';
import type { Visitor } from '../support/realms/realm.ts';
import { openCuttableProxy } from '../support/servers/cuttable-proxy.ts';

let installation: Installation;
let visitor: Visitor;
/** Nightkeep was in use: alice consented and was backed up. */
beforeAll(async () => {
  installation = await openInstallation({ settings: { GRACE_SECONDS: '1' } });
  await using service = await installation.start();
  visitor = await consent(installation, alice);
  service.signal('SIGTERM');
  await service.ended;
});
afterAll(() => installation?.[Symbol.asyncDispose]());

const states = async () => (await installation.database.run.findMany()).map(({ state }) => state);
/** A service that stands still is one that fails here, and is killed before the next test starts its own. */
const ask = (path: string) =>
  fetch(new URL(path, installation.url), { redirect: 'manual', signal: AbortSignal.timeout(60_000) });
/** A connection that is left from the service before may be reset just now: then it is asked again, as browsers do. */
const page = (path: string) => ask(path).catch(() => ask(path));

/** The words, behind the log of the queue. */
const awayAtLast = /^(\{.*\}\n)*nightkeep: PostgreSQL does not answer\. Check DATABASE_URL[^\n]+\n$/;

/** The database on a way that can be cut. */
async function wired() {
  const url = new URL(installation.settings.DATABASE_URL ?? '');
  const wire = await openCuttableProxy(url.hostname, Number(url.port || 5432));
  url.host = `127.0.0.1:${wire.port}`;
  return Object.assign(wire, { url: url.href });
}

describe('a database that goes away in the middle', () => {
  test('leaves the service standing, which says so and goes on when it is back', async () => {
    await using wire = await wired();
    await using service = await installation.start({ DATABASE_URL: wire.url });
    await wire.cut();
    expect((await page('/livez')).status).toBe(200);
    expect((await page('/readyz')).status).toBe(503);
    await visitor.open(installation.url.href);
    expect(await visitor.text()).toContain(texts.errors.told['database/unavailable'].act);
    await wire.restore();
    await eventually(async () => (await page('/readyz')).status === 200);
    await visitor.open(installation.url.href);
    await visitor.press(texts.home.now);
    await installation.atRest();
    expect(await states()).toEqual(['succeeded', 'succeeded']);
    service.signal('SIGTERM');
    const { code, stderr } = await service.ended;
    expect(code).toBe(0);
    expect(eventsOf(stderr)).not.toContain('run.ended-badly');
  });

  test('does not hold up a service that is asked to end', async () => {
    await using wire = await wired();
    await using service = await installation.start({ DATABASE_URL: wire.url });
    await wire.cut();
    await eventually(async () => (await page('/readyz')).status === 503);
    service.signal('SIGTERM');
    const { code, stderr } = await service.ended;
    expect(code).toBe(0);
    // Besides the queue, what is due at that minute may notice it.
    expect(eventsOf(stderr).filter((event) => event !== 'queue.error' && !/[.-]failed$/.test(event))).toEqual([]);
  });
});

test('a database that goes away ends a command that needs it, in plain words', async () => {
  await using wire = await wired();
  const ended = installation.run(['backup', '--all', '--wait'], { DATABASE_URL: wire.url });
  // By now it has put the run into the queue, and looks at it from time to time.
  await eventually(async () => {
    const looks = await installation.database.$queryRaw<unknown[]>`
      SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'idle' AND query LIKE 'SELECT "public"."runs"."id"%'`;
    return looks.length > 0;
  });
  await wire.cut();
  const { code, stdout, stderr } = await ended;
  const [progress = '', ...rest] = stderr.split('\n');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(progress).toMatch(/^alice: queued \(waits for a worker\), run [\w-]{36}$/);
  expect(rest.join('\n')).toMatch(awayAtLast);
  await using service = await installation.start();
  await installation.atRest();
  expect(await states()).toEqual(['succeeded', 'succeeded', 'succeeded']);
  service.signal('SIGTERM');
  await service.ended;
});

test('a provider that is away at the start is missed on the pages only, until it is there', async () => {
  const port = await freePort();
  await using service = await installation.start({ OIDC_ISSUER: `http://127.0.0.1:${port}` });
  expect((await page('/')).status).toBe(200);
  const login = await page('/login');
  expect(login.status).toBe(503);
  expect(await login.text()).toContain(texts.errors.told['provider/unavailable'].act);
  const client = { ...installation.realm.client, name: 'Nightkeep', authentication: 'client_secret_basic' as const };
  const redirectUris = [new URL('callback', installation.url).href];
  const provider = await startProvider({ port, clients: [{ ...client, redirectUris }], people: [] });
  try {
    expect((await page('/login')).headers.get('location')).toMatch(`${provider.issuer}/`);
  } finally {
    await provider.stop();
  }
  service.signal('SIGTERM');
  const { code, stderr } = await service.ended;
  expect({ code, events: eventsOf(stderr) }).toEqual({ code: 0, events: ['web.failed'] });
});

test('a wrong client secret is reported to those who can correct it, and shown nowhere', async () => {
  const wrong = 'a wrong secret, not to be told';
  const newcomer = await installation.visitor(bob);
  {
    await using service = await installation.start({ OIDC_CLIENT_SECRET: wrong });
    await newcomer.open(new URL('/login', installation.url).href);
    const text = await newcomer.text();
    expect(text).toContain(texts.errors.told['provider/refused-client'].act);
    service.signal('SIGTERM');
    const { code, stderr } = await service.ended;
    expect({ code, events: eventsOf(stderr) }).toEqual({ code: 0, events: ['web.failed'] });
    expect(text + stderr).not.toContain(wrong);
  }
  await using _service = await installation.start();
  await newcomer.open(new URL('/login', installation.url).href);
  expect(await newcomer.text()).toContain(texts.home.none);
});
