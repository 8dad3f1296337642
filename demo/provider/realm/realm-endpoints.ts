import { answerPage, type Context, type Middleware } from '../pages/forms.ts';
import { errorPage } from '../pages/pages.ts';
import { readBasic, refused } from '../tokens/authenticate.ts';
import type { Keys } from './keys.ts';
import type { Realm } from './realm.ts';

const forClients = /^\/(token\/.*|request|device\/auth|me)$/;
const forBrowsers = /^\/(auth|interaction|device|account|session)(\/|$)/;

/** Who breaks off in the middle of a request wants no answer; everything else that fails is a fault of ours. */
export const answerOrLetGo: Middleware = async (context, next) => {
  try {
    await next();
  } catch (error) {
    context.respond = context.req.complete;
    if (!context.req.complete) return;
    console.error(error);
    throw error;
  }
};

/** A realm that is disabled answers nobody but its administrator. */
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

/** Says in Keycloak's words what oidc-provider answers to clients: pushed requests and device authorizations. */
export function wordsOfKeycloak(realm: Realm): Middleware {
  return async (context, next) => {
    await next();
    const { path, status } = context;
    if (!/^\/(request|device\/auth)$/.test(path) || status < 400) return;
    const { error, error_description: description } = faultOf(context.body);
    context.remove('WWW-Authenticate');
    const words: Fault =
      error === 'invalid_client'
        ? clientFault(realm, context)
        : { error, error_description: error === 'invalid_scope' ? invalidScopes(context) : description };
    context.body =
      path === '/request' && realm.settings().pushedFaultsAs === 'keycloak' ? asPushedFault(words, status) : words;
  };
}

interface Fault {
  error?: unknown;
  error_description?: unknown;
}

/** A client that is unknown or disabled is another fault than a secret that is wrong. */
function clientFault(realm: Realm, context: Context): Fault {
  const id = readBasic(context.get('authorization'))?.id ?? String(context.oidc?.params?.client_id);
  const known = realm.clients.get(id)?.enabled === true;
  return { error: known ? 'unauthorized_client' : 'invalid_client', error_description: refused('').message };
}

const invalidScopes = (context: Context) => `Invalid scopes: ${context.oidc?.params?.scope}`;

/** Keycloak names no fault of a pushed request but this one. */
const asPushedFault = ({ error_description }: Fault, status: number): Fault => ({
  error: 'invalid_request',
  error_description: status === 401 ? 'Authentication failed.' : error_description,
});

function faultOf(body: unknown): Fault {
  return typeof body === 'object' && body !== null ? body : {};
}
