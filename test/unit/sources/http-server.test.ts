import { expect, test } from 'vitest';
import { defaultTransferLimits, openServers } from '../../../src/sources/http/server.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { contentOf, never, openSource, rootOf } from '../../support/fixtures/open-source.ts';
import { file, folder, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';

const limits = { connectTimeoutMs: 1000, headersTimeoutMs: 1000, bodyTimeoutMs: 1000 };
/** The servers of a worker that sends each of them so many requests at once. */
const serversOf = (most: number, clock = manualClock('2026-11-23T01:00:00Z')) =>
  openServers(clock, { ...defaultTransferLimits, requests: { least: most, most } });
const open = (origin: string, clock = manualClock('2026-11-23T01:00:00Z')) => serversOf(2, clock).open(origin, limits);

test('slots are given out up to the limit, then in the order of requests', async () => {
  const { server, close } = open('http://slots.example');
  const order: string[] = [];
  await server.acquireSlot(never);
  await server.acquireSlot(never);
  const third = server.acquireSlot(never).then(() => order.push('third'));
  const fourth = server.acquireSlot(never).then(() => order.push('fourth'));
  await Promise.resolve();
  expect(order).toEqual([]);
  server.releaseSlot();
  await third;
  expect(order).toEqual(['third']);
  server.releaseSlot();
  await fourth;
  await close();
});

test('a waiter that is aborted takes no slot from others', async () => {
  const { server, close } = open('http://aborted.example');
  await server.acquireSlot(never);
  await server.acquireSlot(never);
  const stop = new AbortController();
  const given = server.acquireSlot(stop.signal);
  const next = server.acquireSlot(never);
  stop.abort(new Error('stopped'));
  await expect(given).rejects.toThrow('stopped');
  server.releaseSlot();
  await next;
  await expect(server.acquireSlot(stop.signal)).rejects.toThrow('stopped');
  await close();
});

test('two runs share one server, and the last to close it closes its connections', async () => {
  const servers = serversOf(2);
  const one = servers.open('http://shared.example', limits);
  const other = servers.open('http://shared.example', limits);
  expect(other.server.pool).toBe(one.server.pool);
  await one.close();
  await one.close();
  expect(one.server.pool.destroyed).toBe(false);
  await other.close();
  expect(one.server.pool.destroyed).toBe(true);
});

test('a run that holds all slots holds up no other: each has a quarter in any case, and what comes free goes to the one with fewest', async () => {
  const servers = serversOf(8);
  const [greedy, other] = [servers.open('http://fair.example', limits), servers.open('http://fair.example', limits)];
  for (let slot = 0; slot < 8; slot++) await greedy.server.acquireSlot(never);
  const order: string[] = [];
  const more = greedy.server.acquireSlot(never).then(() => order.push('greedy'));
  await other.server.acquireSlot(never);
  await other.server.acquireSlot(never);
  const third = other.server.acquireSlot(never).then(() => order.push('other'));
  await new Promise(setImmediate);
  expect(order).toEqual([]);
  for (let slot = 0; slot < 3; slot++) greedy.server.releaseSlot();
  await third;
  await new Promise(setImmediate);
  expect(order).toEqual(['other']);
  greedy.server.releaseSlot();
  await more;
  await Promise.all([greedy.close(), other.close()]);
});

test('a connection serves one request after the other: no more are opened than there are slots', async () => {
  const names = Array.from({ length: 40 }, (_, number) => `${number}.txt`);
  await using server = await startHostileWebdav(folder(Object.fromEntries(names.map((name) => [name, file(name)]))));
  const ports = new Set<number | undefined>();
  server.mischief = (_, { socket }) => {
    ports.add(socket?.remotePort);
    return undefined;
  };
  await using source = openSource(server.url, { servers: serversOf(4) });
  const { members } = await source.list(await rootOf(source), never);
  await Promise.all(members.map(async (member) => contentOf(await source.open(member, never))));
  expect(server.heard).toHaveLength(41);
  expect(ports.size).toBe(4);
});

test('what one run meets holds back no other', async () => {
  const servers = serversOf(2);
  const [one, other] = [servers.open('http://apart.example', limits), servers.open('http://apart.example', limits)];
  one.server.pause(60_000);
  one.server.outages = 40;
  await other.server.ready(never);
  expect(other.server.outages).toBe(0);
  await Promise.all([one.close(), other.close()]);
});

test('a pause holds back every request until its end, and the longest one counts', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const { server, close } = open('http://pause.example', clock);
  server.pause(5000);
  server.pause(1000);
  let isReady = false;
  const ready = server.ready(never)?.then(() => {
    isReady = true;
  });
  await clock.advance(4999);
  expect(isReady).toBe(false);
  await clock.advance(1);
  await ready;
  await close();
});
