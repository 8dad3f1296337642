import { readDuration } from '../../duration.ts';
import type { ProviderKnobs } from '../realm/settings.ts';

type Act = (knobs: ProviderKnobs, form: URLSearchParams) => unknown;

const field = (form: URLSearchParams, name: string) => form.get(name) ?? '';
const ticked = (form: URLSearchParams, name: string) => form.get(name) === 'on';
const duration = (form: URLSearchParams, name: string, otherwise: number) =>
  readDuration(field(form, name)) ?? otherwise;
/** `now`: everything issued so far is stale; else nothing is. */
const notBefore = (knobs: ProviderKnobs, form: URLSearchParams) => ({
  notBefore: field(form, 'from') === 'now' ? knobs.now() : 0,
});

/** What the forms of the administrator's pages ask for, by the last part of their address. */
export const adminActs: Readonly<Record<string, Act>> = {
  realm: (knobs, form) => {
    const before = knobs.settings();
    knobs.setRealm({
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
  'realm/not-before': (knobs, form) => knobs.setRealm(notBefore(knobs, form)),
  'realm/sign-out-all': (knobs) => knobs.signOutAll(),
  'realm/roll-key': (knobs) => knobs.rollSigningKey(),
  'realm/replace-keys': (knobs) => knobs.replaceKeys(),
  user: (knobs, form) =>
    knobs.setUser(field(form, 'user'), {
      enabled: ticked(form, 'enabled'),
      offlineRole: ticked(form, 'offlineRole'),
    }),
  'user/not-before': (knobs, form) => knobs.setUser(field(form, 'user'), notBefore(knobs, form)),
  'user/sign-out': (knobs, form) => knobs.signOut(field(form, 'user')),
  'user/delete': (knobs, form) => knobs.deleteUser(field(form, 'user')),
  consent: (knobs, form) => knobs.removeConsent(field(form, 'user'), field(form, 'client')),
  session: (knobs, form) => knobs.endOfflineSession(field(form, 'sid'), field(form, 'client')),
  client: (knobs, form) =>
    knobs.setClient(field(form, 'client'), {
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
  'client/not-before': (knobs, form) => knobs.setClient(field(form, 'client'), notBefore(knobs, form)),
};
