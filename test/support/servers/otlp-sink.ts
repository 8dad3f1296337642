import { openHttpSink, type SinkAnswer } from './http-sink.ts';

/** A span as it arrived. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  attributes: Record<string, string | number>;
  status: { code?: number; message?: string };
}

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number; doubleValue?: number };
}

interface Body {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: (Omit<ReceivedSpan, 'attributes'> & { attributes: Attribute[] })[] }[];
  }[];
}

export interface OtlpSink extends AsyncDisposable {
  /** The address that a process is to send to. */
  readonly endpoint: URL;
  /** All that arrived so far. */
  spans(): ReceivedSpan[];
  /** The same as it was sent, headers and all. */
  raw(): string;
}

/** A collector on loopback that takes OTLP over HTTP as JSON, and keeps it. */
export async function openOtlpSink(answer?: () => SinkAnswer): Promise<OtlpSink> {
  const taken: SinkAnswer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  const sink = await openHttpSink(answer ?? (() => taken));
  return {
    endpoint: new URL(`${sink.origin}/otlp`),
    spans: () =>
      sink.requests
        .filter(({ url }) => url === '/otlp/v1/traces')
        .flatMap(({ body }) => (JSON.parse(body) as Body).resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
        .map((span) => ({ ...span, attributes: plain(span.attributes) })),
    raw: () => JSON.stringify(sink.requests),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

function plain(attributes: readonly Attribute[]): ReceivedSpan['attributes'] {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue ?? value.doubleValue)]),
  );
}
