import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { asOutage, ping } from '../database/client.ts';
import { findGrantOfPerson } from '../database/consent/grant-views.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import { traced } from '../tracing.ts';
import { isErasing } from './erasing.ts';
import { freshSignIn, isFresh } from './fresh.ts';
import { type Limits, openLimits } from './limits.ts';
import { liveScript, liveScriptPath } from './live-script.ts';
import { refuseMalformed, refuseOtherTypes } from './malformed.ts';
import { openMetrics } from './metrics.ts';
import { failure } from './pages/error.ts';
import { homePageSaying } from './pages/home.ts';
import { signedOut } from './pages/signed-out.ts';
import { boardToken } from './queue-board.ts';
import { type Route, routes } from './routes.ts';
import { refuseForgery, securityHeaders } from './security.ts';
import { findSession } from './session.ts';
import { addSetup, type Setup, setupPath } from './setup.ts';
import { takeLanguage, textsOf } from './spoken.ts';
import { openStatus } from './status.ts';
import { favicon, faviconPath, stylesheet, stylesheetPath } from './stylesheet.ts';
import { notFound, type Visit } from './visit.ts';

/** The pages as one function from request to answer; `setup` serves the first-run page as long as it is open. */
export function createApp(resources: Resources, table: readonly Route[] = routes, setup?: Setup): Hono {
  const app = openFrame(resources.config);
  app.get('/livez', (c) => c.text('ok'));
  app.get('/readyz', async (c) => {
    const ready = await ping(resources.database).then(
      () => true,
      () => false,
    );
    return ready ? c.text('ok') : c.text('not ready', 503);
  });
  app.get('/metrics', openMetrics(resources));
  app.get('/status.json', openStatus(resources));
  if (setup !== undefined) addSetup(app, setup);
  const limits = openLimits(resources);
  for (const route of table) app.on(route.method, route.path, (c) => tracedAnswer(route, c, resources, limits));
  refuseOtherMethods(app);
  app.notFound(async (c) => failure(await visitOf(c, resources), notFound()));
  app.onError(async (error, c) =>
    failure(await visitOf(c, resources).catch(() => strangerOf(c, resources)), asOutage(error)),
  );
  return app;
}

/** The first-run page alone, where nothing is set that anything could be opened with. */
export function createSetupApp(config: Pick<Resources['config'], 'publicUrl' | 'web'>, setup: Setup): Hono {
  const { publicUrl } = config;
  const app = openFrame({ ...config, provider: { issuer: publicUrl } });
  app.get('/livez', (c) => c.text('ok'));
  app.get('/readyz', (c) => c.text('not set up', 503));
  addSetup(app, setup);
  app.post('/language', async (c) => c.redirect((await takeLanguage(c, publicUrl)).returnTo, 303));
  app.onError((error, c) => {
    if (isAppError(error)) return c.text(error.message, 400);
    throw error;
  });
  app.all('*', (c) => c.redirect(setupPath, 303));
  return app;
}

/** What every answer has (headers, compression, a limit on what is sent), and the stylesheet, script and icon of the pages. */
function openFrame(settings: Parameters<typeof securityHeaders>[0] & Pick<Resources['config'], 'web'>): Hono {
  const app = new Hono();
  const headers = Object.entries(securityHeaders(settings));
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of headers) if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  });
  app.use(compress());
  app.use(bodyLimit({ maxSize: settings.web.bodyBytes, onError: (c) => c.json({ error: 'invalid_request' }, 400) }));
  app.use(async (c, next) => {
    await refuseMalformed(c);
    await next();
  });
  app.get(stylesheetPath, (c) =>
    c.body(stylesheet, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    }),
  );
  app.get(liveScriptPath, (c) =>
    c.body(liveScript, 200, {
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    }),
  );
  app.get(faviconPath, (c) =>
    c.body(favicon, 200, { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' }),
  );
  return app;
}

/** Every address that was added before answers 405 to any other method (RFC 9110, section 15.5.6). */
function refuseOtherMethods(app: Hono): void {
  const known = Map.groupBy(
    app.routes.filter(({ method }) => method === 'GET' || method === 'POST'),
    ({ path }) => path,
  );
  for (const [path, served] of known) {
    const taken = new Set(served.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])));
    app.all(path, (c, next) => {
      if (taken.has(c.req.method)) return next();
      c.header('allow', [...taken].join(', '));
      throw new AppError('request/wrong-method', `This address takes ${[...taken].join(' and ')} only.`);
    });
  }
}

async function visitOf(c: Context, resources: Resources): Promise<Visit> {
  const session = await findSession(c, resources);
  return { ...strangerOf(c, resources), session, texts: textsOf(c, session) };
}

function strangerOf(c: Context, resources: Resources): Visit {
  return { c, resources, url: new URL(c.req.url), session: undefined, texts: textsOf(c) };
}

/** Traces name the route, not the address, which may name a file. A `traceparent` from a browser is ignored. */
async function tracedAnswer(route: Route, c: Context, resources: Resources, limits: Limits): Promise<Response> {
  const { method, path } = route;
  const attributes = { 'http.request.method': method, 'http.route': path };
  return traced({ name: `${method} ${path}`, kind: 'server', attributes }, async (note) => {
    const response = await answer(route, await visitOf(c, resources), limits);
    note({ 'http.response.status_code': response.status });
    return response;
  });
}

async function answer(route: Route, visit: Visit, limits: Limits): Promise<Response> {
  if (route.who === 'provider') return route.answer(visit);
  if (route.method === 'POST') refuseOtherTypes(visit.c);
  if (route.who === 'anyone') {
    if (route.limit !== undefined) await limits(route.limit, visit);
    return (await consentFirst(visit)) ?? route.answer(visit);
  }
  const { c, session } = visit;
  const { publicUrl, operatorRole } = visit.resources.config;
  const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
  if (session === undefined) {
    const elsewhere = await route.signedOut?.(visit);
    if (elsewhere !== undefined) return c.redirect(elsewhere, 303);
    if (changes) return toSignIn(c, new URL(homePageSaying('unsent'), publicUrl));
    return loadedByItself(c.req.raw.headers) ? signedOut(visit) : toSignIn(c, visit.url);
  }
  if (route.who === 'operator' && !session.operator)
    throw new AppError('request/operators-only', `This page is for operators: people with the role ${operatorRole}.`);
  if (changes) refuseForgery(c.req.raw.headers, await tokenOf(c), session.csrf, publicUrl);
  if (route.erasing !== undefined && (await isErasing({ ...visit, session }))) return c.redirect(route.erasing, 303);
  if (route.fresh !== undefined && !isFresh(session, visit.resources.clock.now()))
    return c.redirect(freshSignIn(route.fresh), 303);
  if (route.limit !== undefined) await limits(route.limit, visit);
  return (await consentFirst(visit)) ?? route.answer({ ...visit, session });
}

/** The form token as a form carries it, or as a script sends it. */
async function tokenOf(c: Context): Promise<string> {
  const sent = c.req.header(boardToken.header);
  if (sent !== undefined) return sent;
  const { csrf } = await c.req.parseBody();
  return typeof csrf === 'string' ? csrf : '';
}

/** A page opened with `?scope=offline_access` sends whoever has no consent that may be used to the consent page first. */
async function consentFirst({ c, resources, session, url }: Visit): Promise<Response | undefined> {
  const asked = url.searchParams.get('scope')?.split(' ').includes('offline_access');
  if (!asked || ['/consent', '/callback', '/login'].includes(url.pathname)) return undefined;
  if (session === undefined) return toSignIn(c, url);
  const grant = await findGrantOfPerson(resources.database, { userId: session.userId });
  if (grant?.state === 'active' || grant?.state === 'suspect') return undefined;
  const target = new URL(url);
  target.searchParams.delete('scope');
  return c.redirect(`/consent?returnTo=${encodeURIComponent(target.pathname + target.search)}`, 303);
}

/**
 * Whether a page of Nightkeep reloaded itself or asked for more, without the person doing anything, as far as the browser says (Fetch Metadata).
 */
function loadedByItself(headers: Headers): boolean {
  return headers.get('sec-fetch-site') === 'same-origin' && headers.get('sec-fetch-user') !== '?1';
}

function toSignIn(c: Context, { pathname, search }: URL): Response {
  return c.redirect(`/login?returnTo=${encodeURIComponent(pathname + search)}`, 303);
}
