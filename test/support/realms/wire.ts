import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import type { HeldAnswer } from './realm.ts';

/** The way from Nightkeep to a provider, on an address of its own. */
export interface Wire extends AsyncDisposable {
  readonly origin: string;
  /** Holds the answer to the next exchange of an offline token. */
  holdNextAnswer(): HeldAnswer;
}

/** Passes everything on to the server at `target`, which takes the wire's address for its own. */
export async function openWire(target: () => URL): Promise<Wire> {
  let holding: { given: () => void; released: Promise<void> } | undefined;
  const server = await listenOnLoopback(0);
  server.serve(async (asked, answer) => {
    const body = await buffer(asked);
    const held = isExchange(asked, body) ? holding : undefined;
    if (held) holding = undefined;
    const given = await pass(target(), asked, body).catch(() => undefined);
    if (given === undefined) return void answer.destroy();
    held?.given();
    await held?.released;
    deliver(given, answer);
  });
  return {
    origin: server.origin,
    holdNextAnswer: () => {
      const given = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      holding = { given: given.resolve, released: released.promise };
      return { given: given.promise, release: released.resolve };
    },
    [Symbol.asyncDispose]: server.down,
  };
}

function isExchange({ method, url = '' }: IncomingMessage, body: Buffer): boolean {
  return method === 'POST' && url.endsWith('/token') && body.includes('grant_type=refresh_token');
}

interface Given {
  readonly from: IncomingMessage;
  readonly body: Buffer;
}

/** The Host header stays what it was: by it Keycloak knows its own address. */
async function pass(target: URL, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Given> {
  const sent = request({ host: target.hostname, port: target.port, method, path: url, headers });
  sent.end(body);
  const [from]: IncomingMessage[] = await once(sent, 'response');
  if (from === undefined) throw new Error('There is no answer.');
  return { from, body: await buffer(from) };
}

function deliver({ from, body }: Given, answer: ServerResponse): void {
  const { 'transfer-encoding': _, ...headers } = from.headers;
  answer.writeHead(from.statusCode ?? 502, { ...headers, 'content-length': body.length }).end(body);
}
