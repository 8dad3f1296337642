import type { IncomingHttpHeaders } from 'node:http';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { type Issuer, openIssuer } from '../../../src/oidc/issuer.ts';

/** A request that reached the provider. */
export interface Heard {
  path: string;
  headers: IncomingHttpHeaders;
  form: URLSearchParams;
}

/** What it answers; nothing cuts the connection. */
export type Reply = { status: number; body?: object; headers?: Record<string, string> } | undefined;

export interface Endpoint extends AsyncDisposable {
  readonly origin: string;
  /** All that was asked of it but discovery, oldest first. */
  readonly heard: Heard[];
  answer: (heard: Heard) => Reply;
  /** Refuses connections from now on; what is answered just now still is. */
  stopListening(): void;
  issuer(provider: Partial<Parameters<typeof openIssuer>[0]['provider']>): Issuer;
}

/** A hand-made provider that hears everything and answers what the test says. */
export async function startEndpoint(metadata: Record<string, unknown> = {}): Promise<Endpoint> {
  const heard: Heard[] = [];
  const server = await listenOnLoopback(0);
  const { origin } = server;
  const discovered = {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/revoke`,
    pushed_authorization_request_endpoint: `${origin}/par`,
    jwks_uri: `${origin}/keys`,
  };
  server.serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = request.url ?? '';
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    if (path.startsWith('/.well-known/')) return send(200, { ...discovered, ...metadata });
    const one = { path, headers: request.headers, form: new URLSearchParams(Buffer.concat(chunks).toString()) };
    heard.push(one);
    const reply = endpoint.answer(one);
    if (reply === undefined) return response.destroy();
    send(reply.status, reply.body ?? {}, reply.headers);
  });
  const endpoint: Endpoint = {
    origin,
    heard,
    answer: () => ({ status: 500 }),
    stopListening: server.stopListening,
    issuer: (provider) =>
      openIssuer({
        provider: {
          issuer: new URL(origin),
          clientId: 'me',
          authentication: 'client_secret_basic',
          secrets: [],
          ...provider,
        },
        publicUrl: new URL('http://localhost:3000'),
        clock: systemClock(),
        log: silentLog,
      }),
    [Symbol.asyncDispose]: server.down,
  };
  return endpoint;
}

export const tokens = { access_token: 'a', refresh_token: 'r2', token_type: 'Bearer', expires_in: 300 };
