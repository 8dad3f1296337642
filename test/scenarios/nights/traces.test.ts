import { tracingChannel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice, bob, people } from '../../../demo/people.ts';
import { silentLog } from '../../../src/log.ts';
import { startTracing } from '../../../src/tracing.ts';
import { consent, openServiceFixture, type ServiceFixture } from '../../support/harness/service-fixture.ts';
import { demo } from '../../support/realms/demo.ts';
import { type OtlpSink, openOtlpSink, type ReceivedSpan } from '../../support/servers/otlp-sink.ts';

const opened = new AsyncDisposableStack();
let service: ServiceFixture;
let sink: OtlpSink;
beforeAll(async () => {
  service = opened.use(await openServiceFixture(demo('26.7'), { workers: 2 }));
  for (const person of [alice, bob]) await consent(service, person);
});
afterAll(() => opened.disposeAsync());

/** What arrives at a collector of its own while this goes on. */
async function spansOf(work: () => Promise<unknown>): Promise<ReceivedSpan[]> {
  sink = opened.use(await openOtlpSink());
  {
    await using _tracing = await startTracing({
      endpoint: sink.endpoint,
      headers: {},
      version: '1',
      instance: 'test',
      log: silentLog,
    });
    const underWay = watchSpans();
    await work();
    // A job ends after its run.
    await expect.poll(() => underWay.size, { interval: 5 }).toBe(0);
  }
  return sink.spans();
}

/** What is being traced; it knows of what began since. */
function watchSpans(): ReadonlySet<unknown> {
  const underWay = new Set<unknown>();
  tracingChannel('nightkeep:span').subscribe({
    start: (about) => void underWay.add(about),
    end: () => {},
    asyncStart: () => {},
    asyncEnd: (about) => void underWay.delete(about),
    error: () => {},
  });
  return underWay;
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
/** The names from a span up to its root. */
const lineage = (spans: readonly ReceivedSpan[], span: ReceivedSpan): string[] => {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [span.name, ...(parent === undefined ? [] : lineage(spans, parent))];
};

const rootOf = (spans: readonly ReceivedSpan[], span: ReceivedSpan): ReceivedSpan => {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent === undefined ? span : rootOf(spans, parent);
};

test('a night is traced from the queue to each run, its exchange and its sources', async () => {
  service.pass(3_600_000);
  const night = await spansOf(() => service.night());
  // A run may also be worked on by the job that it was given again meanwhile.
  expect(named(night, 'send back-ups')).toContainEqual(
    expect.objectContaining({ kind: 4, attributes: expect.objectContaining({ 'messaging.batch.message_count': 2 }) }),
  );
  expect(named(night, 'run')).toHaveLength(2);
  for (const leaf of [...named(night, 'exchange'), ...named(night, 'source')]) {
    expect(lineage(night, leaf)).toEqual([leaf.name, 'run', 'process back-ups', 'send back-ups']);
    expect(rootOf(night, leaf).traceId).toBe(leaf.traceId);
  }
  expect(named(night, 'source')).toHaveLength(2);
  expect(named(night, 'exchange').map(({ attributes }) => attributes['nightkeep.exchange.verdict'])).toEqual([
    'ok',
    'ok',
  ]);
  const runs = await service.processes[0]?.database.run.findMany({ where: { slot: 'night' } });
  const traced = named(night, 'run').map(({ attributes }) => attributes['nightkeep.run.id']);
  expect(runs?.map(({ id }) => id)).toEqual(expect.arrayContaining(traced));
});

test('what a person asks for on a page is one trace from the page to their server', async () => {
  const visitor = await service.visitor(alice);
  const spans = await spansOf(async () => {
    await visitor.open(service.url.href);
    await visitor.open(new URL('/login', service.url).href);
    await visitor.press('Back up now');
    await service.atRest();
  });
  const [source] = named(spans, 'source');
  if (source === undefined) throw new Error('No source was traced.');
  expect(lineage(spans, source)).toEqual(['source', 'run', 'process back-ups', 'send back-ups', 'POST /backup-now']);
  expect(named(spans, 'POST /backup-now')).toMatchObject([
    { kind: 2, attributes: { 'http.response.status_code': 303 } },
  ]);
});

test('no trace names a person, a file or a token', async () => {
  const raw = sink.raw();
  for (const { username } of people) expect(raw).not.toContain(username);
  for (const word of ['Bearer', 'eyJ', '/files/', 'photos', 'letter', 'code=', 'state='])
    expect(raw).not.toContain(word);
  const [first] = service.processes;
  for (const { subject, name } of (await first?.database.user.findMany()) ?? []) {
    expect(raw).not.toContain(subject);
    expect(raw).not.toContain(name);
  }
});
