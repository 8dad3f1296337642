import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
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
    explain: expect.any(Function),
  });
  expect(answer.kind === 'answered' && (await answer.validate())).toBeUndefined();
});

test.each([
  ['an empty refresh token', { refresh_token: '' }, { expiresIn: 300 }],
  ['null for a refresh token', { refresh_token: null }, { expiresIn: 300 }],
  ['no refresh token', { refresh_token: undefined }, { expiresIn: 300 }],
  ['a life as a string', { expires_in: '299' }, { refreshToken: 'r2', expiresIn: 299 }],
  ['a life below nothing', { expires_in: -1 }, { refreshToken: 'r2' }],
  ['a life of nothing', { expires_in: 0 }, { refreshToken: 'r2' }],
  ['a life of thousands of years', { expires_in: 1e14 }, { refreshToken: 'r2', expiresIn: 86_400 }],
  ['a life that is no number', { expires_in: 'soon' }, { refreshToken: 'r2' }],
  ['an empty list of scopes', { scope: [] }, { refreshToken: 'r2', expiresIn: 300 }],
  ['a list of scopes', { scope: ['openid', 'files'] }, { refreshToken: 'r2', expiresIn: 300, scope: 'openid files' }],
  ['null for an ID token and a scope', { id_token: null, scope: null }, { refreshToken: 'r2', expiresIn: 300 }],
  ['a blank refresh token', { refresh_token: ' \n' }, { expiresIn: 300 }],
  ['a list for a refresh token', { refresh_token: ['r2'] }, { expiresIn: 300 }],
  ['false for a refresh token', { refresh_token: false }, { expiresIn: 300 }],
  ['a whole number for a refresh token', { refresh_token: 12345 }, { refreshToken: '12345', expiresIn: 300 }],
  ['a number that JSON cannot carry', { refresh_token: 2 ** 53 }, { expiresIn: 300 }],
  ['an object for a scope', { scope: {} }, { refreshToken: 'r2', expiresIn: 300 }],
  ['a number for an ID token', { id_token: 7 }, { refreshToken: 'r2', expiresIn: 300 }],
])('%s is read for what it means', async (_, body, found) => {
  json(200, { ...tokens, ...body });
  const answer = await issuer.exchange('r1');
  expect(answer).toEqual({
    kind: 'answered',
    status: 200,
    tokens: { accessToken: 'a', ...found },
    validate: expect.any(Function),
    explain: expect.any(Function),
  });
  expect(answer.kind === 'answered' && (await answer.validate())).toBeUndefined();
});

const encoded: [string, (text: string) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['BR', brotliCompressSync],
];
test.each(encoded)(
  'an answer that a proxy encodes with %s, though nobody asked for it, is decoded',
  async (name, encode) => {
    answer = (response) => {
      response.writeHead(200, { 'content-encoding': name }).end(encode(JSON.stringify(tokens)));
    };
    const answered = await issuer.exchange('r1');
    expect(answered).toMatchObject({ kind: 'answered', tokens: { refreshToken: 'r2' } });
    expect(answered.kind === 'answered' && (await answered.validate())).toBeUndefined();
    answer = (response) => {
      response.writeHead(400, { 'content-encoding': name }).end(encode('{"error":"invalid_grant"}'));
    };
    expect(judgeAnswer(await issuer.exchange('r1'))).toBe('person');
    answer = (response) => {
      response.writeHead(200, { 'content-encoding': name }).end(encode(JSON.stringify(tokens)).subarray(0, -12));
    };
    expect(judgeAnswer(await issuer.exchange('r1'))).toBe('ambiguous');
  },
);

test.each([201, 202, 206])('tokens that come with status %i are tokens', async (status) => {
  json(status, tokens);
  const answer = await issuer.exchange('r1');
  expect(answer).toMatchObject({ kind: 'answered', tokens: { accessToken: 'a', refreshToken: 'r2' } });
  expect(answer.kind === 'answered' && (await answer.validate())).toBeUndefined();
});

test.each([undefined, null, '', {}, false])(
  'the new refresh token is kept though the access token is missing: %j',
  async (access_token) => {
    json(200, { ...tokens, access_token });
    const answer = await issuer.exchange('r1');
    if (answer.kind !== 'answered') throw new Error('No tokens came.');
    expect(answer.tokens.refreshToken).toBe('r2');
    expect(judgeAnswer(answer, await answer.validate())).toBe('unsound');
    expect(await answer.explain?.()).toMatch(/^The provider answered without an access token\. The operator must/);
  },
);

test('a refresh token beside an error is not a new one', async () => {
  json(200, { error: 'invalid_grant', refresh_token: 'r1' });
  expect(judgeAnswer(await issuer.exchange('r1'))).toBe('person');
});

test.each([
  [400, 'INVALID_GRANT', 'person'],
  [403, 'Invalid_Grant', 'person'],
  [401, 'INVALID_CLIENT', 'operator'],
  [400, 'SERVER_ERROR', 'ambiguous'],
] as const)('an error is the same in other letters: %i %s', async (status, error, verdict) => {
  json(status, { error });
  const answer = await issuer.exchange('r1');
  expect(answer).toMatchObject({ errorCode: error.toLowerCase() });
  expect(judgeAnswer(answer)).toBe(verdict);
});

test('a second secret is tried where the first is refused with status 200', async () => {
  json(200, { error: 'invalid_client' });
  await issuer.exchange('r1');
  expect(asked).toHaveLength(2);
});

test('what tells refusals of one kind apart is read, within limits', async () => {
  json(400, { error: 'invalid_grant', error_codes: [50076, 'x'.repeat(99)], suberror: 'basic_action' });
  expect(await issuer.exchange('r1')).toMatchObject({ subcodes: ['50076', 'basic_action'] });
  json(400, { error: 'invalid_grant', error_subtype: 'invalid_rapt', error_description: 'd'.repeat(5_000) });
  const refused = await issuer.exchange('r1');
  expect(refused).toMatchObject({ kind: 'refused', subcodes: ['invalid_rapt'] });
  expect(refused.kind === 'refused' && refused.description?.length).toBe(1_000);
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
  ['an odd kind of token', { ...tokens, token_type: 7 }],
  ['an ID token that is none', { ...tokens, id_token: 'x.y.z' }],
])('the new token is kept though the library refuses %s', async (_, body) => {
  json(200, body);
  const answer = await issuer.exchange('r1');
  expect(answer).toMatchObject({ kind: 'answered', tokens: { refreshToken: 'r2' } });
  const fault = answer.kind === 'answered' ? await answer.validate() : undefined;
  expect(fault).toMatch(/^OAUTH_/);
  expect(judgeAnswer(answer, fault)).toBe('unsound');
});

test.each([
  ['of a kind that is not known', { token_type: 'N_A' }, 'is of the kind N_A'],
  ['of two kinds at once', { token_type: 'Bearer,DPoP' }, 'is of the kind BearerDPoP'],
  ['of another kind', { token_type: 'mac' }, 'is of the kind mac'],
  ['without a kind', { token_type: undefined }, 'has no kind'],
  ['of an empty kind', { token_type: ' ' }, 'has no kind'],
  ['of a kind that is no word', { token_type: 7 }, 'has no kind'],
])(
  'an access token %s is told of in plain words, with who mends it, and the new refresh token is kept',
  async (_, odd, words) => {
    json(200, { ...tokens, ...odd });
    const answer = await issuer.exchange('r1');
    if (answer.kind !== 'answered') throw new Error('No tokens came.');
    expect(answer.tokens.refreshToken).toBe('r2');
    expect(judgeAnswer(answer, await answer.validate())).toBe('unsound');
    const told = await answer.explain?.();
    expect(told?.toLowerCase()).toContain(words.toLowerCase());
    expect(told).toContain('The operator must have the provider');
  },
);

test.each(['bearer ', ' Bearer', 'BEARER', 'bearer'])('a kind written %j is the usual one', async (token_type) => {
  json(200, { ...tokens, token_type });
  const answer = await issuer.exchange('r1');
  if (answer.kind !== 'answered') throw new Error('No tokens came.');
  expect(await answer.validate()).toBeUndefined();
});

test.each([
  ['a line break', 'secret\r\nx-evil: 1'],
  ['a line break at its end', 'secret\n'],
  ['NUL', 'secret\0'],
  ['a letter outside of ASCII', 'secretä'],
  ['a picture', 'secret🔑'],
  ['a space in front', ' secret'],
  ['nothing else than a space', ' '],
])('the new token is kept though no request can carry the access token: %s', async (_, access_token) => {
  json(200, { ...tokens, access_token });
  const answer = await issuer.exchange('r1');
  if (answer.kind !== 'answered') throw new Error('No tokens came.');
  expect(answer.tokens.refreshToken).toBe('r2');
  const fault = await answer.validate();
  expect(fault).toBe('access-token-not-presentable');
  expect(judgeAnswer(answer, fault)).toBe('unsound');
  expect(await answer.explain?.()).toMatch(/that no request can carry\. The operator must look at the provider/);
  expect(await answer.explain?.()).not.toContain('secret');
});

test.each(['a.b-c_d~e+f/g==', 'with a space', '!'])(
  'an access token that a request can carry is used: %s',
  async (token) => {
    json(200, { ...tokens, access_token: token });
    const answer = await issuer.exchange('r1');
    if (answer.kind !== 'answered') throw new Error('No tokens came.');
    expect(await answer.validate()).toBeUndefined();
  },
);

test('an objection to a date says by how much, and nothing else of the token', async () => {
  await using provider = await startEndpoint();
  const issuer = provider.issuer({ secrets: ['one'] });
  const seconds = Math.floor(Date.now() / 1000);
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = { iss: provider.origin, aud: 'me', sub: 'alice', iat: seconds - 4_000, exp: seconds - 700 };
  const idToken = `${encoded({ alg: 'RS256' })}.${encoded(claims)}.${encoded({})}`;
  provider.answer = () => ({ status: 200, body: { ...tokens, id_token: idToken } });
  const answer = await issuer.exchange('r1');
  if (answer.kind !== 'answered') throw new Error('No tokens came.');
  expect(await answer.validate()).toBe('OAUTH_JWT_TIMESTAMP_CHECK_FAILED');
  expect(await answer.explain?.()).toMatch(
    /^The clocks of the provider and of this machine differ by 400\d seconds: this machine is ahead/,
  );
});

test.each<[string, object, object, RegExp]>([
  [
    'another issuer',
    {},
    { iss: 'https://moved.example/realms/a' },
    /from the issuer https:\/\/moved\.example\/realms\/a\. The operator/,
  ],
  [
    'another client',
    {},
    { aud: ['files', 'portal'] },
    /for another client than Nightkeep: files, portal\. The operator/,
  ],
  [
    'several clients',
    {},
    { aud: ['me', 'portal'] },
    /for others besides Nightkeep \(aud: me, portal\), and does not say .*\(azp\)/,
  ],
  [
    'another one that asked',
    {},
    { aud: ['me', 'portal'], azp: 'portal' },
    /requested by a client other than Nightkeep \(azp\): portal\./,
  ],
  [
    'the client secret',
    { alg: 'HS256' },
    {},
    /signs its ID tokens with HS256.*The operator must give the client a signing key/,
  ],
  ['no time', {}, { iat: undefined }, /has no iat\. The operator must/],
  ['a numbered person', {}, { sub: 5 }, /has sub in another form .*The operator must/],
  ['a sign-in at a time in words', {}, { auth_time: 'today' }, /has auth_time in another form .*The operator must/],
])(
  'an ID token of %s at a refresh keeps the new token, and the operator is told what is wrong',
  async (...[, header, changes, words]) => {
    await using provider = await startEndpoint();
    const seconds = Math.floor(Date.now() / 1000);
    const claims = { iss: provider.origin, aud: 'me', sub: 'alice', iat: seconds, exp: seconds + 300, ...changes };
    const parts = [{ alg: 'RS256', ...header }, claims, {}];
    const idToken = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    provider.answer = () => ({ status: 200, body: { ...tokens, id_token: idToken } });
    const answer = await provider.issuer({ secrets: ['one'] }).exchange('r1');
    if (answer.kind !== 'answered') throw new Error('No tokens came.');
    expect(answer.tokens.refreshToken).toBe('r2');
    expect(judgeAnswer(answer, await answer.validate())).toBe('unsound');
    expect(await answer.explain?.()).toMatch(words);
  },
);

test.each([
  [['public'], 'of the access token'],
  [['public', 'pairwise'], undefined],
  [undefined, 'of the access token'],
])(
  'the subject of an access token says who it is of only where subjects are not pairwise: %j',
  async (types, subject) => {
    await using provider = await startEndpoint({ subject_types_supported: types });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const access_token = `${part({ alg: 'RS256' })}.${part({ sub: 'of the access token' })}.x`;
    const issuer = provider.issuer({ secrets: ['one'] });
    provider.answer = () => ({ status: 200, body: { ...tokens, access_token } });
    const told = await issuer.exchange('r1');
    expect(told.kind === 'answered' && told.tokens.subject).toBe(subject);
    const id_token = `${part({ alg: 'RS256' })}.${part({ sub: 'of the ID token' })}.x`;
    provider.answer = () => ({ status: 200, body: { ...tokens, access_token, id_token } });
    const both = await issuer.exchange('r1');
    expect(both.kind === 'answered' && both.tokens.subject).toBe('of the ID token');
  },
);

test('half an answer, a page of a proxy and a cut connection are ambiguous, and nothing is sent twice', async () => {
  json(200, '{"access_token":"a","refr');
  expect(judgeAnswer(await issuer.exchange('r1'))).toBe('ambiguous');
  json(502, '<html>', { 'content-type': 'text/html' });
  expect(judgeAnswer(await issuer.exchange('r1'))).toBe('ambiguous');
  answer = (response) => response.destroy();
  expect(judgeAnswer(await issuer.exchange('r1'))).toBe('ambiguous');
  expect(asked).toHaveLength(3);
});

test('a refusal in the words of OAuth is one with status 200 too', async () => {
  json(200, { error: 'invalid_grant', error_description: 'Stale token' });
  const answer = await issuer.exchange('r1');
  expect(answer).toMatchObject({ kind: 'refused', status: 200, errorCode: 'invalid_grant', hint: 'signed_out' });
  expect(judgeAnswer(answer)).toBe('person');
});

test('a time to wait is read', async () => {
  json(503, {}, { 'retry-after': '7' });
  expect(await issuer.exchange('r1')).toMatchObject({ kind: 'refused', status: 503, retryAfterMs: 7000 });
  expect(asked).toHaveLength(1);
});
