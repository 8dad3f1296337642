import { html } from 'hono/html';
import { minuteMs } from '../durations.ts';
import type { Html } from './layout.ts';
import { liveScriptPath } from './live-script.ts';
import type { Visit } from './visit.ts';

/** How soon what changes quickly is looked at again, in milliseconds. */
export const lookEveryMs = 1_000;
/** Whoever looks on longer asks again, with a session that still counts. */
const longestMs = minuteMs;

/** What changes on a page while something is under way, by name; screen readers say a status that changes. */
export type LiveParts = Readonly<Record<string, Html | ''>> & { readonly status: Html };

interface Looked {
  readonly parts: LiveParts;
  /** In how many milliseconds it is looked at again; null where they are the last, and the page stays as it is with them. */
  readonly againMs: number | null;
}

/** What events are sent with: also to somebody who is not signed in. */
type Needs = Pick<Visit, 'c' | 'resources'>;

/** For the head of a page with live parts: the script that follows, or without scripts a page that loads itself again after so many seconds. */
export function liveHead(seconds: number): Html {
  return html`<script src="${liveScriptPath}" defer></script><noscript><meta http-equiv="refresh" content="${seconds}"></noscript>
`;
}

/** The parts in a page; what is around them names the address of the events in `data-live`. */
export function liveBody({ status, ...parts }: LiveParts): Html {
  return html`${livePart('status', status)}
${Object.entries(parts).map(([name, part]) => livePart(name, part))}`;
}

/** One of the parts, for a page in which they do not follow each other. */
export function livePart(name: string, part: Html | ''): Html {
  return html`<div data-part="${name}"${name === 'status' ? html` role="status"` : ''}>${part}</div>`;
}

/** The parts that change, as server-sent events, until they are the last, or there is nothing left to look at, which reloads the page. */
export function liveEvents(visit: Needs, look: () => Promise<Looked | undefined>): Response {
  return new Response(ReadableStream.from(follow(visit, look)).pipeThrough(new TextEncoderStream()), {
    headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
  });
}

async function* follow(
  { c, resources: { clock } }: Needs,
  look: () => Promise<Looked | undefined>,
): AsyncGenerator<string> {
  const closing = closingOf(c.env);
  const until = clock.elapsed() + longestMs;
  let told = '';
  yield 'retry: 1000\n\n';
  while (clock.elapsed() < until && !closing?.aborted) {
    const looked = await look();
    if (looked === undefined) {
      yield 'event: ended\ndata:\n\n';
      return;
    }
    const parts = await rendered(looked.parts);
    yield parts === told ? ':\n\n' : `event: parts\ndata: ${parts}\n\n`;
    told = parts;
    if (looked.againMs === null) {
      yield 'event: done\ndata:\n\n';
      return;
    }
    await clock.sleep(looked.againMs, closing).catch(() => undefined);
  }
}

/** The parts as the script takes them. */
async function rendered(parts: LiveParts): Promise<string> {
  const texts = Object.entries(parts).map(async ([name, part]) => [name, String(await part)] as const);
  return JSON.stringify(Object.fromEntries(await Promise.all(texts)));
}

/** Aborted when the server closes: see src/web/server.ts. */
function closingOf(env: unknown): AbortSignal | undefined {
  const closing: unknown = typeof env === 'object' && env !== null ? Reflect.get(env, 'closing') : undefined;
  return closing instanceof AbortSignal ? closing : undefined;
}
