import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { AppError, type ErrorCode } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import { failure } from '../../../src/web/pages/error.ts';
import type { Session } from '../../../src/web/session.ts';
import { texts } from '../../../src/web/texts/en.ts';

const config = readConfig({
  OIDC_ISSUER: 'https://id.example',
  OIDC_CLIENT_ID: 'nightkeep',
  OIDC_CLIENT_SECRET: 'a secret',
  FILES_URL: 'https://cloud.example/',
  KEYRING: `one:${Buffer.alloc(32).toString('base64url')}`,
});
const session: Session = {
  id: 's',
  userId: 'u',
  name: 'Alice',
  operator: false,
  language: null,
  authenticatedAt: null,
  csrf: 'c',
};

/** The page that a request ends in by this error. */
async function failed(error: unknown, request: string, visitor?: Session) {
  const [method = '', path = ''] = request.split(' ');
  const app = new Hono().all('*', (c) =>
    failure({ c, url: new URL(c.req.url), session: visitor, texts, resources: { config, log: silentLog } }, error),
  );
  const answer = await app.request(path, { method });
  const html = (await answer.text()).replaceAll('&amp;', '&');
  return { status: answer.status, html, way: /<a class="button" href="([^"]*)">([^<]*)/.exec(html)?.slice(1) };
}

const because = (code: ErrorCode) => new AppError(code, 'A message for operators.');

describe('a page that could not be answered', () => {
  it.each(Object.entries(texts.errors.told))('says once what happened and who can do what: %s', async (code, told) => {
    const { status, html } = await failed(new AppError(code as ErrorCode, 'The message.'), 'GET /grant', session);
    expect(status).toBeGreaterThanOrEqual(400);
    for (const words of Object.values(told)) expect(html.split(`>${words}<`)).toHaveLength(2);
    expect(html).toContain(`<h1>${told.title}</h1>`);
    expect(html).toContain('happened' in told ? told.happened : 'The message.');
    if ('happened' in told) expect(html).not.toContain('The message.');
    if ('act' in told) expect(html).toContain(told.act);
    expect(html).toContain('href="/"');
  });

  it.each<[ErrorCode, string, Session | undefined, string[] | undefined]>([
    ['consent/denied', 'GET /callback?error=access_denied', session, ['/consent', 'Back to the consent page']],
    ['consent/not-offline', 'GET /callback?code=1', session, ['/consent', 'Back to the consent page']],
    ['consent/denied', 'GET /callback?error=access_denied', undefined, ['/login', 'Sign in again']],
    ['consent/invalid-callback', 'GET /callback?code=1', session, ['/consent', 'Back to the consent page']],
    ['provider/unavailable', 'GET /login?returnTo=%2Fgrant', undefined, ['/login?returnTo=%2Fgrant', 'Try again']],
    ['database/unavailable', 'GET /grant?before=1&x=2', session, ['/grant?before=1&x=2', 'Try again']],
    ['provider/unavailable', 'POST /consent', session, ['/consent', 'Go back']],
    ['request/forbidden', 'POST /recovery/reissue', session, ['/recovery', 'Go back']],
    ['request/forbidden', 'POST /settings/sessions/end', session, ['/settings', 'Go back']],
    ['request/forbidden', 'POST /grant/withdraw', session, ['/grant/withdraw', 'Go back']],
    ['request/forbidden', 'POST /verification/looked', session, ['/verification', 'Go back']],
    [
      'request/too-many',
      'POST /snapshots/ab12/restore/files/a%20b',
      session,
      ['/snapshots/ab12/restore/files/a%20b', 'Go back'],
    ],
    ['request/invalid', 'POST /operator/people/7/pause', session, ['/operator/people/7', 'Go back']],
    ['queue/unavailable', 'POST /operator/queues/pause', session, ['/operator/queues', 'Go back']],
    ['queue/unavailable', 'POST /backup-now', session, ['/', 'Go back']],
    ['grant/not-usable', 'POST /backup-now', session, ['/consent', 'Back to the consent page']],
    ['request/operators-only', 'GET /operator/tonight', session, ['/', 'To the home page']],
    ['request/not-found', 'GET /no-such-page', session, ['/', 'To the home page']],
    ['provider/wrong-answer', 'GET /callback?code=1', undefined, ['/login', 'Sign in again']],
    ['source/missing-claim', 'POST /consent', session, ['/consent', 'Go back']],
  ])('leads on: %s at %s', async (code, request, visitor, way) => {
    expect((await failed(because(code), request, visitor)).way).toEqual(way);
  });

  it('tells nothing of what nobody expected', async () => {
    const { status, html, way } = await failed(new Error('the secret'), 'GET /grant', session);
    expect(status).toBe(500);
    expect(html).toContain('Internal error');
    expect(html).not.toContain('the secret');
    expect(way).toEqual(['/grant', 'Try again']);
  });
});
