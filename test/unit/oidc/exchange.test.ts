import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../../../demo/loopback-server.ts';
import { systemClock } from '../../../src/clock.ts';
import { judgeAnswer } from '../../../src/domain/verdict.ts';
import { silentLog } from '../../../src/log.ts';
import { type Issuer, openIssuer } from '../../../src/oidc/issuer.ts';
import { startEndpoint } from './endpoint.ts';

let answer: (response: ServerResponse) => void;
let asked: string[];
let issuer: Issuer;
let server: LoopbackServer;

beforeEach(async () => {
  asked = [];
  server = await listenOnLoopback(0);
  const { origin } = server;
  server.serve((request, response) => {
    if (request.url === '/token') {
      asked.push(request.headers.authorization ?? '');
      request.resume().on('end', () => answer(response));
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ issuer: origin, token_endpoint: `${origin}/token`, jwks_uri: `${origin}/jwks` }));
  });
  issuer = openIssuer({
    provider: {
      issuer: new URL(origin),
      clientId: 'me',
      authentication: 'client_secret_basic',
      secrets: ['one', 'two'],
    },
    publicUrl: new URL('http://localhost:3000'),
    clock: systemClock(),
    log: silentLog,
  });
});

afterEach(() => server.down());

const json = (status: number, body: object | string, headers: Record<string, string> = {}) => {
  answer = (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
};
const tokens = { access_token: 'a', refresh_token: 'r2', token_type: 'Bearer', expires_in: 300 };

test('an answer is read whole', async () => {
  json(200, tokens);
  const answer = await issuer.exchange('r1');
  expect(answer).toEqual({
    kind: 'answered',
    status: 200,
    tokens: { accessToken: 'a', refreshToken: 'r2', expiresIn: 300 },
    validate: expect.any(Function),
  });
  expect(answer.kind === 'answered' && (await answer.validate())).toBeUndefined();
});

test('exchanges at once each get the answer to their own request', async () => {
  await using provider = await startEndpoint();
  const issuer = provider.issuer({ secrets: ['one'] });
  const next = (token: string | null) => `after ${token}`;
  provider.answer = ({ form }) => ({
    status: 200,
    body: { ...tokens, refresh_token: next(form.get('refresh_token')) },
  });
  const sent = Array.from({ length: 20 }, (_, n) => `token ${n}`);
  const answers = await Promise.all(sent.map((token) => issuer.exchange(token)));
  expect(answers.map((one) => one.kind === 'answered' && one.tokens.refreshToken)).toEqual(sent.map(next));
});

test.each([
  ['a negative life', { ...tokens, expires_in: -1 }],
  ['an odd kind of token', { ...tokens, token_type: 7 }],
  ['an ID token that is none', { ...tokens, id_token: 'x.y.z' }],
])('the new token is kept though the library refuses %s', async (_, body) => {
  json(200, body);
  const answer = await issuer.exchange('r1');
  expect(answer).toMatchObject({ kind: 'answered', tokens: { refreshToken: 'r2' } });
  const fault = answer.kind === 'answered' ? await answer.validate() : undefined;
  expect(fault).toMatch(/^OAUTH_/);
  expect(judgeAnswer(answer, fault)).toBe('ambiguous');
});

test('half an answer, a page of a proxy and a cut connection are ambiguous, and nothing is sent twice', async () => {
  json(200, '{"access_token":"a","refr');
  expect(judgeAnswer(await issuer.exchange('r1'))).toBe('ambiguous');
  json(502, '<html>', { 'content-type': 'text/html' });
  expect(judgeAnswer(await issuer.exchange('r1'))).toBe('ambiguous');
  answer = (response) => response.destroy();
  expect(judgeAnswer(await issuer.exchange('r1'))).toBe('ambiguous');
  expect(asked).toHaveLength(3);
});

test('a time to wait is read', async () => {
  json(503, {}, { 'retry-after': '7' });
  expect(await issuer.exchange('r1')).toMatchObject({ kind: 'refused', status: 503, retryAfterMs: 7000 });
  expect(asked).toHaveLength(1);
});
