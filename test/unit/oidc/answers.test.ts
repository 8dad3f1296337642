import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { shortId } from '../../../src/domain/short-id.ts';
import { silentLog } from '../../../src/log.ts';
import type { AuthorizationTransaction } from '../../../src/oidc/authorization.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { decodeClaims } from '../../../src/oidc/token-answer.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { refusalOf } from '../../support/fixtures/outcomes.ts';
import { type OpenIdIssuer, startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';

/** The library goes by the clock of the machine. */
const now = () => Math.floor(Date.now() / 1000);
const clock = manualClock(new Date().toISOString());
const scopes = { signIn: 'openid profile', consent: 'openid offline_access' };
let provider: OpenIdIssuer;
beforeAll(async () => {
  provider = await startOpenIdIssuer();
});
afterAll(() => provider[Symbol.asyncDispose]());
beforeEach(() => {
  provider.asked.length = 0;
  for (const name of Object.keys(provider.metadata)) delete provider.metadata[name];
});

const open = (issuer = provider.url) =>
  openIssuer({
    provider: { issuer: new URL(issuer), clientId: 'me', authentication: 'client_secret_basic', secrets: ['s'] },
    publicUrl: new URL('http://localhost'),
    clock,
    log: silentLog,
  });

interface Case {
  scope?: string;
  /** Of the ID token, on top of right ones. */
  claims?: Record<string, unknown>;
  idToken?: (claims: Record<string, unknown>) => Promise<string | undefined> | string | undefined;
  /** Of the answer in the address. */
  answer?: Record<string, string>;
  body?: object;
}

/** Begins at the provider and comes back; what came of it, and the tokens that the provider was told to end. */
async function comeBack({ scope = scopes.consent, claims, idToken, answer, body }: Case) {
  const issuer = open();
  const { transaction } = await issuer.beginAuthorization({ purpose: 'consent', scope, returnTo: '/' });
  provider.answer = async ({ endpoint }) => {
    if (endpoint === 'revoke') return { status: 200, body: {} };
    if (endpoint !== 'token') return undefined;
    const usual = {
      iss: provider.url,
      aud: 'me',
      sub: 'alice',
      iat: now(),
      exp: now() + 300,
      nonce: transaction.nonce,
    };
    const said = { ...usual, ...claims };
    const signed = idToken ? await idToken(said) : await provider.sign(said);
    const tokens = { access_token: 'a', refresh_token: 'fresh', token_type: 'Bearer', id_token: signed };
    return { status: 200, body: { ...tokens, ...body } };
  };
  const callback = new URL('http://localhost/callback');
  const usual = { code: 'c', state: transaction.state, iss: provider.url };
  callback.search = new URLSearchParams({ ...usual, ...answer }).toString();
  const error = await refusalOf(issuer.finishAuthorization(callback, transaction as AuthorizationTransaction));
  const ended = provider.asked.filter(({ endpoint }) => endpoint === 'revoke').map(({ form }) => form.get('token'));
  return { error, ended };
}

const signedWithSecret = (alg: string) => (claims: Record<string, unknown>) =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.alloc(64, 1));
const unsigned = (claims: object) =>
  [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

describe('a callback that is no answer to an authorization request', () => {
  it.each([
    ['id_token='],
    ['id_token=x'],
    ['token='],
    ['access_token=a&token_type=Bearer'],
    ['response=a.b.c'],
    ['code=another'],
    ['code=c'],
    ['state=s'],
    ['iss=https://evil.example'],
    ['error=access_denied&error=access_denied'],
    ['a=1&a=2'],
    [`more=&code=${'x'.repeat(20_000)}`],
  ])('is refused as such, and no code is sent anywhere: %s', async (more) => {
    const issuer = open();
    const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    const usual = new URLSearchParams({ code: 'c', state: transaction.state, iss: provider.url });
    const callback = new URL(`http://localhost/callback?${usual}&${more}`);
    const error = await refusalOf(issuer.finishAuthorization(callback, transaction));
    expect(error?.code).toBe('consent/foreign-answer');
    expect(provider.asked.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
  });

  it.each([
    ['', 'consent/foreign-answer'],
    ['code=', 'consent/foreign-answer'],
    ['code=%00', 'consent/foreign-answer'],
    ['code=%E2%80%8B', 'consent/foreign-answer'],
    ['code=c%0d%0a', 'consent/foreign-answer'],
    [`code=${'x'.repeat(6_001)}`, 'consent/foreign-answer'],
    [`code=${'x'.repeat(6_000)}`, 'consent/invalid-callback'],
    ['error=%0d%0aSet-Cookie:%20a=b', 'provider/refused'],
    ['error=&code=', 'consent/foreign-answer'],
  ])('is never an outage: %s', async (given, code) => {
    const issuer = open();
    const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    provider.answer = async ({ endpoint }) =>
      endpoint === 'token' ? { status: 400, body: { error: 'invalid_grant' } } : undefined;
    const about = new URLSearchParams({ state: transaction.state, iss: provider.url });
    const callback = new URL(`http://localhost/callback?${about}&${given}`);
    expect((await refusalOf(issuer.finishAuthorization(callback, transaction)))?.code).toBe(code);
  });

  it.each([
    ['https://evil.example', 'from the issuer https://evil.example, not from'],
    [`https://evil.example/"><b>\u202e${'x'.repeat(9_000)}`, 'from the issuer https://evil.example/bxxx'],
    ['', 'does not name its issuer'],
    [undefined, 'does not name its issuer'],
  ])('is told with the issuer that it names, and blames nobody: %s', async (iss, words) => {
    const issuer = open();
    const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    const answer = new URLSearchParams({ code: 'c', state: transaction.state, ...(iss !== undefined && { iss }) });
    const error = await refusalOf(
      issuer.finishAuthorization(new URL(`http://localhost/callback?${answer}`), transaction),
    );
    expect(error?.code).toBe('consent/foreign-answer');
    expect(error?.message).toContain(words);
    expect(error?.message).not.toMatch(/The operator must|["<\u202e]/);
    expect(error?.message.length).toBeLessThan(500);
    expect(provider.asked.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
  });

  it.each([
    ['/', ' (they differ by the final slash alone)'],
    ['/a', ''],
  ])('of two issuers that differ by %s says so', async (more, slash) => {
    const { error } = await comeBack({ answer: { iss: provider.url + more } });
    expect(error?.message).toContain(`${provider.url}, where this was begun${slash}.`);
  });
});

describe('an answer to a code', () => {
  const answered = async (status: number, body: unknown) => {
    const issuer = open();
    const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    provider.answer = ({ endpoint }) => (endpoint === 'token' ? { status, body } : undefined);
    const callback = new URL(`http://localhost/callback?code=c&state=${transaction.state}&iss=${provider.url}`);
    return refusalOf(issuer.finishAuthorization(callback, transaction));
  };

  it.each([
    [200, { error: 'invalid_grant' }, 'consent/invalid-callback', /already been used/],
    [200, { error: 'invalid_client' }, 'provider/refused-client', /does not accept Nightkeep itself/],
    [400, { error: 'INVALID_CLIENT' }, 'provider/refused-client', /does not accept Nightkeep itself/],
    [400, {}, 'provider/refused', /refused with HTTP 400 and did not say why.*tell the operator/],
    [401, {}, 'provider/refused-client', /answers with HTTP 401 and nothing of OpenID\. The operator must/],
    [404, {}, 'provider/refused-client', /answers with HTTP 404 and nothing of OpenID\. The operator must/],
    [429, {}, 'provider/unavailable', /Try again soon/],
    [503, {}, 'provider/unavailable', /Try again soon/],
    [200, [], 'provider/unavailable', /Try again soon/],
  ])('that is a refusal tells whose fault it is: %i %j', async (status, body, code, words) => {
    const error = await answered(status, body);
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(words);
  });

  it('is taken with another status of success', async () => {
    const issuer = open();
    const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    const claims = { iss: provider.url, aud: 'me', sub: 'alice', iat: now(), exp: now() + 300 };
    const id_token = await provider.sign({ ...claims, nonce: transaction.nonce });
    const body = { access_token: 'a', refresh_token: '  ', token_type: 'Bearer', id_token };
    provider.answer = ({ endpoint }) => (endpoint === 'token' ? { status: 201, body } : undefined);
    const callback = new URL(`http://localhost/callback?code=c&state=${transaction.state}&iss=${provider.url}`);
    const { subject, tokens } = await issuer.finishAuthorization(callback, transaction);
    expect(subject).toBe('alice');
    expect(tokens).not.toHaveProperty('refreshToken');
  });
});

describe('what is said of a person', () => {
  it.each([
    [503, {}],
    [200, { sub: 'mallory', name: 'Mallory' }],
    [200, []],
  ])('is known to be incomplete where userinfo answers %i %j', async (status, body) => {
    const issuer = open();
    provider.metadata.userinfo_endpoint = `${provider.url}/userinfo`;
    const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    const claims = { iss: provider.url, aud: 'me', sub: 'alice', iat: now(), exp: now() + 300, locale: 'de' };
    const id_token = await provider.sign({ ...claims, nonce: transaction.nonce });
    provider.answer = ({ endpoint }) =>
      endpoint === 'userinfo'
        ? { status, body }
        : { status: 200, body: { access_token: 'a', token_type: 'Bearer', id_token } };
    const callback = new URL(`http://localhost/callback?code=c&state=${transaction.state}&iss=${provider.url}`);
    const authorized = await issuer.finishAuthorization(callback, transaction);
    expect(authorized).toMatchObject({ subject: 'alice', claims: { locale: 'de' }, claimsMissing: true });
    expect(authorized.claims).not.toHaveProperty('name');
  });

  it.each([
    ['alice', { role: 'of the access token', name: 'of userinfo' }],
    ['mallory', {}],
  ])('counts where it is said of who signed in: %s', async (sub, said) => {
    const issuer = open();
    provider.metadata.userinfo_endpoint = `${provider.url}/userinfo`;
    const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    const common = { iss: provider.url, iat: now(), exp: now() + 300 };
    provider.answer = async ({ endpoint }) => {
      if (endpoint === 'userinfo') return { status: 200, body: { sub, name: 'of userinfo' } };
      if (endpoint !== 'token') return undefined;
      const id_token = await provider.sign({ ...common, aud: 'me', sub: 'alice', nonce: transaction.nonce });
      const access_token = await provider.sign({ ...common, sub, role: 'of the access token' });
      return { status: 200, body: { access_token, token_type: 'Bearer', id_token } };
    };
    const callback = new URL('http://localhost/callback');
    callback.search = new URLSearchParams({ code: 'c', state: transaction.state, iss: provider.url }).toString();
    const { claims, subject } = await issuer.finishAuthorization(callback, transaction);
    expect(subject).toBe('alice');
    const { role, name } = claims;
    expect({ ...(role !== undefined && { role }), ...(name !== undefined && { name }) }).toEqual(said);
  });
});

describe('an answer that arrived and does not pass the checks', () => {
  it.each<[string, Case, RegExp]>([
    ['of a subject that nobody keeps', { claims: { sub: 's'.repeat(1_001) } }, /has more than 1,000 bytes/],
    ['of a subject with NUL', { claims: { sub: 'a\0b' } }, /characters that cannot be stored/],
    [
      'signed with the secret',
      { idToken: signedWithSecret('HS256') },
      /signs its ID tokens with HS256.*client secret instead of a key.*ES256.*signing key/,
    ],
    ['signed with the secret, longer', { idToken: signedWithSecret('HS512') }, /HS512.*client secret instead of a key/],
    ['unsigned', { idToken: (claims) => `${unsigned(claims)}.` }, /with none; what it publishes promises ES256/],
    [
      'another issuer',
      { claims: { iss: 'https://elsewhere.example/realms/a' } },
      /from the issuer https:\/\/elsewhere.example\/realms\/a\..*OIDC_ISSUER/,
    ],
    [
      'another audience',
      { claims: { aud: ['account', 'app<b>'] } },
      /for another client than Nightkeep: account, appb\..*OIDC_CLIENT_ID/,
    ],
    [
      'long expired',
      { claims: { iat: now() - 3_912, exp: now() - 3_612 } },
      /differ by 39\d\d seconds: this machine is ahead/,
    ],
    [
      'of the future',
      { claims: { iat: now() + 700, nbf: now() + 700, exp: now() + 1_000 } },
      /differ by (69\d|700) seconds: this machine is behind/,
    ],
    ['without an ID token', { idToken: () => undefined }, /gave no ID token.*scope openid/],
    ['with a number for an ID token', { body: { id_token: 7 } }, /gave no ID token.*scope openid/],
    ['with something else for an ID token', { idToken: () => 'x.y.z' }, /cannot be read: it is no signed token/],
    ['with half an ID token', { idToken: () => 'x.y' }, /cannot be read: it is no signed token/],
    ['with an encrypted ID token', { idToken: () => 'a.b.c.d.e' }, /encrypts its ID tokens/],
    ['without a time', { claims: { iat: undefined } }, /has no iat\./],
    ['without an audience', { claims: { aud: undefined } }, /has no aud\./],
    ['without an issuer', { claims: { iss: undefined } }, /has no iss\./],
    ['without the nonce', { claims: { nonce: undefined } }, /has no nonce\./],
    ['of a numbered person', { claims: { sub: 1234 as unknown as string } }, /has sub in another form/],
    ['of nobody', { claims: { sub: '' } }, /sub\) is blank/],
    ['of a blank name', { claims: { sub: '\u00a0 ' } }, /sub\) is blank/],
    ['that ends at a time in words', { claims: { exp: String(now() + 300) } }, /has exp in another form/],
    ['whose sign-in was at a time in words', { claims: { auth_time: '5' } }, /has auth_time in another form/],
    ['without an access token', { body: { access_token: null } }, /answered without an access token/],
    ['of an access token with a line break', { body: { access_token: 'fresh\r\nx: y' } }, /that no request can carry/],
  ])('says what is wrong and who mends it: %s', async (_, given, words) => {
    const { error } = await comeBack(given);
    expect(error?.code).toBe('provider/wrong-answer');
    expect(error?.message).toMatch(words);
    expect(error?.message).toMatch(/The operator must/);
    expect(error?.message).not.toMatch(/lost on its way|began|fresh/);
  });

  it('is of two issuers that differ by a slash: it says so', async () => {
    const { error } = await comeBack({ claims: { iss: `${provider.url}/` } });
    expect(error?.message).toContain(
      `calls itself ${provider.url}, but its ID token is from the issuer ${provider.url}/`,
    );
    expect(error?.message).toContain('by the final slash alone');
  });

  it.each([
    ['/a', '/a/', ' (they differ by the final slash alone)'],
    ['/a/', '/a', ' (they differ by the final slash alone)'],
    ['/a', '/auth/a', ''],
  ])(
    'is told at the first step already where OIDC_ISSUER and discovery disagree: %s, %s',
    async (set, named, slash) => {
      provider.metadata.issuer = provider.url + named;
      const begun = open(provider.url + set).beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
      const error = await refusalOf(begun);
      expect(error?.code).toBe('provider/wrong-answer');
      expect(error?.message).toContain(
        `OIDC_ISSUER is ${provider.url}${set}, but the provider there calls itself ${provider.url}${named}${slash}. The`,
      );
    },
  );

  it.each<[string, Case]>([
    ['HS256', { idToken: signedWithSecret('HS256') }],
    ['another issuer', { claims: { iss: 'https://elsewhere.example' } }],
    ['another nonce', { claims: { nonce: 'of somebody else' } }],
    ['no ID token', { idToken: () => undefined }],
    ['an access token with a line break', { body: { access_token: 'a\n' } }],
    ['no access token', { body: { access_token: undefined } }],
    ['no person', { claims: { sub: '' } }],
  ])('leaves no token alive that came with it: %s', async (_, given) => {
    expect((await comeBack(given)).ended).toEqual(['fresh']);
  });

  it('hands the tokens that came to whoever knows whether they may be ended', async () => {
    const issuer = open();
    const { transaction } = await issuer.beginAuthorization({
      purpose: 'consent',
      scope: scopes.consent,
      returnTo: '/',
    });
    const claims = {
      iss: 'https://elsewhere.example',
      aud: 'me',
      sub: 'alice',
      sid: 's1',
      nonce: transaction.nonce,
      iat: now(),
      exp: now() + 300,
    };
    const id_token = await provider.sign(claims);
    const body = { access_token: 'a', refresh_token: 'fresh', token_type: 'Bearer', id_token };
    provider.answer = ({ endpoint }) => (endpoint === 'token' ? { status: 200, body } : undefined);
    const callback = new URL(`http://localhost/callback?code=c&state=${transaction.state}&iss=${provider.url}`);
    const told: unknown[] = [];
    const unkept = async (tokens: unknown) => void told.push(tokens);
    expect((await refusalOf(issuer.finishAuthorization(callback, transaction, unkept)))?.code).toBe(
      'provider/wrong-answer',
    );
    expect(told).toMatchObject([
      { issuer: provider.url, subject: 'alice', tokens: { refreshToken: 'fresh', sid: 's1' } },
    ]);
    expect(provider.asked.filter(({ endpoint }) => endpoint === 'revoke')).toEqual([]);
  });
});

it.each([
  [
    'of 2,000 members',
    Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`k${index}`, 'x'.repeat(40)])),
    true,
  ],
  ['of 20,000 roles', { roles: Array.from({ length: 20_000 }, (_, index) => `role ${index}`) }, true],
  ['of 20,000 members', Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 0])), false],
])(
  'claims of a long token are read, unless they are more than a whole answer may have: %s',
  async (_, claims, isRead) => {
    const token = await provider.sign({ sub: 'alice', ...claims });
    expect(token.length).toBeGreaterThan(64 * 1024);
    expect(decodeClaims(token)?.sub).toBe(isRead ? 'alice' : undefined);
  },
);

it('a session at the provider is known by its hash where its name is long, in tokens as in logouts', async () => {
  const issuer = open();
  const sid = 's'.repeat(10_000);
  const { transaction } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
  const common = { iss: provider.url, aud: 'me', sub: 'alice', iat: now(), exp: now() + 300 };
  const id_token = await provider.sign({ ...common, sid, nonce: transaction.nonce });
  const body = { access_token: 'a', token_type: 'Bearer', id_token };
  provider.answer = ({ endpoint }) => (endpoint === 'token' ? { status: 200, body } : undefined);
  const callback = new URL(`http://localhost/callback?code=c&state=${transaction.state}&iss=${provider.url}`);
  const { tokens } = await issuer.finishAuthorization(callback, transaction);
  expect(tokens.sid).toBe(shortId(sid));
  expect(shortId(shortId(sid))).toBe(tokens.sid);
});

describe('a refusal in the address that the browser came back with', () => {
  it.each<[string, string, string, RegExp]>([
    ['access_denied', scopes.consent, 'consent/denied', /nothing was changed/],
    ['temporarily_unavailable', scopes.signIn, 'provider/refused', /a problem of its own/],
    [
      'server_error',
      scopes.consent,
      'provider/refused',
      /the answer server_error, and nothing was changed.*a problem of its own/,
    ],
    ['invalid_scope', scopes.consent, 'consent/not-offline', /offline_access/],
    ['invalid_scope', scopes.signIn, 'provider/refused', /If it comes again, show this to the operator.*OIDC_SCOPES/],
    ['unauthorized_client', scopes.signIn, 'provider/refused', /If it comes again.*authorization code flow/],
    [
      'unsupported_response_type',
      scopes.signIn,
      'provider/refused',
      /If it comes again.*does not accept Nightkeep itself/,
    ],
    ['interaction_required', scopes.consent, 'provider/refused', /wants to ask you something first/],
    ['login_required', scopes.consent, 'provider/refused', /wants to ask you something first/],
    ['consent_required', scopes.consent, 'provider/refused', /wants to ask you something first/],
    ['constructor', scopes.consent, 'provider/refused', /refused the request \(constructor\)/],
    [`<b>${'x'.repeat(500)}`, scopes.consent, 'provider/refused', /\(bx{59}\)/],
  ])('%s after asking for "%s" is %s', async (word, scope, code, words) => {
    const { error } = await comeBack({ scope, answer: { error: word } });
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(words);
    expect(error?.message).not.toMatch(/realm|Keycloak|role/);
  });

  it('of another state is of something else', async () => {
    const { error } = await comeBack({ answer: { state: 'another' } });
    expect(error?.code).toBe('consent/invalid-callback');
  });
});

describe('the clock of the provider', () => {
  it.each([
    ['a minute ahead', 55, true],
    ['a minute behind', -55, true],
    ['more than a minute ahead', 75, false],
    ['more than a minute behind', -75, false],
  ])('that is %s is tolerated: %d s, %s', async (_, off, taken) => {
    const at = now() + off;
    const { error } = await comeBack({ claims: { iat: at, nbf: at, exp: off < 0 ? at + 1 : at + 300 } });
    expect(error?.message ?? 'taken').toMatch(taken ? /^taken$/ : /clocks of the provider and of this machine differ/);
  });
});
