import { describe, expect, test } from 'vitest';
import { openServers } from '../../../src/sources/http/server.ts';
import type { ImapConnection } from '../../../src/sources/imap/connection.ts';
import type { Connections } from '../../../src/sources/imap/connections.ts';
import type { MessageFetches } from '../../../src/sources/imap/message-fetches.ts';
import { digestOf } from '../../../src/sources/imap/new-message.ts';
import { type KnownBy, openThereAlready } from '../../../src/sources/imap/there-already.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { never } from '../../support/fixtures/open-source.ts';

const count = 20_000;
const receivedAt = new Date('2026-03-04T05:06:07Z');

/** A mailbox of which the server says that it holds so many messages, all of the same length, second and Message-ID. */
function mailboxOf(messages: number, messageId: string) {
  let [fetched, asked, most] = [0, 0, 0];
  const id = `BODY[HEADER.FIELDS (MESSAGE-ID)] {${messageId.length}}`;
  const run: ImapConnection['run'] = async (command, { onResponse = () => {} }) => {
    if (/^SELECT/.test(String(command))) onResponse({ text: `* ${messages} EXISTS`, literals: [], bytes: 0 });
    else
      for (let uid = 1; uid <= messages; uid++)
        onResponse({
          text: `* ${uid} FETCH (UID ${uid} RFC822.SIZE 1 INTERNALDATE " 4-Mar-2026 05:06:07 +0000" ${id})`,
          literals: [Buffer.from(messageId)],
          bytes: 0,
        });
    return '';
  };
  const connections: Connections = { most: 3, use: (work) => work({ run } as ImapConnection), close: () => {} };
  const fetches: MessageFetches = {
    async whole() {
      fetched++;
      most = Math.max(most, ++asked);
      await new Promise(setImmediate);
      asked--;
      return Buffer.from('x');
    },
    part: async () => Promise.reject(new Error('Each is short.')),
  };
  const clock = manualClock('2026-11-23T01:00:00Z');
  const limits = { members: 1e6, bytes: 1e9, ms: 1e6 };
  const processor = openServers(clock).processor.open();
  const there = openThereAlready({ path: 'Restored', connections, fetches, limits, clock, processor });
  return { there, fetched: () => fetched, mostAtOnce: () => most };
}

const message = (more: Partial<KnownBy>): KnownBy => ({
  size: 1,
  receivedAt,
  isAloneInSecond: true,
  messageId: '<1@x>',
  digest: digestOf(Buffer.from('x')),
  ...more,
});

/** How many are found, and the seconds of the processor that it took. */
async function find(there: ReturnType<typeof mailboxOf>['there'], messages: readonly KnownBy[]) {
  const before = process.cpuUsage();
  for (let at = 0; at < messages.length; at += 100) await there.expect(messages.slice(at, at + 100), never);
  let found = 0;
  for (const one of messages) if (await there.has(one, never)) found++;
  return { found, seconds: process.cpuUsage(before).user / 1e6 };
}

describe('a mailbox that is full of messages that are alike takes work in proportion to their number', () => {
  test('where their bytes tell', async () => {
    const { there, fetched, mostAtOnce } = mailboxOf(count, '');
    const { found, seconds } = await find(there, Array(2_000).fill(message({ messageId: undefined })));
    expect([found, fetched()]).toEqual([2_000, count]);
    expect(mostAtOnce()).toBeLessThan(1_000);
    expect(seconds).toBeLessThan(3);
  });

  test('where their time and Message-ID tell', async () => {
    const { there, fetched } = mailboxOf(count, 'Message-ID: <1@x>\r\n\r\n');
    const { found, seconds } = await find(there, Array(count + 1).fill(message({ size: 2 })));
    expect([found, fetched()]).toEqual([count, 0]);
    expect(seconds).toBeLessThan(3);
  });
});

test('a message that was found by its Message-ID is not found again by its bytes', async () => {
  const { there } = mailboxOf(3, 'Message-ID: <1@x>\r\n\r\n');
  const byBytes = message({ messageId: undefined });
  expect(await there.has(byBytes, never)).toBe(true);
  expect(await there.has(message({}), never)).toBe(true);
  there.written(byBytes);
  expect(await there.has(byBytes, never)).toBe(false);
  expect(await there.has(message({}), never)).toBe(true);
  expect(await there.has(message({}), never)).toBe(false);
});
