import { describe, expect, test } from 'vitest';
import { checkBoundTokens } from '../../../src/doctor/checks/bound-tokens.ts';
import { type ClientFacts, checkClient } from '../../../src/doctor/checks/client.ts';
import { checkConsentScreen } from '../../../src/doctor/checks/consent-screen.ts';
import { checkDiscovery } from '../../../src/doctor/checks/discovery.ts';
import { checkOfflineScope } from '../../../src/doctor/checks/offline-scope.ts';
import { checkPushedRequests } from '../../../src/doctor/checks/pushed-requests.ts';
import { checkSignIn } from '../../../src/doctor/checks/sign-in.ts';
import { checkSigningKeys } from '../../../src/doctor/checks/signing-keys.ts';
import type { AuthorizationFacts } from '../../../src/doctor/installation.ts';
import { AppError } from '../../../src/errors.ts';
import type { Published } from '../../../src/oidc/inspect-provider.ts';
import type { Reply } from '../../../src/oidc/question.ts';
import type { Asked } from '../../../src/oidc/trial-authorization.ts';

const at = new Date('2030-01-01T00:00:00Z');
const reply = (status: number, error?: string, description?: string): Reply => ({
  status,
  ms: 10,
  at,
  body: { ...(error !== undefined && { error }), ...(description !== undefined && { error_description: description }) },
});
const silence = (failure: string): Reply => ({ failure, ms: 10, at, body: {} });

describe('the client', () => {
  const facts = (one: Reply, more: Partial<ClientFacts> = {}): ClientFacts => ({
    clientId: 'nightkeep',
    authentication: 'client_secret_basic',
    introductions: [{ reply: one, possession: false }],
    ...more,
  });
  const checked = (one: Reply, more?: Partial<ClientFacts>) => {
    const [finding] = checkClient(facts(one, more));
    return `${finding?.state}: ${finding?.finding}`;
  };

  test('of which the provider does not say whether it believes it is compared with a stranger, and else unknown, not wrong', () => {
    const other = (one: Reply) => ({ stranger: { reply: one, possession: false } });
    const dead = reply(400, 'invalid_request');
    expect(checked(dead, other(reply(401, 'invalid_client')))).toMatch(/^ok: The provider accepts nightkeep/);
    expect(checked(dead, other(reply(400, 'invalid_request')))).toMatch(/^unknown: It cannot be seen from here/);
    expect(checked(reply(400), other(reply(400)))).toMatch(/^unknown: /);
    expect(checked(reply(400))).toMatch(/^unknown: /);
    expect(checked(reply(500))).toMatch(/^wrong: The token endpoint does not say/);
  });

  // As Keycloak 26.7.1 answers a refresh request with a token that is none.
  test.each([
    ['right', reply(400, 'invalid_grant', 'Invalid refresh token'), true, /^ok: The provider accepts nightkeep/],
    [
      'wrong secret',
      reply(401, 'unauthorized_client'),
      true,
      /^wrong: The provider knows nightkeep, but not with this secret/,
    ],
    [
      'disabled or unknown',
      reply(401, 'invalid_client'),
      false,
      /^wrong: The provider does not know the client nightkeep, or it/,
    ],
    ['other method', reply(400, 'invalid_client'), true, /^wrong: .*not with this secret \(client_secret_basic\)/],
    [
      'other method, as 26.4.0 says it',
      reply(400, 'unauthorized_client', 'Unexpected error when authenticating client'),
      true,
      /^wrong: .*not with this secret \(client_secret_basic\)/,
    ],
    [
      'realm disabled',
      reply(403, 'access_denied', 'Realm not enabled'),
      false,
      /^wrong: The provider answers nobody \(403/,
    ],
  ])('at Keycloak: %s', (_case, answer, known, words) => expect(checked(answer, { known })).toMatch(words));

  test.each([
    [
      'a client that may not refresh',
      reply(400, 'unauthorized_client'),
      /^wrong: .*accepts nightkeep, but does not let it/,
    ],
    [
      'a provider without refresh tokens',
      reply(400, 'unsupported_grant_type'),
      /^wrong: .*does not let it refresh tokens/,
    ],
    [
      'a refusal that could be either',
      reply(401, 'invalid_client'),
      /^wrong: The provider does not accept nightkeep as the client/,
    ],
    ['a proxy', { ...reply(502), body: {} }, /^wrong: The token endpoint does not say .* \(502\)/],
    ['no answer', silence('ECONNRESET'), /^wrong: The token endpoint does not say .* \(ECONNRESET\)/],
  ])('elsewhere: %s', (_case, answer, words) => expect(checked(answer)).toMatch(words));

  // As Glewlwyd and LemonLDAP::NG answer.
  test.each([
    [200, { active: false }, /^ok: The provider accepts nightkeep/],
    [401, {}, /^wrong: .* \(400\), and introspection refuses it \(401\)/],
    [403, {}, /^unknown: It cannot be seen from here/],
    [200, { active: true }, /^unknown: It cannot be seen from here/],
  ])('where the token endpoint leaves it open, an introspection that is answered %d %j', (status, body, words) => {
    const introspection = { ...reply(status), body };
    const introductions = [{ reply: reply(400), possession: false, introspection }];
    expect(checked(reply(400), { introductions })).toMatch(words);
  });

  test('words of a provider are shown on one line, and decide nothing', () => {
    const [finding] = checkClient(
      facts(reply(401, 'invalid_client', `all\nis ${'\u001b'}[31mwell ${'x'.repeat(500)}`)),
    );
    expect(finding?.state).toBe('wrong');
    expect(finding?.finding).toMatch(/\(401 invalid_client: all is \[31mwell x{1,200}\)\.$/);
  });

  test('several secrets are a warning as long as one of them works', () => {
    const [good, bad] = [reply(400, 'invalid_grant'), reply(401, 'unauthorized_client')];
    const states = (...answers: Reply[]) =>
      checkClient({ ...facts(good), introductions: answers.map((one) => ({ reply: one, possession: false })) }).map(
        ({ name, state }) => `${name}: ${state}`,
      );
    expect(states(bad, good)).toEqual(['client, secret 1: warn', 'client, secret 2: ok']);
    expect(states(bad, bad)).toEqual(['client, secret 1: wrong', 'client, secret 2: wrong']);
  });

  test('a secret that is taken in the form only is told with the setting that mends it', () => {
    const byPost = (one: Reply) => [{ reply: one, possession: false }];
    const refused = reply(401, 'invalid_client');
    const told = checkClient(facts(refused, { byPost: byPost(reply(400, 'invalid_grant')), known: true }));
    expect(told).toMatchObject([{ name: 'client', state: 'wrong' }]);
    expect(told[0]?.finding).toContain(
      'in the form (client_secret_post), but not in the header (client_secret_basic) (401',
    );
    expect(told[0]?.cure).toContain('OIDC_CLIENT_AUTH=client_secret_post');
    expect(checked(refused, { byPost: byPost(refused), known: true })).toMatch(/not with this secret/);
  });

  test('a demand for bound tokens is wrong only where they are not bound', () => {
    const introductions = [{ reply: reply(400, 'invalid_grant'), possession: true }];
    const bound = { ...facts(reply(400, 'invalid_grant')), introductions };
    expect(checkBoundTokens(bound, false)).toMatchObject([{ state: 'wrong' }]);
    expect(checkBoundTokens(bound, true)).toMatchObject([{ state: 'ok' }]);
    expect(checkBoundTokens(facts(reply(400, 'invalid_grant')), true)).toEqual([]);
    const cannot = new AppError('provider/refused-client', 'Tokens must be bound, but cannot be.');
    expect(checkBoundTokens(facts(reply(400, 'invalid_grant')), cannot)).toMatchObject([
      { state: 'wrong', finding: 'Tokens must be bound, but cannot be.' },
    ]);
  });

  test.each([
    ['asks', reply(400, 'invalid_client', 'Client requires user consent'), true, 'ok'],
    ['does not ask', reply(401, 'invalid_request', 'Missing parameter: username'), true, 'warn'],
    ['does not tell, passwords being off', reply(400, 'unauthorized_client'), true, 'unknown'],
    ['is another provider', reply(400, 'invalid_request'), false, 'unknown'],
  ])('the consent screen: Keycloak %s', (_case, answer, isKeycloak, state) =>
    expect(checkConsentScreen('nightkeep', answer, { isKeycloak }).state).toBe(state),
  );
});

describe('an authorization request', () => {
  const taken: Asked = { opened: { kind: 'returned', error: 'login_required' } };
  const pushed: Asked = { pushed: { ...reply(201), body: { request_uri: 'urn:x' } }, ...taken };
  const page: Asked = { opened: { kind: 'refuses' } };
  const asks: Asked = { opened: { kind: 'asks' } };
  const back = (error: string): Asked => ({ opened: { kind: 'returned', error } });
  const hidden = (description: string, status = 400): Asked => ({
    pushed: reply(status, 'invalid_request', description),
  });
  const base: AuthorizationFacts = {
    redirectUri: 'https://n.example/callback',
    scopes: { signIn: 'openid', consent: 'openid offline_access' },
    signIn: pushed,
    consent: { ...pushed, ...asks },
    direct: { signIn: taken, consent: asks },
    believed: true,
  };
  const checked = (facts: Partial<AuthorizationFacts>, { offered = true, demanded = false } = {}) => {
    const all = { ...base, ...facts };
    return [
      checkSignIn(all).state,
      checkOfflineScope(all, ['openid', 'offline_access']).state,
      checkPushedRequests(all, { offered, demanded }).state,
    ];
  };

  test('that a provider takes is right', () => {
    expect(checked({})).toEqual(['ok', 'ok', 'ok']);
    expect(checked({ signIn: taken, consent: asks, direct: undefined }, { offered: false })).toEqual([
      'ok',
      'ok',
      'ok',
    ]);
  });

  // As Keycloak 26.7.1 answers: it says invalid_request of every pushed request, and shows the reason to the browser.
  test.each([
    [
      'wrong redirect address',
      hidden('Invalid parameter: redirect_uri'),
      page,
      page,
      ['wrong', 'unknown', 'unknown'],
      /let people come back/,
    ],
    [
      'standard flow off',
      { pushed: reply(401, 'unauthorized_client') },
      back('unauthorized_client'),
      back('unauthorized_client'),
      ['wrong', 'unknown', 'unknown'],
      /may not send people to sign in/,
    ],
    [
      'wrong scopes',
      hidden('Invalid scopes'),
      back('invalid_scope'),
      back('invalid_scope'),
      ['wrong', 'wrong', 'unknown'],
      /one of the scopes openid/,
    ],
    [
      'other PKCE method',
      hidden('code challenge method'),
      back('invalid_request'),
      back('invalid_request'),
      ['wrong', 'unknown', 'unknown'],
      /refuses authorization requests \(invalid_request/,
    ],
  ] as const)('at Keycloak: %s', (_case, push, signIn, consent, states, words) => {
    const facts = { signIn: push, consent: push, direct: { signIn, consent } };
    expect(checked(facts)).toEqual(states);
    expect(checkSignIn({ ...base, ...facts }).finding).toMatch(words);
  });

  test('answered with a page where nobody may be asked show nothing', () => {
    const shown: Asked = { opened: { kind: 'shows' } };
    expect(checkSignIn({ ...base, signIn: shown, direct: { signIn: shown, consent: asks } })).toMatchObject({
      state: 'unknown',
      finding: expect.stringContaining('cannot be seen from here'),
    });
  });

  test('without offline_access shows by comparison, whatever the provider calls it', () => {
    const named = { consent: hidden('Invalid scopes'), direct: { signIn: taken, consent: back('invalid_scope') } };
    expect(checked(named)).toEqual(['ok', 'wrong', 'ok']);
    expect(checked({ consent: hidden('no'), direct: { signIn: taken, consent: back('invalid_request') } })).toEqual([
      'ok',
      'wrong',
      'ok',
    ]);
    expect(checkOfflineScope(base, ['openid']).state).toBe('unknown');
    expect(checkOfflineScope(base, undefined).state).toBe('ok');
  });

  test('that must be pushed, and is', () => {
    const facts = { direct: { signIn: back('invalid_request'), consent: back('invalid_request') } };
    expect(checked(facts)).toEqual(['ok', 'ok', 'ok']);
    expect(checkPushedRequests({ ...base, ...facts }, { offered: true, demanded: false }).finding).toBe(
      'The provider demands them, and Nightkeep pushes.',
    );
    expect(checked({ signIn: taken, consent: asks, direct: undefined }, { offered: false, demanded: true })[2]).toBe(
      'wrong',
    );
  });

  test('that is taken from a browser only is named', () => {
    expect(checked({ signIn: hidden('no'), consent: hidden('no') })).toEqual(['wrong', 'unknown', 'wrong']);
  });

  test('of a client that is not believed says little', () => {
    const facts = { signIn: page, consent: page, direct: undefined, believed: false };
    expect(checked(facts)).toEqual(['unknown', 'unknown', 'unknown']);
  });
});

describe('discovery', () => {
  const issuer = new URL('https://id.example/realms/people');
  const endpoint = (name: string) => `https://id.example/${name}`;
  const metadata = {
    issuer: issuer.href,
    authorization_endpoint: endpoint('auth'),
    token_endpoint: endpoint('token'),
    jwks_uri: endpoint('keys'),
    revocation_endpoint: endpoint('revoke'),
  };
  const { revocation_endpoint: _revocation, ...withoutRevocation } = metadata;
  const { token_endpoint: _token, ...withoutToken } = metadata;
  const url = new URL(`${issuer.href}/.well-known/openid-configuration`);
  const checked = (published: Omit<Published, 'url'>, of = issuer) => {
    const { state, finding, cure } = checkDiscovery(of, { url, ...published });
    return `${state}: ${finding} → ${cure}`;
  };
  const told = (document: Published['metadata'], ms = 10): Omit<Published, 'url'> => ({
    reply: { ...reply(200), ms },
    ...(document && { metadata: document }),
  });

  test.each([
    ['all is there', told(metadata), /^ok: /],
    ['it is slow', told(metadata, 5_000), /^warn: .*took 5000 ms/],
    ['it cannot revoke', told(withoutRevocation), /^warn: .*no revocation/],
    ['it has another name', told({ ...metadata, issuer: 'https://id.example/realms/other' }), /^wrong: .*names itself/],
    ['an endpoint is missing', told(withoutToken), /^wrong: .*lacks token_endpoint/],
    [
      'an endpoint is open to listeners',
      told({ ...metadata, token_endpoint: 'http://id.example/token' }),
      /^wrong: .*plain http addresses: token_endpoint/,
    ],
  ] as const)('%s', (_case, published, words) => expect(checked(published)).toMatch(words));

  test('over plain http is refused, unless it is on this machine', () => {
    const named = (address: string) => checked(told({ ...metadata, issuer: address }), new URL(address));
    expect(named('http://id.example/')).toMatch(/^wrong: OIDC_ISSUER is plain http/);
    expect(named('http://127.0.0.1:8080/')).toMatch(/^ok: /);
  });

  test.each([
    ['ENOTFOUND', /host name that cannot be resolved .*Correct the name in OIDC_ISSUER/],
    ['CERT_HAS_EXPIRED', /certificate that has expired .*Renew the certificate/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /certificate/],
    ['timeout', /firewall/],
    ['ECONNREFUSED', /Start the provider/],
  ])('that fails with %s comes with its own cure', (failure, cure) =>
    expect(checked({ reply: silence(failure) })).toMatch(cure),
  );

  test('needs a key that signs', () => {
    expect(checkSigningKeys({ reply: reply(200), signing: 2 }).state).toBe('ok');
    expect(checkSigningKeys({ reply: reply(200), signing: 0 }).finding).toMatch(/no key that it signs with/);
    expect(checkSigningKeys({ reply: silence('timeout'), signing: 0 }).finding).toMatch(/cannot be read \(timeout\)/);
  });
});
