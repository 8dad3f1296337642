import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import type { Span } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { isAppError } from './errors.ts';
import type { Log } from './log.ts';

/** Ids, counts and fixed words; nothing that a person or a server chose. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

/** One piece of work, as it appears in a trace. */
export interface SpanAbout {
  name: string;
  kind?: 'server' | 'client' | 'producer' | 'consumer';
  attributes?: SpanAttributes;
  /** What it is part of, where that is another process's: see `traceparent`. What it is part of here is known. */
  parent?: string | undefined;
}

interface Told extends SpanAbout {
  note: SpanAttributes;
  span?: Span;
  error?: unknown;
}

/** Tracing listens here; while nothing does, traced work costs nothing more. */
const channel = tracingChannel<Span, Told>('nightkeep:span');
const underWay = new AsyncLocalStorage<Span>();

/** Does the work, and tells of it as a part of what is under way. `note` adds what is known of it only later. */
export function traced<T>(
  about: SpanAbout,
  work: (note: (attributes: SpanAttributes) => void) => Promise<T>,
): Promise<T> {
  if (!channel.hasSubscribers) return work(() => {});
  const told: Told = { ...about, note: {} };
  const note = (attributes: SpanAttributes) => {
    told.note = { ...told.note, ...attributes };
  };
  return channel.tracePromise(() => work(note), told);
}

/** What is under way, for what goes on in another process (W3C Trace Context, section 3.2); undefined where nobody traces. */
export function traceparent(): string | undefined {
  const context = underWay.getStore()?.spanContext();
  return context && `00-${context.traceId}-${context.spanId}-0${context.traceFlags & 1}`;
}

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Whether the text is one that `traceparent` gave. */
export function isTraceparent(text: unknown): text is string {
  return typeof text === 'string' && traceparentForm.test(text);
}

export interface TracingSettings {
  /** The base address of a collector that takes OTLP over HTTP; `v1/traces` is added to it. */
  endpoint: URL;
  /** Sent along, as for authentication. */
  headers: Readonly<Record<string, string>>;
  version: string;
  /** This process. */
  instance: string;
  log: Log;
}

const timeoutMs = 5_000;

/**
 * Sends what `traced` tells of to an OpenTelemetry collector, in batches and beside the work: a collector that is away, slow or full costs
 * spans, and a line in the log. The libraries are loaded here and not before. Disposed of, it sends what is left, for six seconds at
 * most.
 */
export async function startTracing({
  endpoint,
  headers,
  version,
  instance,
  log,
}: TracingSettings): Promise<AsyncDisposable> {
  const [api, { BatchSpanProcessor, TracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const kinds = {
    server: SpanKind.SERVER,
    client: SpanKind.CLIENT,
    producer: SpanKind.PRODUCER,
    consumer: SpanKind.CONSUMER,
  };
  const url = new URL('v1/traces', endpoint.href.endsWith('/') ? endpoint : `${endpoint}/`).href;
  const exporter = loggingFailures(
    new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs }),
    log,
  );
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'nightkeep',
      'service.version': version,
      'service.instance.id': instance,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: timeoutMs + 1_000 })],
  });
  const tracer = provider.getTracer('nightkeep', version);

  const begin = (told: Told): Span => {
    const { name, kind, attributes = {}, parent } = told;
    const above = parent === undefined ? underWay.getStore() : remoteSpan(parent);
    const context = above === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, above);
    const span = tracer.startSpan(
      name,
      { kind: kind ? kinds[kind] : SpanKind.INTERNAL, attributes: known(attributes) },
      context,
    );
    told.span = span;
    return span;
  };
  const remoteSpan = (parent: string) => {
    const [, traceId = '', spanId = '', flags = ''] = traceparentForm.exec(parent) ?? [];
    return trace.wrapSpanContext({ traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
  };
  const finish = ({ span, note, error }: Told) => {
    if (span === undefined) return;
    span.setAttributes(known(note));
    if (error !== undefined) {
      const type = typeOf(error);
      span.setAttribute('error.type', type);
      span.setStatus({ code: SpanStatusCode.ERROR, message: type });
    }
    span.end();
  };

  channel.start.bindStore(underWay, begin);
  channel.asyncEnd.subscribe(onEnd);
  function onEnd(told: unknown) {
    finish(told as Told);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      channel.start.unbindStore(underWay);
      channel.asyncEnd.unsubscribe(onEnd);
      // What could not be sent has been logged; it must not keep the process from ending well.
      await provider.shutdown().catch(() => undefined);
    },
  };
}

/** The code of an AppError, or the name of another error, whose message might name a file. */
function typeOf(error: unknown): string {
  if (isAppError(error)) return error.code;
  return error instanceof Error ? error.name : typeof error;
}

function known(attributes: SpanAttributes): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The same exporter, which logs that it could not send: once, until it can again. */
function loggingFailures(exporter: SpanExporter, log: Log): SpanExporter {
  let failed = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined && !failed)
          log.warn('traces.failed', { spans: spans.length, error: result.error });
        failed = result.error !== undefined;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
