import type Provider from 'oidc-provider';
import { answerPage, type Context, type Middleware, personOfForm, readForm } from './idp-forms.ts';
import { accountPage, errorPage, loginPage } from './idp-pages.ts';
import type { ProviderStore } from './idp-store.ts';
import type { Person } from './people.ts';

const sessionSeconds = 24 * 3600;

/** `/account`: a person sees what they granted and takes it back. It shares the session of the sign-in pages. */
export function accountPages(provider: Provider, store: ProviderStore, people: readonly Person[]): Middleware {
  return async (context, next) => {
    if (!/^\/account(\/|$)/.test(context.path)) return next();
    const session = await provider.Session.get(context);
    const person = people.find((candidate) => candidate.subject === session.accountId);
    if (context.method !== 'POST') return show(store, people, person, context);
    if (context.get('origin') && context.get('origin') !== provider.issuer) {
      return answerPage(context, await errorPage('forbidden', 'The form came from another site.'), 403);
    }
    const form = await readForm(context.req);
    if (context.path === '/account/sign-in') return signIn(provider, people, form, context);
    if (context.path === '/account/sign-out') await session.destroy();
    if (context.path === '/account/remove' && person) remove(store, person, form.get('grant'));
    redirect(context);
  };
}

async function show(store: ProviderStore, people: readonly Person[], person: Person | undefined, context: Context) {
  if (!person) return answerPage(context, await loginPage({ people, action: '/account/sign-in' }));
  const grants = store
    .grantsOf(person.subject)
    .map((grant) => ({ ...grant, client: store.clients.get(grant.clientId)?.client_name ?? grant.clientId }));
  answerPage(context, await accountPage(person, grants));
}

async function signIn(provider: Provider, people: readonly Person[], form: URLSearchParams, context: Context) {
  const person = personOfForm(people, form);
  if (!person) {
    const text = await loginPage({
      people,
      action: '/account/sign-in',
      hint: form.get('username') ?? '',
      failed: true,
    });
    return answerPage(context, text, 400);
  }
  const session = new provider.Session();
  session.loginAccount({ accountId: person.subject, amr: ['pwd'] });
  const id = await session.save(sessionSeconds);
  context.cookies.set(provider.cookieName('session'), id, { httpOnly: true, sameSite: 'lax', signed: true });
  redirect(context);
}

function remove(store: ProviderStore, person: Person, grantId: string | null): void {
  if (store.grantsOf(person.subject).some((grant) => grant.id === grantId) && grantId) store.revoke(grantId);
}

function redirect(context: Context): void {
  context.status = 303;
  context.redirect('/account');
}
