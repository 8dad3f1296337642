import fc from 'fast-check';
import { expect } from 'vitest';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { tidyAnswer } from '../../../src/oidc/tidy-answer.ts';
import { readFailure, readTokensIn } from '../../../src/oidc/token-answer.ts';
import { type OpenIdIssuer, startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';
import { changed, changes, outcomeOfAsync, property } from '../property.ts';

const now = new Date('2026-05-04T12:00:00Z');
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.AAAA`;
const values = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'a',
    null,
    0,
    300,
    -1,
    1e300,
    '300',
    '0x10',
    true,
    [],
    {},
    'Bearer',
    'DPoP',
    'invalid_grant',
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc
    .record(
      { sub: fc.jsonValue(), sid: fc.jsonValue(), exp: fc.jsonValue(), iat: fc.jsonValue(), typ: fc.jsonValue() },
      { requiredKeys: [] },
    )
    .map(jwt),
);
const members = (...names: string[]) =>
  fc.record(Object.fromEntries(names.map((name) => [name, values])), { requiredKeys: [] });

const tokenAnswers = members(
  ...['access_token', 'refresh_token', 'token_type', 'expires_in', 'scope', 'id_token', 'refresh_expires_in'],
  ...['error', 'error_description', 'error_codes', 'suberror', '__proto__'],
);
const texts = fc
  .tuple(tokenAnswers, changes('{', '}', '"', ',', '\\u0000', '1e999'))
  .map(([answer, all]) => changed(JSON.stringify(answer), all));
const statuses = fc.constantFrom(200, 201, 204, 301, 400, 401, 403, 404, 429, 500, 503);

interface Reply {
  readonly status: number;
  readonly text: string;
}
let reply: { discovery: object; token: Reply } = { discovery: {}, token: { status: 200, text: '{}' } };
const server = await listenOnLoopback(0);
server.serve((request, response) => {
  const isDiscovery = request.url?.startsWith('/.well-known/') === true;
  const { status, text } = isDiscovery ? { status: 200, text: JSON.stringify(reply.discovery) } : reply.token;
  request.resume().on('end', () => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(status === 204 ? undefined : text);
  });
});

const open = (issuer: string) =>
  openIssuer({
    provider: { issuer: new URL(issuer), clientId: 'me', authentication: 'client_secret_post', secrets: ['s'] },
    publicUrl: new URL('http://localhost'),
    clock: systemClock(),
    log: silentLog,
  });

const sound = {
  issuer: server.origin,
  authorization_endpoint: `${server.origin}/authorize`,
  token_endpoint: `${server.origin}/token`,
  jwks_uri: `${server.origin}/jwks`,
};
const addresses = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'x',
    '/token',
    null,
    7,
    {},
    `${server.origin}/%`,
    `${server.origin}/a?b#c`,
    'ftp://127.0.0.1/',
    'javascript:1',
  ),
  fc.webPath().map((path) => server.origin + path),
);
const discoveries = fc.record(
  {
    issuer: fc.constantFrom<unknown>(server.origin, `${server.origin}/`, 'x', 1, null),
    authorization_endpoint: addresses,
    token_endpoint: addresses,
    pushed_authorization_request_endpoint: addresses,
    jwks_uri: addresses,
    scopes_supported: fc.jsonValue(),
    dpop_signing_alg_values_supported: fc.jsonValue(),
    code_challenge_methods_supported: fc.jsonValue(),
    grant_types_supported: fc.jsonValue(),
    id_token_signing_alg_values_supported: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

const provider: OpenIdIssuer = await startOpenIdIssuer();
const listening = open(provider.url);
const event = 'http://schemas.openid.net/event/backchannel-logout';
const seconds = () => Math.floor(Date.now() / 1000);

export const answers = [
  property(
    'a token answer is read without an error, whatever it holds',
    fc.tuple(texts, statuses),
    ([text, status]) => {
      const tokens = readTokensIn({ status, text }, now);
      if (tokens !== undefined) {
        expect(tokens.accessToken + (tokens.refreshToken ?? '')).toMatch(/./s);
        for (const date of [tokens.issuedAt, tokens.endsAt])
          if (date !== undefined) expect(date.getTime()).not.toBeNaN();
        if (tokens.expiresIn !== undefined) expect(tokens.expiresIn).toBeGreaterThan(0);
      }
      const tidied = tidyAnswer({ status, text });
      expect(tidyAnswer(tidied)).toEqual(tidied);
      const failed = readFailure({ answer: { status, headers: {}, text } }, undefined, now);
      expect(['lost', 'refused']).toContain(failed.kind);
      expect(failed.errorCode).toMatch(/^[\w.-]{1,60}$/);
    },
  ),
  property(
    'an exchange ends in an answer or a failure, whatever the provider sends',
    fc.tuple(texts, statuses),
    async ([text, status]) => {
      reply = { discovery: sound, token: { status, text } };
      const answer = await open(server.origin).exchange('r1');
      expect(['answered', 'lost', 'refused', 'unsent']).toContain(answer.kind);
      if (answer.kind === 'answered') expect(['string', 'undefined']).toContain(typeof (await answer.validate()));
    },
  ),
  property('what is published is used, or is an error of the provider', discoveries, async (changesOfIt) => {
    reply = {
      discovery: { ...sound, ...changesOfIt },
      token: { status: 201, text: '{"request_uri":"urn:x","expires_in":60}' },
    };
    const issuer = open(server.origin);
    const request = { purpose: 'sign-in', scope: 'openid', returnTo: '/' };
    await outcomeOfAsync(() => issuer.beginAuthorization(request), 'provider', 'consent');
    expect((await issuer.exchange('r1')).kind).not.toBe('answered');
    await issuer.tokenEnding();
    await issuer.profile();
  }),
  property(
    'a logout token is the one that was signed, or is refused',
    fc.tuple(
      members('iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp', 'nbf', 'events', 'nonce'),
      fc.record(
        { typ: fc.constantFrom('logout+jwt', 'JWT', 'at+jwt', ''), alg: fc.constantFrom('ES256', 'none', 'HS256') },
        { requiredKeys: [] },
      ),
      changes('.', 'A', 'e30'),
    ),
    async ([claims, header, all]) => {
      const usual = {
        iss: provider.url,
        aud: 'me',
        sub: 'alice',
        jti: 'j',
        iat: seconds(),
        exp: seconds() + 60,
        events: { [event]: {} },
      };
      const said = { ...usual, ...claims };
      const signed = await provider.sign(said, { typ: 'logout+jwt' }).catch(() => undefined);
      fc.pre(signed !== undefined);
      const [, ...rest] = signed.split('.');
      const forged =
        Object.keys(header).length > 0
          ? [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.')
          : signed;
      const sent = changed(forged, all);
      const read = await outcomeOfAsync(() => listening.readLogoutToken(sent), 'logout', 'provider');
      if (!('value' in read)) return;
      expect(sent).toBe(signed);
      expect(read.value.issuer).toBe(provider.url);
      expect(read.value.subject ?? read.value.sid).toBeTruthy();
    },
  ),
];
