import { html } from 'hono/html';
import { writeDuration } from '../../duration.ts';
import { page } from '../../page.ts';
import type { RealmAdministration } from '../realm/administration.ts';
import type { ClientRow } from '../realm/client.ts';
import type { OfflineSession } from '../realm/offline-sessions.ts';
import type { Realm, UserRow } from '../realm/realm.ts';
import { button, hidden, policy, sessionTable, table, text, tick, when } from './admin-parts.ts';

const site = { name: 'Demo provider, administration', sign: '🗝️' };

export function adminLoginPage({ failed = false } = {}): Promise<string> {
  return page(
    site,
    'Sign in as administrator',
    html`
${failed ? html`<p class="bad" role="alert">Wrong user name or password.</p>` : ''}
<form method="post" action="/admin/sign-in">
  <label for="username">User name</label><input id="username" name="username" type="text" autocomplete="username" required autofocus>
  <label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
  <p><button class="main" type="submit">Sign in</button></p>
</form>
<p class="soft">User name and password: admin.</p>`,
  );
}

/** Realm settings, and where to find people and clients. */
export function realmPage(
  admin: RealmAdministration,
  users: readonly UserRow[],
  clients: readonly ClientRow[],
): Promise<string> {
  const set = admin.settings();
  return page(
    site,
    'Realm settings',
    html`
<p class="soft">The provider's clock says ${when(admin.now())}.</p>
<form method="post" action="/admin/realm">
  ${tick('enabled', 'Enabled', set.enabled)}
  ${text('offlineIdle', 'Offline Session Idle', writeDuration(set.offlineIdleSeconds))}
  ${tick('offlineMaxLimited', 'Offline Session Max Limited', set.offlineMaxLimited)}
  ${text('offlineMax', 'Offline Session Max', writeDuration(set.offlineMaxSeconds))}
  ${tick('revokeRefreshToken', 'Revoke Refresh Token', set.revokeRefreshToken)}
  ${text('refreshTokenMaxReuse', 'Refresh Token Max Reuse', String(set.refreshTokenMaxReuse))}
  ${text('accessToken', 'Access Token Lifespan', writeDuration(set.accessTokenSeconds))}
  ${text('sso', 'SSO Session Max', writeDuration(set.ssoSeconds))}
  ${tick('dpopNonce', 'Ask for a nonce in DPoP proofs', set.dpopNonce)}
  <label for="behavesAs">Answers as Keycloak</label>
  <select id="behavesAs" name="behavesAs">${['26.7', '26.4'].map(
    (version) => html`<option value="${version}"${version === set.behavesAs ? ' selected' : ''}>${version}</option>`,
  )}</select>
  <p><button class="main" type="submit">Save</button> <small>Durations as 30d, 12h, 5m or 90s.</small></p>
</form>
<h2>Revocation policy</h2>
${policy('/admin/realm/not-before', set.notBefore, {}, '/admin')}
<h2>Everybody</h2>
<div class="row">
${button('/admin/realm/sign-out-all', 'Sign out all active sessions', {}, '/admin')}
${button('/admin/realm/roll-key', 'Sign with a new key', {}, '/admin')}
${button('/admin/realm/replace-keys', 'Replace all keys', {}, '/admin')}
</div>
<h2>Users</h2>
<ul>${users.map(({ username, name }) => html`<li><a href="/admin/users/${encodeURIComponent(username)}">${name}</a></li>`)}</ul>
<h2>Clients</h2>
<ul>${clients.map(({ id, name }) => html`<li><a href="/admin/clients/${encodeURIComponent(id)}">${name}</a></li>`)}</ul>
<h2>This browser</h2>
${button('/admin/sign-out', 'Sign out', {}, '/admin')}`,
  );
}

/** One user: their consents and offline sessions, each revocable, and what can be done to the account. */
export function userPage(user: UserRow, admin: RealmAdministration): Promise<string> {
  const back = `/admin/users/${encodeURIComponent(user.username)}`;
  const own = { user: user.username };
  return page(
    site,
    user.name,
    html`
<p><a href="/admin">Realm</a> · <code>${user.username}</code> · <code>${user.subject}</code></p>
<form method="post" action="/admin/user">${hidden({ ...own, back })}
  ${tick('enabled', 'Enabled', user.enabled)}
  ${tick('offlineRole', 'Has the realm role offline_access', user.offlineRole)}
  <p><button class="main" type="submit">Save</button></p>
</form>
<h2>Consents</h2>
${table(
  ['Client', 'Scopes', 'Since', ''],
  admin
    .consentsOf(user.username)
    .map(({ clientId, scopes, since }) => [
      clientId,
      scopes.join(' '),
      when(since.getTime() / 1000),
      button('/admin/consent', 'Revoke', { ...own, client: clientId }, back),
    ]),
)}
<h2>Offline sessions</h2>
${sessionTable(admin.offlineSessions({ username: user.username }), ({ clientId }) => clientId, back)}
<h2>Revocation policy</h2>
${policy('/admin/user/not-before', user.notBefore, own, back)}
<h2>Account</h2>
<div class="row">${button('/admin/user/sign-out', 'Sign out', own, back)} ${button('/admin/user/delete', 'Delete', own, '/admin')}</div>`,
  );
}

/** One client: its offline sessions, each revocable, and its settings. */
export function clientPage(client: ClientRow, realm: Realm, admin: RealmAdministration): Promise<string> {
  const back = `/admin/clients/${encodeURIComponent(client.id)}`;
  const own = { client: client.id };
  const nameOf = ({ subject }: OfflineSession) => realm.users.get(subject)?.username ?? subject;
  return page(
    site,
    client.name,
    html`
<p><a href="/admin">Realm</a> · <code>${client.id}</code></p>
<form method="post" action="/admin/client">${hidden({ ...own, back })}
  ${tick('enabled', 'Enabled', client.enabled)}
  ${tick('offlineScope', 'offline_access is an optional client scope', client.offlineScope)}
  ${tick('consentRequired', 'Consent required', client.consentRequired !== false)}
  ${tick('directAccess', 'Direct access grants', client.directAccess === true)}
  ${tick('serviceAccount', 'Service account, with refresh tokens', client.serviceAccount === true)}
  ${tick('pushedRequestsRequired', 'Pushed authorization request required', client.pushedRequestsRequired === true)}
  ${tick('dpopRequired', 'Require DPoP bound tokens', client.dpopRequired === true)}
  ${tick('backchannelLogoutRevokesOffline', 'Backchannel logout revoke offline sessions', client.backchannelLogoutRevokesOffline === true)}
  ${client.secret === undefined ? '' : text('secret', 'Client secret', client.secret)}
  <p><button class="main" type="submit">Save</button></p>
</form>
<h2>Offline access</h2>
${sessionTable(admin.offlineSessions({ clientId: client.id }), nameOf, back)}
<h2>Revocation policy</h2>
${policy('/admin/client/not-before', client.notBefore, own, back)}`,
  );
}
