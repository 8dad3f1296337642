import { describe, expect, test } from 'vitest';
import { readRecord } from '../../../src/flows/restores/mailbox-record.ts';
import { recordOf } from '../../../src/sources/imap/mailbox-record.ts';
import type { DataId, PackId } from '../../../src/store/format/ids.ts';
import type { FileNode } from '../../../src/store/format/node.ts';
import type { ReadableRepository } from '../../../src/store/restorer/contract.ts';

const facts = { name: 'Work/"messages": {', delimiter: '/', specialUse: [], isSubscribed: false };
const opened = { path: 'x', uidValidity: '7', uidNext: undefined, highestModSeq: undefined, messages: 0 };
const id = 'aa'.repeat(32) as DataId;

/** The record of so many messages, as it comes back out of a snapshot. */
async function readBack(count: number, of = facts) {
  const messages = Array.from({ length: count }, (_, at) => ({
    uid: at + 1,
    receivedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(at / 2) * 3)),
    flags: ['\\Seen', '"},{'],
    member: { kind: 'entry', name: `[${at}].eml`, location: `${at}` } as const,
  }));
  const record = await recordOf(of, { opened, messages });
  const { body } = await record.open();
  const content = Buffer.concat(await Array.fromAsync(body));
  return read(content);
}

function read(content: Buffer) {
  const node = { type: 'file', name: 'mailbox.json', size: content.length, content: [id] } as unknown as FileNode;
  const found = {
    id,
    pack: 'bb'.repeat(32) as PackId,
    offset: 0,
    length: content.length,
    uncompressedLength: content.length,
  };
  const repository = {
    index: { find: () => found, findAll: () => [found], has: () => true },
    loadBlobs: async function* () {
      yield { id, bytes: content };
    },
  } as unknown as ReadableRepository;
  return readRecord(repository, [node]);
}

describe('the record of a mailbox', () => {
  test.each([0, 1, 5, 3_000])('of %i messages is read as it was written', async (count) => {
    const record = await readBack(count);
    expect(record?.levels).toEqual(['Work', '"messages": {']);
    expect(record?.messages.size).toBe(count);
    for (const [uid, one] of record?.messages ?? []) {
      const second = Math.floor((Number(uid) - 1) / 2) * 3;
      const isAloneInSecond = Number(uid) === count && count % 2 === 1;
      expect(one).toEqual({
        receivedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
        flags: ['"},{', '\\Seen'],
        isAloneInSecond,
      });
    }
  });

  test('of many messages lets others go on while it is read', async () => {
    const reading = readBack(40_000);
    let [turns, isDone] = [0, false];
    void reading.finally(() => (isDone = true));
    for (; !isDone; turns++) await new Promise(setImmediate);
    expect((await reading)?.messages.size).toBe(40_000);
    // Writing it takes a turn for each 250 of them, and so does putting it together.
    expect(turns).toBeGreaterThan(2 * (40_000 / 250) + 20);
  });

  test.each([
    'no JSON',
    '{"name":"a","delimiter":"/"}',
    '{"name":7,"delimiter":"/","messages":{}}',
    '{"messages":',
    '',
  ])('that is none is not read: %s', async (text) => {
    expect(await read(Buffer.from(text))).toBeUndefined();
  });
});
