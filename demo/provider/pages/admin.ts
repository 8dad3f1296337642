import { randomBytes } from 'node:crypto';
import { administrator } from '../../people.ts';
import type { Realm } from '../realm/realm.ts';
import type { ProviderKnobs } from '../realm/settings.ts';
import { adminActs } from './admin-actions.ts';
import { adminLoginPage, clientPage, realmPage, userPage } from './admin-pages.ts';
import { answerPage, type Context, isForeignForm, type Middleware, readForm, redirect } from './forms.ts';
import { errorPage } from './pages.ts';

interface World {
  realm: Realm;
  knobs: ProviderKnobs;
}

const cookie = 'demo_idp_admin';

/** `/admin`: the administrator's pages, with a sign-in of their own. Whatever they change is done by the knobs. */
export function adminPages(world: World): Middleware {
  const sessions = new Set<string>();
  return async (context, next) => {
    if (!/^\/admin(\/|$)/.test(context.path)) return next();
    if (isForeignForm(context, world.realm.issuer))
      return answerPage(context, await errorPage('forbidden', 'The form came from another site.'), 403);
    if (context.path === '/admin/sign-in' && context.method === 'POST') return signIn(sessions, context);
    if (!sessions.has(context.cookies.get(cookie) ?? '')) return answerPage(context, await adminLoginPage(false));
    if (context.path === '/admin/sign-out') sessions.delete(context.cookies.get(cookie) ?? '');
    if (context.method === 'POST') return act(world, context);
    return show(world, context);
  };
}

async function signIn(sessions: Set<string>, context: Context): Promise<void> {
  const form = await readForm(context.req);
  if (form.get('username') !== administrator.username || form.get('password') !== administrator.password)
    return answerPage(context, await adminLoginPage(true), 400);
  const id = randomBytes(16).toString('base64url');
  sessions.add(id);
  context.cookies.set(cookie, id, { path: '/admin', httpOnly: true, sameSite: 'strict' });
  redirect(context, '/admin');
}

/** Does what the form asks, and shows the page that it stood on again. */
async function act({ knobs }: World, context: Context): Promise<void> {
  const form = await readForm(context.req);
  await adminActs[context.path.slice('/admin/'.length)]?.(knobs, form);
  redirect(context, /^\/admin(\/[\w/.%-]*)?$/.exec(form.get('back') ?? '')?.[0] ?? '/admin');
}

async function show({ realm, knobs }: World, context: Context): Promise<void> {
  const [, kind, name = ''] = /^\/admin\/(users|clients)\/([^/]+)$/.exec(context.path) ?? [];
  const id = decodeURIComponent(name);
  const users = realm.people();
  const user = kind === 'users' && [...realm.users.rows()].find(({ username }) => username === id);
  const client = kind === 'clients' && realm.clients.get(id);
  if (user) return answerPage(context, await userPage(user, knobs));
  if (client) return answerPage(context, await clientPage(client, realm, knobs));
  if (context.path !== '/admin') return redirect(context, '/admin');
  answerPage(context, await realmPage(knobs, users, [...realm.clients.rows()]));
}
