import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { asOutage } from '../database/client.ts';
import { AppError } from '../errors.ts';
import { findSession } from './cookies.ts';
import type { House } from './house.ts';
import { failure } from './pages/error.ts';
import { type Route, routes } from './routes.ts';
import { refuseForgery, securityHeaders } from './security.ts';
import { icon, iconPath, stylesheet, stylesheetPath } from './stylesheet.ts';
import { notFound, type Visit } from './visit.ts';

/** The pages of the house as one function from request to answer. */
export function createApp(house: House): Hono {
  const app = new Hono();
  const headers = Object.entries(securityHeaders(house));
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of headers) if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  });
  app.use(bodyLimit({ maxSize: 16 * 1024, onError: (c) => c.json({ error: 'invalid_request' }, 400) }));
  app.get(stylesheetPath, (c) =>
    c.body(stylesheet, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    }),
  );
  app.get(iconPath, (c) =>
    c.body(icon, 200, { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' }),
  );
  app.get('/livez', (c) => c.text('ok'));
  app.get('/readyz', async (c) => {
    const ready = await house.ready().then(
      () => true,
      () => false,
    );
    return ready ? c.text('ok') : c.text('not ready', 503);
  });
  for (const route of routes) app.on(route.method, route.path, async (c) => answer(route, await visitOf(c, house)));
  app.notFound(async (c) => failure(await visitOf(c, house), notFound()));
  app.onError(async (error, c) => failure(await visitOf(c, house).catch(() => strangerOf(c, house)), asOutage(error)));
  return app;
}

async function visitOf(c: Context, house: House): Promise<Visit> {
  return { ...strangerOf(c, house), session: await findSession(c, house) };
}

function strangerOf(c: Context, house: House): Visit {
  return { c, house, url: new URL(c.req.url), session: undefined };
}

async function answer(route: Route, visit: Visit): Promise<Response> {
  if (route.who === 'provider') return route.answer(visit);
  if (route.who === 'anyone') {
    return (await consentFirst(visit)) ?? route.answer(visit);
  }
  const { c, house, session } = visit;
  if (session === undefined) {
    return toSignIn(c, route.method === 'GET' ? visit.url : house.publicUrl);
  }
  if (route.who === 'operator' && !session.roles.includes(house.operatorRole)) {
    throw new AppError('request/forbidden', `This page is for operators: people with the role ${house.operatorRole}.`);
  }
  if (route.method === 'POST') {
    const { csrf } = await c.req.parseBody();
    refuseForgery(c.req.raw.headers, typeof csrf === 'string' ? csrf : '', session.csrf, house.publicUrl);
  }
  return (await consentFirst(visit)) ?? route.answer({ ...visit, session });
}

/** A page opened with `?scope=offline_access` asks for consent by itself where there is none that lives. */
async function consentFirst({ c, house, session, url }: Visit): Promise<Response | undefined> {
  const asked = url.searchParams.get('scope')?.split(' ').includes('offline_access');
  if (!asked || ['/consent', '/callback', '/login'].includes(url.pathname)) return undefined;
  if (session === undefined) return toSignIn(c, url);
  const grant = await house.findGrant(session.userId);
  if (grant?.state === 'active' || grant?.state === 'suspect') return undefined;
  const target = new URL(url);
  target.searchParams.delete('scope');
  return c.redirect(`/consent?returnTo=${encodeURIComponent(target.pathname + target.search)}`, 303);
}

function toSignIn(c: Context, { pathname, search }: URL): Response {
  return c.redirect(`/login?returnTo=${encodeURIComponent(pathname + search)}`, 303);
}
