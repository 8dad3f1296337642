import { randomBytes } from 'node:crypto';
import { administrator } from '../../people.ts';
import { answerPage, type Context, isForeignForm, type Middleware, readForm, redirect } from '../http.ts';
import type { RealmAdministration } from '../realm/administration.ts';
import type { Realm } from '../realm/realm.ts';
import { adminActs } from './admin-actions.ts';
import { adminLoginPage, clientPage, realmPage, userPage } from './admin-templates.ts';
import { errorPage } from './templates.ts';

interface Parts {
  realm: Realm;
  admin: RealmAdministration;
}

const cookie = 'demo_idp_admin';

/** `/admin`: the administrator's pages, with a sign-in of their own. What they change goes through RealmAdministration. */
export function adminPages(parts: Parts): Middleware {
  const sessions = new Set<string>();
  return async (context, next) => {
    if (!/^\/admin(\/|$)/.test(context.path)) return next();
    if (isForeignForm(context, parts.realm.issuer))
      return answerPage(context, await errorPage('forbidden', 'The form came from another site.'), 403);
    if (context.path === '/admin/sign-in' && context.method === 'POST') return signIn(sessions, context);
    if (!sessions.has(context.cookies.get(cookie) ?? '')) return answerPage(context, await adminLoginPage());
    if (context.path === '/admin/sign-out') sessions.delete(context.cookies.get(cookie) ?? '');
    if (context.method === 'POST') return act(parts, context);
    return show(parts, context);
  };
}

async function signIn(sessions: Set<string>, context: Context): Promise<void> {
  const form = await readForm(context.req);
  if (form.get('username') !== administrator.username || form.get('password') !== administrator.password)
    return answerPage(context, await adminLoginPage({ failed: true }), 400);
  const id = randomBytes(16).toString('base64url');
  sessions.add(id);
  context.cookies.set(cookie, id, { path: '/admin', httpOnly: true, sameSite: 'strict' });
  redirect(context, '/admin');
}

/** Does what the form asks, and redirects to the page it was on. */
async function act({ admin }: Parts, context: Context): Promise<void> {
  const form = await readForm(context.req);
  await adminActs[context.path.slice('/admin/'.length)]?.(admin, form);
  redirect(context, /^\/admin(\/[\w/.%-]*)?$/.exec(form.get('back') ?? '')?.[0] ?? '/admin');
}

async function show({ realm, admin }: Parts, context: Context): Promise<void> {
  const [, kind, name = ''] = /^\/admin\/(users|clients)\/([^/]+)$/.exec(context.path) ?? [];
  const id = decodeURIComponent(name);
  const users = realm.people();
  const user = kind === 'users' && [...realm.users.rows()].find(({ username }) => username === id);
  const client = kind === 'clients' && realm.clients.get(id);
  if (user) return answerPage(context, await userPage(user, admin));
  if (client) return answerPage(context, await clientPage(client, realm, admin));
  if (context.path !== '/admin') return redirect(context, '/admin');
  answerPage(context, await realmPage(admin, users, [...realm.clients.rows()]));
}
