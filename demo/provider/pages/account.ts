import type Provider from 'oidc-provider';
import { answerPage, type Context, isForeignForm, type Middleware, readForm, redirect } from '../http.ts';
import type { RealmAdministration } from '../realm/administration.ts';
import type { Realm } from '../realm/realm.ts';
import { accountPage, errorPage, loginPage, signInFault } from './templates.ts';

interface Parts {
  provider: Provider;
  realm: Realm;
  admin: RealmAdministration;
}

/** `/account`: a person sees what they granted and takes it back. It shares the session of the sign-in pages. */
export function accountPages(parts: Parts): Middleware {
  const { provider, realm, admin } = parts;
  return async (context, next) => {
    if (!/^\/account(\/|$)/.test(context.path)) return next();
    if (isForeignForm(context, realm.issuer))
      return answerPage(context, await errorPage('forbidden', 'The form came from another site.'), 403);
    const session = await provider.Session.get(context);
    const user = realm.users.get(session.accountId ?? '');
    if (context.method !== 'POST') return show(parts, user?.username, context);
    const form = await readForm(context.req);
    if (context.path === '/account/sign-in') return signIn(parts, form, context);
    if (context.path === '/account/sign-out') await session.destroy();
    if (context.path === '/account/remove' && user) await admin.removeConsent(user.username, form.get('client') ?? '');
    redirect(context, '/account');
  };
}

async function show({ realm, admin }: Parts, username: string | undefined, context: Context) {
  if (username === undefined)
    return answerPage(context, await loginPage({ people: realm.people(), action: '/account/sign-in' }));
  const grants = admin
    .consentsOf(username)
    .map((grant) => ({ ...grant, client: realm.clients.get(grant.clientId)?.name ?? grant.clientId }));
  answerPage(context, await accountPage(realm.userNamed(username), grants));
}

async function signIn({ provider, realm }: Parts, form: URLSearchParams, context: Context) {
  const user = realm.userWithPassword(form.get('username'), form.get('password'));
  if (!user?.enabled) {
    const hint = form.get('username') ?? '';
    const page = { people: realm.people(), action: '/account/sign-in', hint, fault: signInFault(user) };
    return answerPage(context, await loginPage(page), 400);
  }
  const session = new provider.Session();
  session.loginAccount({ accountId: user.subject, amr: ['pwd'] });
  const id = await session.save(realm.settings().ssoSeconds);
  context.cookies.set(provider.cookieName('session'), id, { httpOnly: true, sameSite: 'lax', signed: true });
  redirect(context, '/account');
}
