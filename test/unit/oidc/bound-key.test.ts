import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeAnswer } from '../../../src/domain/verdict.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { openProofCheck } from '../../support/fixtures/proof-check.ts';
import { type Endpoint, type Heard, type Reply, startEndpoint, tokens } from './endpoint.ts';

const bound = { ...tokens, token_type: 'DPoP' };
const announced = { dpop_signing_alg_values_supported: ['ES256'] };
const isPublic = { authentication: 'none' as const };

let provider: Endpoint;
beforeEach(async () => {
  provider = await startEndpoint(announced);
});
afterEach(() => provider[Symbol.asyncDispose]());

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
/** The tokens of a code grant; the ID token answers the nonce of the request. */
const answering = (body: object, nonce: string) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: provider.origin, sub: 'alice', aud: 'me', iat: now, exp: now + 300, nonce };
  return { status: 200, body: { ...body, id_token: `${encode({ alg: 'RS256' })}.${encode(claims)}.c2ln` } };
};

/** Walks both legs of a consent; `answer` is that of the code grant. */
async function consent(settings: Parameters<Endpoint['issuer']>[0], body: object) {
  const issuer = provider.issuer(settings);
  provider.answer = () => ({ status: 201, body: { request_uri: 'urn:x', expires_in: 60 } });
  const request = { purpose: 'consent', scope: 'openid offline_access', returnTo: '/' };
  const { transaction } = await issuer.beginAuthorization(request);
  provider.answer = ({ path }): Reply => (path === '/token' ? answering(body, transaction.nonce) : { status: 200 });
  const callback = new URL(`http://localhost:3000/callback?code=c&state=${transaction.state}`);
  const authorized = await issuer.finishAuthorization(callback, transaction);
  return { issuer, authorized };
}

const proofs = () => provider.heard.filter(({ path }) => path === '/token').map(({ headers }) => headers.dpop);
const proofOf = openProofCheck();
const check = ({ headers, path }: Heard) => proofOf(headers.dpop, { method: 'POST', url: provider.origin + path });

describe('whether tokens are bound', () => {
  test.each([
    ['a public client', isPublic, true],
    ['a public client that does not want it', { ...isPublic, dpop: 'off' as const }, false],
    ['a confidential client', { secrets: ['s'] }, false],
    ['a confidential client that must', { secrets: ['s'], dpop: 'required' as const }, true],
  ])('%s', async (_, settings, is) => {
    const { authorized } = await consent(settings, is ? bound : tokens);
    expect(proofs().map((proof) => proof !== undefined)).toEqual([is]);
    expect(authorized.boundKey !== undefined).toBe(is);
  });

  test('a provider that takes no proofs gives a public client tokens without, or none where they must be bound', async () => {
    await provider[Symbol.asyncDispose]();
    provider = await startEndpoint();
    const { authorized } = await consent(isPublic, tokens);
    expect([authorized.boundKey, ...proofs()]).toEqual([undefined, undefined]);
    expect(await outcomeOf(consent({ ...isPublic, dpop: 'required' }, tokens))).toBe('provider/refused-client');
    expect(provider.heard.filter(({ path }) => path === '/par')).toHaveLength(1);
  });

  test('tokens that must be bound and are not are ended at the provider, and the consent is refused', async () => {
    const required = { ...isPublic, dpop: 'required' as const };
    expect(await outcomeOf(consent(required, tokens))).toBe('provider/refused-client');
    expect(provider.heard.at(-1)).toMatchObject({ path: '/revoke' });
    expect(provider.heard.at(-1)?.form.get('token')).toBe('r2');
    const refreshToken = `${encode({ alg: 'HS512' })}.${encode({ cnf: { jkt: 'x' } })}.c2ln`;
    expect(await outcomeOf(consent(required, { ...tokens, refresh_token: refreshToken }))).toBe('went well');
  });
});

describe('the key of a grant', () => {
  test('is another one for each consent, and signs the code grant and every exchange', async () => {
    const { issuer, authorized } = await consent(isPublic, bound);
    provider.answer = () => ({ status: 200, body: bound });
    expect(await issuer.exchange('r1', authorized.boundKey)).toMatchObject({
      kind: 'answered',
      tokens: { bound: true },
    });
    expect(await provider.issuer(isPublic).exchange('r2', authorized.boundKey)).toMatchObject({
      kind: 'answered',
    });
    await consent(isPublic, bound);
    const checked = await Promise.all(provider.heard.filter(({ path }) => path === '/token').map(check));
    const [first, second, third, other] = checked.map(({ thumbprint }) => thumbprint);
    expect([second, third]).toEqual([first, first]);
    expect(other).not.toBe(first);
  });

  test('is not used where a grant has none, and an answer that says Bearer is not bound', async () => {
    provider.answer = () => ({ status: 200, body: tokens });
    const answer = await provider.issuer(isPublic).exchange('r1');
    expect(answer).toMatchObject({ kind: 'answered' });
    expect(answer.kind === 'answered' && 'bound' in answer.tokens).toBe(false);
    expect(proofs()).toEqual([undefined]);
  });
});

describe('a provider that wants its nonce in the proof', () => {
  const wanting = (reply: Reply, status = 400): ((heard: Heard) => Reply) => {
    let turn = 0;
    return () =>
      turn++ === 0
        ? {
            status,
            body: { error: 'use_dpop_nonce' },
            headers: {
              'dpop-nonce': 'n1',
              ...(status === 401 && { 'www-authenticate': 'DPoP error="use_dpop_nonce"' }),
            },
          }
        : reply;
  };
  const exchangeTwice = async () => {
    const { issuer, authorized } = await consent(isPublic, bound);
    provider.heard.length = 0;
    return {
      first: () => issuer.exchange('r1', authorized.boundKey),
      second: () => issuer.exchange('r2', authorized.boundKey),
    };
  };

  test.each([400, 401])('by %i gets it at once, and in every later exchange from the start', async (status) => {
    const { first, second } = await exchangeTwice();
    provider.answer = wanting({ status: 200, body: bound }, status);
    expect(await first()).toMatchObject({ kind: 'answered', tokens: { refreshToken: 'r2' } });
    expect(await second()).toMatchObject({ kind: 'answered' });
    const nonces = (await Promise.all(provider.heard.map(check))).map(({ nonce }) => nonce);
    expect(nonces).toEqual([undefined, 'n1', 'n1']);
    expect(provider.heard.map(({ form }) => form.get('refresh_token'))).toEqual(['r1', 'r1', 'r2']);
  });

  test('and then cuts the connection leaves an exchange ambiguous', async () => {
    const { first } = await exchangeTwice();
    provider.answer = wanting(undefined);
    const answer = await first();
    expect(answer).toMatchObject({ kind: 'lost' });
    expect(judgeAnswer(answer)).toBe('ambiguous');
    expect(provider.heard).toHaveLength(2);
  });

  test('and then refuses the token is taken at its last word', async () => {
    const { first } = await exchangeTwice();
    provider.answer = wanting({ status: 400, body: { error: 'invalid_grant' } });
    expect(await first()).toEqual({ kind: 'refused', status: 400, errorCode: 'invalid_grant' });
  });

  test('and then cannot be reached has not seen the token', async () => {
    const { first } = await exchangeTwice();
    const reply = wanting(undefined);
    provider.answer = (heard) => {
      provider.stopListening();
      const answer = reply(heard);
      return answer && { ...answer, headers: { ...answer.headers, connection: 'close' } };
    };
    expect(await first()).toEqual({ kind: 'unsent', errorCode: 'ECONNREFUSED' });
  });

  test('for ever is the operator’s trouble after two requests', async () => {
    const { first } = await exchangeTwice();
    let turn = 0;
    provider.answer = () => ({
      status: 400,
      body: { error: 'use_dpop_nonce' },
      headers: { 'dpop-nonce': `n${++turn}` },
    });
    expect(judgeAnswer(await first())).toBe('operator');
    expect(provider.heard).toHaveLength(2);
  });
});
