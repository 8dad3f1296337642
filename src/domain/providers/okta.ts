import { daySeconds } from '../../durations.ts';
import type { ProviderProfile, Published } from './profile.ts';

const isOkta = ({ issuer }: Published) => /(^|\.)(okta|oktapreview|okta-emea)\.com$/.test(issuer.hostname);

const okta = {
  offlineAccess: { scope: 'offline_access' },
  rotation: 'sometimes',
  // Sent again after that it ends the newest token as well.
  reuse: { graceSeconds: 30, returns: 'new' },
  introspection: 'true',
  ending: 'rfc7009',
  refusals: [],
} as const satisfies Partial<ProviderProfile>;

/** The authorization server of an Okta organisation, by its documentation: no idle window, and 90 days that nothing moves. */
export const oktaOrg: ProviderProfile = {
  title: 'Okta (organisation)',
  ...okta,
  maximum: {
    seconds: 90 * daySeconds,
    setting: 'fixed for the authorization server of an organisation; a custom one has no such end',
  },
  recognise: (published) => isOkta(published) && !published.issuer.pathname.startsWith('/oauth2/'),
};

/** A custom authorization server of Okta, by its documentation. */
export const oktaCustom: ProviderProfile = {
  title: 'Okta (custom authorization server)',
  ...okta,
  idle: {
    seconds: 7 * daySeconds,
    setting: 'Access policies of the server, the rule, "but will expire if not used every"',
  },
  recognise: (published) => isOkta(published) && published.issuer.pathname.startsWith('/oauth2/'),
};
