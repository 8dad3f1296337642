import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOnLoopback, type OtherAddress } from '../../../demo/loopback-server.ts';

/** One request on its way. */
export interface RelayedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** The address that it came from. */
  readonly from: string;
}

/**
 * What is done with a request: `pass` it on; answer with an error instead (`refuse`); pass it on and break the connection before the
 * answer (`lose`) or in the middle of it (`cut`); or leave it without an answer (`stall`).
 */
export type Fate = 'pass' | 'lose' | 'cut' | 'stall' | { readonly refuse: number; readonly code?: string };

export interface HttpRelay extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly origin: string;
  /** Every request that came, in order. */
  readonly requests: RelayedRequest[];
  /** Decides from now on what becomes of requests; all pass at first. */
  decide(fate: (request: RelayedRequest) => Fate): void;
}

/** A way to a server that keeps repositories, on which things go wrong as they do between machines; every answer takes `latencyMs` longer. */
export async function openHttpRelay(upstream: string, latencyMs = 0, at?: OtherAddress): Promise<HttpRelay> {
  const listener = await listenOnLoopback(0, at);
  const requests: RelayedRequest[] = [];
  let fateOf: (request: RelayedRequest) => Fate = () => 'pass';
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '' } = incoming;
    const body = await buffer(incoming);
    const asked = { method, path, from: incoming.socket.remoteAddress ?? '' };
    requests.push(asked);
    const fate = fateOf(asked);
    if (fate === 'stall') return;
    if (typeof fate === 'object') {
      const { refuse, code } = fate;
      response.writeHead(refuse).end(code === undefined ? '' : `<Error><Code>${code}</Code></Error>`);
      return;
    }
    if (latencyMs > 0) await sleep(latencyMs);
    const answer = await passOn(new URL(path, upstream), incoming, body);
    if (fate === 'lose') response.destroy();
    else if (fate === 'cut') cut(response, answer);
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  listener.serve((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  return {
    origin: listener.origin,
    requests,
    decide: (fate) => {
      fateOf = fate;
    },
    [Symbol.asyncDispose]: () => listener.down(),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer;
}

/** The headers stay as they are, the host among them: they are signed. */
function passOn(url: URL, { method, rawHeaders }: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: method ?? 'GET', headers: rawHeaders, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      buffer(answer).then(
        (whole) => resolve({ status: answer.statusCode ?? 502, headers: answer.rawHeaders, body: whole }),
        reject,
      );
    });
    outgoing.end(body);
  });
}

function cut(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers);
  response.write(body.subarray(0, body.length / 2), () => response.destroy());
}
