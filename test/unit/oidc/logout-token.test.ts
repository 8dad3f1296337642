import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import { type Issuer, openIssuer } from '../../../src/oidc/issuer.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { type OpenIdIssuer, startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';

const start = '2026-05-04T12:00:00Z';
const now = Date.parse(start) / 1000;
const event = 'http://schemas.openid.net/event/backchannel-logout';
const clock = manualClock(start);
let provider: OpenIdIssuer;
let issuer: Issuer;
beforeAll(async () => {
  provider = await startOpenIdIssuer();
  issuer = open();
});
afterAll(() => provider[Symbol.asyncDispose]());

function open(): Issuer {
  const client = { clientId: 'nightkeep', authentication: 'client_secret_basic', secrets: ['secret'] } as const;
  const settings = { issuer: new URL(provider.url), ...client };
  return openIssuer({ provider: settings, publicUrl: new URL('http://localhost'), clock, log: silentLog });
}

const claims = () => ({
  iss: provider.url,
  aud: 'nightkeep',
  sub: 'alice',
  sid: 's1',
  jti: 'j1',
  iat: now,
  exp: now + 120,
  events: { [event]: {} },
});
const read = async (changes: object, header: Parameters<OpenIdIssuer['sign']>[1] = { typ: 'logout+jwt' }) =>
  issuer.readLogoutToken(await provider.sign({ ...claims(), ...changes }, header));
const refusal = { code: 'logout/invalid-token' };

describe('a logout token', () => {
  it('of the provider for us tells whose session ended', async () => {
    expect(await read({})).toEqual({
      issuer: provider.url,
      subject: 'alice',
      sid: 's1',
      jti: 'j1',
      expiresAt: new Date((now + 120) * 1000),
      revokesOfflineAccess: false,
    });
  });

  it.each([
    ['for several, us among them', { aud: ['other', 'nightkeep'] }],
    ['of the person without a session', { sid: undefined }],
    ['of the session without a person', { sub: undefined }],
    ['by a clock a little ahead of ours', { iat: now + 20, exp: now + 140 }],
  ])('holds %s', async (_, changes) => {
    expect(await read(changes)).toMatchObject({ jti: 'j1' });
  });

  it.each([undefined, 'JWT', 'logout+jwt', 'application/logout+jwt'])('holds with the type %s', async (typ) => {
    expect(await read({}, { typ })).toMatchObject({ jti: 'j1' });
  });

  it('may ask for the offline tokens of the session, as Keycloak does', async () => {
    const events = { [event]: {}, revoke_offline_access: true };
    expect(await read({ events })).toMatchObject({ revokesOfflineAccess: true });
    expect(await read({ events: { ...events, revoke_offline_access: 'true' } })).toMatchObject({
      revokesOfflineAccess: false,
    });
    expect(await read({ revoke_offline_access: true })).toMatchObject({ revokesOfflineAccess: false });
  });

  it.each([
    ['of another issuer', { iss: 'https://other.example' }],
    ['for another client', { aud: 'other' }],
    ['that is over', { iat: now - 200, exp: now - 60 }],
    ['of the future', { iat: now + 3600, exp: now + 7200 }],
    ['without an end', { exp: undefined }],
    ['without a beginning', { iat: undefined }],
    ['without an id', { jti: undefined }],
    ['with an empty id', { jti: '' }],
    ['with an id of more than 500 characters', { jti: 'j'.repeat(501) }],
    ['that ends when no date is', { exp: 1e300 }],
    ['with a nonce, as an ID token', { nonce: 'n' }],
    ['of no event', { events: undefined }],
    ['of another event', { events: { 'http://other': {} } }],
    ['whose event is no object', { events: { [event]: 'yes' } }],
    ['of nobody', { sub: undefined, sid: undefined }],
    ['whose session is no text', { sid: 7 }],
  ])('does not hold %s', async (_, changes) => {
    await expect(read(changes)).rejects.toMatchObject(refusal);
  });

  it.each(['at+jwt', 'id_token'])('does not hold with the type %s', async (typ) => {
    await expect(read({}, { typ })).rejects.toMatchObject(refusal);
  });

  it('does not hold unsigned, signed by a secret that others know, or by another key', async () => {
    const unsigned = new UnsecuredJWT(claims()).encode();
    const shared = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from('secret'.repeat(8)));
    const [head, body, signature = ''] = (await provider.sign(claims())).split('.');
    const forged = [head, body, signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`].join(
      '.',
    );
    for (const token of [unsigned, shared, forged, await provider.sign(claims(), { kid: 'unknown' }), 'x.y.z', ''])
      await expect(issuer.readLogoutToken(token)).rejects.toMatchObject(refusal);
  });

  it('that is too long is not even looked at', async () => {
    const read = (length: number) =>
      open()
        .readLogoutToken('x'.repeat(length))
        .catch(({ message }) => message);
    expect(await read(12_000)).not.toMatch(/too long/);
    const before = provider.asked.length;
    expect(await read(12_001)).toMatch(/too long/);
    expect(provider.asked).toHaveLength(before);
  });

  it('of a key that is new is checked with it', async () => {
    const fresh = open();
    await provider.rollKey();
    expect(await fresh.readLogoutToken(await provider.sign(claims()))).toMatchObject({ jti: 'j1' });
  });

  describe('where several keys may be meant', () => {
    const publishing = async (own: object, ...others: object[]) => {
      const [mine] = await keysOf(provider);
      provider.answer = ({ endpoint }) =>
        endpoint === 'jwks' ? { status: 200, body: { keys: [...others, { ...mine, ...own }] } } : undefined;
    };
    const keysOf = async ({ url }: OpenIdIssuer) => {
      const { keys } = (await (await fetch(`${url}/jwks`)).json()) as { keys: object[] };
      return keys;
    };
    const otherKey = async (changes: object) => {
      await using other = await startOpenIdIssuer();
      const [key] = await keysOf(other);
      return { ...key, ...changes };
    };
    afterEach(() => {
      provider.answer = () => undefined;
    });

    it.each([
      ['two have its name', { kid: 'same' }, 'same'],
      ['it names none', {}, null],
    ])('is checked with each: %s', async (_, names, kid) => {
      await publishing(names, await otherKey(names), await otherKey(names));
      const token = await provider.sign(claims(), { kid });
      expect(await open().readLogoutToken(token)).toMatchObject({ jti: 'j1' });
      const stranger = await startOpenIdIssuer();
      await using __ = stranger;
      const forged = await stranger.sign(claims(), { kid });
      await expect(open().readLogoutToken(forged)).rejects.toMatchObject(refusal);
      const late = await provider.sign({ ...claims(), exp: now - 90 }, { kid });
      await expect(open().readLogoutToken(late)).rejects.toMatchObject(refusal);
    });

    it('is checked with ten at most', async () => {
      const others = await Promise.all(Array.from({ length: 10 }, () => otherKey({ kid: 'same' })));
      await publishing({ kid: 'same' }, ...others);
      const token = await provider.sign(claims(), { kid: 'same' });
      await expect(open().readLogoutToken(token)).rejects.toMatchObject(refusal);
    });
  });

  it('says nothing while the keys of the provider cannot be had', async () => {
    provider.answer = ({ endpoint }) => (endpoint === 'jwks' ? { status: 503, body: {} } : undefined);
    const token = await provider.sign(claims());
    await expect(open().readLogoutToken(token)).rejects.toMatchObject({ code: 'provider/unavailable' });
    provider.answer = () => undefined;
  });
});
