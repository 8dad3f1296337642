import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openSealerHandle } from '../../../src/store/archiver/sealer-handle.ts';
import type { FromSealer, Piece, SealingTask } from '../../../src/store/archiver/sealing-messages.ts';
import { noneAdded, numbersOf, piecesIn } from '../../../src/store/archiver/sealing-messages.ts';
import type { DataId, PackId } from '../../../src/store/format/ids.ts';
import { idOf } from '../../../src/store/format/ids.ts';

/** A sealer that answers each message by one, when `later` calls it, and the pieces of each message it got. */
function handleOfAnswering(later: (answer: () => void) => void = queueMicrotask) {
  const messages: (readonly Piece[])[] = [];
  const handle = openSealerHandle({
    start: (_task, receive) => ({
      post(message) {
        if (message.kind !== 'pieces') return;
        const pieces = piecesIn(message.pieces);
        messages.push(pieces);
        const ended = pieces.filter(({ end }) => end === 'whole');
        const streams = ended.map(({ stream }) => ({ stream, content: [idOf<DataId>(Buffer.of(stream))] }));
        const answer: FromSealer = { kind: 'sealed', buffer: message.buffer, streams, added: noneAdded() };
        later(() => receive(answer));
      },
      stop: async () => undefined,
    }),
    task: {} as SealingTask,
    savePack: async () => {},
    storeKeepsUp: () => true,
    onAdded: () => {},
    onFailure: (error) => expect.fail(String(error)),
  });
  return { handle, messages };
}

test('small entries that arrive together travel in one message, and none waits for a later one', async () => {
  const { handle, messages } = handleOfAnswering();
  const arrive = (text: string) => {
    const stream = handle.open('data');
    stream.write(Buffer.from(text));
    return stream.end();
  };
  const together = await Promise.all(['a', 'b', 'c'].map(arrive));
  expect(together).toEqual([0, 1, 2].map((stream) => [idOf<DataId>(Buffer.of(stream))]));
  expect(messages.map((pieces) => pieces.length)).toEqual([3]);
  await arrive('d');
  expect(messages.map((pieces) => pieces.length)).toEqual([3, 1]);
});

test('small entries that arrive while the sealer is busy are gathered, and sent as soon as it is not', async () => {
  const answers: (() => void)[] = [];
  const { handle, messages } = handleOfAnswering((answer) => answers.push(answer));
  const arrive = async (text: string) => {
    const stream = handle.open('data');
    stream.write(Buffer.from(text));
    const content = stream.end();
    for (let turns = 0; turns < 3; turns++) await turn();
    return { content };
  };
  const arrived = [await arrive('a'), await arrive('b'), await arrive('c')];
  expect(messages.map((pieces) => pieces.length)).toEqual([1]);
  answers.shift()?.();
  await turn();
  expect(messages.map((pieces) => pieces.length)).toEqual([1, 2]);
  answers.shift()?.();
  const contents = await Promise.all(arrived.map(({ content }) => content));
  expect(contents).toEqual([0, 1, 2].map((stream) => [idOf<DataId>(Buffer.of(stream))]));
});

test('what a pack that cannot be stored rejects is left to nobody, which would end the process', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  const failures: unknown[] = [];
  let receive: (message: FromSealer) => void = () => expect.unreachable();
  const bytes = Buffer.from(new ArrayBuffer(1));
  const pack = { id: idOf<PackId>(bytes), bytes, entries: Buffer.from(new ArrayBuffer(0)) };
  const handle = openSealerHandle({
    start: (_task, receives) => {
      receive = receives;
      return { post: () => undefined, stop: async () => undefined };
    },
    task: {} as SealingTask,
    savePack: async () => Promise.reject(new Error('The disk is full.')),
    storeKeepsUp: () => true,
    onAdded: () => {},
    onFailure: (error) => failures.push(error),
  });
  process.prependListener('unhandledRejection', note);
  try {
    const flushed = handle.flush();
    receive({ kind: 'pack', pack });
    await expect(flushed).rejects.toThrow('The disk is full.');
    receive({ kind: 'finished' });
    for (let turns = 0; turns < 3; turns++) await turn();
  } finally {
    process.off('unhandledRejection', note);
  }
  expect(failures).toHaveLength(1);
  expect(unhandled).toEqual([]);
});

test('what is written after the end of the handle is sent to nobody', async () => {
  const { handle, messages } = handleOfAnswering();
  const stream = handle.open('data');
  await stream.write(Buffer.from('a'));
  const content = stream.end();
  await handle.stop(new Error('over'));
  await expect(content).rejects.toThrow('over');
  await turn();
  expect(messages).toEqual([]);
});

test('pieces travel as numbers and are the same at the other end', () => {
  const pieces: Piece[] = [
    { stream: 0, type: 'data', length: 0, end: 'whole' },
    { stream: 2 ** 32 - 1, type: 'tree', length: 1024 * 1024, end: 'abandoned' },
    { stream: 7, type: 'tree', length: 1, end: 'whole' },
    { stream: 7, type: 'data', length: 13, end: 'abandoned' },
    { stream: 8, type: 'data', length: 14, end: 'open' },
    { stream: 8, type: 'tree', length: 15, end: 'open' },
  ];
  expect(piecesIn(numbersOf(pieces))).toEqual(pieces);
  expect(() => piecesIn(Uint32Array.of(1, 2, 6))).toThrow('no kind that is known');
});
