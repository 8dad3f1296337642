import { html, raw } from 'hono/html';
import { type Markup, page } from '../../page.ts';
import type { Person } from '../../people.ts';
import type { ConsentRow } from '../realm/consent-administration.ts';
import type { UserRow } from '../realm/realm.ts';

const site = { name: 'Demo sign-in', sign: '🔑' };

/** What each scope means for the person who is asked. */
const meanings: Record<string, { title: string; meaning: string }> = {
  openid: { title: 'Know that it is you', meaning: 'It recognises you when you sign in again.' },
  profile: { title: 'Your profile', meaning: 'Your name, your user name and your time zone.' },
  email: { title: 'Your e-mail address', meaning: 'It can write to you.' },
  offline_access: {
    title: 'Access while you are away',
    meaning: 'It can go on reading your data when you are signed out, also at night, until you take this back.',
  },
};

/** Asks for user name and password. Posts `username` and `password` to the address it was shown at, or to `action`. */
export function loginPage(options: {
  people: readonly Person[];
  action: string;
  asking?: string;
  hint?: string;
  fault?: string | undefined;
}): Promise<string> {
  const { people, action, asking, hint = '', fault } = options;
  return page(
    site,
    'Sign in',
    html`
${asking ? html`<p><b>${asking}</b> asks who you are.</p>` : ''}
${fault ? html`<p class="bad" role="alert">${fault}</p>` : ''}
<form method="post" action="${action}">
  <label for="username">User name</label>
  <input id="username" name="username" type="text" value="${hint}" autocomplete="username" autocapitalize="none" required autofocus>
  <label for="password">Password</label>
  <input id="password" name="password" type="password" autocomplete="current-password" required>
  <p><button class="main" type="submit">Sign in</button></p>
</form>
<h2>Or sign in with one click</h2>
<div class="row">${people.map(
      (person) => html`
  <form method="post" action="${action}">
    <input type="hidden" name="username" value="${person.username}"><input type="hidden" name="password" value="${person.password}">
    <button type="submit">${person.name}</button>
  </form>`,
    )}
</div>
<p class="soft">The password is the user name: ${people.map(({ username }) => username).join(', ')}.</p>`,
  );
}

/** Why a sign-in failed. */
export const signInFault = (user: UserRow | undefined) =>
  user ? 'This account is disabled. Ask an administrator.' : 'Wrong user name or password.';

/** Asks for consent. Posts `decision`, `allow` or `deny`. */
export function consentPage(options: {
  person: Person;
  client: string;
  scopes: readonly string[];
  action: string;
}): Promise<string> {
  const { person, client, scopes, action } = options;
  return page(
    site,
    `Allow ${client}?`,
    html`
<p>You are signed in as <b>${person.name}</b>. <b>${client}</b> asks for this
${scopes.includes('offline_access') ? 'so that it can work while you are away' : 'to sign you in; it gives no access while you are away'}:</p>
<ul class="scopes">${scopes.map((scope) => {
      const { title, meaning } = meanings[scope] ?? { title: scope, meaning: '' };
      return html`<li><b>${title}</b>${meaning} <small><code>${scope}</code></small></li>`;
    })}</ul>
<form class="row" method="post" action="${action}">
  <button class="main" type="submit" name="decision" value="allow">Yes, allow</button>
  <button type="submit" name="decision" value="deny">No</button>
</form>
<p class="soft">You can take this back at any time on <a href="/account">your account page</a>.</p>`,
  );
}

/** What a person has granted, each with a button that takes it back. */
export function accountPage(person: Person, grants: readonly (ConsentRow & { client: string })[]): Promise<string> {
  return page(
    site,
    `${person.name}'s account`,
    html`
<p>Signed in as <code>${person.username}</code>, ${person.email}.</p>
<h2>Applications with access</h2>
${grants.length === 0 ? html`<p class="soft">None.</p>` : ''}
${grants.map(
  (grant) => html`<section>
<p><b>${grant.client}</b><br>
${grant.scopes.map((scope) => meanings[scope]?.title ?? scope).join(', ')}.<br>
<small>Since ${when(grant.since)}${grant.lastUsed ? `; a token for offline access was last issued ${when(grant.lastUsed)}` : ''}.</small></p>
<form method="post" action="/account/remove"><input type="hidden" name="client" value="${grant.clientId}"><button type="submit">Remove access</button></form>
</section>`,
)}
<h2>This browser</h2>
<form method="post" action="/account/sign-out"><button type="submit">Sign out</button></form>`,
  );
}

/** Says what went wrong, with the error code of the protocol. */
export function errorPage(code: string, description = ''): Promise<string> {
  return page(
    site,
    'That did not work',
    html`<p>${description || 'The request could not be answered.'}</p><p class="soft"><code>${code}</code></p>`,
  );
}

/** A page around a form given as HTML, such as oidc-provider's own; `buttons` belong to that form. */
export function formPage(title: string, text: string, form: string, buttons: Markup): Promise<string> {
  return page(site, title, html`<p>${text}</p>${raw(form)}<div class="row">${buttons}</div>`);
}

/** A page with one sentence. */
export function messagePage(title: string, text: string): Promise<string> {
  return page(site, title, html`<p>${text}</p>`);
}

const when = (date: Date) => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
