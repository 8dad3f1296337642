import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../../../demo/loopback-server.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { openTestRest } from '../../support/fixtures/rest-store.ts';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';

const name = 'ab'.repeat(32);
const mebibyte = 1024 * 1024;

let opened: AsyncDisposableStack;
let listener: LoopbackServer;
/** Bytes that were handed to connections. */
let sent: number;
let asked: number;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  listener = await listenOnLoopback(0);
  opened.defer(() => listener.down());
  [sent, asked] = [0, 0];
});
afterEach(() => opened.disposeAsync());

function answerWith(answer: (response: ServerResponse) => unknown): void {
  listener.serve(({ method }, response) => {
    asked += 1;
    if (method === 'HEAD') response.writeHead(404).end();
    else answer(response);
  });
}

/** Sends as long as somebody takes it. */
function sendWithoutEnd(response: ServerResponse, status = 200, head: Record<string, string> = {}): void {
  const piece = Buffer.alloc(65_536, ' ');
  response.writeHead(status, head);
  const more = () => {
    if (response.destroyed) return;
    sent += piece.length;
    response.write(piece, () => setImmediate(more));
  };
  more();
}

const openings: [string, (silenceTimeoutMs?: number) => Backend][] = [
  ['S3', (silenceTimeoutMs) => open(openTestBucket(listener.origin, { ...patience(silenceTimeoutMs) }))],
  ['REST', (silenceTimeoutMs) => open(openTestRest(listener.origin, { ...patience(silenceTimeoutMs) }))],
];

function patience(silenceTimeoutMs: number | undefined) {
  return silenceTimeoutMs === undefined ? {} : { silenceTimeoutMs };
}

function open(store: { open(place: string): Backend } & AsyncDisposable): Backend {
  return opened.use(store).open('place');
}

describe.each(openings)('a server that speaks %s and means harm', (kind, backendOf) => {
  const listed = kind === 'REST' ? { 'content-type': 'application/vnd.x.restic.rest.v2' } : {};

  test('sends a file without an end: no more is read than such a file may have', async () => {
    answerWith((response) => sendWithoutEnd(response));
    const loading = backendOf().load('lock', name);
    await expect(loading).rejects.toMatchObject({ code: 'repository/damaged', retry: undefined });
    expect(sent).toBeLessThan(8 * mebibyte);
  });

  test('sends a file without an end for a part of one: what was asked for is taken', async () => {
    answerWith((response) => sendWithoutEnd(response));
    const part = await backendOf().load('data', name, { offset: 10, length: 5 });
    expect(part.toString()).toBe('     ');
    expect(sent).toBeLessThan(8 * mebibyte);
  });

  test('sends more than the part that was asked for: it is damage', async () => {
    answerWith((response) => sendWithoutEnd(response, 206));
    const loading = backendOf().load('data', name, { offset: 10, length: 5 });
    await expect(loading).rejects.toMatchObject({ code: 'repository/damaged' });
    expect(sent).toBeLessThan(8 * mebibyte);
  });

  test('says without an end why it refuses: the status counts', async () => {
    answerWith((response) => sendWithoutEnd(response, 507));
    await expect(backendOf().load('index', name)).rejects.toMatchObject({ code: 'store/full' });
    await expect(backendOf().save('index', name, Buffer.of(1))).rejects.toMatchObject({ code: 'store/full' });
    expect(sent).toBeLessThan(16 * mebibyte);
  });

  test('sends one page of a listing without an end: it is no listing', async () => {
    answerWith((response) => sendWithoutEnd(response, 200, listed));
    await expect(Array.fromAsync(backendOf().list('key'))).rejects.toMatchObject({
      code: 'store/unavailable',
      message: expect.stringContaining('did not answer with a complete listing'),
    });
    expect(sent).toBeLessThan(320 * mebibyte);
  });

  test('says again and again that an answer will come: it is taken for one that does not', async () => {
    answerWith(async (response) => {
      while (!response.destroyed)
        await new Promise<void>((resolve) => response.writeProcessing(() => setImmediate(resolve)));
    });
    await expect(backendOf().load('index', name)).rejects.toMatchObject({
      code: 'store/unavailable',
      retry: { afterMs: 500 },
    });
  });

  test('drips an answer: it is taken for one that does not come to its end', async () => {
    answerWith((response) => {
      response.writeHead(200, { 'content-length': '1000000' });
      const drip = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(drip));
    });
    await expect(backendOf(100).load('index', name)).rejects.toMatchObject({
      code: 'store/unavailable',
      message: expect.stringContaining('does not answer, or not to the end'),
      retry: { afterMs: 500 },
    });
  });
});

const page = (next: string, key: string) =>
  `<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>${key}</Key><Size>1</Size></Contents><NextContinuationToken>${next}</NextContinuationToken></ListBucketResult>`;

test('a listing of S3 that leads back to the same page ends', async () => {
  answerWith((response) => response.end(page('again', `place/keys/${name}`)));
  await expect(Array.fromAsync(open(openTestBucket(listener.origin)).list('key'))).rejects.toMatchObject({
    code: 'store/unavailable',
    message: expect.stringContaining('does not end: 2 pages'),
    retry: undefined,
  });
  expect(asked).toBe(2);
});

test('a listing of S3 that always has another page ends', async () => {
  answerWith((response) => response.end(page(`token ${asked}`, 'elsewhere')));
  const bucket = openTestBucket(listener.origin, { mostPages: 50 });
  await expect(Array.fromAsync(open(bucket).list('key'))).rejects.toMatchObject({
    code: 'store/unavailable',
    message: expect.stringContaining('does not end: 50 pages'),
  });
  expect(asked).toBe(50);
});

test('keys of a listing that lead elsewhere name no file', async () => {
  const keys = [
    `place/keys/../../other/keys/${name}`,
    `other/keys/${name}`,
    `place/keys/x/${name}`,
    name,
    `/place/keys/${name}`,
  ];
  const contents = keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('');
  answerWith((response) => response.end(`<ListBucketResult>${contents}</ListBucketResult>`));
  expect(await Array.fromAsync(open(openTestBucket(listener.origin)).list('key'))).toEqual([]);
});

test('a register of REST with any number of places is read some at a time', async () => {
  const names = Array.from({ length: 500 }, (_, number) => number.toString(16).padStart(64, '0'));
  let [waiting, most, read] = [0, 0, 0];
  listener.serve(({ url = '' }, response) => {
    if (url.endsWith('/data/')) {
      response.writeHead(200, { 'content-type': 'application/vnd.x.restic.rest.v2' });
      response.end(JSON.stringify(names.map((one) => ({ name: one, size: 4 }))));
      return;
    }
    read += 1;
    most = Math.max(most, ++waiting);
    // Long enough for all that are under way to arrive.
    setTimeout(() => {
      waiting -= 1;
      response.end(`place${url.slice(-3)}`);
    }, 50);
  });
  const store = opened.use(openTestRest(listener.origin, { connections: 200 }));
  expect(await Array.fromAsync(store.places(''))).toHaveLength(500);
  expect(read).toBe(500);
  expect(most).toBeLessThanOrEqual(64);
});

test('a listing of REST of any length is read in pieces, between which others have their turn', async () => {
  const files = Array.from({ length: 20_000 }, (_, size) => ({ name: size.toString(16).padStart(64, '0'), size }));
  const body = `\n${JSON.stringify(files)} \n`;
  answerWith((response) => response.writeHead(200, { 'content-type': 'application/vnd.x.restic.rest.v2' }).end(body));
  const backend = open(openTestRest(listener.origin));
  const parse = JSON.parse;
  const lengths: number[] = [];
  const turns = new Set<number>();
  let [turn, going] = [0, true];
  const look = () => {
    turn += 1;
    if (going) setImmediate(look);
  };
  look();
  JSON.parse = (text: string, ...more: []) => {
    lengths.push(text.length);
    turns.add(turn);
    return parse(text, ...more);
  };
  try {
    expect(await Array.fromAsync(backend.list('data'))).toEqual(files);
  } finally {
    JSON.parse = parse;
    going = false;
  }
  expect(lengths.length).toBeGreaterThan(10);
  expect(turns.size).toBe(lengths.length);
  expect(Math.max(...lengths)).toBeLessThan(200_000);
});

test.each(['[{"name":"a"}]', '{}', '[', '[]]', '7', '[[]]', `["${'x'.repeat(100_000)}"]`])(
  'a listing of REST that is none is an outage: %#',
  async (body) => {
    answerWith((response) => response.writeHead(200, { 'content-type': 'application/vnd.x.restic.rest.v2' }).end(body));
    const listing = Array.fromAsync(open(openTestRest(listener.origin)).list('data'));
    await expect(listing).rejects.toMatchObject({ code: 'store/unavailable' });
  },
);
