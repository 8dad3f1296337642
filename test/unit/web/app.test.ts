import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { localPath } from '../../../src/web/security.ts';
import { stylesheetPath } from '../../../src/web/stylesheet.ts';
import { aliceRun, bob, fakeHouse } from './fake-house.ts';
import { visitor } from './visitor.ts';

const sessionCookie = '__Host-nightkeep';

describe('every answer', () => {
  it.each(['/', '/no-such-page', '/livez', stylesheetPath, '/snapshots'])(
    'carries the security headers: %s',
    async (path) => {
      const answer = await visitor(fakeHouse().house).send(path);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(answer.headers.get('content-security-policy')).toContain("form-action 'self' https://id.example");
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('referrer-policy')).toBe('same-origin');
    },
  );

  it('shows the public keys of the client to anybody, without a session', async () => {
    const answer = await visitor(fakeHouse().house).send('/jwks');
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await answer.json()).toEqual({ keys: [{ kty: 'EC', kid: 'newest' }] });
  });

  it('lets browsers keep the stylesheet and nothing else', async () => {
    const { send } = visitor(fakeHouse().house);
    expect((await send(stylesheetPath)).headers.get('cache-control')).toContain('immutable');
    expect((await send('/')).headers.get('cache-control')).toBe('no-store');
  });

  it('says "Internal error" of what nobody expected, and the message of what somebody did', async () => {
    const broken = visitor(fakeHouse({ beginSignIn: () => Promise.reject(new Error('the secret')) }).house);
    const text = await (await broken.send('/login')).text();
    expect(text).toContain('Internal error');
    expect(text).not.toContain('the secret');
    const refused = new AppError('provider/unavailable', 'The provider does not answer.');
    const answer = await visitor(fakeHouse({ beginSignIn: () => Promise.reject(refused) }).house).send('/login');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('The provider does not answer.');
  });
});

describe('the session', () => {
  it('comes in a cookie that only this host and no script can have', async () => {
    const answer = await visitor(fakeHouse().house).signIn();
    const line = answer.headers.getSetCookie().find((one) => one.startsWith(`${sessionCookie}=`)) ?? '';
    for (const word of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax', 'Max-Age=43200']) expect(line).toContain(word);
    expect(line).not.toContain('Domain');
    expect(answer.headers.get('location')).toBe('/grant');
  });

  it('is a new one at each sign-in, and ends after twelve hours', async () => {
    const { house, clock } = fakeHouse();
    const browser = visitor(house);
    await browser.signIn();
    const first = browser.cookies.get(sessionCookie);
    await browser.signIn();
    expect(browser.cookies.get(sessionCookie)).not.toBe(first);
    expect((await browser.send('/grant')).status).toBe(200);
    await clock.advance(12 * 3_600_000);
    expect((await browser.send('/grant')).headers.get('location')).toBe('/login?returnTo=%2Fgrant');
  });

  it('refuses an answer of the provider that this browser did not ask for, and one that comes twice', async () => {
    const browser = visitor(fakeHouse().house);
    expect((await browser.send('/callback?code=1')).status).toBe(400);
    await browser.signIn();
    expect((await browser.send('/callback?code=1')).status).toBe(400);
  });

  it('ends with the sign-out, which does not touch the consent', async () => {
    const { house, asked } = fakeHouse();
    const browser = visitor(house);
    await browser.signIn();
    await browser.post('/logout', { csrf: await browser.csrf() });
    expect(browser.cookies.has(sessionCookie)).toBe(false);
    expect(asked).toEqual([]);
  });

  it("does not finish a consent that somebody else's session began", async () => {
    const { house, who } = fakeHouse();
    const browser = visitor(house);
    await browser.signIn();
    await browser.post('/consent', { csrf: await browser.csrf() });
    const begun = browser.cookies.get('__Host-nightkeep-begun') ?? '';
    who.signsIn = bob;
    await browser.signIn();
    browser.cookies.set('__Host-nightkeep-begun', begun);
    expect((await browser.send('/callback?code=1')).status).toBe(400);
  });
});

describe('forms', () => {
  it.each([
    ['without the token', { csrf: '' }, {}],
    ['with another token', { csrf: 'x'.repeat(32) }, {}],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from another origin', {}, { origin: 'https://evil.example' }],
    ['from a page without an origin', {}, { origin: 'null' }],
  ])('are refused %s', async (_, fields, headers) => {
    const { house, asked } = fakeHouse();
    const browser = visitor(house);
    await browser.signIn();
    const csrf = await browser.csrf();
    expect((await browser.post('/grant/withdraw', { csrf, ...fields }, { ...headers })).status).toBe(403);
    expect(asked).toEqual([]);
  });

  it('are taken from our own pages', async () => {
    const { house, asked } = fakeHouse();
    const browser = visitor(house);
    await browser.signIn();
    const own = { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' };
    expect((await browser.post('/grant/withdraw', { csrf: await browser.csrf() }, own)).status).toBe(303);
    expect(asked).toHaveLength(1);
  });
});

describe('where a sign-in leads back to', () => {
  const home = new URL('https://keep.example');

  it.each([
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https://evil.example/',
    '/\t/evil.example',
    '/x/..//evil.example',
    'javascript:alert(1)',
    '',
    undefined,
  ])('is never another site: %s', (text) => {
    expect(new URL(localPath(text, home), home).origin).toBe(home.origin);
    expect(localPath(text, home)).toMatch(/^\/(?!\/)/);
  });

  it('is a page of ours with its query', () => {
    expect(localPath('/runs/1?scope=offline_access', home)).toBe('/runs/1?scope=offline_access');
  });
});

describe('pages', () => {
  it('send whoever is not signed in to the sign-in and back', async () => {
    const answer = await visitor(fakeHouse().house).send('/snapshots?scope=offline_access');
    expect(answer.headers.get('location')).toBe('/login?returnTo=%2Fsnapshots%3Fscope%3Doffline_access');
  });

  it('sign a stranger in first where the address asks for offline access, also on the home page', async () => {
    const answer = await visitor(fakeHouse().house).send('/?scope=offline_access');
    expect(answer.headers.get('location')).toBe('/login?returnTo=%2F%3Fscope%3Doffline_access');
  });

  it('ask for consent by themselves where the address asks for offline access', async () => {
    const browser = visitor(fakeHouse().house);
    await browser.signIn();
    expect((await browser.send('/snapshots?scope=openid+offline_access')).headers.get('location')).toBe(
      '/consent?returnTo=%2Fsnapshots',
    );
  });

  it('answer the question, and say what could not be read without trusting its name', async () => {
    const browser = visitor(fakeHouse().house);
    await browser.signIn();
    expect(await (await browser.send('/')).text()).toContain('Yes, you are protected.');
    const text = await (await browser.send(`/runs/${aliceRun}`)).text();
    expect(text).toContain('&lt;script&gt;');
    expect(text).not.toContain('<script>');
  });

  it("know nothing of other people's runs", async () => {
    const { house, who } = fakeHouse();
    who.signsIn = bob;
    const browser = visitor(house);
    await browser.signIn();
    expect((await browser.send(`/runs/${aliceRun}`)).status).toBe(404);
    expect((await browser.send('/runs/not-an-id')).status).toBe(404);
    expect((await browser.send(`/snapshots/${'ab'.repeat(32)}/browse/`)).status).toBe(404);
  });

  it('show the recovery key to a form only, with the commands for a shell', async () => {
    const browser = visitor(fakeHouse().house);
    await browser.signIn();
    const before = await (await browser.send('/recovery')).text();
    expect(before).not.toContain('AAAA-BBBB');
    expect(before).toContain('RESTIC_REPOSITORY=&#39;/store/alice&#39;\\&#39;&#39;s&#39;');
    const after = await browser.post('/recovery', { csrf: await browser.csrf() });
    expect(await after.text()).toContain('AAAA-BBBB');
  });
});
