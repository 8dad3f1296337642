import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/log.ts';
import { type Issuer, openIssuer } from '../../../src/oidc/issuer.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { type Answer, type OpenIdIssuer, startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';

const scope = 'openid offline_access';
const start = Date.parse('2026-05-04T12:00:00Z');
let provider: OpenIdIssuer;
let issuer: Issuer;
/** Seconds after the start at which the token endpoint was asked. */
let askedAt: number[];
let answers: (Answer | (() => Answer))[];
beforeAll(async () => {
  provider = await startOpenIdIssuer();
});
afterAll(() => provider[Symbol.asyncDispose]());
beforeEach(async () => {
  const clock = manualClock(new Date(start).toISOString(), { sleepAtOnce: true });
  askedAt = [];
  answers = [];
  provider.asked.splice(0);
  for (const name of Object.keys(provider.metadata)) delete provider.metadata[name];
  provider.answer = ({ endpoint }) => {
    if (endpoint === 'device') return device({});
    if (endpoint !== 'token') return undefined;
    askedAt.push((clock.now().getTime() - start) / 1000);
    const next = answers.shift() ?? refusal('authorization_pending');
    return typeof next === 'function' ? next() : next;
  };
  issuer = open(clock);
});

function open(clock = manualClock(new Date(start).toISOString(), { sleepAtOnce: true })): Issuer {
  const client = { clientId: 'nightkeep', authentication: 'client_secret_basic', secrets: ['secret'] } as const;
  return openIssuer({
    provider: { issuer: new URL(provider.url), ...client },
    publicUrl: new URL('http://localhost'),
    clock,
    log: silentLog,
  });
}

const refusal = (error: string, status = 400, error_description?: string): Answer => ({
  status,
  body: { error, ...(error_description && { error_description }) },
});
const device = (changes: object): Answer => ({
  status: 200,
  body: {
    device_code: 'the device code',
    user_code: 'ABCD-EFGH',
    verification_uri: `${provider.url}/go`,
    verification_uri_complete: `${provider.url}/go?user_code=ABCD-EFGH`,
    expires_in: 60,
    interval: 2,
    ...changes,
  },
});
async function tokens(changes: object = {}): Promise<Answer> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: provider.url, aud: 'nightkeep', sub: 'alice', sid: 's1', iat: now, exp: now + 300 };
  const id_token = await provider.sign({ ...claims, preferred_username: 'alice' });
  const access_token = await provider.sign({ ...claims, aud: 'cloud' });
  const body = { access_token, token_type: 'Bearer', expires_in: 300, refresh_token: 'offline', scope, id_token };
  return { status: 200, body: { ...body, ...changes } };
}
const error = (work: Promise<unknown>) =>
  work.then(
    () => 'went well',
    (thrown: unknown) => thrown,
  );

describe('another device', () => {
  it('is told code and addresses, and is waited for until the person said yes', async () => {
    answers = [refusal('authorization_pending'), refusal('authorization_pending'), await tokens()];
    const login = await issuer.enroll.device(scope);
    expect(login).toMatchObject({
      userCode: 'ABCD-EFGH',
      verificationUri: `${provider.url}/go`,
      verificationUriComplete: `${provider.url}/go?user_code=ABCD-EFGH`,
      expiresAt: new Date(start + 60_000),
    });
    expect(await login.finish()).toMatchObject({
      issuer: provider.url,
      subject: 'alice',
      scope,
      tokens: { refreshToken: 'offline', sid: 's1' },
      claims: { preferred_username: 'alice' },
    });
    expect(askedAt).toEqual([2, 4, 6]);
    const [begun, ...polls] = provider.asked.filter(({ endpoint }) => endpoint === 'device' || endpoint === 'token');
    expect(begun?.form.get('scope')).toBe(scope);
    expect(polls[0]?.form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:device_code');
    expect(polls[0]?.form.get('device_code')).toBe('the device code');
    expect(begun?.form.get('code_challenge_method')).toBe('S256');
    const verifier = polls[0]?.form.get('code_verifier') ?? '';
    expect(begun?.form.get('code_challenge')).toBe(hash('sha256', verifier, 'base64url'));
  });

  it.each<[string, object | (() => object), boolean]>([
    ['a code with a line break', { user_code: 'ABCD\nEFGH' }, false],
    ['a code of what is not seen', { user_code: 'AB\u200bCD' }, false],
    ['a code that is turned', { user_code: '\u202eDCBA' }, false],
    ['a code of 65 characters', { user_code: 'A'.repeat(65) }, false],
    ['a code of 64 characters', { user_code: 'A'.repeat(64) }, true],
    ['an address that is a program', { verification_uri: 'javascript:alert(1)' }, false],
    ['an address that is none', { verification_uri: 'go' }, false],
    ['an address with an escape sequence', () => ({ verification_uri: `${provider.url}/\u001b[2J` }), false],
    ['a whole address of a file', { verification_uri_complete: 'file:///etc/passwd' }, false],
    [
      'a whole address of 3,000 characters',
      () => ({ verification_uri_complete: `${provider.url}/${'x'.repeat(3_000)}` }),
      false,
    ],
    ['no whole address', { verification_uri_complete: undefined }, true],
    ['an address of https', { verification_uri: 'https://id.example/go', verification_uri_complete: undefined }, true],
  ])('is shown nothing that cannot be typed or opened: %s', async (_, changes, isShown) => {
    provider.answer = ({ endpoint }) =>
      endpoint === 'device' ? device(typeof changes === 'function' ? changes() : changes) : undefined;
    const begun = await error(issuer.enroll.device(scope));
    expect(isShown ? begun : (begun as { code?: string }).code).toBe(isShown ? 'went well' : 'provider/wrong-answer');
  });

  it('is asked less often when the provider says so, and every five seconds where it says nothing', async () => {
    answers = [refusal('slow_down'), refusal('authorization_pending'), refusal('slow_down'), await tokens()];
    await (await issuer.enroll.device(scope)).finish();
    expect(askedAt).toEqual([2, 9, 16, 28]);
    askedAt = [];
    const usual = provider.answer;
    provider.answer = (asked) => (asked.endpoint === 'device' ? device({ interval: undefined }) : usual(asked));
    answers = [refusal('authorization_pending'), await tokens()];
    await (await issuer.enroll.device(scope)).finish();
    expect(askedAt.map((at) => at - 28)).toEqual([5, 10]);
  });

  it('is waited for through an outage of the provider, less and less often', async () => {
    answers = [{ status: 503, body: {} }, { status: 502, body: {} }, await tokens()];
    expect(await (await issuer.enroll.device(scope)).finish()).toMatchObject({ subject: 'alice' });
    expect(askedAt).toEqual([2, 6, 14]);
  });

  it('is not waited for longer than its code holds', async () => {
    expect(await error((await issuer.enroll.device(scope)).finish())).toMatchObject({ code: 'enroll/expired' });
    expect(askedAt.at(-1)).toBeLessThan(60);
    expect(askedAt).toHaveLength(29);
  });

  it('is asked once a second at most, and waited for a day at most, whatever the provider says', async () => {
    const usual = provider.answer;
    const boundless = { interval: 0.001, expires_in: 1e300 };
    provider.answer = (asked) => (asked.endpoint === 'device' ? device(boundless) : usual(asked));
    answers = [refusal('authorization_pending'), refusal('authorization_pending'), await tokens()];
    const login = await issuer.enroll.device(scope);
    expect(login.expiresAt).toEqual(new Date(start + 86_400_000));
    await login.finish();
    expect(askedAt).toEqual([1, 2, 3]);
    const rare = { interval: 1e300, expires_in: 86_400 };
    provider.answer = (asked) => (asked.endpoint === 'device' ? device(rare) : usual(asked));
    expect(await error((await issuer.enroll.device(scope)).finish())).toMatchObject({ code: 'enroll/expired' });
  });

  it('ends with the signal', async () => {
    const login = await issuer.enroll.device(scope);
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    answers = [
      () => {
        stop.abort(reason);
        return refusal('authorization_pending');
      },
    ];
    expect(await error(login.finish(stop.signal))).toBe(reason);
    expect(askedAt).toEqual([2]);
  });

  it.each([
    ['access_denied', 'consent/denied', 'said no'],
    ['expired_token', 'enroll/expired', 'in time'],
    ['invalid_grant', 'enroll/refused', 'Start again'],
    ['unauthorized_client', 'enroll/refused', 'OAuth 2.0 Device Authorization Grant'],
    ['not_allowed', 'consent/not-offline', 'role offline_access'],
  ])('that is answered %s is told %s, with the cure', async (word, code, words) => {
    answers = [refusal(word)];
    const thrown = await error((await issuer.enroll.device(scope)).finish());
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it.each([
    ['unauthorized_client', 'enroll/refused', 'OAuth 2.0 Device Authorization Grant'],
    ['invalid_scope', 'consent/not-offline', 'optional client scopes'],
  ])('that may not even begin is told why: %s', async (word, code, words) => {
    provider.answer = ({ endpoint }) => (endpoint === 'device' ? refusal(word) : undefined);
    expect(await error(issuer.enroll.device(scope))).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it('cannot be had at a provider that offers none', async () => {
    provider.metadata.device_authorization_endpoint = undefined;
    expect(await error(open().enroll.device(scope))).toMatchObject({
      code: 'enroll/refused',
      message: expect.stringContaining('device_authorization_endpoint'),
    });
  });
});

describe('a password', () => {
  const who = { username: 'alice', password: 'open sesame' };

  it('is in one request, and brings the tokens', async () => {
    answers = [await tokens()];
    expect(await issuer.enroll.password(who, scope)).toMatchObject({
      subject: 'alice',
      tokens: { refreshToken: 'offline', sid: 's1' },
    });
    const sent = provider.asked.filter(({ form }) => form.toString().includes('sesame'));
    expect(sent.map(({ form }) => Object.fromEntries(form))).toEqual([{ ...who, scope, grant_type: 'password' }]);
  });

  it.each([
    [refusal('unauthorized_client', 400, 'Client not allowed'), 'enroll/refused', 'Direct access grants'],
    [refusal('invalid_grant', 401, 'Invalid user credentials'), 'enroll/refused', 'user name or the password'],
    [refusal('invalid_client', 400, 'Client requires user consent'), 'enroll/refused', 'requires user consent'],
    [refusal('invalid_client', 401, 'Invalid client'), 'provider/refused-client', 'client id'],
    [refusal('invalid_scope', 400, 'Invalid scopes'), 'consent/not-offline', 'optional client scopes'],
    [refusal('not_allowed', 400, 'Offline tokens not allowed'), 'consent/not-offline', 'role offline_access'],
    [refusal('unsupported_grant_type'), 'enroll/refused', 'browser'],
    [{ status: 503, body: {} }, 'provider/unavailable', 'does not answer'],
  ])('that is refused says why, and nothing of itself: %o', async (answer, code, words) => {
    answers = [answer];
    const thrown = await error(issuer.enroll.password(who, scope));
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(JSON.stringify(thrown)).not.toContain('sesame');
  });
});

describe('the service account', () => {
  it('is known by its access token where there is no ID token', async () => {
    answers = [await tokens({ id_token: undefined, scope: undefined })];
    expect(await issuer.enroll.service(scope)).toMatchObject({
      subject: 'alice',
      scope,
      tokens: { refreshToken: 'offline' },
    });
    expect(Object.fromEntries(provider.asked.find(({ endpoint }) => endpoint === 'token')?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope,
    });
  });

  it('that there is none of is told, with the switch that makes it', async () => {
    answers = [refusal('unauthorized_client', 401, 'Client not enabled to retrieve service account')];
    expect(await error(issuer.enroll.service(scope))).toMatchObject({
      code: 'enroll/refused',
      message: expect.stringContaining('Service accounts roles'),
    });
  });
});
