import { expect, test } from 'vitest';
import { openServers } from '../../../src/sources/http/server.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { never } from '../../support/fixtures/open-source.ts';

const limits = { connections: 2, connectTimeoutMs: 1000, headersTimeoutMs: 1000, bodyTimeoutMs: 1000 };
const open = (origin: string, clock = manualClock('2026-11-23T01:00:00Z')) => openServers(clock).open(origin, limits);

test('turns are handed out up to the cap, then in the order of asking', async () => {
  const { server, leave } = open('http://turns.example');
  const order: string[] = [];
  await server.takeTurn(never);
  await server.takeTurn(never);
  const third = server.takeTurn(never).then(() => order.push('third'));
  const fourth = server.takeTurn(never).then(() => order.push('fourth'));
  await Promise.resolve();
  expect(order).toEqual([]);
  server.giveTurnBack();
  await third;
  expect(order).toEqual(['third']);
  server.giveTurnBack();
  await fourth;
  await leave();
});

test('who is aborted while waiting takes no turn from others', async () => {
  const { server, leave } = open('http://aborted.example');
  await server.takeTurn(never);
  await server.takeTurn(never);
  const stop = new AbortController();
  const given = server.takeTurn(stop.signal);
  const next = server.takeTurn(never);
  stop.abort(new Error('stopped'));
  await expect(given).rejects.toThrow('stopped');
  server.giveTurnBack();
  await next;
  await expect(server.takeTurn(stop.signal)).rejects.toThrow('stopped');
  await leave();
});

test('two runs share one server, and the last to leave closes it', async () => {
  const servers = openServers(manualClock('2026-11-23T01:00:00Z'));
  const one = servers.open('http://shared.example', limits);
  const other = servers.open('http://shared.example', limits);
  expect(other.server).toBe(one.server);
  await one.leave();
  await one.leave();
  expect(one.server.pool.destroyed).toBe(false);
  await other.leave();
  expect(one.server.pool.destroyed).toBe(true);
});

test('a pause holds everybody until its end, the longest one counts', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const { server, leave } = open('http://pause.example', clock);
  server.pause(5000);
  server.pause(1000);
  let isReady = false;
  const ready = server.ready(never).then(() => {
    isReady = true;
  });
  await clock.advance(4999);
  expect(isReady).toBe(false);
  await clock.advance(1);
  await ready;
  await leave();
});
