import { readBasic, refused } from './idp-authenticate.ts';
import { answerPage, type Middleware } from './idp-forms.ts';
import type { Keys } from './idp-keys.ts';
import { errorPage } from './idp-pages.ts';
import type { Realm } from './idp-realm.ts';

const forClients = /^\/(token(\/.*)?|request|device\/auth|me)$/;
const forBrowsers = /^\/(auth|interaction|device|account|session)(\/|$)/;

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
    const asKeycloak = path === '/request' && realm.settings().pushedFaultsAs === 'keycloak';
    context.remove('WWW-Authenticate');
    if (error === 'invalid_client') {
      const id = readBasic(context.get('authorization'))?.id ?? String(context.oidc?.params?.client_id);
      const known = realm.clients.get(id)?.enabled === true;
      const { message } = refused('');
      context.body = { error: known ? 'unauthorized_client' : 'invalid_client', error_description: message };
      if (asKeycloak) context.body = { error: 'invalid_request', error_description: 'Authentication failed.' };
    } else if (asKeycloak) context.body = { error: 'invalid_request', error_description: description };
  };
}

function faultOf(body: unknown): { error?: unknown; error_description?: unknown } {
  return typeof body === 'object' && body !== null ? body : {};
}
