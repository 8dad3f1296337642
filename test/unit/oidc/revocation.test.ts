import { expect, test } from 'vitest';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';

/** What comes of ending a token where the provider answers so. */
async function ended(status: number, body: string, headers: Record<string, string> = {}): Promise<unknown> {
  const server = await listenOnLoopback(0);
  const { origin } = server;
  server.serve((request, response) => {
    if (request.url === '/revoke') return void response.writeHead(status, headers).end(body);
    const discovered = { issuer: origin, token_endpoint: `${origin}/token`, revocation_endpoint: `${origin}/revoke` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(discovered));
  });
  const client = { clientId: 'me', authentication: 'client_secret_basic', secrets: ['s'] } as const;
  const issuer = openIssuer({
    provider: { issuer: new URL(origin), ...client },
    publicUrl: new URL('http://localhost'),
    clock: systemClock(),
    log: silentLog,
  });
  const outcome = await outcomeOf(issuer.revoke('r1'));
  await server.down();
  return outcome;
}

test.each([
  [200, ''],
  [200, '{}'],
  [200, 'OK'],
  [200, '{"error":"invalid_token"}'],
  [400, '{"error":"invalid_token"}'],
  [202, ''],
  [204, ''],
])('a token is ended where the provider answers %i "%s"', async (status, body) => {
  expect(await ended(status, body, { 'content-type': 'text/html' })).toBe('went well');
});

test.each([
  [200, '{"error":"invalid_client"}', 'provider/refused-client'],
  [200, '{"error":"unsupported_token_type"}', 'provider/refused'],
  [202, '{"error":"server_error"}', 'provider/unavailable'],
  [200, '<!doctype html><title>Sign in</title>', 'provider/unavailable'],
  [200, '\n<html>', 'provider/unavailable'],
  [401, '{"error":"invalid_token"}', 'provider/refused'],
  [302, '', 'provider/unavailable'],
  [404, '', 'provider/unavailable'],
  [405, '', 'provider/unavailable'],
  [503, '{"error":"unsupported_token_type"}', 'provider/unavailable'],
])('it is not where the answer is %i %s', async (status, body, code) => {
  expect(await ended(status, body, { 'content-type': 'application/json', location: '/elsewhere' })).toBe(code);
});

test('a refusal is read whatever its type', async () => {
  const refusal = '{"error":"unsupported_token_type"}';
  expect(await ended(400, refusal, { 'content-type': 'text/plain' })).toBe('provider/refused');
});
