import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeAnswer } from '../../../src/domain/verdict.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { type Endpoint, type Heard, startEndpoint, tokens } from './endpoint.ts';

let provider: Endpoint;
beforeEach(async () => {
  provider = await startEndpoint();
});
afterEach(() => provider[Symbol.asyncDispose]());

const secretOf = ({ headers, form }: Heard) =>
  form.get('client_secret') ??
  Buffer.from((headers.authorization ?? '').slice(6), 'base64')
    .toString()
    .split(':')[1];
const secrets = () => provider.heard.map(secretOf);
const wrongSecret = { status: 401, body: { error: 'unauthorized_client' } };
/** Takes this secret and no other. */
const taking = (secret: string, body: object = tokens, status = 200) => {
  provider.answer = (heard) => (secretOf(heard) === secret ? { status, body } : wrongSecret);
};
describe('a secret in the header', () => {
  test.each([
    ['me', 's-e_c.r~e*t9', 'me:s-e_c.r~e*t9'],
    ['urn:app', 'a:b', 'urn%3Aapp:a%3Ab'],
    ['me', '100% sure+x', 'me:100%25+sure%2Bx'],
    ['me', 'é/=&?', 'me:%C3%A9%2F%3D%26%3F'],
    ['nightkeep-1', "(')!", 'nightkeep-1:%28%27%29%21'],
  ])('of %s is form-encoded, and what needs no encoding goes plain: %s', async (clientId, secret, sent) => {
    provider.answer = () => ({ status: 200, body: tokens });
    await provider.issuer({ clientId, secrets: [secret] }).exchange('r1');
    const [scheme, value = ''] = provider.heard[0]?.headers.authorization?.split(' ') ?? [];
    expect([scheme, Buffer.from(value, 'base64').toString()]).toEqual(['Basic', sent]);
    expect(decodeURIComponent(sent.replaceAll('+', ' '))).toBe(`${clientId}:${secret}`);
  });
});

describe('several secrets', () => {
  test('are tried within one exchange, each once, and the one that works is the first from then on', async () => {
    const issuer = provider.issuer({ secrets: ['one', 'two', 'three'] });
    taking('three');
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
    expect(provider.heard.map(({ form }) => form.get('refresh_token'))).toEqual(['r1', 'r1', 'r1']);
    expect(await issuer.exchange('r2')).toMatchObject({ kind: 'answered' });
    taking('two');
    expect(await issuer.exchange('r3')).toMatchObject({ kind: 'answered' });
    expect(secrets()).toEqual(['one', 'two', 'three', 'three', 'three', 'one', 'two']);
  });

  test('that are all refused are the operator’s trouble, after each was tried once', async () => {
    const issuer = provider.issuer({ secrets: ['one', 'two'] });
    taking('three');
    const answer = await issuer.exchange('r1');
    expect(answer).toEqual({ kind: 'refused', status: 401, errorCode: 'unauthorized_client' });
    expect(judgeAnswer(answer)).toBe('operator');
    expect(secrets()).toEqual(['one', 'two']);
  });

  test.each([
    ['invalid_client by 401', { status: 401, body: { error: 'invalid_client' } }, 2],
    [
      'invalid_client by 401 with a challenge',
      { ...wrongSecret, body: { error: 'invalid_client' }, headers: { 'www-authenticate': 'Basic' } },
      2,
    ],
    ['invalid_request by 401, as of a pushed request', { status: 401, body: { error: 'invalid_request' } }, 2],
    ['invalid_request by 400', { status: 400, body: { error: 'invalid_request' } }, 1],
    ['invalid_client by 400', { status: 400, body: { error: 'invalid_client' } }, 2],
    [
      'unauthorized_client by 400, which is about the grant type',
      { status: 400, body: { error: 'unauthorized_client' } },
      1,
    ],
    ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }, 1],
    ['a refusal without a word', { status: 401 }, 1],
    ['a forbidden realm', { status: 403, body: { error: 'access_denied' } }, 1],
    ['a server that is broken', { status: 500, body: { error: 'invalid_client' } }, 1],
    ['a cut connection', undefined, 1],
    ['success', { status: 200, body: tokens }, 1],
  ])('%s is answered by so many requests in all', async (_, reply, requests) => {
    provider.answer = () => reply;
    await provider.issuer({ secrets: ['one', 'two'] }).exchange('r1');
    expect(provider.heard).toHaveLength(requests);
  });

  test('whose second answer is lost make an exchange ambiguous; one that never got there does not', async () => {
    const answers = () => provider.issuer({ secrets: ['one', 'two'] }).exchange('r1');
    provider.answer = (heard) => (secretOf(heard) === 'one' ? wrongSecret : undefined);
    expect(judgeAnswer(await answers())).toBe('ambiguous');
    provider.answer = () => {
      provider.stopListening();
      return { ...wrongSecret, headers: { connection: 'close' } };
    };
    expect(await answers()).toEqual({ kind: 'unsent', errorCode: 'ECONNREFUSED' });
  });

  test('are tried at every endpoint: pushed requests, codes, revocation; posted or by header', async () => {
    taking('two', { request_uri: 'urn:x', expires_in: 60 }, 201);
    const request = { purpose: 'consent', scope: 'openid', returnTo: '/' };
    const { url, transaction } = await provider.issuer({ secrets: ['one', 'two'] }).beginAuthorization(request);
    expect(url.searchParams.get('request_uri')).toBe('urn:x');
    taking('two', {});
    const posting = { authentication: 'client_secret_post' as const, secrets: ['one', 'two'] };
    expect(await outcomeOf(provider.issuer(posting).revoke('r1'))).toBe('went well');
    const callback = new URL(`http://localhost:3000/callback?code=c&state=${transaction.state}`);
    await outcomeOf(provider.issuer(posting).finishAuthorization(callback, transaction));
    expect(provider.heard.map((heard) => [heard.path, secretOf(heard)])).toEqual([
      ['/par', 'one'],
      ['/par', 'two'],
      ['/revoke', 'one'],
      ['/revoke', 'two'],
      ['/token', 'one'],
      ['/token', 'two'],
    ]);
    expect(provider.heard.at(-1)?.form.getAll('client_secret')).toEqual(['two']);
  });

  test('that exchanges at once find wrong are each tried once by each of them', async () => {
    const issuer = provider.issuer({ secrets: ['one', 'two'] });
    taking('two');
    const answers = await Promise.all([1, 2, 3].map((turn) => issuer.exchange(`r${turn}`)));
    expect(answers.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered']);
    expect(provider.heard.length).toBeLessThanOrEqual(6);
  });
});

const pem = (type: 'rsa' | 'ec' | 'ed25519') =>
  (type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  ).privateKey.export({ type: 'pkcs8', format: 'pem' });

describe('private keys', () => {
  test('are published without any private member, the newest first, named by their thumbprint', async () => {
    const privateKeyPem = `${pem('ec')}\n${pem('rsa')}${pem('ed25519')}`;
    const { keys } = await provider.issuer({ authentication: 'private_key_jwt', privateKeyPem }).publicKeys();
    expect(keys.map((key) => Object.keys(key).sort().join())).toEqual([
      'alg,crv,kid,kty,use,x,y',
      'alg,e,kid,kty,n,use',
      'alg,crv,kid,kty,use,x',
    ]);
    expect(keys.map(({ alg }) => alg)).toEqual(['ES256', 'RS256', 'Ed25519']);
    for (const key of keys) expect(key.kid).toBe(await calculateJwkThumbprint(key as JWK));
  });

  test('sign assertions that the published keys verify, for the issuer alone', async () => {
    provider.answer = () => ({ status: 200, body: tokens });
    const issuer = provider.issuer({ authentication: 'private_key_jwt', privateKeyPem: pem('ec').toString() });
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
    const published = createLocalJWKSet((await issuer.publicKeys()) as { keys: JWK[] });
    const assertion = provider.heard[0]?.form.get('client_assertion') ?? '';
    const { payload } = await jwtVerify(assertion, published, { issuer: 'me', subject: 'me' });
    expect(payload.aud).toBe(provider.origin);
    expect(payload).toMatchObject({ jti: expect.any(String), exp: expect.any(Number) });
  });

  test('that the provider does not know yet give way to the older one, with another assertion', async () => {
    const privateKeyPem = `${pem('ec')}${pem('rsa')}`;
    const issuer = provider.issuer({ authentication: 'private_key_jwt', privateKeyPem });
    const algOf = ({ form }: Heard) => decodeProtectedHeader(form.get('client_assertion') ?? '').alg;
    provider.answer = (heard) =>
      algOf(heard) === 'RS256' ? { status: 200, body: tokens } : { status: 400, body: { error: 'invalid_client' } };
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
    expect(provider.heard.map(algOf)).toEqual(['ES256', 'RS256']);
    expect(new Set(provider.heard.map(({ form }) => form.getAll('client_assertion').length))).toEqual(new Set([1]));
  });

  test('that the provider has under another name are found without one', async () => {
    const issuer = provider.issuer({ authentication: 'private_key_jwt', privateKeyPem: pem('ec').toString() });
    const kidOf = ({ form }: Heard) => decodeProtectedHeader(form.get('client_assertion') ?? '').kid;
    provider.answer = (heard) =>
      kidOf(heard) === undefined ? { status: 200, body: tokens } : { status: 400, body: { error: 'invalid_client' } };
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
    expect(await issuer.exchange('r2')).toMatchObject({ kind: 'answered' });
    expect(provider.heard.map(kidOf)).toEqual([expect.any(String), undefined, undefined]);
  });

  test('that cannot be read are refused, and nothing of them is repeated', async () => {
    const broken = '-----BEGIN PRIVATE KEY-----\nTm90IGEga2V5\n-----END PRIVATE KEY-----';
    for (const privateKeyPem of ['no key', broken, `${pem('ec')}${broken}`]) {
      const issuer = provider.issuer({ authentication: 'private_key_jwt', privateKeyPem });
      const error = await issuer.publicKeys().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'config/invalid', message: expect.stringMatching(/^OIDC_PRIVATE_KEY /) });
      expect(String(error)).not.toContain('Tm90');
    }
    const none = provider.issuer({ authentication: 'private_key_jwt' });
    expect(await outcomeOf(none.beginAuthorization({ purpose: 'x', scope: 'openid', returnTo: '/' }))).toBe(
      'config/invalid',
    );
  });
});
