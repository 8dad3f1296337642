import { readDuration } from '../../duration.ts';
import type { RealmAdministration } from '../realm/administration.ts';

type Act = (admin: RealmAdministration, form: URLSearchParams) => unknown;

const field = (form: URLSearchParams, name: string) => form.get(name) ?? '';
const ticked = (form: URLSearchParams, name: string) => form.get(name) === 'on';
const duration = (form: URLSearchParams, name: string, otherwise: number) =>
  readDuration(field(form, name)) ?? otherwise;
/** `now` makes everything issued so far stale; anything else clears the policy. */
const notBefore = (admin: RealmAdministration, form: URLSearchParams) => ({
  notBefore: field(form, 'from') === 'now' ? admin.now() : 0,
});

/** The actions of the administrator's forms, by the last part of their address. */
export const adminActs: Readonly<Record<string, Act>> = {
  realm: (admin, form) => {
    const before = admin.settings();
    admin.setRealm({
      enabled: ticked(form, 'enabled'),
      offlineIdleSeconds: duration(form, 'offlineIdle', before.offlineIdleSeconds),
      offlineMaxLimited: ticked(form, 'offlineMaxLimited'),
      offlineMaxSeconds: duration(form, 'offlineMax', before.offlineMaxSeconds),
      revokeRefreshToken: ticked(form, 'revokeRefreshToken'),
      refreshTokenMaxReuse: Math.max(0, Math.trunc(Number(field(form, 'refreshTokenMaxReuse'))) || 0),
      accessTokenSeconds: duration(form, 'accessToken', before.accessTokenSeconds),
      ssoSeconds: duration(form, 'sso', before.ssoSeconds),
      behavesAs: field(form, 'behavesAs') === '26.4' ? '26.4' : '26.7',
      dpopNonce: ticked(form, 'dpopNonce'),
    });
  },
  'realm/not-before': (admin, form) => admin.setRealm(notBefore(admin, form)),
  'realm/sign-out-all': (admin) => admin.signOutAll(),
  'realm/roll-key': (admin) => admin.rollSigningKey(),
  'realm/replace-keys': (admin) => admin.replaceKeys(),
  user: (admin, form) =>
    admin.setUser(field(form, 'user'), {
      enabled: ticked(form, 'enabled'),
      offlineRole: ticked(form, 'offlineRole'),
    }),
  'user/not-before': (admin, form) => admin.setUser(field(form, 'user'), notBefore(admin, form)),
  'user/sign-out': (admin, form) => admin.signOut(field(form, 'user')),
  'user/delete': (admin, form) => admin.deleteUser(field(form, 'user')),
  consent: (admin, form) => admin.removeConsent(field(form, 'user'), field(form, 'client')),
  session: (admin, form) => admin.endOfflineSession(field(form, 'sid'), field(form, 'client')),
  client: (admin, form) =>
    admin.setClient(field(form, 'client'), {
      enabled: ticked(form, 'enabled'),
      offlineScope: ticked(form, 'offlineScope'),
      consentRequired: ticked(form, 'consentRequired'),
      directAccess: ticked(form, 'directAccess'),
      serviceAccount: ticked(form, 'serviceAccount'),
      pushedRequestsRequired: ticked(form, 'pushedRequestsRequired'),
      dpopRequired: ticked(form, 'dpopRequired'),
      backchannelLogoutRevokesOffline: ticked(form, 'backchannelLogoutRevokesOffline'),
      ...(form.get('secret') && { secret: field(form, 'secret') }),
    }),
  'client/not-before': (admin, form) => admin.setClient(field(form, 'client'), notBefore(admin, form)),
};
