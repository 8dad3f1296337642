import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type ChannelKind, channelKinds, parseChannel } from '../../../src/domain/channels.ts';
import { isAppError } from '../../../src/errors.ts';
import { tell } from '../../../src/notify/channel.ts';
import type { Message } from '../../../src/notify/message.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { type HttpSink, openHttpSink, type SinkAnswer, type SunkRequest } from '../../support/servers/http-sink.ts';

const at = new Date('2026-05-04T03:00:00Z');
const id = '0f0e0d0c-0b0a-8908-8706-050403020100';
const message: Message = {
  title: 'Nightkeep: people wait for you',
  text: '2 × server_refuses: <Nobody> & others “wait”.\n',
  level: 'failure',
  at,
  facts: { kind: 'digest', reasons: { server_refuses: 2 } },
};
const night = (step: 'start' | 'success' | 'fail'): Message => ({ ...message, night: { step, id } });

interface Expected {
  /** The address that people copy from the receiver. */
  path: string;
  message: Message;
  arrives: (request: SunkRequest, parsed: () => unknown) => void;
}

/** What each receiver documents of its requests. */
const receivers: Record<ChannelKind, Expected[]> = {
  json: [
    {
      path: '/hook?key=secret',
      message,
      arrives: ({ method, url, headers }, parsed) => {
        expect([method, url, headers['content-type']]).toEqual(['POST', '/hook?key=secret', 'application/json']);
        expect(parsed()).toEqual({ ...message, at: at.toISOString() });
      },
    },
  ],
  // docs.ntfy.sh/publish, "Publish as JSON": POST to the root, with the topic in the body.
  ntfy: [
    {
      path: '/nights-of-example',
      message,
      arrives: ({ method, url }, parsed) => {
        expect([method, url]).toEqual(['POST', '/']);
        const { title, text } = message;
        expect(parsed()).toEqual({
          topic: 'nights-of-example',
          title,
          message: text,
          priority: 4,
          tags: ['rotating_light'],
        });
      },
    },
    {
      path: '/behind/a/proxy/topic/',
      message: { ...message, text: '×'.repeat(9_000) },
      arrives: ({ url, body }, parsed) => {
        expect(url).toBe('/behind/a/proxy/');
        expect(parsed()).toMatchObject({ topic: 'topic', message: expect.stringMatching(/^×{1000,}$/) });
        expect(Buffer.byteLength(body)).toBeLessThan(4_500);
      },
    },
  ],
  // docs.slack.dev, incoming webhooks: `text`, in which &, < and > are written as entities.
  slack: [
    {
      path: '/services/T0/B0/XX',
      message,
      arrives: ({ method, url, headers }, parsed) => {
        expect([method, url, headers['content-type']]).toEqual(['POST', '/services/T0/B0/XX', 'application/json']);
        expect(parsed()).toEqual({
          text: '*Nightkeep: people wait for you*\n2 × server_refuses: &lt;Nobody&gt; &amp; others “wait”.\n',
        });
      },
    },
  ],
  // github.com/caronc/apprise-api: title, body, type (info, success, warning, failure), format.
  apprise: [
    {
      path: '/notify/nightkeep',
      message,
      arrives: ({ method, url }, parsed) => {
        expect([method, url]).toEqual(['POST', '/notify/nightkeep']);
        expect(parsed()).toEqual({ title: message.title, body: message.text, type: 'failure', format: 'text' });
      },
    },
  ],
  // healthchecks.io/docs/http_api: /start, nothing or /fail behind the address, `rid` a UUID, the body for people.
  healthchecks: (['start', 'success', 'fail'] as const).map((step) => ({
    path: '/5f2b6a0e-check?create=1',
    message: night(step),
    arrives: ({ method, url, body }: SunkRequest) => {
      const ending = step === 'success' ? '' : `/${step}`;
      expect([method, url]).toEqual(['POST', `/5f2b6a0e-check${ending}?create=1&rid=${id}`]);
      expect(body).toBe(message.text);
    },
  })),
  // Uptime Kuma, push monitors: the address as it is copied carries status, msg and an empty ping.
  kuma: (['success', 'fail'] as const).map((step) => ({
    path: '/api/push/token?status=up&msg=OK&ping=',
    message: night(step),
    arrives: ({ method, url }: SunkRequest) => {
      const asked = new URL(url, 'http://sink');
      expect([method, asked.pathname]).toEqual(['GET', '/api/push/token']);
      const status = step === 'success' ? 'up' : 'down';
      expect(Object.fromEntries(asked.searchParams)).toEqual({ status, msg: message.title });
    },
  })),
};

const kinds = Object.keys(channelKinds) as ChannelKind[];
const addressOf = (kind: ChannelKind, url: string) => {
  const address = parseChannel(`${kind}+${url}`);
  if (address === undefined) throw new Error('No address.');
  return address;
};
/** Tells the sink; how it failed, or undefined. */
async function told(kind: ChannelKind, sink: Pick<HttpSink, 'origin'>, clock = manualClock(at.toISOString())) {
  const [first] = receivers[kind];
  try {
    await tell(clock, addressOf(kind, `${sink.origin}${first?.path}`), first?.message ?? message);
    return undefined;
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
}

describe.each(kinds)('%s', (kind) => {
  test.each(receivers[kind])('asks as the receiver documents it: $path, $message.level', async (expected) => {
    await using sink = await openHttpSink();
    await tell(manualClock(at.toISOString()), addressOf(kind, `${sink.origin}${expected.path}`), expected.message);
    expect(sink.requests).toHaveLength(1);
    const [request] = sink.requests;
    if (request !== undefined) expected.arrives(request, () => JSON.parse(request.body));
  });

  test('sends user and password as Basic authentication, and not in the address', async () => {
    await using sink = await openHttpSink();
    expect(await told(kind, { origin: sink.origin.replace('//', '//:tk_s%C3%A9cret@') })).toBeUndefined();
    expect(sink.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from(':tk_sécret').toString('base64')}`);
  });

  const huge = (response: { write(text: string): boolean; on(event: 'drain', more: () => void): unknown }) => {
    const more = () => {
      while (response.write('x'.repeat(64 * 1024)));
    };
    response.on('drain', more);
    more();
  };
  test('looks at no body, however long', async () => {
    const endless: SinkAnswer = (response) => huge(response.writeHead(200));
    await using sink = await openHttpSink(() => endless);
    expect(await told(kind, sink)).toBeUndefined();
  });

  test('follows no redirect, wherever it leads', async () => {
    await using inside = await openHttpSink();
    await using sink = await openHttpSink(
      () => (response) => response.writeHead(307, { location: inside.origin }).end(),
    );
    expect(await told(kind, sink)).toMatchObject({ code: 'notice/refused' });
    expect(inside.requests).toEqual([]);
  });

  test.each([
    [500, 'notice/unavailable'],
    [503, 'notice/unavailable'],
    [429, 'notice/unavailable'],
    [400, 'notice/refused'],
    [403, 'notice/refused'],
    [404, 'notice/refused'],
  ])('takes %d as %s, and says nothing of the address but its host', async (status, code) => {
    await using sink = await openHttpSink(() => status);
    const error = await told(kind, sink);
    expect(error).toMatchObject({ code });
    expect(error?.retry !== undefined).toBe(code === 'notice/unavailable');
    for (const secret of ['secret', 'token', 'nights-of', '5f2b', 'services', 'nightkeep'])
      expect(error?.message).not.toContain(secret);
  });

  test('waits 20 seconds for one that hangs, and no longer', async () => {
    const clock = manualClock(at.toISOString());
    const asked = new EventTarget();
    await using sink = await openHttpSink(() => () => void asked.dispatchEvent(new Event('asked')));
    const waiting = once(asked, 'asked');
    const telling = told(kind, sink, clock);
    await waiting;
    await clock.advance(20_000);
    expect(await telling).toMatchObject({ code: 'notice/unavailable' });
  });

  test('is unavailable where nobody listens', async () => {
    const sink = await openHttpSink();
    await sink[Symbol.asyncDispose]();
    expect(await told(kind, sink)).toMatchObject({
      code: 'notice/unavailable',
      message: expect.stringContaining('does not answer (ECONNREFUSED).'),
    });
  });
});

test('Apprise that has nobody to tell has not told anybody', async () => {
  await using sink = await openHttpSink(() => 204);
  expect(await told('apprise', sink)).toMatchObject({ code: 'notice/refused' });
});

test('heartbeats have no word for messages, and Uptime Kuma none for a beginning', async () => {
  await using sink = await openHttpSink();
  const clock = manualClock(at.toISOString());
  for (const kind of ['healthchecks', 'kuma'] as const) await tell(clock, addressOf(kind, sink.origin), message);
  await tell(clock, addressOf('kuma', sink.origin), night('start'));
  expect(sink.requests).toEqual([]);
});

test.each(['', 'https://x', 'pager+https://x', 'ntfy+ftp://x', 'ntfy+https://', 'ntfy +https://x'])(
  '%j is no address of a channel',
  (text) => expect(parseChannel(text)).toBeUndefined(),
);

test('the name of a channel tells two addresses apart, and gives neither away', () => {
  const [one, two] = ['https://ntfy.sh/one', 'https://ntfy.sh/two'].map((url) => addressOf('ntfy', url).id);
  expect(one).toMatch(/^ntfy:[0-9a-f]{8}$/);
  expect(one).not.toBe(two);
});
