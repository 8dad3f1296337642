import { answerPage, type Context, type Middleware } from './http.ts';
import { errorPage } from './pages/templates.ts';
import type { Keys } from './realm/keys.ts';
import type { Realm } from './realm/realm.ts';
import { readBasic, refused } from './tokens/client-authentication.ts';

const forClients = /^\/(token\/.*|request|device\/auth|me)$/;
const forBrowsers = /^\/(auth|interaction|device|account|session)(\/|$)/;

/** Sends no answer to a client that broke off its request; every other exception is a fault of the provider. */
export const dropAborted: Middleware = async (context, next) => {
  try {
    await next();
  } catch (error) {
    context.respond = context.req.complete;
    if (!context.req.complete) return;
    console.error(error);
    throw error;
  }
};

/**
 * Turns every cookie into a session cookie. oidc-provider dates `expires` by the machine's clock, while `Date` shows the
 * realm's: a browser that compares the two discards the cookie once the realm's time was moved on. How long a session
 * lasts is decided on the server, by the realm's clock.
 */
export const sessionCookies: Middleware = async (context, next) => {
  await next();
  const cookies = [context.response.headers['set-cookie'] ?? []].flat().map(String);
  if (cookies.length > 0) context.set('set-cookie', cookies.map(withoutExpiry));
};

/** A cookie that is deleted keeps its date in 1970. */
const withoutExpiry = (cookie: string) => cookie.replace(/; *expires=(?!Thu, 01 Jan 1970)[^;]*/gi, '');

/** A disabled realm answers its administrator only. */
export function realmGate(realm: Realm): Middleware {
  return async (context, next) => {
    if (realm.settings().enabled) return next();
    if (forClients.test(context.path)) {
      context.status = 403;
      context.body = { error: 'access_denied', error_description: 'Realm not enabled' };
    } else if (forBrowsers.test(context.path))
      answerPage(context, await errorPage('access_denied', 'Realm not enabled'), 403);
    else await next();
  };
}

/** The published keys (RFC 7517). */
export function signingKeys(keys: Keys): Middleware {
  return async (context, next) => {
    if (context.path !== '/jwks') return next();
    context.body = keys.published();
    context.type = 'application/jwk-set+json';
  };
}

/** Tells a device how often it may ask (RFC 8628, section 3.2), which oidc-provider leaves out. */
export function devicePolling(realm: Realm): Middleware {
  return async (context, next) => {
    await next();
    if (context.path !== '/device/auth' || context.status !== 200) return;
    context.body = { ...Object(context.body), interval: realm.settings().devicePollingSeconds };
  };
}

/** Gives clients Keycloak's error answers in place of oidc-provider's: to pushed requests and device authorizations. */
export function keycloakErrors(realm: Realm): Middleware {
  return async (context, next) => {
    await next();
    const { path, status } = context;
    if (!/^\/(request|device\/auth)$/.test(path) || status < 400) return;
    const { error, error_description: description } = faultOf(context.body);
    context.remove('WWW-Authenticate');
    const answer: Fault =
      error === 'invalid_client'
        ? clientFault(realm, context)
        : { error, error_description: error === 'invalid_scope' ? invalidScopes(context) : description };
    context.body =
      path === '/request' && realm.settings().pushedFaultsAs === 'keycloak' ? asPushedFault(answer, status) : answer;
  };
}

interface Fault {
  error?: unknown;
  error_description?: unknown;
}

/** Tells an unknown or disabled client from a wrong secret. */
function clientFault(realm: Realm, context: Context): Fault {
  const id = readBasic(context.get('authorization'))?.id ?? String(context.oidc?.params?.client_id);
  const known = realm.clients.get(id)?.enabled === true;
  return { error: known ? 'unauthorized_client' : 'invalid_client', error_description: refused('').message };
}

const invalidScopes = (context: Context) => `Invalid scopes: ${context.oidc?.params?.scope}`;

/** Keycloak answers every faulty pushed request with this one error. */
const asPushedFault = ({ error_description }: Fault, status: number): Fault => ({
  error: 'invalid_request',
  error_description: status === 401 ? 'Authentication failed.' : error_description,
});

function faultOf(body: unknown): Fault {
  return typeof body === 'object' && body !== null ? body : {};
}
