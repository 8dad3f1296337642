import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { type Log, openLog } from '../../src/log.ts';
import { isTraceparent, startTracing, traced, traceparent } from '../../src/tracing.ts';
import { manualClock } from '../support/fixtures/manual-clock.ts';
import type { SinkAnswer } from '../support/servers/http-sink.ts';
import { type OtlpSink, openOtlpSink } from '../support/servers/otlp-sink.ts';

let opened: AsyncDisposableStack;
let lines: string[];
let log: Log;
beforeEach(() => {
  opened = new AsyncDisposableStack();
  lines = [];
  log = openLog({ clock: manualClock('2026-05-04T01:00:00Z'), level: 'debug', write: (line) => lines.push(line) });
});
afterEach(() => opened.disposeAsync());

const about = { headers: { authorization: 'Bearer collector' }, version: '1', instance: 'here' };
const openSink = async (answer?: () => SinkAnswer) => opened.use(await openOtlpSink(answer));
/** Traces while this is done, and gives what arrived. */
async function traces(work: () => Promise<unknown>, sink?: OtlpSink) {
  const { endpoint, spans } = sink ?? (await openSink());
  {
    await using _tracing = await startTracing({ ...about, endpoint, log });
    await work();
  }
  return spans();
}

test('while nobody traces, work is done as it is, and is part of nothing', async () => {
  expect(await traced({ name: 'work' }, async () => traceparent() ?? 'nothing')).toBe('nothing');
  await expect(traced({ name: 'work' }, () => Promise.reject(new Error('as it is')))).rejects.toThrow('as it is');
});

describe('a trace', () => {
  test('holds work that is part of other work, also of what goes on at once', async () => {
    const spans = await traces(() =>
      traced({ name: 'whole' }, async () => {
        await Promise.all(
          ['one', 'two'].map((name) => traced({ name }, async () => traced({ name: `in ${name}` }, async () => {}))),
        );
      }),
    );
    const byName = new Map(spans.map((span) => [span.name, span]));
    const parentOf = (name: string) => spans.find(({ spanId }) => spanId === byName.get(name)?.parentSpanId)?.name;
    expect(['whole', 'one', 'two', 'in one', 'in two'].map(parentOf)).toEqual([
      undefined,
      'whole',
      'whole',
      'one',
      'two',
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  test('goes on in another process by what is carried there', async () => {
    let carried: string | undefined;
    const spans = await traces(async () => {
      await traced({ name: 'here', kind: 'producer' }, async () => {
        carried = traceparent();
      });
      await traced({ name: 'there', kind: 'consumer', parent: carried }, async () => {});
    });
    const [here, there] = spans;
    expect(isTraceparent(carried)).toBe(true);
    expect(carried).toBe(`00-${here?.traceId}-${here?.spanId}-01`);
    expect(there).toMatchObject({ name: 'there', kind: 5, traceId: here?.traceId, parentSpanId: here?.spanId });
  });

  test('says what failed by a code, and never in words that might name a file', async () => {
    const fail = (error: Error) => traced({ name: 'work' }, () => Promise.reject(error)).catch(() => {});
    const sink = await openSink();
    const spans = await traces(async () => {
      await fail(new AppError('source/forbidden', 'Nobody may read diary.txt.'));
      await fail(new TypeError('diary.txt'));
    }, sink);
    expect(spans.map(({ status, attributes }) => [status, attributes])).toEqual([
      [{ code: 2, message: 'source/forbidden' }, { 'error.type': 'source/forbidden' }],
      [{ code: 2, message: 'TypeError' }, { 'error.type': 'TypeError' }],
    ]);
    expect(sink.raw()).not.toContain('diary');
    expect(sink.raw()).toContain('Bearer collector');
  });

  test('tells what is known only later', async () => {
    const [span] = await traces(() =>
      traced({ name: 'work', attributes: { asked: 1 } }, async (note) => note({ got: 'yes' })),
    );
    expect(span?.attributes).toEqual({ asked: 1, got: 'yes' });
  });
});

test.each([
  ['refuses', () => 400],
  ['redirects', () => (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
  ['hangs', () => () => {}],
] as [string, () => SinkAnswer][])(
  'a collector that %s costs the work nothing and the end some seconds',
  async (_, answer) => {
    const sink = await openSink(answer);
    const began = performance.now();
    await traces(async () => {
      expect(await traced({ name: 'work' }, async () => 'done')).toBe('done');
    }, sink);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['traces.failed']);
    expect(lines.join()).not.toContain('collector');
  },
);

test.each(['', '00-0-0-01', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01; x`, 7, null])(
  '%j is no trace to go on with',
  (text) => {
    expect(isTraceparent(text)).toBe(false);
  },
);
