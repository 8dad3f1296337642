import { html } from 'hono/html';
import { jwtVerify } from 'jose';
import type Provider from 'oidc-provider';
import { answerPage, type Context, isForeignForm, type Middleware, readForm, redirect } from '../http.ts';
import type { BrowserStore } from '../realm/browser-store.ts';
import type { Keys } from '../realm/keys.ts';
import type { Realm } from '../realm/realm.ts';
import { notifyClients, type SendLogoutToken } from '../tokens/logout-token.ts';
import { errorPage, formPage, messagePage } from './templates.ts';

interface Parts {
  provider: Provider;
  realm: Realm;
  keys: Keys;
  store: BrowserStore;
  sendLogoutToken: SendLogoutToken;
}

/**
 * OpenID Connect RP-Initiated Logout 1.0: asks the person, ends their session in this browser, notifies the clients
 * that used it, and redirects to the one that asked. Offline sessions go on.
 */
export function logoutPages(parts: Parts): Middleware {
  return async (context, next) => {
    if (context.path !== '/session/end') return next();
    if (isForeignForm(context, parts.realm.issuer))
      return answerPage(context, await errorPage('forbidden', 'The form came from another site.'), 403);
    const form = context.method === 'POST' ? await readForm(context.req) : new URLSearchParams(context.querystring);
    const target = await targetOf(parts, form);
    if (target === 'unknown')
      return answerPage(context, await errorPage('invalid_request', 'Invalid redirect uri'), 400);
    if (form.get('logout') === 'yes') await signOut(parts, context);
    else if ((await parts.provider.Session.get(context)).accountId) return ask(form, context);
    if (target) return redirect(context, target);
    answerPage(context, await messagePage('Signed out', 'You are signed out at this provider.'));
  };
}

async function ask(asked: URLSearchParams, context: Context): Promise<void> {
  const fields = [...asked].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  const form = html`<form id="leave" method="post" action="/session/end">${fields}</form>`;
  const text = await formPage(
    'Sign out?',
    'You are signed in at this provider. Access that you granted for the time you are away goes on.',
    String(await form),
    html`<button class="main" type="submit" form="leave" name="logout" value="yes">Sign out</button>
<a href="/account">Stay signed in</a>`,
  );
  answerPage(context, text);
}

async function signOut({ provider, store, sendLogoutToken }: Parts, context: Context): Promise<void> {
  const session = await provider.Session.get(context);
  const signIn = store.signIns().find(({ uid }) => uid === session.uid);
  await session.destroy();
  if (signIn) await notifyClients(sendLogoutToken, [signIn]);
}

/** Where to redirect afterwards: only to an address registered by the client that `client_id` or the ID token names. */
async function targetOf({ realm, keys }: Parts, form: URLSearchParams): Promise<string | undefined> {
  const wanted = form.get('post_logout_redirect_uri');
  if (wanted === null) return undefined;
  const hint = form.get('id_token_hint');
  const clientId = hint === null ? form.get('client_id') : await audienceOf(keys, hint);
  const client = realm.clients.get(clientId ?? '');
  if (!client?.postLogoutRedirectUris?.includes(wanted)) return 'unknown';
  const target = new URL(wanted);
  const state = form.get('state');
  if (state !== null) target.searchParams.set('state', state);
  return target.href;
}

/** The client of an ID token of this provider, however old. */
async function audienceOf(keys: Keys, idToken: string): Promise<string> {
  const verified = await jwtVerify(idToken, keys.lookup, { currentDate: new Date(0) }).catch(() => undefined);
  return String(verified?.payload.aud ?? '');
}
