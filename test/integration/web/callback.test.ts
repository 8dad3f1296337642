import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import type { Resources } from '../../../src/resources.ts';
import { openPages, type Pages } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';
import { type OpenIdIssuer, startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';

let pages: Pages;
let provider: OpenIdIssuer;
let resources: Resources;
const lines: string[] = [];
beforeAll(async () => {
  [pages, provider] = [await openPages(), await startOpenIdIssuer()];
  const { clock, config } = pages.resources;
  const log = openLog({ clock, level: 'info', write: (line) => lines.push(line) });
  const client = { clientId: 'me', authentication: 'client_secret_basic', secrets: ['s'] } as const;
  const settings = { issuer: new URL(provider.url), ...client };
  const issuer = openIssuer({ provider: settings, publicUrl: config.publicUrl, clock, log });
  resources = {
    ...pages.resources,
    log,
    issuer,
    config: { ...config, rates: { ...config.rates, signIns: undefined } },
  };
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await pages[Symbol.asyncDispose]();
});
beforeEach(() => {
  lines.length = 0;
});

/** Somebody on the way to the provider, and what the provider is to sign for them. */
async function begin() {
  const visitor = openVisitor(resources);
  const target = new URL((await visitor.send('/login?returnTo=/grant')).headers.get('location') ?? '');
  const { state = '', nonce } = Object.fromEntries(target.searchParams);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: provider.url, aud: 'me', sub: 'alice', iat: now, exp: now + 300, nonce };
  provider.answer = async ({ endpoint, form }) => {
    if (endpoint !== 'token') return undefined;
    if (form.get('code') !== 'right') return { status: 400, body: { error: 'invalid_grant' } };
    return { status: 200, body: { access_token: 'a', token_type: 'Bearer', id_token: await provider.sign(claims) } };
  };
  const usual = { state, iss: provider.url };
  const come = (sent: Record<string, string>) => visitor.send(`/callback?${new URLSearchParams(sent)}`);
  return { visitor, usual, come };
}

const huge = 'x'.repeat(7_000);
const unseen = 'a\u200b\u202e\u2066\ufeff\u00ad';
const oddities = [
  '',
  ' ',
  huge,
  unseen,
  '\r\nSet-Cookie: a=b',
  '<script>alert(1)</script>',
  '\ud800',
  '[object Object]',
];
const words = [
  ...['access_denied', 'invalid_request', 'unauthorized_client', 'unsupported_response_type', 'invalid_scope'],
  ...['server_error', 'temporarily_unavailable', 'invalid_client', 'login_required', 'invalid_grant', 'not_allowed'],
];
const names = ['code', 'error', 'state', 'iss'];
const unused = ['error_description', 'error_uri', 'session_state', 'scope', 'response'];
const strange: Record<string, string>[] = [
  ...words.map((error) => ({ error, error_description: 'The operator must pay. https://evil.example' })),
  ...names.flatMap((name) => oddities.map((value) => ({ code: 'wrong', [name]: value }))),
  ...unused.flatMap((name) => [huge, unseen].map((value) => ({ code: 'wrong', [name]: value }))),
];

describe('what anybody can write into the address that the provider sends people back to', () => {
  it.each(strange)('is the fault of nobody, and one short line of the log: %#', async (sent) => {
    const { usual, come } = await begin();
    lines.length = 0;
    const answer = await come({ ...usual, ...sent });
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(text).not.toMatch(/The operator of Nightkeep|who can mend it|<script|evil\.example|\u202e|\u200b/);
    expect(text.length).toBeLessThan(6_000);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', event: 'web.failed', status: 400 });
    expect(lines[0]?.length).toBeLessThan(3_000);
    expect(lines[0]).not.toMatch(/\u202e|\u200b/);
  });

  it.each<Record<string, string>>([
    { code: 'right', iss: 'https://evil.example' },
    { code: 'right', iss: '' },
    { code: 'right', id_token: 'a.b.c' },
    { code: huge },
    {},
  ])('leaves what was begun as it is: %#', async (sent) => {
    const { usual, come, visitor } = await begin();
    expect((await come({ ...usual, ...sent })).status).toBe(400);
    const answer = await come({ ...usual, code: 'right' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/grant']);
    expect((await visitor.send('/grant')).status).toBe(200);
  });

  it.each<[Record<string, string>, string]>([
    [{}, 'is empty, or stands behind a #'],
    [{ response: 'a.b.c' }, 'is packed into one parameter (response)'],
    [{ code: 'right' }, 'does not say what it belongs to (state)'],
    [{ code: 'right', state: '' }, 'does not say what it belongs to (state)'],
    [{ error: 'invalid_scope' }, 'is invalid_scope, and does not say what it belongs to (state)'],
    [{ error: '<b>' }, 'is empty'],
  ])('and in a form that nothing can be read from is said to be so, signed in or not: %j', async (sent, words) => {
    const { usual, come } = await begin();
    const expectSaid = async () => {
      const answer = await come(sent);
      expect(answer.status).toBe(400);
      const text = await answer.text();
      expect(text).toContain(words);
      expect(text).not.toContain('<b>');
    };
    await expectSaid();
    expect((await come({ ...usual, code: 'right' })).status).toBe(303);
    await expectSaid();
  });

  it('is left for whoever asks with GET where HEAD came before', async () => {
    const { usual, come, visitor } = await begin();
    const address = `/callback?${new URLSearchParams({ ...usual, code: 'right' })}`;
    expect((await visitor.send(address, { method: 'HEAD' })).status).toBe(200);
    expect((await come({ ...usual, code: 'right' })).headers.get('location')).toBe('/grant');
  });

  it('is taken once where it is an answer', async () => {
    for (const sent of [{ code: 'wrong' }, { error: 'access_denied' }] as Record<string, string>[]) {
      const { usual, come } = await begin();
      expect((await come({ ...usual, ...sent })).status).toBe(400);
      const again = await come({ ...usual, code: 'right' });
      expect(again.status).toBe(400);
      expect(await again.text()).toContain('does not belong to anything begun in this browser');
    }
  });
});

describe('what anybody can post to the address that the provider sends people back to', () => {
  const post = (sent: Record<string, string> | [string, string][]) =>
    openVisitor(resources).send('/callback', { method: 'POST', body: new URLSearchParams(sent) });

  it('leads to the same answer in the address, without what does not belong there', async () => {
    const { usual, visitor } = await begin();
    const posted = await post({ ...usual, code: 'right', id_token: 'a.b.c', session_state: 's', user: '{}' });
    expect(posted.status).toBe(303);
    const target = posted.headers.get('location') ?? '';
    expect(Object.fromEntries(new URL(target, provider.url).searchParams)).toEqual({ ...usual, code: 'right' });
    expect((await visitor.send(target)).headers.get('location')).toBe('/grant');
  });

  it('is refused there where it comes twice, and at once where it is too long', async () => {
    const { usual, visitor } = await begin();
    const twice = await post([...Object.entries(usual), ['code', 'right'], ['code', 'wrong']]);
    expect((await visitor.send(twice.headers.get('location') ?? '')).status).toBe(400);
    expect((await post({ ...usual, code: huge })).status).toBe(400);
  });
});

describe('what anybody can post as a logout token', () => {
  it.each([['x'], [huge + huge], [unseen], ['e30.e30.e30'], ['eyJhbGciOiJub25lIn0.e30.'], ['a.b.c.d.e']])(
    'is refused with one short line that is no warning: %#',
    async (token) => {
      const body = new URLSearchParams({ logout_token: token });
      const answer = await openVisitor(resources).send('/backchannel-logout', { method: 'POST', body });
      expect(answer.status).toBe(400);
      expect(lines).toHaveLength(1);
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', event: 'session.end-failed' });
      expect(lines[0]?.length).toBeLessThan(3_000);
    },
  );
});
