import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../../../demo/loopback-server.ts';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { type Issuer, openIssuer } from '../../../src/oidc/issuer.ts';
import { openProviderHosts } from '../../../src/oidc/provider-hosts.ts';
import { ask, getThrough } from '../../../src/oidc/question.ts';

const most = 16 * 1024;
const endpoints = ['discovery', 'par', 'token', 'jwks', 'introspect'] as const;
type EndpointName = (typeof endpoints)[number];
type Manner = (body: string, response: ServerResponse) => void;

let server: LoopbackServer;
/** How one endpoint answers; the others answer as they should. */
let odd: { endpoint: EndpointName; manner: Manner } | undefined;
beforeAll(async () => {
  server = await listenOnLoopback(0);
  const { origin } = server;
  const bodies: Record<EndpointName, object> = {
    discovery: {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      pushed_authorization_request_endpoint: `${origin}/par`,
      token_endpoint: `${origin}/token`,
      introspection_endpoint: `${origin}/introspect`,
      jwks_uri: `${origin}/jwks`,
    },
    par: { request_uri: 'urn:request', expires_in: 60 },
    token: { access_token: 'a', refresh_token: 'r2', token_type: 'Bearer', expires_in: 300 },
    jwks: { keys: [] },
    introspect: { active: true },
  };
  server.serve((request, response) => {
    const path = (request.url ?? '').slice(1);
    const name = endpoints.find((one) => one === path) ?? 'discovery';
    const body = JSON.stringify(bodies[name]);
    response.statusCode = name === 'par' ? 201 : 200;
    response.setHeader('content-type', 'application/json');
    if (odd?.endpoint === name) odd.manner(body, response);
    else response.end(body);
  });
});
afterAll(() => server.down());

const open = (answerBytes = most): Issuer =>
  openIssuer({
    provider: {
      issuer: new URL(server.origin),
      clientId: 'me',
      authentication: 'client_secret_post',
      secrets: ['s'],
      answerBytes,
    },
    publicUrl: new URL('http://localhost'),
    clock: systemClock(),
    log: silentLog,
  });

/** What comes of asking that endpoint; undefined where all went well. */
const faultOf: Record<EndpointName, (issuer: Issuer) => Promise<unknown>> = {
  discovery: (issuer) => issuer.beginAuthorization(signIn).then(nothing, (error: unknown) => error),
  par: (issuer) => issuer.beginAuthorization(signIn).then(nothing, (error: unknown) => error),
  token: async (issuer) => {
    const answer = await issuer.exchange('r1');
    return answer.kind === 'answered' ? answer.validate() : answer;
  },
  jwks: (issuer) => issuer.readLogoutToken(unsigned).then(nothing, (error: unknown) => error),
  introspect: async (issuer) => ((await issuer.introspect('r1')) === undefined ? 'not told' : undefined),
};
const signIn = { purpose: 'sign-in', scope: 'openid', returnTo: '/' } as const;
const nothing = () => undefined;
const unsigned = `${Buffer.from('{"alg":"RS256","kid":"1"}').toString('base64url')}.e30.AAAA`;

const padded = (body: string, bytes: number) => body.replace(/}$/, `${' '.repeat(bytes - body.length)}}`);
const plain =
  (bytes: number): Manner =>
  (body, response) =>
    void response.end(padded(body, bytes));
const zipped =
  (bytes: number): Manner =>
  (body, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync(padded(body, bytes)));
  };

describe('an answer of the provider', () => {
  test.each([
    ['discovery', { code: 'provider/wrong-answer', message: /PROVIDER_ANSWER_BYTES/ }],
    ['par', { code: 'provider/wrong-answer', message: /PROVIDER_ANSWER_BYTES/ }],
    ['token', { kind: 'lost', errorCode: 'answer-too-large', status: 200 }],
    ['jwks', { code: 'provider/unavailable' }],
    ['introspect', 'not told'],
  ] as const)('may be as long as the limit and no longer: %s', async (endpoint, fault) => {
    odd = undefined;
    const usual = await faultOf[endpoint](open());
    const kinds = endpoint === 'token' ? [plain] : [plain, zipped];
    for (const manner of kinds) {
      odd = { endpoint, manner: manner(most) };
      expect(await faultOf[endpoint](open())).toEqual(usual);
      odd = { endpoint, manner: manner(most + 1) };
      const found = await faultOf[endpoint](open());
      if (typeof fault === 'string') expect(found).toBe(fault);
      else
        expect(found).toMatchObject({
          ...fault,
          ...('message' in fault && { message: expect.stringMatching(fault.message) }),
        });
    }
  });

  const membersMore = (count: number) => Array.from({ length: count }, (_, index) => `,"k${index}":0`).join('');
  const itemsMore = (count: number) => `,"x":[${'[],'.repeat(count / 2)}0]`;
  test.each([
    ['discovery', { code: 'provider/wrong-answer', message: /more members or items/ }],
    ['token', { kind: 'lost', errorCode: 'answer-too-manifold', status: 200 }],
    ['jwks', { code: 'provider/unavailable' }],
    ['introspect', 'not told'],
  ] as const)('may have as many members and items as hold nobody up, and no more: %s', async (endpoint, fault) => {
    odd = undefined;
    const usual = await faultOf[endpoint](open(1024 * 1024));
    const more =
      (text: string): Manner =>
      (body, response) =>
        void response.end(body.replace(/}$/, `${text}}`));
    for (const [within, beyond] of [
      [membersMore(2_900), membersMore(3_001)],
      [itemsMore(49_000), itemsMore(50_002)],
    ] as const) {
      odd = { endpoint, manner: more(within) };
      expect(await faultOf[endpoint](open(1024 * 1024))).toEqual(usual);
      odd = { endpoint, manner: more(beyond) };
      const found = await faultOf[endpoint](open(1024 * 1024));
      if (typeof fault === 'string') expect(found).toBe(fault);
      else
        expect(found).toMatchObject({
          ...fault,
          ...('message' in fault && { message: expect.stringMatching(fault.message) }),
        });
    }
  });

  test.each(['plain', 'gzip'])('that never ends is left as soon as it is too long: %s', async (form) => {
    let sent = 0;
    let isOver = Promise.withResolvers<void>();
    const endless: Manner = (_, response) => {
      const chunk = form === 'gzip' ? gzipSync(Buffer.alloc(1024 * 1024)) : Buffer.alloc(64 * 1024, ' ');
      if (form === 'gzip') response.setHeader('content-encoding', 'gzip');
      response.on('close', () => isOver.resolve());
      const send = () => {
        while (!response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', send);
        }
      };
      send();
    };
    for (const endpoint of ['discovery', 'jwks'] as const) {
      sent = 0;
      isOver = Promise.withResolvers<void>();
      odd = { endpoint, manner: endless };
      expect(await faultOf[endpoint](open())).toMatchObject({ code: expect.stringMatching(/^provider\//) });
      await isOver.promise;
      expect(sent).toBeLessThan(16 * 1024 * 1024);
    }
    odd = { endpoint: 'discovery', manner: endless };
    isOver = Promise.withResolvers<void>();
    const url = new URL(`${server.origin}/.well-known/openid-configuration`);
    const reply = await ask(systemClock(), url, getThrough(openProviderHosts(url)));
    expect(reply).toMatchObject({ failure: 'answer-too-large' });
    await isOver.promise;
  });
});
